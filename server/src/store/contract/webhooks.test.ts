import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { planOf } from '../../../../test/parts/query_plan.ts'
import {
  bytes,
  contract,
  DIALECTS,
  type Dialect,
  fillStage,
  makeDatabase,
  START,
  type Stage,
} from '../../../../test/parts/stores.ts'
import { pageDeliveries } from '../verbs/webhook_deliveries.ts'

const TIMES = { give_up_ms: 1000, keep_ms: 5000 }
const row = (webhook: string, version = 1, more = {}) => ({
  ...{ webhook, url: 'https://a.example/', description: '', event_types: '[]', sealed_secrets: bytes('s'), version },
  ...more,
})
const lease = ({ store, tenant_id, event }: Stage, most = 8) =>
  store.leaseDeliveries({ tenant_id, webhook: 'crm', most, lease_ms: 100, given_up_event: event('webhook.given_up') })
const list = ({ store, tenant_id }: Stage) =>
  store.pageDeliveries({ tenant_id, webhook: 'crm', state: '', before_event_id: 'g', most: 50 })

test('deliveries of a state are found by the index of their state, and all by their own', async () => {
  const page = { tenant_id: 't', webhook: 'crm', before_event_id: 'g', most: 50 }
  const [failed, all] = await planOf(
    ...(['failed', ''] as const).map((state) => pageDeliveries.run({ ...page, state })),
  )
  assert.match(failed!, /webhook_deliveries_by_state \(tenant_id=\? AND webhook=\? AND state=\? AND event_id<\?\)$/)
  assert.match(all!, /\(tenant_id=\? AND webhook=\? AND event_id<\?\)$/)
})

async function withDeliveries(stage: Stage, count: number): Promise<string[]> {
  const { store, tenant_id, event } = stage
  await store.createWebhook({ tenant_id, webhook: row('crm'), event: event('webhook.created') })
  const events = Array.from({ length: count }, () => event('user.created', { user_id: 'u' }))
  for (const one of events) await store.recordEvent(one)
  const deliveries = events.map(({ event_id }) => ({ event_id, type: 'user.created' }))
  const spread = { version: 1, from_sequence: 0, to_sequence: 9, deliveries, ...TIMES }
  await store.spreadEvents({ tenant_id, webhook: 'crm', ...spread })
  return deliveries.map(({ event_id }) => event_id)
}

function settle(stage: Stage, event_id: string, attempts: number, more: object = {}) {
  const { store, tenant_id, event } = stage
  const failure = { failures: attempts, pause_ms: 10, gone: false, least_failures: 3, longest_ms: 1000 }
  return store.settleDelivery({
    ...{
      tenant_id,
      webhook: 'crm',
      version: 1,
      event_id,
      attempts,
      tries: `[${attempts}]`,
      outcome: 'retry',
      next_in_ms: 50,
    },
    failure: { ...failure, disabled_event: event('webhook.disabled', { detail: { webhook: 'crm' } }) },
    given_up_event: event('webhook.given_up'),
    ...more,
  })
}

contract(
  'a webhook is made once, changed at the version that was read, disabled, enabled and deleted',
  async (stage) => {
    const { store, tenant_id, event } = stage
    const made = () => store.createWebhook({ tenant_id, webhook: row('crm'), event: event('webhook.created') })
    assert.deepEqual([await made(), await made()], [true, false])
    const change = (from_version: number) =>
      store.updateWebhook({
        tenant_id,
        webhook: row('crm', 2, { url: 'https://b.example/' }),
        from_version,
        event: event(),
      })
    assert.deepEqual([await change(7), await change(1), await change(1)], [false, true, false])
    const found = await store.findWebhook({ tenant_id, webhook: 'crm' })
    assert.deepStrictEqual(found, {
      ...row('crm', 2, { url: 'https://b.example/' }),
      ...{ spread_to: 0, failures: 0, failing_since: null, retry_at: null, disabled_at: null, disabled_reason: null },
      ...{ created_at: START, updated_at: START },
    })
    assert.deepStrictEqual(await store.listWebhooks({ tenant_id }), [found])
    const disable = (disabled: boolean) =>
      store.setWebhookDisabled({ tenant_id, webhook: 'crm', disabled, reason: 'test', event: event() })
    assert.deepEqual([await disable(true), await disable(true)], [true, false])
    assert.deepEqual(await store.listWorkingWebhooks({ tenant_id }), [])
    assert.deepEqual([await disable(false), await disable(false)], [true, false])
    assert.equal((await store.listWorkingWebhooks({ tenant_id })).length, 1)
    const gone = () => store.deleteWebhook({ tenant_id, webhook: 'crm', event: event() })
    assert.deepEqual([await gone(), await gone()], [true, false])
  },
)

