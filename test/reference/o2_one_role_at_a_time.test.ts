import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const carol = { username: 'carol', password: 'only one role at all', roles: ['clerk'] }
const nora = { username: 'nora', password: 'no role whatsoever', roles: [] }
const redirect_uri = 'https://app.example/cb'
const resource = 'https://logistics.example.com'
let server: TestServer
let alice_id: string

before(async () => {
  server = await startSallyport()
  await server.addResource({
    resource,
    introspection_clients: '["api"]',
    scopes: JSON.stringify({
      'loads:move': 'Move loads',
      'orders:read': 'Read orders',
      'orders:write': 'Write orders',
    }),
  })
  await server.addRole('dispatcher', ['loads:move', 'orders:read'])
  await server.addRole('clerk', ['orders:read', 'orders:write'])
  alice_id = await server.addUser({ ...alice, roles: ['dispatcher', 'clerk'] })
  await server.addUser(carol)
  await server.addUser(nora)
  const flow = {
    redirect_uris: [redirect_uri],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid offline_access loads:move orders:read orders:write',
    default_resource: resource,
    require_pkce: false,
  }
  await server.addClient({ ...flow, client_id: 'erp', client_secret: 'erp-secret', one_role: true })
  await server.addClient({ ...flow, client_id: 'first', client_secret: 'first-secret', one_role: true, trusted: true })
  await server.addClient({
    ...{ client_id: 'scanner', client_secret: 'scanner-secret', one_role: true, default_resource: resource },
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    scope: 'orders:read orders:write loads:move',
  })
  await server.addClient({
    ...{ client_id: 'api', client_secret: 'api-secret', grant_types: ['client_credentials'], scope: 'orders:read' },
  })
})
after(() => server.stop())

const authorizeUrl = (client_id: string, more: Record<string, string> = {}) =>
  `${server.issuer}/authorize?${new URLSearchParams({
    ...{
      response_type: 'code',
      client_id,
      redirect_uri,
      scope: 'openid offline_access loads:move orders:read orders:write',
    },
    ...more,
  })}`

async function post(path: string, client: string, form: Record<string, string>) {
  const authorization = `Basic ${btoa(`${client}:${client}-secret`)}`
  const response = await fetch(server.issuer + path, {
    ...{ method: 'POST', headers: { authorization }, body: new URLSearchParams(form) },
  })
  return { status: response.status, body: await response.json() }
}

async function tokensOf(client_id: string, back: URL) {
  const code = back.searchParams.get('code')
  assert.ok(code, back.href)
  const { status, body } = await post('/token', client_id, { grant_type: 'authorization_code', code, redirect_uri })
  assert.equal(status, 200, JSON.stringify(body))
  return body
}
const introspect = async (token: string) => (await post('/introspect', 'api', { token })).body
const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString())

async function setRoles(username: string, roles: string[]) {
  const { tenant_id } = server.app.tenant
  const user = (await server.store.findUserByUsername({ tenant_id, username_key: username }))!
  const { password_hash: _, ...rest } = user
  await server.store.updateUser({
    tenant_id,
    user: { ...rest, email_verified: false, roles: JSON.stringify(roles), password_hash: null },
    event: { tenant_id, event_id: crypto.randomUUID(), at: Date.now(), type: 'user.updated', actor: 'cli' },
  })
}

