import assert from 'node:assert/strict'
import { bytes, contract, type Stage } from '../../../../test/parts/stores.ts'
import type { ResourceRecord } from '../records.ts'

const resourceOf = (client_id: string): ResourceRecord => ({
  ...{ resource: `https://hub.example/${client_id}`, name: client_id, scopes: '{}', default_scopes: '[]' },
  ...{ access_token_format: 'opaque', access_token_lifetime_seconds: 600 },
})

async function service(stage: Stage, client_id: string, client_name: string, more = {}): Promise<void> {
  const { store, tenant_id, clock } = stage
  clock.now += 1000
  const client = {
    client_id,
    client_name,
    metadata: '{}',
    source: 'hub',
    trusted: false,
    client_secret_hash: bytes('s'),
  }
  await store.createClient({
    tenant_id,
    ...{ client: { ...client, ...more }, resource: resourceOf(client_id), event: stage.event('client.created') },
  })
}

contract(
  'a client and the resource that it stands for are made and deleted together, each time as a new version',
  async (stage) => {
    const { store, tenant_id } = stage
    const look = async () => {
      const config = (await store.loadTenantConfig({ tenant_id }))!
      return [config.config_version, config.resources.map(({ resource }) => resource)]
    }
    await service(stage, 'a', 'A')
    assert.deepEqual(await look(), [1, ['https://hub.example/a']])
    await service(stage, 'a', 'A again')
    assert.deepEqual(await look(), [1, ['https://hub.example/a']], 'a client_id that is taken changes nothing')
    await stage.client('plain')
    await store.saveHubService({ tenant_id, client_id: 'a', service: '{}' })
    assert.equal(await store.deleteClient({ tenant_id, client_id: 'plain', event: stage.event() }), true)
    assert.deepEqual(await look(), [1, ['https://hub.example/a']])
    assert.equal(await store.deleteClient({ tenant_id, client_id: 'a', event: stage.event() }), true)
    assert.deepEqual(await look(), [2, []])
    assert.equal(await store.findHubService({ tenant_id, client_id: 'a' }), null)
  },
)

contract(
  'services are paged by name, id or time, and found by a part of their name, never by a wildcard',
  async (stage) => {
    const { store, tenant_id } = stage
    for (const [client_id, name] of [
      ['3', 'beta'],
      ['1', 'Gamma_1'],
      ['2', 'alpha'],
      ['4', '100%'],
    ])
      await service(stage, client_id!, name!)
    await stage.client('not_a_service')
    const page = async (order: 'name' | 'id' | 'created', query = '', skip = 0, top = 10) => {
      const { total, services } = await store.pageHubServices({ tenant_id, query, order, skip, top })
      return [total, services.map(({ client_id }) => client_id).join('')]
    }
    assert.deepEqual(await page('name'), [4, '4231'])
    assert.deepEqual(await page('id'), [4, '1234'])
    assert.deepEqual(await page('created'), [4, '3124'])
    assert.deepEqual(await page('id', '', 1, 2), [4, '23'])
    assert.deepEqual(await page('id', 'a'), [3, '123'])
    assert.deepEqual(await page('id', '_'), [1, '1'])
    assert.deepEqual(await page('id', '%'), [1, '4'])
    assert.deepEqual(await page('id', '\\'), [0, ''])
  },
)

contract(
  'refused redirect URIs are kept newest first, each once, so many of them, however many come at once',
  async (stage) => {
    const { store, tenant_id } = stage
    await service(stage, 'a', 'A')
    const note = (redirect_uri: string, client_id = 'a') =>
      store.noteUntrustedRedirectUri({ tenant_id, client_id, redirect_uri, most: 3 })
    const kept = async () =>
      JSON.parse((await store.findHubService({ tenant_id, client_id: 'a' }))!.untrusted_redirect_uris ?? '[]')
    await note('https://x.example/0')
    assert.deepEqual(await kept(), [], 'of a service that says nothing about itself nothing is kept')
    await store.saveHubService({ tenant_id, client_id: 'a', service: '{"name":"A"}' })
    for (const uri of ['1', '2', '1', '3', '4', '4']) await note(uri)
    assert.deepEqual(await kept(), ['4', '3', '1'])
    await store.saveHubService({ tenant_id, client_id: 'a', service: '{"name":"B"}' })
    assert.deepEqual(await kept(), ['4', '3', '1'], 'a change of the service leaves them')
    await Promise.all(Array.from({ length: 64 }, (_, i) => note(`p${i}`)))
    assert.equal(new Set(await kept()).size, 3)
    await note('x', 'nobody')
  },
)

contract('clients of legacy grants are listed while they are enabled and may use them', async (stage) => {
  const { store, tenant_id } = stage
  const list = async () => (await store.listLegacyClients({ tenant_id, most: 10 })).length
  await service(stage, 'old', 'Old', { legacy: true })
  await service(stage, 'new', 'New')
  assert.equal(await list(), 1)
  await store.setClientDisabled({ tenant_id, client_id: 'old', disabled: true, event: stage.event() })
  assert.equal(await list(), 0)
  await store.setClientDisabled({ tenant_id, client_id: 'old', disabled: false, event: stage.event() })
  const client = { client_id: 'old', client_name: 'Old', metadata: '{}', trusted: false, client_secret_hash: null }
  await store.updateClient({ tenant_id, client, event: stage.event() })
  assert.equal(await list(), 0)
})
