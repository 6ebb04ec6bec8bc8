import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const victim = { username: 'victim', password: 'nobody will guess it' }
const resource = 'https://home.example.com'
let server: TestServer
let alice_id: string

before(async () => {
  server = await startSallyport()
  const scopes = { 'lights:see': 'See lights', 'lights:switch': 'Switch lights', 'users:list': 'List users' }
  await server.addResource({ resource, introspection_clients: '["app"]', scopes: JSON.stringify(scopes) })
  await server.addRole('guest', ['lights:see', 'lights:switch'])
  await server.addRole('owner', ['lights:see', 'lights:switch', 'users:list'])
  alice_id = await server.addUser({ ...alice, roles: ['guest'] })
  await server.addUser({ ...victim, roles: ['owner'] })
  const app = {
    ...{ default_resource: resource, scope: Object.keys(scopes).join(' ') },
    role_scopes: { guest: ['lights:see', 'users:list'], owner: ['lights:see', 'lights:switch', 'users:list'] },
  }
  const grant_types = ['password', 'refresh_token', 'client_credentials']
  await server.addClient({
    ...app,
    client_id: 'app',
    client_secret: 'app-secret',
    grant_types,
    bearer_authentication: true,
  })
  await server.addClient({ ...app, client_id: 'strict', client_secret: 'strict-secret', grant_types })
  await server.addClient({ ...app, client_id: 'brief', client_secret: 'brief-secret', grant_types: ['password'] })
  await server.addClient({
    ...app,
    client_id: 'machine',
    client_secret: 'machine-secret',
    grant_types: ['client_credentials'],
  })
})
after(() => server.stop())

const basic = (client: string, secret = `${client}-secret`) => `Basic ${btoa(`${client}:${secret}`)}`
async function post(path: string, form: Record<string, string>, authorization?: string) {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
  const response = await fetch(server.issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) })
  return { status: response.status, headers: response.headers, body: await response.json() }
}
const signIn = (user: Record<string, string>, authorization?: string) =>
  post('/token', { grant_type: 'password', ...user }, authorization)
const introspect = async (token: string) => (await post('/introspect', { token }, basic('app'))).body

test('S4 client and user together get the permissions of the role as the application stores them', async () => {
  const { status, body, headers } = await signIn(alice, basic('app'))
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.ok(server.log.some((line) => JSON.stringify(line).includes('a legacy grant was used')))
  assert.equal(body.scope, 'lights:see', 'the map of the application, cut to what the role gives at all')
  const seen = await introspect(body.access_token)
  assert.deepEqual([seen.active, seen.sub, seen.roles, seen.client_id], [true, alice_id, ['guest'], 'app'])
  const next = await post('/token', { grant_type: 'refresh_token', refresh_token: body.refresh_token }, basic('app'))
  assert.deepEqual([next.status, next.body.scope], [200, 'lights:see'], 'S1 a refresh token obtains new access tokens')
  const asked = await signIn({ ...alice, scope: 'lights:switch' }, basic('app'))
  assert.equal(asked.body.error, 'invalid_scope')
  const brief = await signIn(alice, basic('brief'))
  assert.equal(brief.body.refresh_token, undefined, 'only a client registered for it')
})

test('S4 the client is looked at first: without it nobody learns whether a password is right', async () => {
  for (const user of [alice, { ...alice, password: 'wrong' }, { username: 'nobody', password: 'wrong' }]) {
    const { status, body } = await signIn(user, basic('app', 'wrong'))
    assert.deepEqual([status, body.error], [401, 'invalid_client'])
  }
  assert.equal((await signIn({ ...alice, client_id: 'app' })).body.error, 'invalid_client')
  assert.equal((await signIn(alice, basic('machine'))).body.error, 'unauthorized_client', 'off until switched on')
})

test('6.3.8 unknown, wrong and disabled are one and the same refusal', async () => {
  const { tenant_id } = server.app.tenant
  const disabled_id = await server.addUser({ username: 'gone', password: 'a password of old', roles: ['owner'] })
  const event = { tenant_id, event_id: crypto.randomUUID(), at: Date.now(), type: 'user.disabled', actor: 'cli' }
  await server.store.setUserDisabled({ tenant_id, user_id: disabled_id, disabled: true, event })
  const answers = await Promise.all([
    signIn({ ...alice, password: 'wrong' }, basic('app')),
    signIn({ username: 'nobody', password: 'wrong' }, basic('app')),
    signIn({ username: 'gone', password: 'a password of old' }, basic('app')),
  ])
  for (const { status, body } of answers) {
    assert.deepEqual(
      [status, body],
      [400, { error: 'invalid_grant', error_description: 'The username or password is wrong' }],
    )
  }
  for (const name of ['username', 'password'] as const) {
    const { [name]: _, ...rest } = alice
    const { status, body } = await signIn(rest, basic('app'))
    assert.deepEqual([status, body.error_description], [400, `Parameter ${name} is missing`])
  }
})