test('O2 the user picks one role, and the tokens act in that role alone: refresh, introspection and userinfo follow', async () => {
  const agent = new UserAgent()
  const page = await agent.follow(authorizeUrl('erp'))
  const consent = await agent.submit({ url: page.url, html: await page.response.text() }, alice, 'name="password"')
  const html = await consent.response.text()
  assert.match(html, /In which of your roles may/)
  assert.match(html, /value="dispatcher"[\s\S]*Move loads · Read orders/)
  assert.match(html, /value="clerk"[\s\S]*Read orders · Write orders/)
  const again = await agent.submit({ url: consent.url, html }, { decision: 'allow' }, 'name="decision"')
  assert.equal(again.response.status, 200, 'without a role it asks again')
  const foreign = await agent.submit({ url: consent.url, html }, { decision: 'allow', role: 'boss' }, 'name="decision"')
  assert.equal(foreign.response.status, 200, 'a role that the user does not have is none')
  const allowed = await agent.submit(
    { url: consent.url, html },
    { decision: 'allow', role: 'clerk' },
    'name="decision"',
  )
  const first = await tokensOf('erp', new URL(allowed.url))
  assert.equal(first.scope, 'openid offline_access orders:read orders:write')
  assert.deepEqual(claimsOf(first.access_token).roles, ['clerk'])
  const seen = await introspect(first.access_token)
  assert.deepEqual([seen.active, seen.roles, seen.sub], [true, ['clerk'], alice_id])
  const next = (await post('/token', 'erp', { grant_type: 'refresh_token', refresh_token: first.refresh_token })).body
  assert.deepEqual([next.scope, claimsOf(next.access_token).roles], [first.scope, ['clerk']])
  const wider = { grant_type: 'refresh_token', refresh_token: next.refresh_token, scope: 'loads:move' }
  assert.equal((await post('/token', 'erp', wider)).body.error, 'invalid_scope')
  // The role is taken away, and with it everything that acted in it, although another role stays.
  await setRoles('alice', ['dispatcher'])
  assert.deepEqual(await introspect(next.access_token), { active: false })
  const late = await post('/token', 'erp', { grant_type: 'refresh_token', refresh_token: next.refresh_token })
  assert.equal(late.body.error, 'invalid_grant')
  const userinfo = await fetch(`${server.issuer}/userinfo`, {
    headers: { authorization: `Bearer ${next.access_token}` },
  })
  assert.equal(userinfo.status, 401)
  await setRoles('alice', ['dispatcher', 'clerk'])
})

test('O2 each authorization asks for the role again, trusted or not, and never silently', async () => {
  const agent = new UserAgent()
  const one = await tokensOf('erp', await agent.authorize(authorizeUrl('erp'), alice, 'allow', { role: 'dispatcher' }))
  assert.equal(one.scope, 'openid offline_access loads:move orders:read')
  const two = await tokensOf('erp', await agent.authorize(authorizeUrl('erp'), alice, 'allow', { role: 'clerk' }))
  assert.deepEqual(claimsOf(two.access_token).roles, ['clerk'])
  assert.deepEqual(claimsOf(one.access_token).roles, ['dispatcher'], 'two grants beside each other')
  assert.equal((await introspect(one.access_token)).active, true)
  const trusted = await agent.follow(authorizeUrl('first'))
  assert.match(await trusted.response.text(), /In which of your roles may/)
  const silent = await agent.follow(authorizeUrl('erp', { prompt: 'none' }))
  assert.equal(new URL(silent.url).searchParams.get('error'), 'consent_required')
})

test('O2 whoever has one role is not asked, and whoever has none is refused', async () => {
  const only = await tokensOf('first', await new UserAgent().authorize(authorizeUrl('first'), carol))
  assert.deepEqual(claimsOf(only.access_token).roles, ['clerk'])
  const none = await new UserAgent().authorize(authorizeUrl('erp'), nora)
  assert.equal(none.searchParams.get('error'), 'access_denied')
  assert.match(none.searchParams.get('error_description')!, /none of the roles/)
})

test('O2 a device asks for the role too: the page offers them, and its tokens act in the one that was picked', async () => {
  const scope = 'orders:read orders:write loads:move'
  const { body: device } = await post('/device_authorization', 'scanner', { scope })
  const agent = new UserAgent()
  const login = await agent.follow(`${server.issuer}/device?user_code=${device.user_code}`)
  const entry = await agent.submit({ url: login.url, html: await login.response.text() }, alice, 'name="password"')
  const typed = { user_code: device.user_code }
  const page = await agent.submit({ url: entry.url, html: await entry.response.text() }, typed, 'name="user_code"')
  const html = await page.response.text()
  assert.match(html, /In which of your roles may[\s\S]*value="dispatcher"[\s\S]*Move loads/)
  const none = await agent.submit({ url: page.url, html }, { decision: 'allow' }, 'name="decision"')
  assert.match(await none.response.text(), /In which of your roles may/, 'without a role it asks again')
  await agent.submit({ url: page.url, html }, { decision: 'allow', role: 'clerk' }, 'name="decision"')
  const { device_code } = device
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
  const { status, body } = await post('/token', 'scanner', { grant_type, device_code })
  assert.deepEqual([status, body.scope], [200, 'orders:read orders:write'], JSON.stringify(body))
  assert.deepEqual(claimsOf(body.access_token).roles, ['clerk'])
})
