import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oauth from 'oauth4webapi'
import {
  ALICE,
  CLIENTS,
  type ClientName,
  JWT_API,
  OPAQUE_API,
  type Platform,
  startPlatform,
} from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const platforms = new Map<string, Platform>()
before(async () => {
  for (const path of ['/hub', '']) platforms.set(path, await startPlatform({ path, real_time: true }))
})
after(async () => {
  for (const platform of platforms.values()) await platform.stop()
})

/** Declares a test for an issuer with a path and for one without. */
function testOnBothIssuers(title: string, run: (p: Platform) => Promise<void>): void {
  test(title, async (t) => {
    await t.test('an issuer with a path', () => run(platforms.get('/hub')!))
    await t.test('an issuer without a path', () => run(platforms.get('')!))
  })
}

// Loopback speaks http.
const http = { [oauth.allowInsecureRequests]: true }

async function discover(p: Platform, algorithm: 'oidc' | 'oauth2' = 'oidc'): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(p.issuer)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...http, algorithm }))
}

function identify(name: ClientName): { client: oauth.Client; auth: oauth.ClientAuth } {
  const { client_id, client_secret } = CLIENTS[name]
  const basic = client_secret === undefined ? oauth.None() : oauth.ClientSecretBasic(client_secret)
  return { client: { client_id }, auth: name === 'post' ? oauth.ClientSecretPost(client_secret!) : basic }
}

async function signIn(p: Platform, name: ClientName, params: Record<string, string> = {}) {
  const as = await discover(p)
  const { client, auth } = identify(name)
  const { redirect_uri } = CLIENTS[name]
  const [verifier, state, expectedNonce] = [
    oauth.generateRandomCodeVerifier(),
    oauth.generateRandomState(),
    oauth.generateRandomNonce(),
  ]
  const url = new URL(as.authorization_endpoint!)
  const request = {
    client_id: client.client_id,
    redirect_uri,
    response_type: 'code',
    scope: 'openid email offline_access api:read',
    state,
    nonce: expectedNonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...params,
  }
  for (const [key, value] of Object.entries(request)) url.searchParams.set(key, value)
  const back = oauth.validateAuthResponse(as, client, await new UserAgent().authorize(url.href, ALICE), state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, back, redirect_uri, verifier, http)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
    expectedNonce,
    requireIdToken: true,
  })
  await oauth.validateApplicationLevelSignature(as, response, http)
  return { as, client, auth, tokens, claims: oauth.getValidatedIdTokenClaims(tokens)! }
}

testOnBothIssuers('oauth4webapi: discovery by both well-known documents', async (p) => {
  assert.deepEqual(await discover(p, 'oauth2'), await discover(p, 'oidc'))
})

testOnBothIssuers(
  'oauth4webapi: code with PKCE, nonce and iss, userinfo, refresh, introspection and revocation',
  async (p) => {
    for (const name of ['web', 'post', 'spa'] as const) {
      const { as, client, auth, tokens, claims } = await signIn(p, name)
      const user = await oauth.processUserInfoResponse(
        as,
        client,
        claims.sub,
        await oauth.userInfoRequest(as, client, tokens.access_token, http),
      )
      assert.equal(user.email, 'alice@example.test')

      const refresh = async (token: string) =>
        oauth.processRefreshTokenResponse(
          as,
          client,
          await oauth.refreshTokenGrantRequest(as, client, auth, token, http),
        )
      const refreshed = await refresh(tokens.refresh_token!)
      assert.equal((await refresh(tokens.refresh_token!)).refresh_token, refreshed.refresh_token)

      const api = identify('api')
      const introspect = async (token: string) =>
        oauth.processIntrospectionResponse(
          as,
          api.client,
          await oauth.introspectionRequest(as, api.client, api.auth, token, http),
        )
      assert.equal((await introspect(refreshed.access_token)).active, true)
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(as, client, auth, refreshed.refresh_token!, http),
      )
      assert.equal((await introspect(refreshed.access_token)).active, false)
      await assert.rejects(refresh(refreshed.refresh_token!), { error: 'invalid_grant' })
    }
  },
)

testOnBothIssuers(
  'oauth4webapi: a JWT access token is what RFC 9068 says, an opaque one is introspected',
  async (p) => {
    const { as, tokens, claims } = await signIn(p, 'web', { resource: JWT_API, scope: 'openid api:read' })
    const request = new Request(JWT_API, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    const validated = await oauth.validateJwtAccessToken(as, request, JWT_API, http)
    assert.deepEqual([validated.sub, validated.client_id, validated.scope], [claims.sub, 'web', 'openid api:read'])
    await assert.rejects(oauth.validateJwtAccessToken(as, request.clone(), OPAQUE_API, http))

    const opaque = await signIn(p, 'web', { resource: OPAQUE_API, scope: 'openid vault:open' })
    const { client, auth } = identify('api')
    const response = await oauth.introspectionRequest(as, client, auth, opaque.tokens.access_token, http)
    const seen = await oauth.processIntrospectionResponse(as, client, response)
    assert.deepEqual([seen.active, seen.aud, seen['sub']], [true, OPAQUE_API, claims.sub])
  },
)

testOnBothIssuers('oauth4webapi: client credentials', async (p) => {
  const as = await discover(p)
  const { client, auth } = identify('web')
  const response = await oauth.clientCredentialsGrantRequest(
    as,
    client,
    auth,
    { scope: 'api:read', resource: JWT_API },
    http,
  )
  const tokens = await oauth.processClientCredentialsResponse(as, client, response)
  const request = new Request(JWT_API, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  const { sub, client_id } = await oauth.validateJwtAccessToken(as, request, JWT_API, http)
  assert.deepEqual([sub, client_id], ['web', 'web'])
})

testOnBothIssuers('oauth4webapi: a refusal at the authorization endpoint arrives with its code', async (p) => {
  const as = await discover(p)
  const { client } = identify('web')
  const back = await new UserAgent().authorize(p.authorizeUrl('web', { scope: 'no:such' }), ALICE)
  assert.throws(() => oauth.validateAuthResponse(as, client, back, 'xyz'), { error: 'invalid_scope' })
  back.searchParams.set('iss', 'https://evil.example')
  assert.throws(() => oauth.validateAuthResponse(as, client, back, 'xyz'), /iss/)
})
