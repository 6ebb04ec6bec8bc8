import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Kms, startKms } from '../../../../test/parts/kms.ts'
import { makeConnections, makeRootText, openAll, openOutbound } from '../../../../test/parts/many_connections.ts'
import { sealedHeader, sealedKid } from '../../crypto/seal.ts'
import { describeKeys, destroyFormerVaultKeys, rekeyStep } from '../administration/rekey.ts'
import { disconnect, finishDisconnects } from '../connections/disconnect.ts'
import { freshToken } from '../connections/fresh_token.ts'
import { VaultClosed, VaultKeys } from './vault_keys.ts'

type Outbound = Awaited<ReturnType<typeof openOutbound>>

const CONNECTIONS = 5
const ONE_STEP = { data_keys: false, after: '', actor: 'test' }

/** As another process would be, with root keys of its own for the vault. */
function another(outbound: Outbound, wrappers: ConstructorParameters<typeof VaultKeys>[1]): Outbound {
  return { ...outbound, vault_keys: new VaultKeys(outbound.tenant, wrappers) }
}

async function firstConnection({ tenant: { tenant_id, store } }: Outbound) {
  const after = { header: sealedHeader(0), connection_id: '' }
  const [row] = await store.pageDataKeys({ tenant_id, header: sealedHeader(2 ** 32 - 1), after, most: 1 })
  return (await store.loadConnection({ tenant_id, connection_id: row!.connection_id }))!.connection
}

describe('R-20 R-26 13.3.1 a vault whose root key a KMS holds', () => {
  let outbound: Outbound
  let kms: Kms
  before(async () => {
    kms = await startKms()
    outbound = another(await openOutbound({ sqlite: ':memory:' }, makeRootText()), [kms])
    await makeConnections(outbound, CONNECTIONS)
  })
  after(async () => {
    await outbound.close()
    await kms.stop()
  })

  test('it is asked once for each key of the tenant and process, however many connections are opened', async () => {
    const fresh = another(outbound, [kms])
    kms.asked.length = 0
    assert.equal(await openAll(fresh), CONNECTIONS)
    assert.equal(await openAll(fresh), CONNECTIONS)
    assert.deepEqual(kms.asked, [`/unwrap ${outbound.tenant.tenant_id}/1000001`])
  })

  for (const [mood, reason] of [
    ['down', /root key kms\/keys\/1 does not serve: the KMS answers 503/],
    ['refuses', /root key kms\/keys\/1 does not serve: the KMS answers 403/],
    ['silent', /root key kms\/keys\/1 does not serve: no answer in 3000 ms/],
    ['foreign', /unwraps another key than it wrapped \(the canary does not open\)/],
  ] as const) {
    test(`while it is ${mood} the vault is closed with a reason, and nothing is sent or changed`, async () => {
      const fresh = another(outbound, [kms])
      const { connection_id, user_id } = await firstConnection(outbound)
      const stands = async () => ({ ...(await firstConnection(outbound)), last_used_at: null })
      const before = await stands()
      kms.mood = mood
      kms.asked.length = 0
      try {
        await assert.rejects(freshToken(fresh, { connection_id, user_id }), (error) => {
          assert.ok(error instanceof VaultClosed)
          assert.deepEqual([error.error, error.status], ['temporarily_unavailable', 503])
          assert.match(error.reason, reason)
          return true
        })
        assert.match((await fresh.vault_keys.whyClosed())!, reason)
        if (mood !== 'foreign') {
          await Promise.allSettled(Array.from({ length: 50 }, () => freshToken(fresh, { connection_id, user_id })))
          assert.equal(kms.asked.length, 1, 'it is asked once in a while, however many want it')
        }
        assert.deepEqual(await stands(), before)
        // What this process has opened before serves on.
        assert.equal((await freshToken(outbound, { connection_id, user_id })).kind, 'token')
      } finally {
        kms.mood = 'good'
      }
    })
  }

  test('it is asked again when it is back', async () => {
    let now = Date.now()
    const tenant = Object.create(outbound.tenant, { clock: { value: () => now } })
    const keys = new VaultKeys(tenant, [kms])
    kms.mood = 'down'
    assert.match((await keys.whyClosed())!, /503/)
    kms.mood = 'good'
    assert.match((await keys.whyClosed())!, /503/)
    now += 5_000
    assert.equal(await keys.whyClosed(), null)
  })

  test('a wrong or missing root key is named, and the right one', async () => {
    const other = another(outbound, [{ ...kms, name: 'kms/keys/2' }])
    assert.equal(
      await other.vault_keys.whyClosed(),
      'its keys are wrapped by root key kms/keys/1, and the one given is kms/keys/2',
    )
    const none = another(outbound, [])
    assert.equal(await none.vault_keys.whyClosed(), 'its keys are wrapped by root key kms/keys/1, and none was given')
  })

  test('who disconnects while it is closed is disconnected; the provider and the data key wait for it to open', async () => {
    const { connection_id, user_id } = await firstConnection(outbound)
    const closed = another(outbound, [])
    const reports: string[] = []
    assert.equal(
      await disconnect({ ...closed, report: (what) => reports.push(what) }, { connection_id, actor: 'test', user_id }),
      'disconnected',
    )
    assert.equal(reports.length, 1)
    const load = () => outbound.tenant.store.loadConnection({ tenant_id: outbound.tenant.tenant_id, connection_id })
    assert.deepEqual(
      [(await load())!.connection.state, (await load())!.connection.data_key !== null],
      ['disconnected', true],
    )
    const later = { ...outbound, clock: () => Date.now() + 120_000 }
    await assert.rejects(finishDisconnects({ ...closed, clock: later.clock }), VaultClosed)
    assert.equal(await finishDisconnects(later), 1)
    assert.equal((await load())!.connection.data_key, null)
  })
})

