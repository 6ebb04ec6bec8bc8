import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createResource } from '@sallyport/sdk'
import { protect, readAccess } from '@sallyport/sdk/express'
import express from 'express'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { ALICE, CALLBACK, type Platform, SPA_CALLBACK, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const SECRET = 'secret-of-the-bound-client'
const SCOPE = 'openid email offline_access api:read'
const CLIENTS = [
  { client_id: 'bound', redirect_uri: CALLBACK, nonce: false, secret: SECRET },
  { client_id: 'nonces', redirect_uri: CALLBACK, nonce: true, secret: SECRET },
  { client_id: 'public', redirect_uri: SPA_CALLBACK, nonce: true, secret: undefined },
] as const
type BoundClient = (typeof CLIENTS)[number]

const platforms = new Map<string, Platform>()
before(async () => {
  for (const kind of ['sqlite', 'postgres'] as const) {
    const p = await startPlatform({ kind, real_time: true })
    for (const { client_id, redirect_uri, nonce, secret } of CLIENTS) {
      await p.server.addClient({
        ...{ client_id, client_secret: secret, redirect_uris: [redirect_uri], scope: SCOPE },
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: secret === undefined ? 'none' : 'client_secret_basic',
        ...{ dpop_bound_access_tokens: true, require_dpop_nonce: nonce },
      })
    }
    platforms.set(kind, p)
  }
})
after(async () => {
  for (const platform of platforms.values()) await platform.stop()
})

/** Declares a test for each kind of client on both databases. */
function testEach(title: string, run: (p: Platform, registered: BoundClient) => Promise<void>): void {
  test(title, async (t) => {
    for (const kind of ['sqlite', 'postgres']) {
      for (const one of CLIENTS) await t.test(`${one.client_id}, ${kind}`, () => run(platforms.get(kind)!, one))
    }
  })
}

/** An API behind our SDK that takes bound tokens alone and asks for nonces. */
async function startApi(issuer: string) {
  const app = express()
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const dpop = { required: true, nonce_secret: 'the secret that replicas of the API share' }
  const resource = createResource({ resource: `${origin}/files`, issuer, dpop })
  app.get('/files/:name', protect(resource, { scope: 'api:read' }), (req, res) => {
    res.json({ name: req.params['name'], sub: readAccess(req).sub })
  })
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { resource: `${origin}/files`, stop }
}

testEach('openid-client: code, refresh and userinfo by DPoP, nonces included', async (p, registered) => {
  const { client_id, redirect_uri, secret } = registered
  const method = secret === undefined ? client.None() : client.ClientSecretBasic(secret)
  const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks]
  const config = await client.discovery(new URL(p.issuer), client_id, undefined, method, { execute })
  for (const alg of ['ES256', 'Ed25519', 'PS256']) {
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg))
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const expectedState = client.randomState()
    const url = await client.buildAuthorizationUrlWithPAR(
      config,
      {
        ...{ redirect_uri, scope: SCOPE, state: expectedState, resource: p.issuer, code_challenge_method: 'S256' },
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        dpop_jkt: await DPoP.calculateThumbprint(),
      },
      { DPoP },
    )
    const back = await new UserAgent().authorize(url.href, ALICE)
    const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState }, undefined, {
      DPoP,
    })
    assert.equal(tokens.token_type, 'dpop', alg)
    const { sub } = tokens.claims()!
    const user = await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP })
    assert.equal(user.email, 'alice@example.test')
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token!, undefined, { DPoP })
    assert.equal((await client.fetchUserInfo(config, refreshed.access_token, sub, { DPoP })).sub, sub)

    await assert.rejects(client.fetchUserInfo(config, refreshed.access_token, sub), {
      code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
    })
    const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg))
    await assert.rejects(client.fetchUserInfo(config, refreshed.access_token, sub, { DPoP: thief }), {
      code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
    })
    const stolen = client.refreshTokenGrant(config, refreshed.refresh_token!, undefined, { DPoP: thief })
    if (secret === undefined) await assert.rejects(stolen, { error: 'invalid_grant' })
    else assert.equal((await stolen).token_type, 'dpop')
  }
})

