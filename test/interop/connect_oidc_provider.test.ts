import { tellConnectStory } from '../parts/connect_story.ts'
import { startForeignProvider } from '../parts/foreign_provider.ts'

const client_id = 'sallyport'
const client_secret = 'secret: of + ours / there'
const by_key = { token_endpoint_auth_method: 'private_key_jwt' } as const

const PUSHED = { enabled: true, requirePushedAuthorizationRequests: true }

const STORIES = [
  { how: 'which rotates refresh tokens', rotate: true },
  { how: 'which keeps refresh tokens', rotate: false },
  { how: 'which knows us by a key that was made here', rotate: true, jwks: '/jwks/theirs' },
  { how: 'which takes pushed requests alone', rotate: true, features: { pushedAuthorizationRequests: PUSHED } },
]

for (const { how, rotate, jwks, features } of STORIES) {
  tellConnectStory(
    `an account at oidc-provider is connected, ${how}`,
    async ({ redirect_uri }) => {
      const known = jwks
        ? { ...by_key, token_endpoint_auth_signing_alg: 'ES256', jwks_uri: new URL(jwks, redirect_uri).href }
        : { client_secret }
      const ours = jwks ? { fields: by_key } : { client_secret }
      const theirs = await startForeignProvider({
        ...{ clients: [{ client_id, ...known, redirect_uris: [redirect_uri] }], rotate, auto_login: null },
        ...(features && { features }),
      })
      return {
        connector: {
          ...{ provider: 'oidc', issuer: theirs.issuer, scope: 'openid email offline_access', client_id, ...ours },
        },
        account: /^bob-at-work$/,
        account_name: 'bob-at-work@foreign.example',
        refresh: rotate ? 'rotates' : 'keeps',
        revocation: 'revoked',
        async consent(there, authorization_url) {
          let at = await there.follow(authorization_url)
          for (let pages = 0; pages < 2 && new URL(at.url).origin === theirs.issuer; pages++) {
            const html = await at.response.text()
            at = await there.submit({ url: at.url, html }, { username: 'bob-at-work', password: 'any' })
          }
          return at.url
        },
        async takes(access_token) {
          const headers = { authorization: `Bearer ${access_token}` }
          return (await fetch(`${theirs.issuer}/me`, { headers })).status === 200
        },
        async revoke() {
          await theirs.revokeGrants('bob-at-work')
        },
        close: () => theirs.close(),
      }
    },
    { checks_secret: !jwks },
  )
}
