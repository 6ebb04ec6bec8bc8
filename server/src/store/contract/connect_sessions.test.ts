import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const token_hash = bytes('token')
const answer = {
  ...{ sealed_tokens: bytes('sealed'), scope: 'openid', refresh_fingerprint: bytes('R1'), issued_at: START },
  ...{ access_expires_at: START + 3600_000, refresh_expires_at: null },
}
const row = {
  ...{ session_id: 's1', client_id: 'web', user_id: null, end_user_id: 'u-1', invitation: 0, expected_account: null },
  ...{ connectors: '["acme"]', origins: '["https://app.example"]', scope: null, connection_id: null, return_uri: null },
}

async function fill(stage: Stage): Promise<void> {
  const { store, tenant_id, event } = stage
  await Promise.all([stage.user('alice'), stage.client('web')])
  const saved = { connector: 'acme', provider: 'oidc', client_id: 'web', sealed_client_secret: bytes('secret') }
  const connector = { ...saved, scope: 'openid', settings: '{}', version: 1 }
  await store.createConnector({ tenant_id, connector, event: event() })
}
const create = ({ store, tenant_id, event }: Stage, more = {}) =>
  store.createConnectSession({
    ...{ tenant_id, session: { ...row, ...more }, token_hash, lifetime_ms: 1000, event: event() },
  })
const open = ({ store, tenant_id, event }: Stage, browser = 'browser', session_id = 's1') =>
  store.openConnectSession({
    ...{ tenant_id, session_id, browser_hash: bytes(browser), origin: 'https://app.example', code_challenge: 'c' },
    ...{ lifetime_ms: 5000, event: event() },
  })
const finished = (session_id: string, tells_person = true) => ({
  ...{ session_id, sealed_code: bytes('code'), confirm_ms: 2000, tells_person },
})
const finish = ({ store, tenant_id, event }: Stage, connection_id = 'c1', more = {}) =>
  store.connectAccount({
    ...{ tenant_id, connection_id, connector: 'acme', connector_version: 1, account: 'a', account_name: 'A' },
    ...{ user_id: null, client_id: 'web', end_user_id: 'u-1', generation: null, data_key: bytes('key'), answer },
    session: finished('s1'),
    event: event(),
    ...more,
  })
const confirm = ({ store, tenant_id, event }: Stage, session_id = 's1') =>
  store.confirmConnectSession({ tenant_id, session_id, event: event() })
const end = ({ store, tenant_id, event }: Stage, session_id = 's1') =>
  store.endConnectSession({ tenant_id, session_id, event: event(), disconnected: event() })
const load = ({ store, tenant_id }: Stage, session_id = 's1') => store.loadConnectSession({ tenant_id, session_id })
const unconfirmed = async ({ store, tenant_id }: Stage) =>
  (await store.listUnconfirmed({ tenant_id, after: null, most: 10 })).map(({ connection_id }) => connection_id)
/** One more session of the same person, open in a browser. */
const openAnother = async (stage: Stage, session_id: string) => {
  const { store, tenant_id, event } = stage
  const session = { ...row, session_id }
  await store.createConnectSession({
    ...{ tenant_id, session, token_hash: bytes(session_id), lifetime_ms: 1000, event: event() },
  })
  await open(stage, 'browser', session_id)
}
const state = async ({ store, tenant_id }: Stage, connection_id = 'c1') =>
  (await store.loadConnection({ tenant_id, connection_id }))?.connection.state

/** Its tokens are of no use any more. */
const spoil = ({ store, tenant_id, event }: Stage, generation: number, connection_id = 'c1') =>
  store.needReconsent({
    ...{ tenant_id, connection_id, generation, intent_id: null, reason: 'revoked', error: '', second_look_ms: null },
    event: event(),
  })

