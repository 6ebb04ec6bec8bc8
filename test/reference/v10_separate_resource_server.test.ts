import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const OPERATOR = { username: 'operator', password: 'correct horse battery' }
const redirect_uri = 'https://plant.example/callback'
const clock = { offset: 0 }
let server: TestServer
let historian: Server
let resource: string

/** What the resource server was told of the last token, and the grants that it knows to be over. */
let told: Record<string, unknown> = {}
const feed = { cursor: '', revoked: new Set<string>() }

before(async () => {
  server = await startSallyport({ clock: () => Date.now() + clock.offset })
  historian = createServer(async (request, response) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const answer = request.url === '/by-itself' ? verify(token) : ask(token)
    response.writeHead(await answer.catch(() => 500)).end()
  })
  await new Promise<void>((resolve) => historian.listen(0, '127.0.0.1', resolve))
  resource = `http://127.0.0.1:${(historian.address() as AddressInfo).port}/`
  const scopes = JSON.stringify({ 'trends:read': 'Read trends', 'setpoints:write': 'Change set points' })
  const api = { resource, introspection_clients: '["historian"]', scopes }
  await server.addResource({ ...api, access_token_format: 'jwt' })
  await server.addResource({ ...api, resource: 'https://elsewhere.example/' })
  await server.addUser({ ...OPERATOR, name: 'The operator', roles: ['shift_leader'] })
  await server.addRole('shift_leader', ['trends:read', 'setpoints:write'])
  const machine = { grant_types: ['client_credentials'] }
  await server.addClient({ ...machine, client_id: 'historian', client_secret: 'secret-of-historian' })
  await server.addClient({ ...machine, client_id: 'stranger', client_secret: 'secret-of-stranger' })
  await server.addClient({
    ...{ client_id: 'display', client_secret: 'secret-of-display', redirect_uris: [redirect_uri], require_pkce: false },
    ...{ grant_types: ['authorization_code', 'refresh_token'] },
    scope: 'openid offline_access trends:read setpoints:write',
  })
})
after(async () => {
  historian.closeAllConnections()
  await new Promise((resolve) => historian.close(resolve))
  await server.stop()
})

function post(path: string, client: string, form: Record<string, string>): Promise<Response> {
  const authorization = `Basic ${btoa(`${client}:secret-of-${client}`)}`
  return fetch(server.issuer + path, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) })
}

/** One way: the authorization server is asked about each token. */
async function ask(token: string): Promise<number> {
  told = await (await post('/introspect', 'historian', { token })).json()
  if (told['active'] !== true || told['aud'] !== resource) return 401
  return String(told['scope']).split(' ').includes('trends:read') ? 200 : 403
}

/** The other: the token is verified here, and what was revoked is read from the feed. */
async function verify(token: string): Promise<number> {
  const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`))
  const response = await post('/revocations', 'historian', feed.cursor === '' ? {} : { cursor: feed.cursor })
  const told = await jwtVerify(await response.text(), keys, {
    issuer: server.issuer,
    audience: 'historian',
    typ: 'revocations+jwt',
  })
  for (const id of told.payload['grant_id'] as string[]) feed.revoked.add(id)
  feed.cursor = String(told.payload['cursor'])
  try {
    const { payload } = await jwtVerify(token, keys, { issuer: server.issuer, audience: resource, typ: 'at+jwt' })
    return feed.revoked.has(String(payload['grant_id'])) ? 401 : 200
  } catch {
    return 401
  }
}

async function obtain(scope: string, choices: Record<string, string> = {}, agent = new UserAgent()) {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'display',
    redirect_uri,
    scope,
    state: 's',
    resource,
  })
  const back = await agent.authorize(`${server.issuer}/authorize?${query}`, OPERATOR, 'allow', choices)
  const code = back.searchParams.get('code')!
  const response = await post('/token', 'display', { grant_type: 'authorization_code', code, redirect_uri })
  assert.equal(response.status, 200)
  return { ...(await response.json()), agent } as { access_token: string; refresh_token: string; agent: UserAgent }
}

async function statusAt(path: string, token: string): Promise<number> {
  return (await fetch(new URL(path, resource), { headers: { authorization: `Bearer ${token}` } })).status
}

test('V10 a separate resource server is told who was permitted what, by whom, and until when', async () => {
  const begun = Date.now()
  const { access_token } = await obtain('openid offline_access trends:read', { expires_in: '3600' })
  assert.equal(await statusAt('/', access_token), 200)
  const { sub } = decodeJwt(access_token)
  const { exp, iat, auth_time, jti, ...rest } = told as Record<string, number>
  assert.deepEqual(rest, {
    ...{ active: true, iss: server.issuer, aud: resource, sub, client_id: 'display', username: 'operator' },
    ...{ scope: 'openid offline_access trends:read', token_type: 'Bearer', roles: ['shift_leader'], acr: 'pwd' },
  })
  assert.ok(jti && exp! > iat! && auth_time! <= iat!, 'when it was issued, when the user signed in, and its end')
  assert.ok(exp! * 1000 <= begun + 3_600_000 + 5000, 'which is none after that which the user chose')
})

test('V10 what was not permitted is not there, and nobody else is told', async () => {
  const { access_token } = await obtain('openid setpoints:write')
  assert.equal(await statusAt('/', access_token), 403)
  const stranger = await (await post('/introspect', 'stranger', { token: access_token })).json()
  assert.deepEqual(stranger, { active: false })
  const own = await (await post('/introspect', 'historian', { token: 'made up' })).json()
  assert.deepEqual(own, { active: false })
  assert.equal(
    (await fetch(`${server.issuer}/introspect`, { method: 'POST', body: `token=${access_token}` })).ok,
    false,
  )
})

test('V10 what the user takes back both ways know at once: by asking, and by the feed', async () => {
  const { access_token, agent } = await obtain('openid offline_access trends:read')
  assert.deepEqual([await statusAt('/', access_token), await statusAt('/by-itself', access_token)], [200, 200])
  const page = await agent.follow(`${server.issuer}/account`)
  const html = await page.response.text()
  assert.equal((await agent.submit({ url: page.url, html }, {}, '/account/apps/revoke')).response.status, 200)
  // The feed is as of a moment ago, so that it misses nothing.
  clock.offset += 4000
  assert.deepEqual([await statusAt('/', access_token), await statusAt('/by-itself', access_token)], [401, 401])
})

test('V10 the feed is for resource servers of this server, signed, and of nobody else', async () => {
  const nobody = { method: 'POST', body: new URLSearchParams({ client_id: 'historian' }) }
  assert.equal((await fetch(`${server.issuer}/revocations`, nobody)).status, 401)
  const refused = await post('/revocations', 'stranger', {})
  assert.ok(refused.status === 400 || refused.status === 403, String(refused.status))
})
