import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../../../../test/parts/sallyport.ts'
import { event } from '../event.ts'
import { makeSigningKey } from '../tenants.ts'
import { introspect } from './introspect.ts'

const resources = { jwt: 'https://jwt.example/api', opaque: 'https://opaque.example/api' } as const
let server: TestServer
let reads: number

before(async () => {
  server = await startSallyport()
  for (const format of ['jwt', 'opaque'] as const) {
    const scopes = JSON.stringify({ 'api:read': 'Read' })
    await server.addResource({ resource: resources[format], scopes, access_token_format: format })
  }
  const machine = { grant_types: ['client_credentials'], redirect_uris: [], scope: 'api:read' }
  await server.addClient({ ...machine, client_id: 'machine', client_secret: 'secret' })
  const { driver } = server.store
  const run = driver.run.bind(driver)
  driver.run = (verb, args) => {
    if (verb.kind === 'read') reads++
    return run(verb, args)
  }
})
after(() => server.stop())

async function ask(path: string, form: Record<string, string>): Promise<Record<string, string>> {
  const headers = { authorization: `Basic ${btoa('machine:secret')}` }
  const response = await fetch(server.issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) })
  assert.equal(response.status, 200)
  reads = 0
  return response.json() as Promise<Record<string, string>>
}

const getToken = async (format: 'jwt' | 'opaque') =>
  (await ask('/token', { grant_type: 'client_credentials', resource: resources[format], scope: 'api:read' }))
    .access_token!

for (const format of ['jwt', 'opaque'] as const) {
  test(`one read decides about a token that is seen for the first time: ${format}`, async () => {
    const token = await getToken(format)
    const { web } = server.app
    const authorization = `Basic ${btoa('machine:secret')}`
    const params = { values: { token }, resource: [], audience: [] }
    const request = { params, method: 'POST', url: `${server.issuer}/introspect`, authorization, dpop: undefined }
    assert.equal((await introspect(web.inbound, request)).active, true)
    assert.equal(reads, 1)
  })
}

test('a token of a key that came since the configuration was read is known', async () => {
  const { tenant } = server.app
  const added = [await makeSigningKey(tenant, 'current')]
  const { signing_key } = await tenant.currentConfiguration()
  const { tenant_id } = tenant
  await server.store.changeSigningKeys({
    tenant_id,
    added,
    moves: [{ kid: signing_key.kid, from: 'current', to: 'retired' }],
    events: [event(tenant, 'signing_key.rotated', 'cli')],
  })
  assert.ok(await tenant.findVerifyingKey(added[0]!.kid))
  assert.equal(await tenant.findVerifyingKey('unknown'), undefined)
})