contract('a stretch of events is spread once, however many try', async (stage) => {
  const { store, tenant_id, event } = stage
  await store.createWebhook({ tenant_id, webhook: row('crm'), event: event() })
  const spread = (from_sequence: number, to_sequence: number, version = 1) =>
    store.spreadEvents({
      ...{ tenant_id, webhook: 'crm', version, from_sequence, to_sequence, ...TIMES },
      deliveries: [{ event_id: `e${to_sequence}`, type: 'user.created' }],
    })
  const tries = await Promise.all(Array.from({ length: 64 }, () => spread(0, 3)))
  assert.equal(tries.filter(Boolean).length, 1)
  assert.equal(await spread(2, 4), false)
  assert.equal(await spread(3, 4, 2), false, 'of a webhook as it is not')
  assert.equal(await spread(3, 5), true)
  assert.deepEqual(
    (await list(stage)).map(({ event_id }) => event_id),
    ['e5', 'e3'],
  )
  const [working] = await store.listWorkingWebhooks({ tenant_id })
  assert.deepEqual([working!.spread_to, working!.is_due], [5, 1])
})

contract(
  'what arrived is settled, and what fails waits; of a webhook that fails one is tried at a time',
  async (stage) => {
    const { store, tenant_id, clock } = stage
    const [first, second] = (await withDeliveries(stage, 3)) as [string, string]
    await lease(stage, 2)
    await settle(stage, first, 1, { outcome: 'delivered' })
    await settle(stage, second, 9)
    await settle(stage, second, 1)
    const [, failed, arrived] = await list(stage)
    assert.deepStrictEqual(
      [arrived!.state, arrived!.next_at, arrived!.settled_at, arrived!.tries],
      ['delivered', null, START, '[1]'],
    )
    assert.deepStrictEqual([failed!.state, failed!.next_at, failed!.settled_at], ['pending', START + 50, null])
    assert.equal(await lease(stage), null, 'it is left alone for a while')
    clock.now += 50
    const probe = (await lease(stage))!
    assert.deepEqual([probe.deliveries.length, probe.webhook.failures], [1, 9])
    assert.equal(await lease(stage), null, 'while it is tried, nobody else tries')
    await settle(stage, probe.deliveries[0]!.event_id, probe.deliveries[0]!.attempts, { outcome: 'delivered' })
    const found = await store.findWebhook({ tenant_id, webhook: 'crm' })
    assert.deepEqual([found!.failures, found!.failing_since, found!.retry_at], [0, null, null])
  },
)

contract(
  'a webhook that has failed for too long is disabled with an event, one that is gone at once',
  async (stage) => {
    const { store, tenant_id, clock, event } = stage
    const [first] = (await withDeliveries(stage, 1)) as [string]
    const types = async () =>
      (await store.pageEvents({ tenant_id, before_event_id: 'g', type: 'webhook.', actor: '', most: 50 })).map(
        ({ type, detail }) => `${type} ${detail}`,
      )
    for (let i = 1; i <= 2; i++) await settle(stage, first, i)
    clock.now += 1000
    assert.equal((await store.findWebhook({ tenant_id, webhook: 'crm' }))!.disabled_at, null)
    await settle(stage, first, 3)
    const found = await store.findWebhook({ tenant_id, webhook: 'crm' })
    assert.deepEqual([found!.disabled_at, found!.disabled_reason], [START + 1000, 'failing'])
    const disabled = 'webhook.disabled {"webhook":"crm","reason":"failing"}'
    assert.equal((await types())[0], disabled)
    await settle(stage, first, 4)
    assert.equal((await types()).filter((one) => one === disabled).length, 1)
    await store.setWebhookDisabled({
      tenant_id,
      webhook: 'crm',
      disabled: false,
      reason: '',
      event: event('webhook.on'),
    })
    const failure = {
      pause_ms: 1,
      ...{ failures: 5, gone: true },
      least_failures: 9,
      longest_ms: 9,
      disabled_event: event('webhook.disabled'),
    }
    await settle(stage, first, 5, { failure })
    assert.equal((await store.findWebhook({ tenant_id, webhook: 'crm' }))!.disabled_reason, 'gone')
  },
)

