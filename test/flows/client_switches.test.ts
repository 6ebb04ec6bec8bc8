import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { switchClient } from '../../server/src/inbound/clients/switch_client.ts'
import { HOME, type Hub, ROOT, startHub } from '../parts/hub.ts'
import { csrfOf, open, post } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

let hub: Hub
let root: UserAgent
before(async () => {
  hub = await startHub({ compat: 'hub' })
  root = new UserAgent()
  const page = await open(root, `${hub.base}/login`)
  await post(root, page.url, { csrf_token: csrfOf(page), ...ROOT })
})
after(() => hub.stop())

const pageOf = (client_id: string) => open(root, `${hub.base}/admin/client?client_id=${encodeURIComponent(client_id)}`)
async function turn(client_id: string, name: string, on: boolean): Promise<Response> {
  const { html } = await pageOf('script')
  return post(root, `${hub.base}/admin/client/switch`, {
    csrf_token: csrfOf({ html }),
    client_id,
    name,
    on: String(on),
  })
}
const find = async (client_id: string) => {
  const found = (await hub.server.store.findClient({ tenant_id: hub.server.app.tenant.tenant_id, client_id }))!
  return { trusted: found.trusted === 1, ...JSON.parse(found.metadata) }
}

test('an administrator switches Trust and legacy grants of a client, the page marks it, the audit log tells it', async () => {
  const redirect_uris = ['https://app.example/cb']
  await hub.server.addClient({
    client_id: 'app',
    client_secret: 's',
    redirect_uris,
    scope: 'openid',
    access_token_lifetime_seconds: 77,
  })
  assert.doesNotMatch((await pageOf('app')).html, /badge warning">Legacy/)
  for (const name of ['password', 'implicit', 'trusted'])
    assert.equal((await turn('app', name, true)).status, 303, name)
  const on = await find('app')
  assert.deepEqual(on.grant_types, ['authorization_code', 'password', 'implicit'])
  assert.deepEqual([on.trusted, on.response_types, on.access_token_lifetime_seconds], [true, ['code', 'token'], 77])
  assert.match((await pageOf('app')).html, /badge warning">Legacy/)
  const { tenant_id } = hub.server.app.tenant
  const events = await hub.server.store.pageEvents({
    tenant_id,
    before_event_id: 'z',
    type: 'client.updated',
    actor: '',
    most: 3,
  })
  assert.deepEqual(
    events.map(({ detail }) => JSON.parse(detail)).map(({ changed, legacy }) => [changed, legacy]),
    [
      [['trusted'], ['password', 'implicit']],
      [['implicit'], ['password', 'implicit']],
      [['password'], ['password']],
    ],
  )
  for (const name of ['password', 'implicit', 'trusted']) await turn('app', name, false)
  assert.deepEqual((await find('app')).grant_types, ['authorization_code'])
})

test('a switch takes back nothing that another administrator has saved in the same moment', async () => {
  const redirect_uris = ['https://app.example/cb']
  await hub.server.addClient({ client_id: 'both', client_secret: 's', redirect_uris, scope: 'openid' })
  const { store } = hub.server
  const { tenant } = hub.server.app
  const record = (await store.findClient({ tenant_id: tenant.tenant_id, client_id: 'both' }))!
  assert.equal((await turn('both', 'implicit', true)).status, 303)
  const grant_types = ['authorization_code', 'implicit', 'password']
  await assert.rejects(
    switchClient(tenant, record, { name: 'password', on: true, actor: 'user:1', grant_types }),
    /The client has just changed/,
  )
  assert.deepEqual((await find('both')).grant_types, ['authorization_code', 'implicit'])
})

test('H10 Trust in the console gives a service of Hub what Trust by its own API gives', async () => {
  const { id } = await hub.register()
  await turn(id, 'trusted', true)
  assert.deepEqual((await find(id)).grant_types, [
    'authorization_code',
    'refresh_token',
    'client_credentials',
    'implicit',
    'password',
  ])
  await turn(id, 'trusted', false)
  assert.deepEqual((await find(id)).grant_types, ['authorization_code', 'refresh_token', 'implicit'])
})

test('nothing is switched for who registered itself, for who cannot use it, nor under another name', async () => {
  await hub.server.saveSettings({ compat: 'hub', service_registration: 'open' })
  const body = { name: 'Stranger', homeUrl: HOME, redirectUris: ['/auth'] }
  const { id } = (await hub.rest('POST', 'services?fields=id', { body, token: null })).body
  assert.doesNotMatch((await pageOf(id)).html, /Switch on/)
  const scope = 'openid'
  await hub.server.addClient({
    client_id: 'spa',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['https://spa.example/cb'],
    scope,
  })
  for (const [client_id, name] of [
    [id, 'trusted'],
    [id, 'implicit'],
    ['spa', 'password'],
    ['spa', 'grant_types'],
  ] as const) {
    assert.equal((await turn(client_id, name, true)).status, 400, `${client_id} ${name}`)
  }
  assert.equal((await turn('nobody', 'trusted', true)).status, 404)
})

test('the console tells why a client gets a scope in the name of a user, by the rule that issues it', async () => {
  await hub.server.addResource({
    resource: 'https://api.example',
    scopes: '{"orders:read":"Read","orders:write":"Write"}',
  })
  await hub.server.addRole('clerk', ['orders:read', 'orders:write'])
  await hub.server.addRole('guest', [])
  await hub.server.addUser({ username: 'carla', password: 'one of the clerks', roles: ['clerk'] })
  const scope = 'openid orders:read orders:write'
  const role_scopes = { clerk: ['orders:read'] }
  await hub.server.addClient({
    client_id: 'erp',
    client_secret: 's',
    redirect_uris: ['https://erp.example/cb'],
    scope,
    role_scopes,
  })
  const ask = async (query: Record<string, string>) =>
    (await open(root, `${hub.base}/admin/client/rights?${new URLSearchParams({ client_id: 'erp', ...query })}`)).html
  const told = await ask({ username: 'Carla' })
  const rows = [...told.matchAll(/<tr role="row">([\s\S]*?)<\/tr>/g)].map(([, row]) =>
    row!
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  )
  assert.ok(
    rows.some((row) => /^openid Given It says who/.test(row)),
    rows.join('\n'),
  )
  assert.ok(
    rows.some((row) => /^orders:read Given The role clerk gives it\./.test(row)),
    rows.join('\n'),
  )
  assert.ok(
    rows.some((row) => /^orders:write Refused .*role_scopes/.test(row)),
    rows.join('\n'),
  )
  assert.match(await ask({ username: 'nobody' }), /There is no user of this name/)
  assert.match(await ask({ scope: 'a"b' }), /No scope is written like this/)
  assert.match((await pageOf('erp')).html, /href="[^"]*\/admin\/client\/rights\?client_id=erp"/)
})