contract('a session is found by its id and by the hash of its token, with what decides about it', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  assert.deepEqual(await create(stage), { expires_at: START + 1000 })
  const found = await load(stage)
  assert.deepStrictEqual(found, {
    now: START,
    session: {
      ...row,
      ...{ created_at: START, expires_at: START + 1000, opened_at: null, browser_hash: null, origin: null },
      ...{
        code_challenge: null,
        reason: null,
        finished_at: null,
        consented_generation: null,
        sealed_code: null,
        confirmed_at: null,
        ended_at: null,
      },
    },
    ...{ client_name: found!.client_name, client_disabled_at: null },
    ...{ connection_state: null, connection_generation: null, account: null, account_name: null },
  })
  assert.deepStrictEqual(await store.findConnectSession({ tenant_id, token_hash }), found)
  assert.equal(await store.findConnectSession({ tenant_id, token_hash: bytes('other') }), null)
  assert.equal(await store.loadConnectSession({ tenant_id, session_id: 'other' }), null)
})

contract('a session is opened once, by one of 64, and not when it is over or ended', async (stage) => {
  const { store, tenant_id, clock, event } = stage
  await fill(stage)
  await create(stage)
  const opened = await Promise.all(Array.from({ length: 64 }, (_, i) => open(stage, `b${i}`)))
  assert.equal(opened.filter(Boolean).length, 1)
  assert.equal((await load(stage))!.session.expires_at, START + 5000)
  assert.deepEqual(await end(stage), { connection_id: null })
  assert.equal(await end(stage), 'over')
  await store.createConnectSession({
    ...{ tenant_id, session: { ...row, session_id: 's2' }, token_hash: bytes('t2'), lifetime_ms: 10, event: event() },
  })
  clock.now += 10
  assert.equal(await open(stage, 'b', 's2'), false)
})

contract('what finishes a session is stored with it in one, once, and waits to be confirmed', async (stage) => {
  await fill(stage)
  await create(stage)
  assert.equal(await finish(stage), 'refused', 'nobody has opened it')
  await open(stage)
  const finished = await Promise.all(Array.from({ length: 8 }, (_, i) => finish(stage, `c${i}`)))
  assert.deepEqual(finished.filter((one) => one === 'connected').length, 1)
  const connection_id = (await load(stage))!.session.connection_id!
  assert.equal(await state(stage, connection_id), 'pending')
  const confirmed = await Promise.all(Array.from({ length: 8 }, () => confirm(stage)))
  assert.deepEqual(confirmed.filter((one) => one === 'confirmed').length, 1)
  assert.equal(await state(stage, connection_id), 'ready')
  assert.equal((await load(stage))!.session.sealed_code, null)
})

contract('what is confirmed is looked at by upkeep at once, unless nothing is ever to be done', async (stage) => {
  const { store, tenant_id, clock } = stage
  await fill(stage)
  await create(stage)
  const due = async () =>
    (await store.listDueConnections({ tenant_id, ahead_ms: 1e12, after: null, most: 10 })).map(
      ({ connection_id, upkeep_at }) => [connection_id, upkeep_at - START],
    )
  const planned = (upkeep_at: number | null) => ({
    answer: { ...answer, plan: { upkeep_at, keep_at: upkeep_at, warn_at: null, warned_at: null } },
  })
  await open(stage)
  await finish(stage, 'c1', planned(START + 3600_000))
  await openAnother(stage, 's2')
  await finish(stage, 'c2', { ...planned(null), session: finished('s2'), account: 'b' })
  clock.now += 500
  assert.deepEqual(await due(), [['c1', 3600_000]])
  assert.deepEqual([await confirm(stage), await confirm(stage, 's2')], ['confirmed', 'confirmed'])
  assert.deepEqual(await due(), [['c1', 500]])
})

contract(
  'nothing finishes a session that was ended, and nothing confirms what was disconnected or is late',
  async (stage) => {
    const { store, tenant_id, event, clock } = stage
    await fill(stage)
    await create(stage)
    await open(stage)
    assert.equal(
      await store.failConnectSession({ tenant_id, session_id: 's1', reason: 'refused', event: event() }),
      true,
    )
    assert.equal((await load(stage))!.session.reason, 'refused')
    assert.equal(await finish(stage), 'connected')
    assert.equal(await store.failConnectSession({ tenant_id, session_id: 's1', reason: 'late', event: event() }), false)
    assert.deepEqual(await unconfirmed(stage), [])
    clock.now += 2001
    assert.equal(await confirm(stage), 'over')
    assert.deepEqual(await unconfirmed(stage), ['c1'])
    await store.disconnectConnection({ tenant_id, connection_id: 'c1', reason: 'not_confirmed', event: event() })
    assert.deepEqual(await unconfirmed(stage), [])
    clock.now -= 2001
    assert.equal(await confirm(stage), 'over')
  },
)

