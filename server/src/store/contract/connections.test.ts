import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const answer = (token: string) => ({
  ...{ sealed_tokens: bytes(`sealed ${token}`), scope: 'openid', refresh_fingerprint: bytes(token), issued_at: START },
  ...{ access_expires_at: START + 10, refresh_expires_at: null },
})

async function fill(stage: Stage): Promise<void> {
  const { store, tenant_id, event } = stage
  await Promise.all([stage.user('alice'), stage.user('bob')])
  for (const connector of ['acme', 'beta']) {
    const saved = { connector, provider: 'oidc', client_id: 'web', sealed_client_secret: bytes('secret') }
    const more = { scope: 'openid', settings: '{}', version: 1 }
    await store.createConnector({ tenant_id, connector: { ...saved, ...more }, event: event() })
  }
}
const connect = ({ store, tenant_id, event }: Stage, connection_id: string, more = {}) =>
  store.connectAccount({
    ...{ tenant_id, connection_id, connector: 'acme', connector_version: 1, user_id: 'alice', account: connection_id },
    ...{ account_name: 'Alice', generation: null, data_key: bytes('key'), answer: answer('R1'), event: event() },
    ...more,
  })
const load = ({ store, tenant_id }: Stage, connection_id = 'c1') => store.loadConnection({ tenant_id, connection_id })
const lease = ({ store, tenant_id }: Stage, intent_id: string, connection_id = 'c1') =>
  store.leaseConnection({
    ...{ tenant_id, connection_id, generation: 1, intent_id, owner: 'p1', sole_owner: false, lease_ms: 1000 },
  })
const shown = (connection_id: string, more = {}) => ({
  ...{ connection_id, connector: 'acme', provider: 'oidc', user_id: 'alice', username: 'alice', state: 'ready' },
  ...{ client_id: null, end_user_id: null },
  ...{ reason: null, account: connection_id, account_name: 'Alice', scope: 'openid', issued_at: START },
  ...{ access_expires_at: START + 10, refresh_expires_at: null, intent_deadline_at: null, refresh_failures: 0 },
  ...{ retry_at: null, last_error: null, connector_error: null, connector_disabled_at: null, last_used_at: null },
  ...{ warned_at: null, ends_at: null, created_at: START, updated_at: START, ...more },
})

contract('what decides about a connection is read in one, and holds nothing that was joined to it', async (stage) => {
  const { store, tenant_id, clock } = stage
  await fill(stage)
  await connect(stage, 'c1')
  clock.now += 7
  await store.touchConnection({ tenant_id, connection_id: 'c1' })
  const authority = await load(stage)
  assert.deepStrictEqual(authority, {
    now: START + 7,
    connection: {
      ...{ connection_id: 'c1', connector: 'acme', user_id: 'alice', client_id: null, end_user_id: null },
      ...{ state: 'ready', reason: null, account: 'c1' },
      ...{ account_name: 'Alice', scope: 'openid', data_key: bytes('key'), sealed_tokens: bytes('sealed R1') },
      ...{ generation: 1, refresh_fingerprint: bytes('R1'), issued_at: START, access_expires_at: START + 10 },
      ...{ refresh_expires_at: null, intent_id: null, intent_at: null, intent_deadline_at: null },
      ...{ uncertain_at: null, sealed_candidate: null, refresh_failures: 0, refresh_refusals: 0, retry_at: null },
      ...{ last_used_at: START + 7, keep_at: null, warn_at: null, warned_at: null, ends_at: null, redirect_uri: null },
    },
    connector: {
      ...{ connector: 'acme', provider: 'oidc', client_id: 'web', sealed_client_secret: bytes('secret') },
      ...{ scope: 'openid', settings: '{}', version: 1, error: null, error_description: null, error_at: null },
      disabled_at: null,
    },
    tenant_disabled_at: null,
    user_disabled_at: null,
  })
  assert.equal(await load(stage, 'unknown'), null)
})