test('R-20 13.3.4 the root key is rotated: afterwards the former one opens nothing, and every connection opens', async () => {
  const [first, second] = [makeRootText(), makeRootText()]
  const location = { sqlite: ':memory:' }
  const outbound = await openOutbound(location, first)
  try {
    await makeConnections(outbound, CONNECTIONS)
    const { store, tenant_id, clock } = outbound.tenant
    const reopen = async (text: string) => {
      const { RootKey } = await import('../../crypto/tenant_keys.ts')
      const { openTenant } = await import('../../store/tenant.ts')
      const [one, ...former] = text.split(' ').map((part) => Buffer.from(part, 'base64'))
      const root = new RootKey(one!, ...former)
      const tenant = await openTenant({ tenant_id, issuer: outbound.tenant.issuer, store, root, clock })
      return { ...outbound, tenant, vault_keys: new VaultKeys(tenant, root.wrappers) }
    }
    const both = await reopen(`${second} ${first}`)
    assert.equal((await describeKeys(both)).under_former_roots, 2)
    assert.equal(await openAll(both), CONNECTIONS)
    const step = await rekeyStep(both, ONE_STEP)
    assert.deepEqual(step, { rewrapped_keys: 2, destroyed_keys: 0, after: null, rewrapped_data_keys: 0, unreadable: 0 })
    assert.equal((await rekeyStep(both, ONE_STEP)).rewrapped_keys, 0, 'a second time there is nothing to do')
    assert.equal(await openAll(await reopen(second)), CONNECTIONS)
    await assert.rejects(reopen(first), /does not open/)
    const { under_former_roots, vault_closed } = await describeKeys(await reopen(second))
    assert.deepEqual([under_former_roots, vault_closed], [0, null])
  } finally {
    await outbound.close()
  }
})

