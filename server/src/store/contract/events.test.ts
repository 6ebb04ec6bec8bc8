import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { contract, DIALECTS, type Dialect, makeDatabase, START, type Stage } from '../../../../test/parts/stores.ts'
import { EMPTY_CHAIN, ERASED, findBrokenLink, type SealedEvent, sealInOrder } from '../event_chain.ts'

const page = ({ store, tenant_id }: Stage, more = {}) =>
  store.pageEvents({ tenant_id, before_event_id: 'g', type: '', actor: '', most: 100, ...more })

contract('an event is listed as it was recorded, newest first, page by page', async (stage) => {
  const { store, event } = stage
  const whole = event('login.refused', {
    ...{ actor: 'user:alice', client_id: 'web', user_id: 'alice', grant_id: 'g1', connection_id: 'c1' },
    ...{ request_id: 'r1', detail: { reason: 'wrong \u201cpassword\u201d', tries: 2 } },
  })
  await store.recordEvent(whole)
  await store.recordEvent(event('plain'))
  const [plain, refused, created] = await page(stage)
  const { tenant_id: _, ...columns } = whole
  const detail = JSON.stringify(whole.detail)
  assert.deepStrictEqual(refused, { ...columns, detail, sequence: null, chain: null })
  assert.deepStrictEqual(plain, {
    ...{ event_id: plain!.event_id, at: START, type: 'plain', actor: 'cli', detail: '{}', client_id: null },
    ...{ user_id: null, grant_id: null, connection_id: null, request_id: null, sequence: null, chain: null },
  })
  assert.equal(created!.type, 'tenant.created')
  assert.deepStrictEqual(await page(stage, { before_event_id: plain!.event_id, most: 1 }), [refused])
})

contract(
  'events are found by type, by who did it, and by whom they are about, the newest of all types first',
  async (stage) => {
    const { store, tenant_id, event } = stage
    for (const [type, actor, user_id, connection_id] of [
      ['a.one', 'user:alice', 'alice', null],
      ['a.two', 'client:web', 'alice', 'c1'],
      ['b.one', 'user:alice', 'bob', 'c1'],
      ['a.one', 'user:alice', 'bob', null],
      ['a.two', 'user:alice', null, 'c2'],
      ['a.one', 'client:web', 'alice', 'c1'],
    ] as const) {
      await store.recordEvent(event(type, { actor, user_id, connection_id }))
    }
    const find = async (more = {}) => {
      const rows = await page(stage, more)
      assert.deepEqual(
        rows,
        rows.toSorted((a, b) => (a.event_id < b.event_id ? 1 : -1)),
      )
      return rows.map(({ type, actor }) => `${type} ${actor.split(':')[1]}`)
    }
    assert.deepEqual(await find({ type: 'a.' }), [
      'a.one web',
      'a.two alice',
      'a.one alice',
      'a.two web',
      'a.one alice',
    ])
    assert.deepEqual(await find({ type: 'a.one', most: 2 }), ['a.one web', 'a.one alice'])
    assert.deepEqual(await find({ actor: 'client:web' }), ['a.one web', 'a.two web'])
    assert.deepEqual(await find({ actor: 'user:alice', type: 'a.' }), ['a.two alice', 'a.one alice', 'a.one alice'])
    assert.deepEqual(await find({ user_id: 'bob' }), ['a.one alice', 'b.one alice'])
    assert.deepEqual(await find({ user_id: 'alice', type: 'a.t' }), ['a.two web'])
    assert.deepEqual(await find({ connection_id: 'c1' }), ['a.one web', 'b.one alice', 'a.two web'])
    assert.deepEqual(await find({ connection_id: 'c1', user_id: 'bob', actor: 'user:alice' }), ['b.one alice'])
    for (const nothing of [{ type: 'c' }, { actor: 'nobody' }, { user_id: 'eve' }, { connection_id: 'c3' }]) {
      assert.deepEqual(await find(nothing), [])
    }
    const second = (await page(stage, { type: 'a.' }))[1]!
    assert.deepEqual(await find({ type: 'a.', before_event_id: second.event_id }), [
      'a.one alice',
      'a.two web',
      'a.one alice',
    ])
    assert.deepStrictEqual(await store.findEvent({ tenant_id, event_id: second.event_id }), second)
    assert.equal(await store.findEvent({ tenant_id, event_id: 'nothing' }), null)
  },
)

contract('an event recorded again, after an outcome that was not heard, is there once', async (stage) => {
  const { store, event } = stage
  const once = event('once')
  await store.recordEvent(once)
  await store.recordEvent(once)
  assert.equal((await page(stage, { type: 'once' })).length, 1)
})

contract('every change of state leaves one event, and a change that did not happen leaves none', async (stage) => {
  const { store, tenant_id, event } = stage
  await Promise.all([stage.user('alice'), stage.client('web')])
  const switched = (disabled: boolean) =>
    store.setUserDisabled({ tenant_id, user_id: 'alice', disabled, event: event('user.switched') })
  for (const disabled of [false, true, true, false, false]) await switched(disabled)
  assert.equal((await page(stage, { type: 'user.switched' })).length, 2)
  const deleted = () => store.deleteClient({ tenant_id, client_id: 'web', event: event('client.deleted') })
  await deleted()
  await deleted()
  assert.equal((await page(stage, { type: 'client.deleted' })).length, 1)
})

