import { tellConnectStory } from '../parts/connect_story.ts'
import { startForeignProvider } from '../parts/foreign_provider.ts'

const client = { client_id: 'sallyport', client_secret: 'secret: of + ours / there' }

for (const rotate of [true, false]) {
  tellConnectStory(
    `an account at oidc-provider is connected, ${rotate ? 'which rotates refresh tokens' : 'which keeps refresh tokens'}`,
    async ({ redirect_uri }) => {
      const theirs = await startForeignProvider({
        ...{ clients: [{ ...client, redirect_uris: [redirect_uri] }], rotate, auto_login: null },
      })
      return {
        connector: { provider: 'oidc', issuer: theirs.issuer, scope: 'openid email offline_access', ...client },
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
  )
}