contract('a user\u2019s account at a provider has one living connection', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  const find = (account: string, user_id = 'alice', connector = 'acme') =>
    store.findConnectionOfAccount({ tenant_id, user_id, connector, account })
  assert.equal(await connect(stage, 'c1', { account: 'a' }), 'connected')
  assert.equal(await connect(stage, 'c2', { account: 'a' }), 'moved')
  assert.equal(await connect(stage, 'c3', { account: 'a', user_id: 'bob' }), 'connected')
  assert.deepEqual([await find('a'), await find('a', 'bob')], ['c1', 'c3'])
  assert.deepEqual([await find('b'), await find('a', 'alice', 'beta')], [null, null])
  await store.disconnectConnection({ tenant_id, connection_id: 'c1', reason: 'test', event: event() })
  assert.equal(await find('a'), null)
  assert.equal(await connect(stage, 'c4', { account: 'a' }), 'connected')
})

contract('a consent is told from a refresh by the generation that it brought', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  await connect(stage, 'c1')
  const list = (connector = 'acme', user_id = 'alice') =>
    store.listConsentedConnections({ tenant_id, user_id, connector })
  const consented = (consented_generation: number, state = 'ready') => [
    { connection_id: 'c1', state, consented_generation },
  ]
  assert.deepStrictEqual(await list(), consented(1))
  await connect(stage, 'c1', { generation: 1 })
  assert.deepStrictEqual(await list(), consented(2))
  const lapsed = { reason: 'expired', error: 'expired', second_look_ms: null, intent_id: null }
  await store.needReconsent({ tenant_id, connection_id: 'c1', generation: 2, ...lapsed, event: stage.event() })
  assert.deepStrictEqual(await list(), consented(2, 'needs_reconsent'))
  assert.deepStrictEqual([await list('other'), await list('acme', 'bob')], [[], []])
  await store.disconnectConnection({ tenant_id, connection_id: 'c1', reason: 'user', event: stage.event() })
  assert.deepStrictEqual(await list(), [])
})

contract('counts of connections by state go on past a tenth of the most, and stop at it', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  for (let i = 1; i <= 5; i++) await connect(stage, `c${i}`)
  await connect(stage, 'c6', { connector: 'beta' })
  const ready = async (most: number) =>
    (await store.countConnections({ tenant_id, most })).find(({ state }) => state === 'ready')!.count
  assert.deepEqual(await Promise.all([1, 4, 5, 6, 20, 50, 60, 1000].map(ready)), [1, 4, 5, 6, 6, 6, 6, 6])
})

contract('connections are listed for their user, and page by page by connector and state', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  await connect(stage, 'c1')
  await connect(stage, 'c2', { connector: 'beta' })
  await connect(stage, 'c3', { user_id: 'bob' })
  await connect(stage, 'c4')
  await store.disconnectConnection({ tenant_id, connection_id: 'c4', reason: 'user', event: event() })
  const error = { error: 'invalid_client', error_description: null }
  await store.noteConnectorError({ tenant_id, connector: 'beta', version: 1, ...error, event: event() })
  const beta = shown('c2', { connector: 'beta', connector_error: 'invalid_client' })
  const bobs = shown('c3', { user_id: 'bob', username: 'bob' })
  const ended = shown('c4', { state: 'disconnected', reason: 'user' })
  assert.deepStrictEqual(await store.listConnectionsOfUser({ tenant_id, user_id: 'alice' }), [shown('c1'), beta])
  const page = (more = {}) =>
    store.pageConnections({ tenant_id, connector: '', state: '', after_connection_id: '', most: 10, ...more })
  assert.deepStrictEqual(await page(), [shown('c1'), beta, bobs, ended])
  assert.deepStrictEqual(await page({ connector: 'acme', after_connection_id: 'c1', most: 1 }), [bobs])
  assert.deepStrictEqual(await page({ state: 'ready' }), [shown('c1'), bobs])
  assert.deepStrictEqual(await page({ state: 'error' }), [beta])
  assert.deepStrictEqual(await page({ state: 'disconnected' }), [ended])
  assert.deepStrictEqual(await store.countConnections({ tenant_id, most: 10 }), [
    { state: 'pending', count: 0 },
    { state: 'ready', count: 2 },
    { state: 'error', count: 1 },
    { state: 'needs_reconsent', count: 0 },
    { state: 'disconnected', count: 1 },
  ])
  assert.equal((await store.countConnections({ tenant_id, most: 1 })).find((one) => one.state === 'ready')?.count, 1)
  const through = (connectors: string[], most = 10) => store.countConnectionsThrough({ tenant_id, connectors, most })
  assert.deepEqual(await through(['beta', 'acme', 'unknown']), [1, 2, 0])
  assert.deepEqual(await through(['acme'], 1), [1])
  assert.deepEqual(await through([]), [])
  for (const one of [beta, bobs, ended]) {
    const { connection_id } = one
    assert.deepStrictEqual(await store.findListedConnection({ tenant_id, connection_id }), one)
  }
  assert.equal(await store.findListedConnection({ tenant_id, connection_id: 'nobody' }), null)
})