testEach('openid-client: an API behind our SDK is called by DPoP, its nonces included', async (p, registered) => {
  const { client_id, redirect_uri, secret } = registered
  const api = await startApi(p.issuer)
  try {
    const scopes = JSON.stringify({ 'api:read': 'Read your files' })
    await p.server.addResource({ resource: api.resource, scopes, every_user: 1 })
    const method = secret === undefined ? client.None() : client.ClientSecretBasic(secret)
    const execute = [client.allowInsecureRequests]
    const config = await client.discovery(new URL(p.issuer), client_id, undefined, method, { execute })
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const url = client.buildAuthorizationUrl(config, {
      ...{ redirect_uri, scope: 'openid api:read', resource: api.resource, code_challenge_method: 'S256' },
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    })
    const back = await new UserAgent().authorize(url.href, ALICE)
    const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier }, undefined, { DPoP })
    const target = new URL(`${api.resource}/a%20b?x=1`)
    const call = (options: { DPoP?: client.DPoPHandle }) =>
      client.fetchProtectedResource(config, tokens.access_token, target, 'GET', undefined, undefined, options)
    for (const _ of [1, 2]) {
      const response = await call({ DPoP })
      assert.deepEqual(await response.json(), { name: 'a b', sub: tokens.claims()!.sub })
    }
    await assert.rejects(call({}), { code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' })
  } finally {
    await api.stop()
  }
})

testEach('oauth4webapi: code, userinfo and refresh by DPoP, nonces included', async (p, registered) => {
  const { client_id, redirect_uri, secret, nonce } = registered
  const http = { [oauth.allowInsecureRequests]: true }
  const issuer = new URL(p.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http))
  assert.ok(as.dpop_signing_alg_values_supported?.includes('ES256'))
  const me: oauth.Client = { client_id }
  const auth = secret === undefined ? oauth.None() : oauth.ClientSecretBasic(secret)
  const DPoP = oauth.DPoP(me, await oauth.generateKeyPair('ES256'))
  const options = { ...http, DPoP }
  const verifier = oauth.generateRandomCodeVerifier()
  const url = new URL(as.authorization_endpoint!)
  const request = {
    ...{ client_id, redirect_uri, response_type: 'code', scope: SCOPE, resource: p.issuer, state: 'xyz' },
    ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
    dpop_jkt: await DPoP.calculateThumbprint(),
  }
  for (const [name, value] of Object.entries(request)) url.searchParams.set(name, value)
  const back = oauth.validateAuthResponse(as, me, await new UserAgent().authorize(url.href, ALICE), 'xyz')

  let retries = 0
  /** As its documentation tells: once more, when the server wants another nonce. */
  async function withNonce<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error
      retries++
      return await send()
    }
  }
  const tokens = await withNonce(async () => {
    const response = await oauth.authorizationCodeGrantRequest(as, me, auth, back, redirect_uri, verifier, options)
    return oauth.processAuthorizationCodeResponse(as, me, response)
  })
  assert.equal(tokens.token_type, 'dpop')
  assert.equal(retries, nonce ? 1 : 0)
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)!
  const user = await withNonce(async () => {
    const response = await oauth.userInfoRequest(as, me, tokens.access_token, options)
    return oauth.processUserInfoResponse(as, me, sub, response)
  })
  assert.equal(user.email, 'alice@example.test')
  const refreshed = await withNonce(async () => {
    const response = await oauth.refreshTokenGrantRequest(as, me, auth, tokens.refresh_token!, options)
    return oauth.processRefreshTokenResponse(as, me, response)
  })
  assert.equal(refreshed.token_type, 'dpop')
  assert.equal(retries, nonce ? 1 : 0, 'a nonce is good for several requests')
})
