import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AuthorizationCode, ClientCredentials } from 'simple-oauth2'
import { ALICE, CLIENTS, challengeOf, JWT_API, type Platform, startPlatform, VERIFIER } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const platforms = new Map<string, Platform>()
before(async () => {
  for (const path of ['/hub', '']) platforms.set(path, await startPlatform({ path, real_time: true }))
})
after(async () => {
  for (const platform of platforms.values()) await platform.stop()
})

function configure(p: Platform, name: 'web' | 'post' | 'exempt') {
  const { origin, pathname } = new URL(p.issuer)
  const base = pathname.replace(/\/$/, '')
  const { client_id, client_secret } = CLIENTS[name]
  return {
    client: { id: client_id, secret: client_secret },
    auth: {
      tokenHost: origin,
      tokenPath: `${base}/token`,
      authorizePath: `${base}/authorize`,
      revokePath: `${base}/revoke`,
    },
    options: { authorizationMethod: name === 'post' ? ('body' as const) : ('header' as const) },
  }
}

test('simple-oauth2: code, refresh and revocation, with PKCE and without', async () => {
  for (const p of platforms.values()) {
    for (const name of ['web', 'post', 'exempt'] as const) {
      const client = new AuthorizationCode(configure(p, name))
      const { redirect_uri } = CLIENTS[name]
      const proof = name === 'exempt' ? {} : { code_challenge: challengeOf(VERIFIER), code_challenge_method: 'S256' }
      const asked = {
        redirect_uri,
        scope: ['openid', 'offline_access', 'api:read'],
        state: 'a b',
        resource: JWT_API,
        ...proof,
      }
      const back = await new UserAgent().authorize(client.authorizeURL(asked), ALICE)
      assert.equal(back.searchParams.get('state'), 'a b')
      const verifier = name === 'exempt' ? {} : { code_verifier: VERIFIER }
      const first = await client.getToken({ code: back.searchParams.get('code')!, redirect_uri, ...verifier })
      assert.equal(first.expired(), false)
      assert.equal((await p.introspect(first.token['access_token'] as string)).active, true)

      const second = await first.refresh()
      assert.notEqual(second.token['refresh_token'], first.token['refresh_token'])
      assert.equal((await first.refresh()).token['refresh_token'], second.token['refresh_token'], 'a retry')
      await second.revokeAll()
      assert.equal((await p.introspect(second.token['access_token'] as string)).active, false)
      await assert.rejects(second.refresh(), /400/)
    }
  }
})

test('simple-oauth2: client credentials', async () => {
  for (const p of platforms.values()) {
    const { auth, ...web } = configure(p, 'web')
    const { tokenHost, tokenPath } = auth
    const client = new ClientCredentials({ ...web, auth: { tokenHost, tokenPath } })
    const asked = { scope: ['api:read'], resource: JWT_API }
    const { token } = await client.getToken(asked as { scope: string[] })
    assert.equal((await p.introspect(token['access_token'] as string)).active, true)
  }
})