contract('what one address has answered says nothing of the next', async (stage) => {
  const { store, tenant_id, event } = stage
  const [first, second] = (await withDeliveries(stage, 2)) as [string, string]
  await lease(stage)
  const change = { tenant_id, webhook: row('crm', 2), from_version: 1, event: event() }
  assert.ok(await store.updateWebhook(change))
  const gone = { failures: 1, pause_ms: 10, gone: true, least_failures: 1, longest_ms: 0, disabled_event: event() }
  await settle(stage, first, 1, { failure: gone })
  const read = async () => (await store.findWebhook({ tenant_id, webhook: 'crm' }))!
  const { failures, retry_at, disabled_at } = await read()
  assert.deepEqual([failures, retry_at, disabled_at], [0, null, null])
  await settle(stage, second, 1, { version: 2 })
  await settle(stage, first, 1, { outcome: 'delivered' })
  assert.equal((await read()).failures, 1, 'nor does its success')
})

contract(
  'what has waited past its end is given up, by one event, and not sent; so is all when it is enabled',
  async (stage) => {
    const { store, tenant_id, clock, event } = stage
    const ids = await withDeliveries(stage, 3)
    clock.now += 999
    assert.equal((await lease(stage, 1))!.deliveries.length, 1)
    clock.now += 101
    assert.deepEqual((await lease(stage))!.deliveries, [])
    assert.deepEqual(
      (await list(stage)).map(({ state, next_at, settled_at }) => [state, next_at, settled_at]),
      ids.map(() => ['failed', null, START + 1100]),
    )
    const details = async (type: string) =>
      (await store.pageEvents({ tenant_id, before_event_id: 'g', type, actor: '', most: 50 })).map(
        ({ detail }) => detail,
      )
    assert.deepEqual(await details('webhook.given_up'), ['{"deliveries":3}'])
    const deliveries = ids.map((event_id) => ({ event_id, type: 'user.created' }))
    const again = { tenant_id, webhook: 'crm', undelivered_only: true, event: event('webhook.replayed'), deliveries }
    assert.equal(await store.replayDeliveries({ ...again, ...TIMES }), 3)
    const disable = (disabled: boolean) =>
      store.setWebhookDisabled({
        tenant_id,
        webhook: 'crm',
        disabled,
        reason: 'test',
        event: event('webhook.switched'),
      })
    await disable(true)
    assert.equal(await store.replayDeliveries({ ...again, ...TIMES }), 0, 'nothing is kept for later')
    await disable(false)
    assert.ok((await list(stage)).every(({ state }) => state === 'failed'))
    assert.deepEqual(await details('webhook.switched'), ['{"given_up":3}', '{}'])
  },
)

