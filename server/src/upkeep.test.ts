import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { handTimers } from '../../test/parts/hand_timers.ts'
import { createDatabase, startPostgres } from '../../test/parts/postgres.ts'
import { RootKey } from './crypto/tenant_keys.ts'
import { openOrCreateTenant } from './inbound/tenants.ts'
import { openStore, type Store, type StoreLocation } from './store/store.ts'
import type { Tenant } from './store/tenant.ts'
import { startTasks, type Timers } from './upkeep.ts'
import type { Log } from './web/log.ts'

const QUIET: Log = { debug() {}, info() {}, warn() {}, error() {} }

for (const database of ['sqlite', 'postgres'] as const) {
  describe(database, () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    let store: Store
    let tenant: Tenant
    let drop = async () => {}
    before(async () => {
      const clock = () => now
      let location: StoreLocation = { sqlite: ':memory:', clock }
      if (database === 'postgres') {
        const server = await startPostgres()
        const made = await createDatabase(server.url)
        location = { postgres: made.url, clock }
        drop = async () => {
          await made.drop()
          await server.stop()
        }
      }
      store = await openStore(location)
      const issuer = 'http://localhost:9400'
      tenant = await openOrCreateTenant({ issuer, store, root: new RootKey(randomBytes(32)), clock })
    })
    after(async () => {
      await store?.close()
      await drop()
    })
    const start = (owner: string, timers: Timers, log = QUIET) =>
      startTasks({ store, tenant_id: tenant.tenant_id, owner, log, timers })
    const sealed = async () => (await store.loadChainHead({ tenant_id: tenant.tenant_id }))?.sequence

    test('committed events are sealed within a second', async () => {
      const timers = handTimers()
      const upkeep = start('a', timers)
      assert.equal(timers.pass(1000), 1)
      await upkeep.stop()
      assert.equal(await sealed(), 1)
      assert.equal(await store.hasUnsealedEvents({ tenant_id: tenant.tenant_id }), false)
    })

    test('what has ended is swept each minute, a minute after its end', async () => {
      const { tenant_id } = tenant
      const link = { tenant_id, kind: 'setup', secret_hash: randomBytes(32), expires_at: now + 1000, at: now }
      await store.createOneTimeLink(link)
      const sweep = async () => {
        const timers = handTimers()
        const upkeep = start('a', timers)
        timers.pass(60_000)
        await upkeep.stop()
      }
      now += 60_000
      await sweep()
      assert.equal((await store.sweepEnded({ before: now, most: 10 })) > 0, true)
      await store.createOneTimeLink({ ...link, expires_at: now + 1000, at: now })
      now += 120_000
      await sweep()
      assert.equal(await store.sweepEnded({ before: now, most: 10 }), 0)
    })

    test('after stop nothing is started any more', async () => {
      const timers = handTimers()
      const upkeep = start('a', timers)
      assert.equal(timers.waiting, 2)
      timers.pass(1000)
      await upkeep.stop()
      assert.equal(timers.waiting, 0)
    })

    test('a database that is away is told once, and the work goes on when it is back', async () => {
      const said: string[] = []
      const timers = handTimers()
      let away = true
      const broken = {
        ...store,
        hasUnsealedEvents: async (args: { tenant_id: string }) => {
          if (away) throw new Error('away')
          return store.hasUnsealedEvents(args)
        },
      }
      const log = { ...QUIET, warn: (_: object, message: string) => said.push(message) }
      const upkeep = startTasks({ store: broken, tenant_id: tenant.tenant_id, owner: 'a', log, timers })
      const round = async () => {
        timers.pass(1000)
        while (timers.waiting < 2) await new Promise((resolve) => setImmediate(resolve))
      }
      await round()
      await round()
      assert.deepEqual(said, ['upkeep failed'])
      away = false
      await round()
      away = true
      await round()
      assert.deepEqual(said, ['upkeep failed', 'upkeep failed'])
      await upkeep.stop()
    })
  })
}

test('of several replicas the one that holds the lease does the work', async () => {
  const server = await startPostgres()
  const made = await createDatabase(server.url)
  const store = await openStore({ postgres: made.url })
  try {
    const issuer = 'http://localhost:9400'
    const { tenant_id } = await openOrCreateTenant({
      issuer,
      store,
      root: new RootKey(randomBytes(32)),
      clock: Date.now,
    })
    await store.takeLease({ tenant_id, name: 'seal', owner: 'a', duration_ms: 60_000 })
    const timers = handTimers()
    const other = startTasks({ store, tenant_id, owner: 'b', log: QUIET, timers })
    timers.pass(1000)
    await other.stop()
    assert.equal(await store.hasUnsealedEvents({ tenant_id }), true)
    const holder = startTasks({ store, tenant_id, owner: 'a', log: QUIET, timers })
    timers.pass(1000)
    await holder.stop()
    assert.equal(await store.hasUnsealedEvents({ tenant_id }), false)
  } finally {
    await store.close()
    await made.drop()
    await server.stop()
  }
})

test('a disconnection that was left half done is finished within a minute', async () => {
  const store = await openStore({ sqlite: ':memory:' })
  let finished = 0
  const due: (() => void)[] = []
  const timers = {
    setTimeout: (work: () => void, ms: number) => (ms === 60_000 ? due.push(work) : 0),
    clearTimeout() {},
  }
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const upkeep = startTasks({
    store,
    tenant_id: 't',
    owner: 'a',
    log,
    timers,
    finishDisconnects: async () => ++finished,
  })
  for (const work of due) work()
  await upkeep.stop()
  assert.equal(finished, 1)
  await store.close()
})

test('a chore that works alone is done by one replica at a time, any other by each', async () => {
  const server = await startPostgres()
  const made = await createDatabase(server.url)
  const store = await openStore({ postgres: made.url })
  try {
    const issuer = 'http://localhost:9400'
    const { tenant_id } = await openOrCreateTenant({
      issuer,
      store,
      root: new RootKey(randomBytes(32)),
      clock: Date.now,
    })
    const done: string[] = []
    const round = async (owner: string) => {
      const timers = handTimers()
      const chores = [
        { name: 'alone', every_ms: 30_000, alone: true, run: async () => done.push(`alone ${owner}`) },
        { name: 'each', every_ms: 30_000, alone: false, run: async () => done.push(`each ${owner}`) },
      ]
      const upkeep = startTasks({ store, tenant_id, owner, log: QUIET, timers, chores })
      timers.pass(30_000)
      await upkeep.stop()
    }
    await round('a')
    await round('b')
    assert.deepEqual(done.toSorted(), ['alone a', 'each a', 'each b'])
  } finally {
    await store.close()
    await made.drop()
    await server.stop()
  }
})