contract('an account that was known before needs no second look, one that is not known does', async (stage) => {
  await fill(stage)
  await finish(stage, 'c1', { session: undefined })
  assert.equal(await state(stage), 'ready')
  for (const [i, [account, tells_person, expected]] of [
    ['a', true, 'ready'] as const,
    // Everybody in an organization has its account.
    ['a', false, 'pending'] as const,
    [null, true, 'pending'] as const,
    ['b', true, 'pending'] as const,
  ].entries()) {
    const session_id = `r${i}`
    await openAnother(stage, session_id)
    const repair = { generation: i + 1, account, session: finished(session_id, tells_person) }
    if (expected === 'pending') {
      assert.equal(await finish(stage, 'c1', repair), 'moved', 'what works waits for nobody')
      assert.equal(await state(stage), 'ready')
      await spoil(stage, i + 1)
    }
    assert.equal(await finish(stage, 'c1', repair), 'connected')
    assert.equal(await state(stage), expected, `${i}`)
    assert.equal(await confirm(stage, session_id), 'confirmed')
    assert.equal(await state(stage), 'ready')
  }
  // Another owner repairs nothing.
  assert.equal(await finish(stage, 'c1', { generation: 5, end_user_id: 'u-2', session: undefined }), 'moved')
  assert.equal(
    await finish(stage, 'c1', { generation: 5, user_id: 'alice', client_id: null, session: undefined }),
    'moved',
  )
})

contract(
  'confirmation and end of a session mean what it brought, and not what another has brought since',
  async (stage) => {
    const { store, tenant_id, event, clock } = stage
    await fill(stage)
    await create(stage)
    await open(stage)
    assert.equal(await finish(stage), 'connected')
    await openAnother(stage, 's2')
    assert.equal(await finish(stage, 'c1', { generation: 1, session: finished('s2') }), 'connected')
    assert.deepEqual(
      [(await load(stage))!.session.consented_generation, (await load(stage))!.connection_generation],
      [1, 2],
    )
    assert.equal(await confirm(stage), 'over')
    assert.equal(await state(stage), 'pending')
    assert.deepEqual(await end(stage), { connection_id: null })
    assert.equal(await state(stage), 'pending')
    assert.equal(await confirm(stage, 's2'), 'confirmed')
    assert.equal(await end(stage, 's2'), 'over')
    assert.equal(await state(stage), 'ready')
    // What nobody confirmed in time is ended once, and not when its time began anew.
    await openAnother(stage, 's3')
    await spoil(stage, 2)
    assert.equal(await finish(stage, 'c1', { generation: 2, account: null, session: finished('s3') }), 'connected')
    const late = () => store.endUnconfirmedConnection({ tenant_id, connection_id: 'c1', event: event() })
    assert.equal(await late(), false)
    clock.now += 2001
    const ends = await Promise.all(Array.from({ length: 8 }, late))
    assert.deepEqual([ends.filter(Boolean).length, await state(stage)], [1, 'disconnected'])
  },
)

contract(
  'of a confirmation and an end that come at once one counts, and its connection is as it says',
  async (stage) => {
    await fill(stage)
    for (let i = 0; i < 8; i++) {
      const [session_id, connection_id] = [`s${i}`, `c${i}`]
      await openAnother(stage, session_id)
      const account = `a${i}`
      assert.equal(await finish(stage, connection_id, { account, session: finished(session_id) }), 'connected')
      const first = i % 2 === 0 ? confirm(stage, session_id) : undefined
      const ending = end(stage, session_id)
      const [confirmed, ended] = await Promise.all([first ?? confirm(stage, session_id), ending])
      const is_live = confirmed === 'confirmed'
      assert.deepEqual(ended, is_live ? 'over' : { connection_id })
      assert.equal(await state(stage, connection_id), is_live ? 'ready' : 'disconnected')
    }
  },
)

