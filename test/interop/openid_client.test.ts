import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { startDevicePlatform } from '../parts/device.ts'
import {
  ALICE,
  CLIENTS,
  type ClientName,
  claimsOf,
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

async function discover(
  p: Platform,
  name: ClientName,
  algorithm: 'oidc' | 'oauth2' = 'oidc',
): Promise<client.Configuration> {
  const { client_id, client_secret } = CLIENTS[name]
  const method =
    client_secret === undefined
      ? client.None()
      : name === 'post'
        ? client.ClientSecretPost(client_secret)
        : client.ClientSecretBasic(client_secret)
  // Loopback speaks http; the signatures of ID tokens are checked although they came over the back channel.
  const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks]
  return client.discovery(new URL(p.issuer), client_id, undefined, method, { execute, algorithm })
}

async function signIn(config: client.Configuration, name: ClientName, params: Record<string, string> = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: CLIENTS[name].redirect_uri,
    scope: 'openid email profile offline_access api:read',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...params,
  })
  const back = await new UserAgent().authorize(url.href, ALICE)
  return client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier,
    expectedState,
    expectedNonce,
    idTokenExpected: true,
  })
}

testOnBothIssuers('openid-client: discovery by both well-known documents', async (p) => {
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    const server = (await discover(p, 'web', algorithm)).serverMetadata()
    assert.equal(server.issuer, p.issuer)
    assert.equal(server.supportsPKCE(), true)
    assert.equal(server.authorization_response_iss_parameter_supported, true)
  }
})

testOnBothIssuers(
  'openid-client: code with PKCE, nonce and iss, userinfo, refresh, introspection and revocation',
  async (p) => {
    for (const name of ['web', 'post', 'spa', 'native'] as const) {
      const config = await discover(p, name)
      const tokens = await signIn(config, name)
      const { sub } = tokens.claims()!
      assert.equal(tokens.token_type, 'bearer')
      assert.equal(tokens.scope, 'openid email profile offline_access api:read')
      const user = await client.fetchUserInfo(config, tokens.access_token, sub)
      assert.deepEqual([user.email, user.preferred_username], ['alice@example.test', 'alice'])

      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token!)
      const retried = await client.refreshTokenGrant(config, tokens.refresh_token!)
      assert.equal(retried.refresh_token, refreshed.refresh_token)
      assert.equal(refreshed.claims()!.sub, sub)

      const api = await discover(p, 'api')
      const seen = await client.tokenIntrospection(api, refreshed.access_token)
      assert.deepEqual(
        [seen.active, seen.sub, seen.client_id, seen.username],
        [true, sub, CLIENTS[name].client_id, 'alice'],
      )
      await client.tokenRevocation(config, refreshed.refresh_token!)
      assert.equal((await client.tokenIntrospection(api, refreshed.access_token)).active, false)
      await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token!), { error: 'invalid_grant' })
    }
  },
)

testOnBothIssuers(
  'openid-client: introspection of JWT and opaque access tokens, and their end by revocation',
  async (p) => {
    const config = await discover(p, 'web')
    const api = await discover(p, 'api')
    for (const [resource, scope] of [
      [JWT_API, 'api:read'],
      [OPAQUE_API, 'vault:open'],
    ] as const) {
      const tokens = await signIn(config, 'web', { resource, scope: `openid ${scope}` })
      assert.equal(tokens.access_token.startsWith('sp_at_'), resource === OPAQUE_API)
      const seen = await client.tokenIntrospection(api, tokens.access_token, { token_type_hint: 'access_token' })
      assert.deepEqual([seen.active, seen.aud, seen.scope, seen.iss], [true, resource, `openid ${scope}`, p.issuer])
      await client.tokenRevocation(config, tokens.access_token)
      assert.equal((await client.tokenIntrospection(api, tokens.access_token)).active, false)
    }
  },
)

