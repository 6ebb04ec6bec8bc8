import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { JWKS, kidFor, pairFor } from '../parts/assertions.ts'
import { ALICE, CALLBACK, JWT_API, type Platform, startPlatform } from '../parts/platform.ts'
import { open, signIn } from '../parts/sign_in_steps.ts'
import { dumpRows, printRow } from '../parts/snapshot.ts'
import { decodeEntities, UserAgent } from '../parts/user_agent.ts'

const ROOT = { username: 'root', password: 'correct horse battery' }
const AsyncFunction = (async () => {}).constructor as FunctionConstructor
const SECRET = 'a secret of the client with more than 32 bytes'
const ALGORITHMS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  Ed25519: { name: 'Ed25519' },
} as const

let p: Platform
before(async () => {
  p = await startPlatform({ real_time: true })
  const common = {
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    scope: 'openid offline_access api:read mcp:tools',
  }
  await p.server.addClient({
    ...common,
    client_id: 'signer',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: JWKS,
  })
  const mac = { client_id: 'mac', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_jwt' }
  await p.server.addClient({ ...common, ...mac })
})
after(() => p.stop())

/** The private key of an algorithm, as libraries on Web Cryptography take it. */
async function webKey(alg: keyof typeof ALGORITHMS): Promise<{ key: CryptoKey; kid: string }> {
  const jwk = pairFor(alg).privateKey.export({ format: 'jwk' }) as JsonWebKey
  return { key: await crypto.subtle.importKey('jwk', jwk, ALGORITHMS[alg], false, ['sign']), kid: kidFor(alg) }
}

const discover = (client_id: string, method: client.ClientAuth) =>
  client.discovery(new URL(p.issuer), client_id, undefined, method, { execute: [client.allowInsecureRequests] })

test('openid-client: a user signs in to a client of private_key_jwt, which refreshes, introspects and revokes', async () => {
  const config = await discover('signer', client.PrivateKeyJwt(await webKey('ES256')))
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid offline_access api:read',
    resource: JWT_API,
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  const back = await new UserAgent().authorize(url.href, ALICE)
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState })
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token!)
  assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, true)
  await client.tokenRevocation(config, refreshed.refresh_token!)
  assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, false)
})

for (const alg of Object.keys(ALGORITHMS) as (keyof typeof ALGORITHMS)[]) {
  test(`openid-client: private_key_jwt by ${alg}`, async () => {
    const config = await discover('signer', client.PrivateKeyJwt(await webKey(alg)))
    const { access_token } = await client.clientCredentialsGrant(config, { scope: 'api:read', resource: JWT_API })
    assert.equal((await p.introspect(access_token)).client_id, 'signer')
  })
}

test('openid-client: client_secret_jwt', async () => {
  const config = await discover('mac', client.ClientSecretJwt(SECRET))
  const { access_token } = await client.clientCredentialsGrant(config, { scope: 'api:read', resource: JWT_API })
  assert.equal((await p.introspect(access_token)).client_id, 'mac')
  const wrong = await discover('mac', client.ClientSecretJwt(`${SECRET}!`))
  await assert.rejects(
    client.clientCredentialsGrant(wrong, { scope: 'api:read' }),
    client.WWWAuthenticateChallengeError,
  )
})

test('oauth4webapi: private_key_jwt and client_secret_jwt, with the algorithms that discovery lists', async () => {
  const insecure = { [oauth.allowInsecureRequests]: true }
  const issuer = new URL(p.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  assert.deepEqual(as.token_endpoint_auth_signing_alg_values_supported, [
    ...['ES256', 'PS256', 'EdDSA', 'Ed25519', 'RS256', 'HS256'],
  ])
  for (const [client_id, authentication] of [
    ['signer', oauth.PrivateKeyJwt(await webKey('PS256'))],
    ['mac', oauth.ClientSecretJwt(SECRET)],
  ] as const) {
    const parameters = new URLSearchParams({ scope: 'api:read', resource: JWT_API })
    const known = { client_id }
    const response = await oauth.clientCredentialsGrantRequest(as, known, authentication, parameters, insecure)
    const { access_token } = await oauth.processClientCredentialsResponse(as, known, response)
    const introspected = await oauth.introspectionRequest(as, known, authentication, access_token, insecure)
    assert.equal((await oauth.processIntrospectionResponse(as, known, introspected)).active, true)
  }
})

test('B-24 openid-client: the console makes a client with a key unless a secret is asked for, and the code it shows works', async () => {
  await p.server.addUser({ ...ROOT, roles: ['administrator'] })
  const agent = await signIn(p, ROOT)
  const page = await open(agent, `${p.issuer}/admin/clients/new`)
  const described = { client_name: 'Nightly', type: 'machine', scope: 'api:read' }
  const made = decodeEntities(await (await agent.submit(page, described, 'name="client_name"')).response.text())
  const [client_id, key] = [...made.matchAll(/class="copyable"[^>]*>([^<]+)</g)].map(([, text]) => text!)
  const { d, ...public_jwk } = JSON.parse(key!)
  const { tenant_id } = p.server.app.tenant
  const { metadata } = (await p.server.store.findClient({ tenant_id, client_id: client_id! }))!
  const { token_endpoint_auth_method, jwks } = JSON.parse(metadata)
  assert.deepEqual([token_endpoint_auth_method, jwks], ['private_key_jwt', { keys: [public_jwk] }])
  for (const rows of (await dumpRows(p.server.store)).values()) {
    for (const row of rows) assert.ok(!printRow(row).includes(d), 'the private half is kept nowhere')
  }
  const [, code] = /<pre[^>]*><code>([^<]+)</.exec(made)!
  const body = code!.replace(/^import .*$/m, '').replace('{ scope:', `{ resource: '${JWT_API}', scope:`)
  const run = new AsyncFunction('client', 'process', `${body}; return tokens`)
  const { access_token } = await run(client, { env: { CLIENT_KEY: key } })
  assert.equal((await p.introspect(access_token)).client_id, client_id)
})
