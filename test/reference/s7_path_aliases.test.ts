import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const redirect_uri = 'https://app.example/cb'
const endpoint_aliases = {
  authorization_endpoint: ['/v2/oauth2/authorize', '/oms/oauth/authorize'],
  token_endpoint: ['/v2/oauth2/token', '/oms/oauth/access_token'],
  jwks_uri: ['/v2/keys'],
}
let server: TestServer

before(async () => {
  server = await startSallyport({ path: '/auth', app: { endpoint_aliases } })
  await server.addUser(alice)
  await server.addClient({
    ...{ client_id: 'app', client_secret: 'app-secret', redirect_uris: [redirect_uri], scope: 'openid', trusted: true },
    grant_types: ['authorization_code', 'refresh_token'],
  })
})
after(() => server.stop())

test('S7 discovery names the first alias, and a client library signs in by it', async () => {
  const config = await client.discovery(
    new URL(server.issuer),
    'app',
    undefined,
    client.ClientSecretBasic('app-secret'),
    {
      execute: [client.allowInsecureRequests],
    },
  )
  const metadata = config.serverMetadata()
  assert.equal(metadata.authorization_endpoint, `${server.issuer}/v2/oauth2/authorize`)
  assert.equal(metadata.token_endpoint, `${server.issuer}/v2/oauth2/token`)
  assert.equal(metadata.jwks_uri, `${server.issuer}/v2/keys`)
  assert.equal(metadata['revocation_endpoint'], `${server.issuer}/revoke`)
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: 'openid',
    code_challenge,
    code_challenge_method: 'S256',
  })
  const back = await new UserAgent().authorize(url.href, alice)
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier })
  assert.equal(tokens.claims()!.iss, server.issuer)
})

test('S7 each alias and the standard path answer alike, and no other', async () => {
  for (const path of ['/token', '/v2/oauth2/token', '/oms/oauth/access_token']) {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x' })
    const headers = { authorization: `Basic ${btoa('app:app-secret')}` }
    const response = await fetch(server.issuer + path, { method: 'POST', headers, body })
    assert.equal((await response.json()).error, 'invalid_grant', path)
    assert.equal((await fetch(server.issuer + path)).status, 405, path)
  }
  const query = new URLSearchParams({ response_type: 'code', client_id: 'app', redirect_uri, scope: 'openid' })
  for (const path of ['/authorize', '/v2/oauth2/authorize', '/oms/oauth/authorize']) {
    const { response, url } = await new UserAgent().follow(`${server.issuer}${path}?${query}`)
    assert.equal(response.status, 303, path)
    assert.equal(new URL(url).searchParams.get('error'), 'invalid_request', 'PKCE is asked for at each door')
    const posted = await fetch(server.issuer + path, { method: 'PUT' })
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD, POST'], path)
  }
  assert.equal((await fetch(`${server.issuer}/v2/oauth2/nothing`)).status, 404)
  assert.equal((await fetch(`${new URL(server.issuer).origin}/v2/oauth2/token`, { method: 'POST' })).status, 404)
})

test('S7 an alias may not stand where something else does', async () => {
  for (const wrong of [{ token_endpoint: ['/revoke'] }, { authorization_endpoint: ['/login'] }]) {
    await assert.rejects(startSallyport({ app: { endpoint_aliases: wrong } }), /something else stands at/)
  }
})
