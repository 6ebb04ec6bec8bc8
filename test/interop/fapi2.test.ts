import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oauth from 'oauth4webapi'
import { readCode } from '../../server/src/inbound/authorization/codes.ts'
import { ALICE, CALLBACK, claimsOf, JWT_API, type Platform, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

// Loopback speaks http.
const http = { [oauth.allowInsecureRequests]: true }
const REDIRECT = 'https://fapi.example/callback'

let p: Platform
let as: oauth.AuthorizationServer
let keys: CryptoKeyPair
const client: oauth.Client = { client_id: 'fapi' }

before(async () => {
  p = await startPlatform({ path: '', real_time: true })
  keys = (await oauth.generateKeyPair('ES256', { extractable: true })) as CryptoKeyPair
  const jwk = { ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  await p.server.addClient({
    ...{ client_id: client.client_id, profile: 'fapi2', redirect_uris: [REDIRECT], jwks: { keys: [jwk] } },
    ...{ grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'private_key_jwt' },
    scope: 'openid email offline_access api:read',
  })
  const issuer = new URL(p.issuer)
  as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http))
})
after(() => p.stop())

const auth = () => oauth.PrivateKeyJwt({ key: keys.privateKey, kid: 'k1' })

/** Pushes a request, lets Alice answer it, and answers what comes back, checked. */
async function authorize(DPoP?: oauth.DPoPHandle, more: Record<string, string> = {}) {
  const [verifier, state, nonce] = [
    oauth.generateRandomCodeVerifier(),
    oauth.generateRandomState(),
    // FAPI 2.0 Security Profile section 5.3.2.2: up to 64 characters are accepted.
    'n'.repeat(64),
  ]
  const params = new URLSearchParams({
    ...{ response_type: 'code', redirect_uri: REDIRECT, scope: 'openid email offline_access api:read', state, nonce },
    ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
    ...{ resource: JWT_API, ...more },
  })
  const pushed = await oauth.pushedAuthorizationRequest(as, client, auth(), params, DPoP ? { ...http, DPoP } : http)
  const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, pushed)
  const url = new URL(as.authorization_endpoint!)
  url.search = new URLSearchParams({ client_id: client.client_id, request_uri }).toString()
  const back = await new UserAgent().authorize(url.href, ALICE)
  return { params: oauth.validateAuthResponse(as, client, back, state), verifier, nonce }
}

async function newHandle(): Promise<oauth.DPoPHandle> {
  return oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
}

test('P-09 oauth4webapi: FAPI 2.0 with PAR, private_key_jwt and DPoP; the refresh token stays, retried or not', async () => {
  const DPoP = await newHandle()
  const { params, verifier, nonce } = await authorize(DPoP)
  const options = { ...http, DPoP }
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth(), params, REDIRECT, verifier, options)
  const expected = { expectedNonce: nonce, requireIdToken: true }
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, expected)
  assert.equal(tokens.token_type, 'dpop')
  assert.ok((claimsOf(tokens.access_token)['cnf'] as { jkt: string }).jkt, 'P-04 P-05 bound')
  for (let i = 0; i < 3; i++) {
    const refresh = await oauth.refreshTokenGrantRequest(as, client, auth(), tokens.refresh_token!, options)
    const refreshed = await oauth.processRefreshTokenResponse(as, client, refresh)
    assert.equal(refreshed.refresh_token, tokens.refresh_token, 'P-09 no rotation')
    assert.ok((claimsOf(refreshed.access_token)['cnf'] as { jkt: string }).jkt)
  }
  const tries = Array.from({ length: 8 }, async () => {
    const once = { ...http, DPoP: await newHandle() }
    const refresh = await oauth.refreshTokenGrantRequest(as, client, auth(), tokens.refresh_token!, once)
    return oauth.processRefreshTokenResponse(as, client, refresh)
  })
  for (const { refresh_token } of await Promise.all(tries)) assert.equal(refresh_token, tokens.refresh_token)
})

test('P-12 P-15 a code that was asked for with one key is not exchanged with another', async () => {
  const { params, verifier } = await authorize(await newHandle())
  const options = { ...http, DPoP: await newHandle() }
  const stolen = await oauth.authorizationCodeGrantRequest(as, client, auth(), params, REDIRECT, verifier, options)
  assert.equal(stolen.status, 400)
  assert.equal(((await stolen.json()) as { error: string }).error, 'invalid_grant')
})

