import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'

let server: TestServer
before(async () => {
  server = await startSallyport()
  await server.saveSettings({ registration: 'open', legacy_grants: 'on_request', compat: 'hub' })
})
after(() => server.stop())

async function register(metadata: Record<string, unknown>) {
  const body = JSON.stringify({ redirect_uris: ['https://app.example/cb'], ...metadata })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${server.issuer}/register`, { method: 'POST', headers, body })
  return { status: response.status, body: await response.json() }
}
const find = async (client_id: string) => {
  const { tenant_id } = server.app.tenant
  return JSON.parse((await server.store.findClient({ tenant_id, client_id }))!.metadata)
}

test('10.4.4 P-02 nobody who registers a client gives it a legacy grant, whatever the tenant says', async () => {
  const code = 'authorization_code'
  const { status, body } = await register({
    grant_types: [code, 'password', 'implicit'],
    response_types: ['code', 'token'],
  })
  assert.equal(status, 201, JSON.stringify(body))
  assert.deepEqual([body.grant_types, body.response_types], [[code], ['code']])
  assert.deepEqual((await find(body.client_id)).grant_types, [code])
  for (const grant_types of [['password'], ['implicit']]) {
    const refused = await register({ grant_types })
    assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_client_metadata'])
  }
  const { grant_types_supported, response_types_supported } = await (
    await fetch(`${server.issuer}/.well-known/openid-configuration`)
  ).json()
  assert.ok(!grant_types_supported.includes('password') && !grant_types_supported.includes('implicit'))
  assert.deepEqual(response_types_supported, ['code'])
})

test('10.4.4 P-02 what an administrator alone may say of a client is dropped when it says so itself', async () => {
  const own = {
    ...{ trusted: true, every_service: true, one_role: true, role_scopes: { administrator: ['admin:write'] } },
    ...{ service_account: { user_id: 'root', role: 'administrator' }, offline_refresh_only: true },
    ...{ json_requests: true, bearer_authentication: true, redirect_uri_prefix: true, require_pkce: false },
  }
  const { status, body } = await register(own)
  assert.equal(status, 201, JSON.stringify(body))
  const stored = await find(body.client_id)
  for (const name of Object.keys(own)) {
    if (name === 'require_pkce') assert.equal(stored[name], true)
    else assert.ok(!stored[name], name)
    assert.equal(body[name], undefined, name)
  }
})