testOnBothIssuers('openid-client: client credentials, JWT and opaque', async (p) => {
  const config = await discover(p, 'web')
  const jwt = await client.clientCredentialsGrant(config, { scope: 'api:read', resource: JWT_API })
  assert.equal(claimsOf(jwt.access_token)['aud'], JWT_API)
  const opaque = await client.clientCredentialsGrant(config, { scope: 'vault:open', resource: OPAQUE_API })
  assert.equal((await client.tokenIntrospection(config, opaque.access_token)).active, true)
  assert.equal(opaque.refresh_token, undefined)
})

testOnBothIssuers('openid-client: what the server refuses arrives as the error it is', async (p) => {
  const config = await discover(p, 'web')
  const denied = await new UserAgent().authorize(p.authorizeUrl('web'), ALICE, 'deny')
  await assert.rejects(client.authorizationCodeGrant(config, denied, { expectedState: 'xyz' }), {
    error: 'access_denied',
  })
  const wrong = await client.discovery(new URL(p.issuer), 'web', undefined, client.ClientSecretBasic('x'), {
    execute: [client.allowInsecureRequests],
  })
  await assert.rejects(client.clientCredentialsGrant(wrong), { code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' })
  await assert.rejects(client.clientCredentialsGrant(config, { scope: 'no:such' }), { error: 'invalid_scope' })
  await assert.rejects(client.fetchUserInfo(config, 'x', 'x'), { code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' })
})

/** That is what is wrong, before anything is exchanged. */
const isOfIssuer = ({ cause }: Error) => /"iss" \(issuer\)/.test(String(cause))

testOnBothIssuers('openid-client: an answer of another issuer is not taken for ours', async (p) => {
  const config = await discover(p, 'web')
  const back = await new UserAgent().authorize(p.authorizeUrl('web'), ALICE)
  back.searchParams.set('iss', `${p.issuer}/other`)
  await assert.rejects(client.authorizationCodeGrant(config, back, { expectedState: 'xyz' }), isOfIssuer)
  back.searchParams.delete('iss')
  await assert.rejects(client.authorizationCodeGrant(config, back, { expectedState: 'xyz' }), isOfIssuer)
})

testOnBothIssuers('openid-client: pushed authorization requests, by a secret and without one', async (p) => {
  for (const name of ['web', 'post', 'spa'] as const) {
    const config = await discover(p, name)
    assert.equal(config.serverMetadata().pushed_authorization_request_endpoint, `${p.issuer}/par`)
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
    const url = await client.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: CLIENTS[name].redirect_uri,
      scope: 'openid email offline_access',
      state: expectedState,
      nonce: expectedNonce,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    })
    assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
    const back = await new UserAgent().authorize(url.href, ALICE)
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
    const tokens = await client.authorizationCodeGrant(config, back, checks)
    assert.equal(tokens.claims()!.nonce, expectedNonce)
    assert.equal(tokens.scope, 'openid email offline_access')
  }
})

test('openid-client: a device gets tokens once its user has allowed it on a page, and refreshes', async () => {
  const p = await startDevicePlatform({ path: '/hub' })
  p.clock.now = Date.now()
  try {
    const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks]
    const config = await client.discovery(new URL(p.server.issuer), 'tv', undefined, client.None(), { execute })
    const started = await client.initiateDeviceAuthorization(config, { scope: 'openid offline_access films:watch' })
    assert.equal(started.verification_uri, `${p.server.issuer}/device`)
    assert.equal(started.interval, 5)
    await p.allow(await p.signIn('alice'), started.user_code)
    // The wait that the library keeps before each question passes at once.
    p.clock.now += 5000
    const tokens = await client.pollDeviceAuthorizationGrant(config, { ...started, interval: 0 })
    assert.equal(tokens.scope, 'openid offline_access films:watch')
    assert.equal(tokens.claims()!.aud, 'tv')
    assert.ok((await client.refreshTokenGrant(config, tokens.refresh_token!)).access_token)
    p.clock.now += 5000
    const again = client.pollDeviceAuthorizationGrant(config, { ...started, interval: 0 })
    await assert.rejects(again, { error: 'invalid_grant' })
  } finally {
    await p.server.stop()
  }
})