contract('whoever holds a token or a state fills no log, and sends nobody on without end', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  await create(stage)
  const most = 3
  const start = () => store.startFromConnectSession({ tenant_id, session_id: 's1', most })
  assert.equal(await start(), false, 'nobody has opened it')
  await open(stage)
  const started = await Promise.all(Array.from({ length: 8 }, start))
  assert.equal(started.filter(Boolean).length, most)
  const refused = await Promise.all(
    Array.from({ length: 8 }, () => store.refuseConnectSession({ tenant_id, session_id: 's1', event: event() })),
  )
  assert.equal(refused.filter(Boolean).length, 5)
  assert.equal(await store.refuseConnectSession({ tenant_id, session_id: 'other', event: event() }), false)
  for (let i = 0; i < 30; i++) {
    const failed = { tenant_id, session_id: 's1', reason: `r${i}`, event: event('connect_session.failed') }
    assert.equal(await store.failConnectSession(failed), true)
  }
  assert.equal((await load(stage))!.session.reason, 'r29')
  const page = { tenant_id, before_event_id: '~', type: 'connect_session.failed', actor: '', most: 100 }
  assert.equal((await store.pageEvents(page)).length, 20)
})

contract("connections of a platform's users are its own, and end with it", async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  await finish(stage, 'c1', { session: undefined })
  await finish(stage, 'c2', { session: undefined, end_user_id: 'u-2' })
  const find = (end_user_id: string, client_id = 'web') =>
    store.findConnectionOfAccount({ tenant_id, user_id: null, client_id, end_user_id, connector: 'acme', account: 'a' })
  assert.deepEqual([await find('u-1'), await find('u-2'), await find('u-1', 'other')], ['c1', 'c2', null])
  assert.equal(await finish(stage, 'c3', { session: undefined }), 'moved')
  const page = async (more: object) => {
    const asked = { tenant_id, connector: '', after_connection_id: '', most: 10, ...more }
    return (await store.pageConnections(asked)).map(({ connection_id, username }) => [connection_id, username])
  }
  assert.deepEqual(await page({ client_id: 'web' }), [
    ['c1', null],
    ['c2', null],
  ])
  assert.deepEqual(await page({ client_id: 'web', end_user_id: 'u-2' }), [['c2', null]])
  assert.deepEqual(await page({ client_id: 'other' }), [])
  assert.deepEqual(await store.listConnectionsOfUser({ tenant_id, user_id: 'alice' }), [])
  assert.equal(await store.deleteClient({ tenant_id, client_id: 'web', event: event() }), true)
  assert.deepEqual([await state(stage), await state(stage, 'c2')], ['disconnected', 'disconnected'])
})

contract('sessions that wait are listed from the newest on, until they are confirmed or ended', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  for (const session_id of ['s1', 's2', 's3']) {
    await store.createConnectSession({
      ...{
        tenant_id,
        session: { ...row, session_id },
        token_hash: bytes(session_id),
        lifetime_ms: 1000,
        event: event(),
      },
    })
  }
  const page = async (before_session_id = '~', most = 10) =>
    (await store.pageConnectSessions({ tenant_id, before_session_id, most })).map(({ session }) => session.session_id)
  assert.deepEqual(await page(), ['s3', 's2', 's1'])
  assert.deepEqual(await page('s3', 1), ['s2'])
  await open(stage)
  await finish(stage)
  assert.deepEqual(await page(), ['s3', 's2', 's1'], 'what was finished still waits for its platform')
  await store.confirmConnectSession({ tenant_id, session_id: 's1', event: event() })
  const disconnected = event()
  await store.endConnectSession({ tenant_id, session_id: 's3', event: event(), disconnected })
  assert.deepEqual(await page(), ['s2'])
})