// Links are salted, so these two compare nothing between the databases.
for (const dialect of DIALECTS) {
  test(`sealing numbers events in their order, a bounded count at a time, and none twice (${dialect})`, async (t) => {
    const { store, tenant_id, record } = await openChain(t, dialect)
    for (let i = 0; i < 6; i++) await record(i)
    const seal = (most: number) => store.sealEvents({ tenant_id, most })
    assert.deepEqual([await seal(4), await seal(4), await seal(4)], [4, 3, 0])
    await record(6)
    assert.equal(await seal(4), 1)
    assert.equal(await store.sealEvents({ tenant_id: 'nobody', most: 4 }), 0)
    const events = await store.pageEvents({ tenant_id, before_event_id: 'g', type: '', actor: '', most: 100 })
    const shown = events.map(({ type, sequence, chain }) => `${sequence} ${type} ${chain?.length}`)
    assert.deepEqual(shown.slice(0, 3), ['8 e6 32', '7 e5 32', '6 e4 32'])
    assert.equal(shown.at(-1), '1 tenant.created 32')
  })

  test(`the chain of a tenant verifies, from its beginning and from any link, up to its head (${dialect})`, async (t) => {
    const { store, tenant_id, record } = await openChain(t, dialect)
    await Promise.all(Array.from({ length: 30 }, (_, i) => record(i)))
    // Sealers that run at the same time take their turns.
    const sealed = await Promise.all([1, 2, 3].map(() => store.sealEvents({ tenant_id, most: 12 })))
    assert.deepEqual(sealed.sort(), [12, 12, 7])
    const events = await store.pageSealedEvents({ tenant_id, after_sequence: 0, most: 100 })
    assert.equal(events.length, 31)
    assert.equal(findBrokenLink(EMPTY_CHAIN, events), null)
    assert.equal(findBrokenLink(events[9]!, events.slice(10)), null)
    const { sequence, chain } = events.at(-1)!
    assert.deepStrictEqual(await store.loadChainHead({ tenant_id }), { sequence, chain })
    assert.equal(await store.loadChainHead({ tenant_id: 'nobody' }), null)
  })
}

async function openChain(t: TestContext, dialect: Dialect) {
  const database = await makeDatabase(dialect)
  t.after(() => database.drop())
  const store = await database.open()
  const tenant_id = 't'
  const event = (name: string, type: string) => ({
    tenant_id,
    event_id: `event-${name}`,
    at: START,
    type,
    actor: 'cli',
  })
  await store.createTenant({
    ...{ tenant_id, issuer: 'https://t.example', name: 'T', settings: '{}', key: { kid: 1, wrapped: Buffer.of(1) } },
    ...{ signing_keys: [], resources: [], roles: [], event: event('0', 'tenant.created') },
  })
  const record = (i: number) => store.recordEvent({ ...event(String(i + 10), `e${i}`), detail: { i } })
  return { store, tenant_id, record }
}

const chained = (): SealedEvent[] =>
  sealInOrder(
    EMPTY_CHAIN,
    Array.from({ length: 5 }, (_, i) => ({
      ...{ event_id: `e${i}`, at: START + i, type: 'grant.revoked', actor: 'user:alice', client_id: 'web' },
      ...{ user_id: 'alice', grant_id: `g${i}`, connection_id: null, request_id: null, detail: `{"i":${i}}` },
    })),
  )

test('16.4.2 a chain breaks where any member of an event is altered', () => {
  const events = chained()
  assert.equal(findBrokenLink(EMPTY_CHAIN, events), null)
  const changes: Partial<SealedEvent>[] = [
    ...[{ event_id: 'x' }, { at: START + 99 }, { type: 'x' }, { actor: 'x' }, { client_id: 'x' }, { user_id: null }],
    ...[{ grant_id: 'x' }, { connection_id: 'x' }, { request_id: 'x' }, { detail: '{"i":9}' }, { sequence: 9 }],
    ...[{ detail_salt: Buffer.alloc(16) }, { detail_digest: Buffer.alloc(32) }, { chain: Buffer.alloc(32) }],
    ...[{ detail_salt: null }],
  ]
  for (const change of changes) {
    const altered = events.map((event, i) => (i === 2 ? { ...event, ...change } : event))
    assert.equal(findBrokenLink(EMPTY_CHAIN, altered), 3, JSON.stringify(change))
  }
})

test('a chain breaks where an event is taken out, put in, or changes its place', () => {
  const events = chained()
  assert.equal(findBrokenLink(EMPTY_CHAIN, events.toSpliced(2, 1)), 3)
  assert.equal(findBrokenLink(EMPTY_CHAIN, events.toSpliced(2, 0, events[1]!)), 3)
  assert.equal(findBrokenLink(EMPTY_CHAIN, events.with(2, events[3]!).with(3, events[2]!)), 3)
  assert.equal(findBrokenLink(EMPTY_CHAIN, events.slice(1)), 1)
  // A missing end breaks no link: the head in its own row tells.
  assert.equal(findBrokenLink(EMPTY_CHAIN, events.slice(0, 3)), null)
})

test('a detail can be erased with its salt, and every link still verifies', () => {
  const erased = chained().map((event, i) => (i === 2 ? { ...event, detail: ERASED, detail_salt: null } : event))
  assert.equal(findBrokenLink(EMPTY_CHAIN, erased), null)
  const forged = erased.map((event, i) => (i === 2 ? { ...event, detail: '{"by":"somebody"}' } : event))
  assert.equal(findBrokenLink(EMPTY_CHAIN, forged), 3)
})
