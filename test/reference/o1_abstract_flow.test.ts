import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { startBridge } from '../parts/bridge.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const redirect_uri = 'https://documents.example.com/callback'
let server: TestServer
let api: Server
let resource: string

/** The resource server: it asks the authorization server about every token. */
async function serve(token: string | undefined): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server.issuer}/introspect`, {
    ...{ method: 'POST', body: new URLSearchParams({ token: token ?? '' }) },
    headers: { authorization: `Basic ${btoa('api:api-secret')}` },
  })
  const seen = await response.json()
  if (seen.active !== true || seen.aud !== resource) return { status: 401, body: {} }
  return seen.scope.split(' ').includes('documents:read')
    ? { status: 200, body: { documents: [`of ${seen.username}`] } }
    : { status: 403, body: {} }
}

before(async () => {
  server = await startSallyport()
  api = createServer(async (request, response) => {
    const { status, body } = await serve(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1])
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  resource = `http://127.0.0.1:${(api.address() as AddressInfo).port}/`
  const scopes = { 'documents:read': 'Read documents', 'documents:write': 'Write documents' }
  await server.addResource({ resource, introspection_clients: '["api"]', scopes: JSON.stringify(scopes) })
  await server.addUser(alice)
  await server.addClient({ client_id: 'api', client_secret: 'api-secret', grant_types: ['client_credentials'] })
  await server.addClient({
    ...{ client_id: 'dms', client_secret: 'dms-secret', redirect_uris: [redirect_uri], require_pkce: false },
    ...{ scope: 'documents:read documents:write', default_resource: resource },
  })
})
after(async () => {
  await new Promise((resolve) => api.close(resolve))
  await server.stop()
})

async function flow(scope: string): Promise<Response> {
  // 1 and 2: the client asks the resource owner, and gets a grant.
  const query = new URLSearchParams({ response_type: 'code', client_id: 'dms', redirect_uri, scope, state: 's' })
  const back = await new UserAgent().authorize(`${server.issuer}/authorize?${query}`, alice)
  assert.equal(back.searchParams.get('state'), 's')
  // 3 and 4: the client shows the grant to the authorization server, and gets an access token.
  const form = { grant_type: 'authorization_code', code: back.searchParams.get('code')!, redirect_uri }
  const response = await fetch(`${server.issuer}/token`, {
    ...{
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { authorization: `Basic ${btoa('dms:dms-secret')}` },
    },
  })
  const { access_token } = await response.json()
  // 5 and 6: the client shows the token to the resource server, and gets what is protected.
  return fetch(resource, { headers: { authorization: `Bearer ${access_token}` } })
}

test('O1 the six steps of the abstract flow, with this server as the one that authorizes', async () => {
  const response = await flow('documents:read')
  assert.deepEqual([response.status, await response.json()], [200, { documents: ['of alice'] }])
  assert.equal((await flow('documents:write')).status, 403, 'the token carries what was granted and no more')
  assert.equal((await fetch(resource)).status, 401)
})

test('O1 the same six steps, with this server as the client of another', async () => {
  const bridge = await startBridge()
  try {
    const person = await bridge.signIn()
    // 1 and 2: this server asks the resource owner at the other, and gets a grant.
    const asked = new URL((await person.follow(`${bridge.issuer}/connect/acme`)).url)
    assert.equal(asked.origin, new URL(bridge.foreign.issuer).origin)
    const { client_id, response_type, scope } = Object.fromEntries(asked.searchParams)
    assert.deepEqual([client_id, response_type, scope], ['sallyport', 'code', 'openid email offline_access'])
    const back = new URL((await new UserAgent().follow(asked.href)).url)
    assert.ok(back.href.startsWith(`${bridge.issuer}/connect/acme/callback?`) && back.searchParams.has('code'))
    // 3 and 4: it shows the grant to the other authorization server, and gets an access token.
    const done = await person.follow(back.href)
    assert.equal(done.url, `${bridge.issuer}/account`)
    assert.deepEqual(
      bridge.foreign.ledger.map(({ grant_type, status }) => [grant_type, status]),
      [['authorization_code', 200]],
    )
    // 5 and 6: it shows the token to the resource server, and gets what is protected.
    const { access_token } = await bridge.obtain(person)
    const got = await bridge.get('/proxy/acme/documents', access_token)
    assert.equal(got.status, 200)
    const sent = bridge.api.received.at(-1)!
    assert.equal(sent.url, '/v1/documents')
    const shown = String(sent.headers['authorization'])
    assert.match(shown, /^Bearer /)
    assert.notEqual(shown, `Bearer ${access_token}`, 'the token is the other server’s, and our own stays here')
    const owner = await fetch(`${bridge.foreign.issuer}/me`, { headers: { authorization: shown } })
    assert.equal((await owner.json()).sub, 'alice', 'as whom the owner signed in over there')
  } finally {
    await bridge.stop()
  }
})