contract('what is given up leaves an event, and is replayed; what waits is not', async (stage) => {
  const { store, tenant_id, event } = stage
  const [first, second, third] = (await withDeliveries(stage, 3)) as [string, string, string]
  await lease(stage)
  await settle(stage, first, 1, { outcome: 'given_up', failure: null })
  await settle(stage, second, 1, { outcome: 'delivered' })
  const replay = (undelivered_only: boolean, more: { event_id: string }[] = []) =>
    store.replayDeliveries({
      ...{ tenant_id, webhook: 'crm', undelivered_only, event: event('webhook.replayed'), ...TIMES },
      deliveries: [...[first, second, third].map((event_id) => ({ event_id })), ...more].map(({ event_id }) => ({
        ...{ event_id, type: 'user.created' },
      })),
    })
  assert.equal(await replay(true, [{ event_id: 'event-9' }]), 2)
  assert.equal(await replay(true), 0)
  assert.equal(await replay(false), 1)
  assert.deepEqual(
    (await list(stage)).map(({ event_id, state, attempts }) => [event_id, state, attempts]),
    [
      ['event-9', 'pending', 0],
      [third, 'pending', 1],
      [second, 'pending', 0],
      [first, 'pending', 0],
    ],
  )
  const types = (
    await store.pageEvents({ tenant_id, before_event_id: 'g', type: 'webhook.', actor: '', most: 50 })
  ).map(({ type }) => type)
  assert.deepEqual(types, ['webhook.replayed', 'webhook.replayed', 'webhook.given_up', 'webhook.created'])
  assert.equal(await store.replayDeliveries({ ...(await nobody(stage)) }), 0)
})

async function nobody({ tenant_id, event }: Stage) {
  const deliveries = [{ event_id: 'e', type: 'user.created' }]
  return { tenant_id, webhook: 'nobody', undelivered_only: false, event: event(), deliveries, ...TIMES }
}

contract('numbered events of a stretch of time are paged in their order, each once', async (stage) => {
  const { store, tenant_id, clock, event } = stage
  for (let i = 0; i < 5; i++) await store.recordEvent(event(`t${i}`, { at: START + Math.floor(i / 2) }))
  const late = event('late', { at: START + 1 })
  assert.equal(await store.sealEvents({ tenant_id, most: 100 }), 6)
  await store.recordEvent(late)
  const page = (after: { at: number; event_id: string }, to_at = START + 2) =>
    store.pageEventsOfTime({ tenant_id, from_at: START, to_at, after, most: 3 })
  const first = await page({ at: START, event_id: '' })
  const second = await page(first.at(-1)!)
  assert.deepEqual(
    [...first, ...second].map(({ type }) => type),
    ['tenant.created', 't0', 't1', 't2', 't3'],
  )
  assert.deepEqual(await page(second.at(-1)!), [])
  const find = (event_id: string) => store.findEventType({ tenant_id, event_id })
  assert.deepEqual([await find(first[1]!.event_id), await find(late.event_id), await find('none')], ['t0', null, null])
  clock.now += 1
})

// Who takes which is chance, and a sweep is of every tenant: these two compare nothing between the databases.
for (const dialect of DIALECTS) {
  test(`of 64 that take deliveries each gets others, and what nobody settled comes again after its lease (${dialect})`, async (t) => {
    const stage = await openStage(t, dialect)
    const ids = await withDeliveries(stage, 10)
    const taken = await Promise.all(Array.from({ length: 64 }, () => lease(stage, 3)))
    const got = taken.flatMap((one) => one?.deliveries ?? [])
    assert.deepEqual(got.map(({ event_id }) => event_id).sort(), ids)
    assert.ok(got.every(({ attempts, event }) => attempts === 1 && event?.user_id === 'u'))
    assert.equal((await stage.store.listWorkingWebhooks(stage))[0]!.is_due, 0)
    stage.clock.now += 100
    assert.equal((await lease(stage))!.deliveries.length, 8)
    assert.deepEqual(
      (await lease(stage))!.deliveries.map(({ attempts }) => attempts),
      [2, 2],
    )
    stage.clock.now += 5000
    await stage.store.sweepEnded({ before: stage.clock.now, most: 5 })
    assert.equal((await list(stage)).length, 5)
    await stage.store.sweepEnded({ before: stage.clock.now, most: 5 })
    assert.deepEqual(await list(stage), [])
  })
}

async function openStage(t: TestContext, dialect: Dialect): Promise<Stage> {
  const database = await makeDatabase(dialect)
  t.after(() => database.drop())
  const store = await database.open()
  const stage = fillStage({ dialect, store, clock: database.clock, tenant_id: 't' })
  await store.createTenant({
    ...{ tenant_id: 't', issuer: 'https://t.example', name: 'T', settings: '{}', signing_keys: [], resources: [] },
    ...{ key: { kid: 1, wrapped: bytes('key') }, roles: [], event: stage.event('tenant.created') },
  })
  return stage
}
