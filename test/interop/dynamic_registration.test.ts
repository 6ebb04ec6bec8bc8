import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { createRegistrationToken } from '../../server/src/inbound/clients/registration_tokens.ts'
import { ALICE, JWT_API, type Platform, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const CALLBACK = 'https://app.example/callback'
let p: Platform
before(async () => {
  p = await startPlatform({ path: '/hub', real_time: true })
  await p.server.saveSettings({ registration: 'token', dynamic_client_scopes: ['openid', 'mcp:tools'] })
})
after(() => p.stop())

async function newInitialAccessToken(): Promise<string> {
  return (await createRegistrationToken(p.server.app.tenant, [], { name: 'interop' }, 'cli')).token
}

for (const method of ['client_secret_basic', 'client_secret_post', 'none'] as const) {
  test(`openid-client registers itself as ${method} with an initial access token, and signs a user in`, async () => {
    const config = await client.dynamicClientRegistration(
      new URL(p.issuer),
      { client_name: 'App', redirect_uris: [CALLBACK], token_endpoint_auth_method: method, scope: 'openid mcp:tools' },
      method === 'client_secret_post'
        ? client.ClientSecretPost()
        : method === 'none'
          ? client.None()
          : client.ClientSecretBasic(),
      { initialAccessToken: await newInitialAccessToken(), execute: [client.allowInsecureRequests] },
    )
    assert.equal(config.clientMetadata()['scope'], 'openid mcp:tools')
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const expectedNonce = client.randomNonce()
    const url = client.buildAuthorizationUrl(config, {
      ...{ redirect_uri: CALLBACK, scope: 'openid mcp:tools', resource: JWT_API, nonce: expectedNonce },
      ...{ code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256' },
    })
    const back = await new UserAgent().authorize(url.href, ALICE)
    const tokens = await client.authorizationCodeGrant(config, back, {
      pkceCodeVerifier,
      expectedNonce,
      idTokenExpected: true,
    })
    assert.equal(tokens.scope, 'openid mcp:tools')
    assert.equal(tokens.claims()!.aud, config.clientMetadata().client_id)
  })
}

test('openid-client hears why a registration is refused', async () => {
  const register = (metadata: Parameters<typeof client.dynamicClientRegistration>[1], initialAccessToken?: string) =>
    client.dynamicClientRegistration(new URL(p.issuer), metadata, undefined, {
      ...(initialAccessToken !== undefined && { initialAccessToken }),
      execute: [client.allowInsecureRequests],
    })
  await assert.rejects(register({ redirect_uris: [CALLBACK] }), { code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' })
  const token = await newInitialAccessToken()
  await assert.rejects(register({ redirect_uris: ['http://app.example/cb'] }, token), { error: 'invalid_redirect_uri' })
  await assert.rejects(register({ redirect_uris: [CALLBACK], jwks_uri: 'http://app.example/jwks' }, token), {
    error: 'invalid_client_metadata',
  })
})

test('oauth4webapi registers itself and reads the answer', async () => {
  const issuer = new URL(p.issuer)
  const insecure = { [oauth.allowInsecureRequests]: true }
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const metadata = { client_name: 'App', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' }
  const initialAccessToken = await newInitialAccessToken()
  const response = await oauth.dynamicClientRegistrationRequest(as, metadata, { ...insecure, initialAccessToken })
  const registered = await oauth.processDynamicClientRegistrationResponse(response)
  assert.deepEqual([registered['client_name'], registered.client_secret], ['App', undefined])
  assert.equal(registered['registration_client_uri'], `${p.issuer}/register/${registered.client_id}`)
  const refused = await oauth.dynamicClientRegistrationRequest(
    as,
    { redirect_uris: [] },
    { ...insecure, initialAccessToken },
  )
  await assert.rejects(oauth.processDynamicClientRegistrationResponse(refused), { error: 'invalid_client_metadata' })
})