test('11.2.2 a further key of the vault takes over every data key; the former one goes when all replicas know it', async () => {
  let offset = 0
  const clock = () => Date.now() + offset
  const outbound = await openOutbound({ sqlite: ':memory:', clock }, makeRootText())
  try {
    await makeConnections(outbound, CONNECTIONS)
    const former = await firstConnection(outbound)
    const step = await rekeyStep(outbound, { ...ONE_STEP, data_keys: true })
    assert.equal(step.rewrapped_data_keys, CONNECTIONS)
    const now = await firstConnection(outbound)
    assert.deepEqual([sealedKid(former.data_key!), sealedKid(now.data_key!)], [1_000_001, 1_000_002])
    assert.deepEqual(now.sealed_tokens, former.sealed_tokens, 'tokens are sealed by the data key, which stays')
    assert.equal(await openAll(another(outbound, outbound.tenant.wrappers)), CONNECTIONS)
    assert.equal(await destroyFormerVaultKeys(outbound, 'test'), 0)
    offset = 61_000
    const { store, tenant_id } = outbound.tenant
    // What was restored under the former key keeps it.
    await store.rewrapDataKeys({
      tenant_id,
      keys: [{ connection_id: now.connection_id, former: now.data_key!, data_key: former.data_key! }],
    })
    assert.equal(await destroyFormerVaultKeys(outbound, 'test'), 0)
    assert.equal((await rekeyStep(outbound, ONE_STEP)).rewrapped_data_keys, 1)
    assert.deepEqual((await outbound.vault_keys.list()).length, 2)
    assert.equal((await rekeyStep(outbound, ONE_STEP)).destroyed_keys, 1)
    assert.equal((await outbound.vault_keys.list()).length, 1)
    assert.equal(await openAll(outbound), CONNECTIONS)
    const page = { tenant_id, before_event_id: '~', type: 'vault_key.', actor: '', most: 9 }
    const types = (await store.pageEvents(page)).map(({ type }) => type)
    assert.deepEqual(types, ['vault_key.destroyed', 'vault_key.added'])
  } finally {
    await outbound.close()
  }
})

test('a data key that does not open is counted and left alone, and holds nobody else up', async () => {
  const outbound = await openOutbound({ sqlite: ':memory:' }, makeRootText())
  try {
    await makeConnections(outbound, CONNECTIONS)
    const { store, tenant_id } = outbound.tenant
    const { connection_id, data_key } = await firstConnection(outbound)
    const broken = Buffer.from(data_key!)
    broken[20]! ^= 1
    await store.rewrapDataKeys({ tenant_id, keys: [{ connection_id, former: data_key!, data_key: broken }] })
    const step = await rekeyStep(outbound, { ...ONE_STEP, data_keys: true })
    assert.deepEqual([step.rewrapped_data_keys, step.unreadable, step.after !== null], [CONNECTIONS - 1, 1, true])
    assert.equal((await rekeyStep(outbound, { ...ONE_STEP, after: step.after! })).after, null)
    assert.deepEqual(Buffer.from((await firstConnection(outbound)).data_key!), broken)
  } finally {
    await outbound.close()
  }
})

test('5.4 data keys from before there were keys of the vault open, and a rekeying puts them under one', async () => {
  const outbound = await openOutbound({ sqlite: ':memory:' }, makeRootText())
  try {
    const before = { newest: async () => outbound.tenant.keys, find: async () => outbound.tenant.keys }
    await makeConnections({ ...outbound, vault_keys: before as unknown as VaultKeys }, CONNECTIONS)
    assert.equal(await openAll(outbound), CONNECTIONS)
    assert.equal((await describeKeys(outbound)).under_former_vault_keys, CONNECTIONS)
    assert.equal((await rekeyStep(outbound, ONE_STEP)).rewrapped_data_keys, CONNECTIONS)
    assert.equal(await openAll(outbound), CONNECTIONS)
    assert.equal((await describeKeys(outbound)).under_former_vault_keys, 0)
  } finally {
    await outbound.close()
  }
})

test('11.2.2 of many who make the first connection of a vault, or take it over, at once, one adds a key', async () => {
  const outbound = await openOutbound({ sqlite: ':memory:' }, makeRootText())
  try {
    const replicas = Array.from({ length: 20 }, () => another(outbound, outbound.tenant.wrappers))
    const made = await Promise.all(replicas.map(({ vault_keys }) => vault_keys.newest()))
    assert.deepEqual(new Set(made.map(({ kid }) => kid)), new Set([1_000_001]))
    assert.equal((await outbound.vault_keys.list()).length, 1)
    const seen = await outbound.vault_keys.list()
    await Promise.all(replicas.map(({ vault_keys }) => vault_keys.add(seen, null)))
    assert.equal((await outbound.vault_keys.list()).length, 2)
  } finally {
    await outbound.close()
  }
})