contract('an ended connection whose key still stands is found, until the key is destroyed', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await fill(stage)
  await connect(stage, 'c1')
  await connect(stage, 'c2')
  const list = { tenant_id, after: null, most: 10 }
  const found = async () =>
    (await store.listUndestroyed({ ...list, before: clock.now })).map(({ connection_id }) => connection_id)
  await store.disconnectConnection({ tenant_id, connection_id: 'c1', reason: 'test', event: event() })
  assert.deepEqual(await found(), [])
  clock.now += 1
  assert.deepEqual(await found(), ['c1'])
  const after = { connection_id: 'c1', connector: 'acme' }
  assert.deepEqual(await store.listUndestroyed({ ...list, before: clock.now, after }), [])
  assert.equal(await store.destroyDataKey({ tenant_id, connection_id: 'c1', event: event() }), true)
  assert.equal(await store.destroyDataKey({ tenant_id, connection_id: 'c2', event: event() }), false)
  assert.deepEqual(await found(), [])
})

contract(
  'a connection is over for whoever reads it from its end on, before anybody has disconnected it',
  async (stage) => {
    const { store, tenant_id, event, clock } = stage
    await fill(stage)
    await connect(stage, 'c1', { lifetime_ms: 1000, redirect_uri: 'https://broker.example/callback' })
    await connect(stage, 'c2')
    const seen = async () => {
      const { connection } = (await load(stage))!
      return [connection.state, connection.reason, connection.ends_at, connection.redirect_uri]
    }
    const page = { tenant_id, connector: '', after_connection_id: '', most: 10 }
    const paged = async (state: 'ready' | 'disconnected') =>
      (await store.pageConnections({ ...page, state })).map((one) => [one.connection_id, one.state, one.reason])
    const mine = async () =>
      (await store.listConnectionsOfUser({ tenant_id, user_id: 'alice' })).map((one) => one.connection_id)
    assert.deepEqual(await seen(), ['ready', null, START + 1000, 'https://broker.example/callback'])
    clock.now += 999
    const overdue = (more = {}) => store.listOverdueConnections({ tenant_id, after: null, most: 10, ...more })
    assert.deepEqual([await mine(), await overdue()], [['c1', 'c2'], []])
    clock.now += 1
    assert.deepEqual(await seen(), ['disconnected', 'ended', START + 1000, 'https://broker.example/callback'])
    assert.deepEqual(await paged('disconnected'), [['c1', 'disconnected', 'ended']])
    assert.deepEqual([await paged('ready'), await mine()], [[['c2', 'ready', null]], ['c2']])
    const over = { connection_id: 'c1', connector: 'acme', over_at: START + 1000 }
    assert.deepStrictEqual(await overdue(), [over])
    assert.deepEqual([await overdue({ after: over }), await overdue({ after: { ...over, over_at: 0 } })], [[], [over]])
    assert.equal(await connect(stage, 'c1', { generation: 1 }), 'moved', 'no consent brings it back')
    const set = (connection_id: string, user_id = 'alice') =>
      store.setConnectionEnd({ tenant_id, connection_id, user_id, lifetime_ms: null, event: event() })
    assert.equal(await set('c1'), false, 'nor does another end')
    const end = { tenant_id, connection_id: 'c1', reason: 'ended', event: event() }
    assert.equal(await store.disconnectConnection(end), true)
    assert.deepEqual(await overdue(), [])
  },
)

