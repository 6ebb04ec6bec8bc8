import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'

const resource = 'https://tms.example.com'
let server: TestServer
let user_id: string

before(async () => {
  server = await startSallyport()
  await server.addResource({
    ...{ resource, scopes: JSON.stringify({ 'hours:read': 'Read', 'hours:write': 'Write' }) },
    introspection_clients: '["auditor"]',
  })
  await server.addRole('time_keeper', ['hours:read', 'hours:write'])
  await server.addRole('viewer', ['hours:read'])
  user_id = await server.addUser({ username: 'robot', roles: ['time_keeper', 'viewer'] })
  const machine = { grant_types: ['client_credentials'], scope: 'hours:read hours:write', default_resource: resource }
  const service_account = { user_id, role: 'viewer' }
  await server.addClient({ ...machine, client_id: 'tms', client_secret: 'tms-secret', service_account })
  await server.addClient({ ...machine, client_id: 'plain', client_secret: 'plain-secret' })
  const nobody = { user_id: 'nobody', role: 'viewer' }
  await server.addClient({ ...machine, client_id: 'lost', client_secret: 'lost-secret', service_account: nobody })
  await server.addClient({
    ...{
      client_id: 'auditor',
      client_secret: 'auditor-secret',
      grant_types: ['client_credentials'],
      scope: 'admin:read',
    },
    default_resource: `${server.issuer}/api`,
  })
})
after(() => server.stop())

async function post(path: string, client: string, form: Record<string, string>) {
  const authorization = `Basic ${btoa(`${client}:${client}-secret`)}`
  const response = await fetch(server.issuer + path, {
    ...{ method: 'POST', headers: { authorization }, body: new URLSearchParams(form) },
  })
  return { status: response.status, body: await response.json() }
}
const tokenOf = (client: string, scope = 'hours:read hours:write') =>
  post('/token', client, { grant_type: 'client_credentials', scope })
const introspect = async (token: string) => (await post('/introspect', 'auditor', { token })).body
const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString())
async function setDisabled(disabled: boolean) {
  const { tenant_id } = server.app.tenant
  const event = { tenant_id, event_id: crypto.randomUUID(), at: Date.now(), type: 'user.disabled', actor: 'cli' }
  await server.store.setUserDisabled({ tenant_id, user_id, disabled, event })
}

test('O4 client credentials bound to one user and role act as that user in that role', async () => {
  const { status, body } = await tokenOf('tms')
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body.scope, 'hours:read', 'the role cuts what the client asks')
  assert.equal(body.refresh_token, undefined)
  const { sub, client_id, roles, grant_id } = claimsOf(body.access_token)
  assert.deepEqual([sub, client_id, roles, grant_id], [user_id, 'tms', ['viewer'], undefined])
  const seen = await introspect(body.access_token)
  assert.deepEqual([seen.active, seen.sub, seen.username, seen.roles], [true, user_id, 'robot', ['viewer']])
  const plain = claimsOf((await tokenOf('plain')).body.access_token)
  assert.deepEqual([plain.sub, plain.roles], ['plain', undefined])
})

test('O4 a disabled user, a lost role or another binding ends the tokens of a service account, for good', async () => {
  const before = (await tokenOf('tms')).body.access_token
  assert.equal((await introspect(before)).active, true)
  await setDisabled(true)
  assert.deepEqual(await introspect(before), { active: false })
  const refused = await tokenOf('tms')
  assert.deepEqual([refused.status, refused.body.error], [400, 'unauthorized_client'])
  await setDisabled(false)
  assert.deepEqual(await introspect(before), { active: false }, 'what was issued before never lives again')
  const after = (await tokenOf('tms')).body.access_token
  assert.equal((await introspect(after)).active, true)
  const { tenant_id } = server.app.tenant
  const { metadata } = (await server.store.findClient({ tenant_id, client_id: 'tms' }))!
  const bindTo = (service_account: object | undefined) =>
    server.store.updateClient({
      tenant_id,
      client: {
        ...{ client_id: 'tms', client_name: 'tms', trusted: false, client_secret_hash: null },
        metadata: JSON.stringify({ ...JSON.parse(metadata), service_account }),
      },
      event: { tenant_id, event_id: crypto.randomUUID(), at: Date.now(), type: 'client.updated', actor: 'cli' },
    })
  await bindTo({ user_id, role: 'no_longer' })
  assert.deepEqual(await introspect(after), { active: false })
  assert.equal((await tokenOf('tms')).body.error, 'unauthorized_client')
  await bindTo(undefined)
  assert.deepEqual(await introspect(after), { active: false }, 'a token with a user speaks for no client')
  await bindTo({ user_id, role: 'viewer' })
})

test('O4 a service account whose user does not exist gets nothing', async () => {
  const { status, body } = await tokenOf('lost')
  assert.deepEqual([status, body.error], [400, 'unauthorized_client'])
})

test('why a scope is granted or refused is told by the rule that issues it', async () => {
  const token = (await tokenOf('auditor', 'admin:read')).body.access_token
  const ask = async (query: string, bearer = token) => {
    const response = await fetch(`${server.issuer}/api/rights?${query}`, {
      headers: { authorization: `Bearer ${bearer}` },
    })
    return { status: response.status, body: await response.json() }
  }
  const { body } = await ask(`client_id=tms&user_id=${user_id}&role=viewer&scope=hours:read%20hours:write%20openid%20x`)
  const told = body.scopes.map(({ scope, granted, rule, role }: Record<string, unknown>) => [
    scope,
    granted,
    rule,
    role,
  ])
  assert.deepEqual(told, [
    ['hours:read', true, 'role', 'viewer'],
    ['hours:write', false, 'role', undefined],
    ['openid', false, 'client', undefined],
    ['x', false, 'unknown', undefined],
  ])
  for (const { reason } of body.scopes) assert.ok(reason.length > 10)
  const own = (await ask('client_id=tms')).body
  assert.deepEqual(
    [own.roles, own.scopes.map(({ granted }: { granted: boolean }) => granted)],
    [['viewer'], [true, false]],
  )
  assert.equal((await ask('client_id=nobody')).status, 404)
  assert.equal((await ask('client_id=tms&user_id=nobody')).status, 404)
  assert.equal((await ask('')).status, 400)
  assert.equal((await ask('client_id=tms', (await tokenOf('tms')).body.access_token)).status, 401)
})