test('P-03 to P-06 P-15 what a client of this profile may not do is refused', async () => {
  const direct = new URL(as.authorization_endpoint!)
  const request = { response_type: 'code', client_id: 'fapi', redirect_uri: REDIRECT, scope: 'openid', state: 'x' }
  direct.search = new URLSearchParams(request).toString()
  const refused = new URL((await new UserAgent().request(direct.href)).headers.get('location')!)
  assert.equal(refused.searchParams.get('error'), 'invalid_request')
  assert.match(refused.searchParams.get('error_description')!, /request_uri/)
  assert.equal(refused.searchParams.get('iss'), p.issuer)
  // Without a proof no token is issued, and the code is not used up.
  const DPoP = await newHandle()
  const { params, verifier, nonce } = await authorize(DPoP)
  const bearer = await oauth.authorizationCodeGrantRequest(as, client, auth(), params, REDIRECT, verifier, http)
  assert.equal(bearer.status, 400)
  assert.equal(((await bearer.json()) as { error: string }).error, 'invalid_grant')
  const bound = await oauth.authorizationCodeGrantRequest(as, client, auth(), params, REDIRECT, verifier, {
    ...http,
    DPoP,
  })
  await oauth.processAuthorizationCodeResponse(as, client, bound, { expectedNonce: nonce })
  // One that was never bound is not exchanged for a token that anybody could use.
  const loose = await authorize()
  const unbound = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    auth(),
    loose.params,
    REDIRECT,
    loose.verifier,
    http,
  )
  assert.deepEqual([unbound.status, ((await unbound.json()) as { error: string }).error], [400, 'invalid_dpop_proof'])
  // A client that has a secret, or nothing at all, cannot be of it.
  for (const token_endpoint_auth_method of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'none']) {
    const metadata = { profile: 'fapi2', redirect_uris: [REDIRECT], token_endpoint_auth_method }
    await assert.rejects(p.server.addClient(metadata), /token_endpoint_auth_method/, token_endpoint_auth_method)
  }
  const plain = { profile: 'fapi2', token_endpoint_auth_method: 'private_key_jwt', redirect_uris: [CALLBACK] }
  await assert.rejects(p.server.addClient({ ...plain, jwks_uri: 'https://fapi.example/jwks' }), /redirect_uris/)
})

test('P-01 both discovery documents say the same', async () => {
  const issuer = new URL(p.issuer)
  const read = async (algorithm: 'oidc' | 'oauth2') =>
    oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...http, algorithm }))
  assert.deepEqual(await read('oauth2'), await read('oidc'))
})

test('P-17 P-18 PKCE by S256 and the redirect URI are in the pushed request, or it is refused', async () => {
  const whole = {
    ...{ response_type: 'code', redirect_uri: REDIRECT, scope: 'openid', state: 'x', code_challenge_method: 'S256' },
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()),
  }
  for (const [more, name] of [
    [{ code_challenge: '' }, 'code_challenge'],
    [{ code_challenge_method: 'plain' }, 'code_challenge_method'],
    [{ code_challenge_method: '' }, 'code_challenge_method'],
    [{ redirect_uri: '' }, 'redirect_uri'],
    [{ redirect_uri: `${REDIRECT}/` }, 'redirect_uri'],
  ] as const) {
    const params = new URLSearchParams({ ...whole, ...more })
    const refused = await oauth.pushedAuthorizationRequest(as, client, auth(), params, http)
    const body = (await refused.json()) as { error: string; error_description: string }
    assert.deepEqual([refused.status, body.error], [400, 'invalid_request'], name)
    assert.match(body.error_description, new RegExp(name))
  }
})