contract('the end of a connection is changed by its user, from now on, while it lives', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await fill(stage)
  await connect(stage, 'c1', { lifetime_ms: 1000 })
  const set = (lifetime_ms: number | null, user_id = 'alice') =>
    store.setConnectionEnd({ tenant_id, connection_id: 'c1', user_id, lifetime_ms, event: event('end') })
  const endsAt = async () => (await load(stage))!.connection.ends_at
  assert.equal(await set(5000, 'bob'), false)
  assert.equal(await endsAt(), START + 1000)
  clock.now += 500
  assert.deepEqual([await set(5000), await endsAt()], [true, START + 5500])
  assert.equal(await connect(stage, 'c1', { generation: 1 }), 'connected')
  assert.equal(await endsAt(), START + 5500, 'a repair keeps it')
  assert.equal(await connect(stage, 'c1', { generation: 2, lifetime_ms: 100 }), 'connected')
  assert.equal(await endsAt(), START + 600, 'unless another is chosen')
  assert.deepEqual([await set(null), await endsAt()], [true, null])
})

contract('an intent that sent nothing is dropped, and only by its own name', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  await connect(stage, 'c1')
  assert.equal((await lease(stage, 'i1')).kind, 'leased')
  const drop = (intent_id: string) => store.dropIntent({ tenant_id, connection_id: 'c1', intent_id, upkeep_ms: 0 })
  await drop('other')
  assert.equal((await lease(stage, 'i2')).kind, 'held')
  await drop('i1')
  assert.deepEqual(await lease(stage, 'i2'), { kind: 'leased', now: START, uncertain_at: null })
})

contract('a kept answer becomes the stored one, once, under the intent and generation that found it', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  await connect(stage, 'c1')
  await lease(stage, 'i1')
  const events = { recovered_event: event(), candidate_event: event('kept') }
  const late = {
    ...{ tenant_id, connection_id: 'c1', intent_id: 'i0', sent_generation: 1, generation: 1 },
    ...{ sent_fingerprint: bytes('R0'), answer: answer('R2'), sealed_candidate: bytes('candidate'), ...events },
  }
  assert.deepEqual(await store.storeRefreshed(late), { kind: 'kept' })
  assert.deepStrictEqual((await load(stage))!.connection.sealed_candidate, bytes('candidate'))
  const promote = (more = {}) =>
    store.promoteCandidate({
      ...{ tenant_id, connection_id: 'c1', intent_id: 'i1', generation: 1, sealed_candidate: bytes('candidate') },
      ...{ answer: answer('R2'), event: event('promoted'), ...more },
    })
  assert.equal(await promote({ intent_id: 'i0' }), false)
  assert.equal(await promote({ generation: 2 }), false)
  assert.equal(await promote({ sealed_candidate: bytes('another') }), false)
  assert.equal(await promote(), true)
  assert.equal(await promote(), false)
  const { connection } = (await load(stage))!
  assert.deepStrictEqual(
    [connection.generation, connection.sealed_tokens, connection.sealed_candidate, connection.intent_deadline_at],
    [2, bytes('sealed R2'), null, null],
  )
})