test('6.3.1 guesses are counted with those of the sign-in page: ten wrong ones shut both doors', async () => {
  for (let i = 0; i < 10; i++) {
    assert.equal((await signIn({ ...victim, password: `guess ${i}` }, basic('app'))).body.error, 'invalid_grant')
  }
  const { status, headers, body } = await signIn(victim, basic('app'))
  assert.deepEqual([status, body.error], [429, 'temporarily_unavailable'], 'the right password does not help now')
  assert.ok(Number(headers.get('retry-after')) > 0)
  const page = await fetch(`${server.issuer}/login`)
  const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(await page.text())![1]!
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const login = await fetch(`${server.issuer}/login`, {
    ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams({ csrf_token, ...victim }) },
    headers: { cookie, 'sec-fetch-site': 'same-origin' },
  })
  assert.equal(login.status, 429)
})

test('S4 a token of the client got beforehand stands for it, for a client so configured', async () => {
  const credentials = { grant_type: 'client_credentials', scope: 'lights:see' }
  const of_app = (await post('/token', credentials, basic('app'))).body.access_token
  const { status, body } = await signIn(alice, `Bearer ${of_app}`)
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal((await introspect(body.access_token)).client_id, 'app')
  const of_strict = (await post('/token', credentials, basic('strict'))).body.access_token
  assert.deepEqual((await signIn(alice, `Bearer ${of_strict}`)).body.error, 'invalid_client', 'not configured so')
  assert.equal((await signIn(alice, `Bearer ${body.access_token}`)).body.error, 'invalid_client', 'a token of a user')
  assert.equal((await signIn(alice, 'Bearer sp_at_nonsense')).status, 401)
  const other = await signIn({ ...alice, client_id: 'strict' }, `Bearer ${of_app}`)
  assert.equal(other.body.error, 'invalid_request')
  const twice = await signIn({ ...alice, client_secret: 'app-secret' }, `Bearer ${of_app}`)
  assert.equal(twice.body.error, 'invalid_request')
  const elsewhere = await post('/token', credentials, `Bearer ${of_app}`)
  assert.equal(elsewhere.body.error, 'invalid_client', 'it stands for the client nowhere else')
})

test('CVE-2026-9792 no policy of the tenant is skipped by the password grant', async () => {
  for (const [settings, error] of [
    [{ legacy_grants: 'off' }, 'unauthorized_client'],
    [{ profile: 'oauth21' }, 'unauthorized_client'],
    [{ profile: 'mcp' }, 'unauthorized_client'],
    [{ profile: 'fapi2' }, 'unauthorized_client'],
    [{ mfa: 'required' }, 'invalid_grant'],
  ] as const) {
    await server.saveSettings(settings)
    const { status, body } = await signIn(alice, basic('app'))
    assert.deepEqual([status, body.error], [400, error], JSON.stringify(settings))
  }
  await server.saveSettings({})
  assert.equal((await signIn(alice, basic('app'))).status, 200)
})

test('a legacy grant is switched off by the tenant, marked in the log of events, and never for who registers itself', async () => {
  await server.saveSettings({ legacy_grants: 'off' })
  const { status, body } = await signIn(alice, basic('app'))
  assert.deepEqual([status, body.error], [400, 'unauthorized_client'])
  await server.saveSettings({})
  const { tenant_id } = server.app.tenant
  const events = await server.store.pageEvents({ tenant_id, before_event_id: 'z', type: '', actor: '', most: 200 })
  const made = events.filter(({ type }) => type === 'client.created')
  const legacy = new Map(made.map(({ client_id, detail }) => [client_id, JSON.parse(detail).legacy]))
  assert.deepEqual([legacy.get('app'), legacy.get('machine')], [['password'], undefined])
  const used = events.filter(({ type, client_id }) => type === 'grant.created' && client_id === 'app')
  assert.ok(used.length > 0 && used.every(({ detail }) => JSON.parse(detail).legacy === true))
})