test('P-19 P-21 P-22 P-29 the answer names its issuer, leaves by 303 and holds a code of 256 bits that is good once', async () => {
  const DPoP = await newHandle()
  const verifier = oauth.generateRandomCodeVerifier()
  const challenge = await oauth.calculatePKCECodeChallenge(verifier)
  const request = { response_type: 'code', redirect_uri: REDIRECT, scope: 'openid', state: 'x', prompt: 'consent' }
  const params = new URLSearchParams({ ...request, code_challenge: challenge, code_challenge_method: 'S256' })
  const pushed = await oauth.pushedAuthorizationRequest(as, client, auth(), params, { ...http, DPoP })
  const { request_uri, expires_in } = await oauth.processPushedAuthorizationResponse(as, client, pushed)
  assert.ok(Buffer.from(request_uri.split(':').at(-1)!, 'base64url').length >= 32 && expires_in < 600)
  const url = `${as.authorization_endpoint}?${new URLSearchParams({ client_id: 'fapi', request_uri })}`
  const statuses: number[] = []
  class Watched extends UserAgent {
    override async request(...asked: Parameters<UserAgent['request']>) {
      const response = await super.request(...asked)
      if (response.headers.has('location')) statuses.push(response.status)
      return response
    }
  }
  const back = await new Watched().authorize(url, ALICE)
  assert.deepEqual(new Set(statuses), new Set([303]))
  assert.equal(back.searchParams.get('iss'), p.issuer)
  const code = back.searchParams.get('code')!
  assert.ok(Buffer.from(code.slice('sp_ac_'.length), 'base64url').length >= 32)
  const answer = oauth.validateAuthResponse(as, client, back, 'x')
  const redeem = () =>
    oauth.authorizationCodeGrantRequest(as, client, auth(), answer, REDIRECT, verifier, { ...http, DPoP })
  const first = await oauth.processAuthorizationCodeResponse(as, client, await redeem())
  assert.equal((await redeem()).status, 400)
  assert.equal((await p.introspect(first.access_token)).active, false, 'and what it gave is gone')
})

test('P-03 P-06 a tenant of this profile lets no other client in, whatever it was registered as before', async () => {
  await p.server.saveSettings({ profile: 'fapi2' })
  const { body } = await p.post('/token', { grant_type: 'client_credentials', scope: 'api:read', resource: JWT_API })
  assert.equal(body.error, 'unauthorized_client')
  const request = { response_type: 'code', redirect_uri: CALLBACK, scope: 'openid' }
  assert.equal((await p.post('/par', request)).body.error, 'unauthorized_client')
  const direct = await new UserAgent().request(p.authorizeUrl('trusted'))
  assert.equal(new URL(direct.headers.get('location')!).searchParams.get('error'), 'invalid_request')
  const metadata = await (await fetch(`${p.issuer}/.well-known/openid-configuration`)).json()
  assert.equal(metadata.require_pushed_authorization_requests, true)
  // Codes live no longer than the profile lets them, whatever the setting says.
  await p.server.saveSettings({ profile: 'fapi2', code_lifetime_seconds: 600 })
  const { params } = await authorize(await newHandle())
  assert.ok(params.get('code'))
  const { tenant_id } = p.server.app.tenant
  const { grant_id } = readCode(p.server.app.tenant.keys, params.get('code')!)!
  const authority = await p.server.store.loadGrantAuthority({ tenant_id, client_id: 'fapi', grant_id })
  const grant = authority!.grant!
  assert.equal(grant.code_expires_at! - grant.created_at, 60_000, 'P-11')
  await p.server.saveSettings({})
})

test('mcp and oauth21: PKCE without exception, no legacy grants, and mcp names its resource', async () => {
  const exempt = new URL(p.authorizeUrl('exempt'))
  await p.server.saveSettings({ profile: 'oauth21' })
  const answer = async (url: string) =>
    new URL((await new UserAgent().request(url)).headers.get('location') ?? '', p.issuer).searchParams
  assert.match((await answer(exempt.href)).get('error_description') ?? '', /code_challenge/)
  const old_spa = {
    grant_types: ['implicit'],
    redirect_uris: [CALLBACK],
    scope: 'api:read',
    token_endpoint_auth_method: 'none',
  }
  await p.server.addClient({ ...old_spa, client_id: 'implicit' })
  const fragment = p.authorizeUrl('web', { client_id: 'implicit', response_type: 'token', scope: 'api:read' })
  const refused = new URL((await new UserAgent().request(fragment)).headers.get('location')!)
  assert.equal(new URLSearchParams(refused.hash.slice(1)).get('error'), 'unauthorized_client')
  await p.server.saveSettings({ profile: 'mcp' })
  assert.equal((await answer(p.authorizeUrl('web', { resource: undefined }))).get('error'), 'invalid_target')
  assert.equal((await answer(p.authorizeUrl('web'))).get('error'), null)
  // What an administrator says of one client comes before what holds for all.
  await p.server.saveSettings({ profile: 'legacy' })
  const old = await answer(p.authorizeUrl('web', { code_challenge: undefined, code_challenge_method: undefined }))
  assert.equal(old.get('error'), null)
  const spa = await answer(p.authorizeUrl('spa', { code_challenge: undefined, code_challenge_method: undefined }))
  assert.match(spa.get('error_description') ?? '', /code_challenge/, 'a public client never without')
  await p.server.saveSettings({})
})