contract(
  'what is due is taken by one, comes up again if that one dies, and is planned by who took it',
  async (stage) => {
    const { store, tenant_id, event, clock } = stage
    await fill(stage)
    const planned = { keep_at: START + 50, warn_at: START + 90, warned_at: null, upkeep_at: START + 50 }
    await connect(stage, 'c1', { answer: { ...answer('R1'), plan: planned } })
    await connect(stage, 'c2')
    const list = (more = {}) => store.listDueConnections({ tenant_id, ahead_ms: 0, after: null, most: 10, ...more })
    const late = { connection_id: 'c1', connector: 'acme', upkeep_at: START + 50 }
    const unplanned = { connection_id: 'c2', connector: 'acme', upkeep_at: 0 }
    assert.deepEqual(await list(), [unplanned])
    assert.deepEqual(await list({ ahead_ms: 50 }), [unplanned, late])
    assert.deepEqual(await list({ ahead_ms: 50, most: 1 }), [unplanned])
    assert.deepEqual(await list({ ahead_ms: 50, most: 1, after: unplanned }), [late])
    assert.deepEqual(await list({ ahead_ms: 50, after: { ...unplanned, connection_id: 'c1' } }), [unplanned, late])
    assert.deepEqual(await list({ ahead_ms: 50, after: late }), [])
    clock.now += 60
    const claim = () => store.claimDueConnection({ tenant_id, ...late, hold_ms: 1000 })
    const claims = await Promise.all(Array.from({ length: 64 }, claim))
    assert.deepEqual(
      claims.filter((claimed_at) => claimed_at !== null),
      [START + 1060],
    )
    assert.deepEqual(await list(), [unplanned])
    assert.deepEqual(await list({ ahead_ms: 1000 }), [unplanned, { ...late, upkeep_at: START + 1060 }])

    const told = { ...planned, warned_at: START + 60, upkeep_at: null }
    const plan = (claimed_at: number) =>
      store.planConnection({ tenant_id, connection_id: 'c1', claimed_at, plan: told, event: event('told') })
    assert.deepEqual([await plan(START + 50), await plan(START + 1060), await plan(START + 1060)], [false, true, false])
    const { keep_at, warn_at, warned_at } = (await load(stage))!.connection
    assert.deepEqual([keep_at, warn_at, warned_at], [START + 50, START + 90, START + 60])
    assert.deepEqual(await list({ ahead_ms: 1e12 }), [unplanned])
  },
)

contract(
  'upkeep looks at an open intent past its deadline, at a failure when told, and never at what ended',
  async (stage) => {
    const { store, tenant_id, event } = stage
    await fill(stage)
    await connect(stage, 'c1')
    const due = async () =>
      (await store.listDueConnections({ tenant_id, ahead_ms: 1e12, after: null, most: 10 })).map(
        ({ upkeep_at }) => upkeep_at - START,
      )
    const named = { tenant_id, connection_id: 'c1' }
    await lease(stage, 'i1')
    assert.deepEqual(await due(), [1000])
    const failed = { ...named, uncertain: false, refused: false, retry_ms: 0, error: 'cut', event: null }
    await store.failRefresh({ ...failed, intent_id: 'i1', upkeep_ms: 70 })
    assert.deepEqual(await due(), [70])
    await lease(stage, 'i2')
    await store.dropIntent({ ...named, intent_id: 'i2', upkeep_ms: 75 })
    assert.deepEqual(await due(), [75])
    const dead = { ...named, generation: 1, intent_id: 'i2', reason: 'revoked', error: 'invalid_grant', event: event() }
    assert.equal(await store.needReconsent({ ...dead, second_look_ms: 80 }), true)
    assert.deepEqual(await due(), [80])
    const look = { ...named, generation: 1, intent_id: 'i3', owner: 'p1', sole_owner: false, lease_ms: 90 }
    assert.equal((await store.leaseConnection(look)).kind, 'moved')
    assert.equal((await store.leaseConnection({ ...look, second_look: true })).kind, 'leased')
    assert.deepEqual(await due(), [90])
    await store.failRefresh({ ...failed, intent_id: 'i3', upkeep_ms: null })
    assert.deepEqual(await due(), [])
    await connect(stage, 'c2')
    await store.disconnectConnection({ tenant_id, connection_id: 'c2', reason: 'test', event: event() })
    assert.deepEqual(await due(), [])
  },
)
