import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const key = (kid: number) => ({ kid, wrapped: bytes(`key ${kid}`), wrapped_by: 'root', canary: bytes('canary') })
/** A wrapped data key begins with what names its key: here one letter, five times. */
const wrapped = (head: string, connection_id: string) => bytes(head.repeat(5) + connection_id)
const START_OF_ALL = { header: bytes(''), connection_id: '' }

async function connect({ store, tenant_id, event }: Stage, head: string, connection_id: string, more = {}) {
  return store.connectAccount({
    ...{ tenant_id, connection_id, connector: 'acme', connector_version: 1, user_id: 'alice', account: connection_id },
    ...{ account_name: null, generation: null, data_key: wrapped(head, connection_id), event: event() },
    answer: {
      ...{ sealed_tokens: bytes('sealed'), scope: 'openid', refresh_fingerprint: null, issued_at: START },
      ...{ access_expires_at: null, refresh_expires_at: null },
    },
    ...more,
  })
}

async function fill(stage: Stage): Promise<void> {
  const { store, tenant_id, event } = stage
  await stage.user('alice')
  const connector = { connector: 'acme', provider: 'oidc', client_id: 'web', sealed_client_secret: null }
  const more = { scope: 'openid', settings: '{}', version: 1 }
  await store.createConnector({ tenant_id, connector: { ...connector, ...more }, event: event() })
}

const load = async ({ store, tenant_id }: Stage, connection_id: string) =>
  (await store.loadConnection({ tenant_id, connection_id }))!.connection

contract('a key of the vault is added once, and the newest comes last', async ({ store, tenant_id, event }) => {
  assert.deepEqual(await store.listVaultKeys({ tenant_id }), [])
  assert.equal(await store.addVaultKey({ tenant_id, key: key(2), event: event('vault_key.added') }), true)
  assert.equal(await store.addVaultKey({ tenant_id, key: key(1), event: null }), true)
  const again = { ...key(2), wrapped: bytes('other') }
  assert.equal(await store.addVaultKey({ tenant_id, key: again, event: event('vault_key.added') }), false)
  assert.deepEqual(await store.listVaultKeys({ tenant_id }), [key(1), key(2)])
})

contract('keys go under another root key, unless they have changed since they were read', async (stage) => {
  const { store, tenant_id, event } = stage
  await store.addVaultKey({ tenant_id, key: key(1), event: null })
  await store.addVaultKey({ tenant_id, key: key(2), event: null })
  const [tenant_key] = await store.listTenantKeys({ tenant_id })
  const moved = { wrapped: bytes('again'), wrapped_by: 'new root' }
  await store.rewrapKeys({
    tenant_id,
    tenant_keys: [{ kid: tenant_key!.kid, former: tenant_key!.wrapped, ...moved }],
    vault_keys: [
      { kid: 1, former: key(1).wrapped, ...moved },
      { kid: 2, former: bytes('as it was'), ...moved },
    ],
    event: event('root_key.used'),
  })
  assert.deepEqual(await store.listVaultKeys({ tenant_id }), [{ ...key(1), ...moved }, key(2)])
  const [after] = await store.listTenantKeys({ tenant_id })
  assert.deepEqual([after!.wrapped, after!.wrapped_by], [bytes('again'), 'new root'])
})

contract(
  'data keys under former keys are found by key and connection, and those under the newest never',
  async (stage) => {
    const { store, tenant_id } = stage
    await fill(stage)
    for (const [head, id] of ['b2', 'a3', 'c1', 'a1', 'b1'].map((name) => [name[0]!, name]))
      await connect(stage, head!, id!)
    const header = bytes('ccccc')
    const page = async (after: { header: Uint8Array; connection_id: string }, most = 9) =>
      (await store.pageDataKeys({ tenant_id, header, after, most })).map(({ connection_id }) => connection_id)
    assert.deepEqual(await page(START_OF_ALL), ['a1', 'a3', 'b1', 'b2'])
    assert.deepEqual(await page(START_OF_ALL, 3), ['a1', 'a3', 'b1'])
    assert.deepEqual(await page({ header: bytes('aaaaa'), connection_id: 'a1' }), ['a3', 'b1', 'b2'])
    assert.deepEqual(await page({ header: bytes('bbbbb'), connection_id: 'b1' }), ['b2'])
    assert.deepEqual(await store.countDataKeys({ tenant_id, header }), { all: 5, left: 4 })
    await store.destroyDataKey({ tenant_id, connection_id: 'a1', event: stage.event() })
    await store.disconnectConnection({ tenant_id, connection_id: 'a1', reason: 'test', event: stage.event() })
    await store.destroyDataKey({ tenant_id, connection_id: 'a1', event: stage.event() })
    assert.deepEqual(await store.countDataKeys({ tenant_id, header }), { all: 4, left: 3 })
  },
)

contract(
  'a data key goes under another key unless it changed, and no consent brings the former one back',
  async (stage) => {
    const { store, tenant_id } = stage
    await fill(stage)
    await connect(stage, 'a', 'a1')
    await connect(stage, 'a', 'a2')
    const keys = [
      { connection_id: 'a1', former: wrapped('a', 'a1'), data_key: wrapped('b', 'a1') },
      { connection_id: 'a2', former: bytes('as it was'), data_key: wrapped('b', 'a2') },
    ]
    assert.equal(await store.rewrapDataKeys({ tenant_id, keys }), 1)
    assert.equal(await store.rewrapDataKeys({ tenant_id, keys: [] }), 0)
    // Whoever repairs the connection now has read it before.
    assert.equal(await connect(stage, 'a', 'a1', { generation: 1 }), 'connected')
    const stands = await load(stage, 'a1')
    assert.deepEqual([stands.generation, stands.data_key], [2, wrapped('b', 'a1')])
    assert.deepEqual((await load(stage, 'a2')).data_key, wrapped('a', 'a2'))
  },
)

contract('a former key is destroyed when nothing is under it and its successor is known to all', async (stage) => {
  const { store, tenant_id, clock, event } = stage
  await fill(stage)
  await connect(stage, 'a', 'a1')
  for (const kid of [1, 2, 3]) await store.addVaultKey({ tenant_id, key: key(kid), event: null })
  const destroy = (header: string) =>
    store.destroyFormerVaultKeys({
      ...{ tenant_id, header: bytes(header), newest: 3, known_ms: 1000 },
      event: event('vault_key.destroyed'),
    })
  assert.equal(await destroy('aaaaa'), 0, 'the newest is not old enough')
  clock.now += 1000
  assert.equal(await destroy('bbbbb'), 0, 'a data key is under a former one')
  assert.equal(await destroy('aaaaa'), 2)
  assert.deepEqual(await store.listVaultKeys({ tenant_id }), [key(3)])
  assert.equal(await destroy('aaaaa'), 0)
})
