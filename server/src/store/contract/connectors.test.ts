import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const saved = {
  ...{ connector: 'acme', provider: 'oidc', client_id: 'web', sealed_client_secret: bytes('sealed'), scope: 'openid' },
  ...{ settings: '{}', version: 1 },
}
const record = { ...saved, error: null, error_description: null, error_at: null, disabled_at: null }
const listed = { ...record, created_at: START, updated_at: START }
const make = ({ store, tenant_id, event }: Stage, more = {}) =>
  store.createConnector({ tenant_id, connector: { ...saved, ...more }, event: event('connector.created') })
const find = ({ store, tenant_id }: Stage, connector = 'acme') => store.findConnector({ tenant_id, connector })

const flow = {
  ...{ connector: 'acme', connector_version: 1, user_id: 'alice', connection_id: null },
  ...{ browser_hash: bytes('browser'), sealed: bytes('sealed') },
}
const start = ({ store, tenant_id, event }: Stage, state: string, more = {}) =>
  store.startConnectFlow({
    ...{ tenant_id, state_hash: bytes(state), flow: { ...flow, ...more }, lifetime_ms: 1000, event: event() },
  })
const take = ({ store, tenant_id }: Stage, state: string, more = {}) =>
  store.takeConnectFlow({
    ...{ tenant_id, state_hash: bytes(state), connector: 'acme', user_id: 'alice', browser_hash: bytes('browser') },
    ...more,
  })

contract('a connector is made once under its name, and listed by it', async (stage) => {
  const { store, tenant_id } = stage
  assert.equal(await make(stage), true)
  assert.equal(await make(stage, { provider: 'other' }), false)
  await make(stage, { connector: 'Beta', sealed_client_secret: null })
  assert.deepStrictEqual(await find(stage), listed)
  assert.equal(await find(stage, 'unknown'), null)
  const beta = { ...listed, connector: 'Beta', sealed_client_secret: null }
  assert.deepStrictEqual(await store.listConnectors({ tenant_id }), [beta, listed])
})

contract(
  'a connector changes from the version that was read, and what the provider held against it is forgotten',
  async (stage) => {
    const { store, tenant_id, event } = stage
    await make(stage)
    await store.noteConnectorError({
      ...{
        tenant_id,
        connector: 'acme',
        version: 1,
        error: 'invalid_client',
        error_description: 'gone',
        event: event(),
      },
    })
    const change = (from_version: number) =>
      store.updateConnector({
        ...{ tenant_id, connector: { ...saved, scope: 'openid email', version: 2 }, from_version, event: event() },
        unconnected: true,
      })
    assert.equal(await change(2), 'moved')
    assert.equal(await change(1), 'updated')
    assert.equal(await change(1), 'moved')
    assert.deepStrictEqual(await find(stage), { ...listed, scope: 'openid email', version: 2 })
  },
)

contract('what a provider holds against a connector is news once, and of its present version only', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await make(stage)
  const note = (error: string | null, version = 1) =>
    store.noteConnectorError({
      ...{ tenant_id, connector: 'acme', version, error, error_description: error && `${error}!`, event: event() },
    })
  clock.now += 5
  assert.deepEqual([await note(null), await note('invalid_client', 2)], [false, false])
  assert.deepEqual([await note('invalid_client'), await note('invalid_client')], [true, false])
  const wrong = { error: 'invalid_client', error_description: 'invalid_client!', error_at: START + 5 }
  assert.deepStrictEqual(await find(stage), { ...listed, ...wrong })
  assert.deepEqual([await note('unauthorized_client'), await note(null), await note(null)], [true, true, false])
  assert.deepStrictEqual(await find(stage), listed)
})

contract('a connector is disabled and enabled once each', async (stage) => {
  const { store, tenant_id, event } = stage
  await make(stage)
  const set = (disabled: boolean) =>
    store.setConnectorDisabled({ tenant_id, connector: 'acme', disabled, event: event() })
  assert.deepEqual([await set(false), await set(true), await set(true)], [false, true, false])
  assert.deepStrictEqual(await find(stage), { ...listed, disabled_at: START })
  assert.equal(await set(false), true)
  assert.deepStrictEqual(await find(stage), listed)
})

contract('a consent flow is taken up once, by whom it was started, before it runs out', async (stage) => {
  const { clock } = stage
  await start(stage, 'state')
  assert.equal(await take(stage, 'unknown'), 'unknown')
  assert.equal(await take(stage, 'state', { browser_hash: bytes('other') }), 'other_browser')
  assert.equal(await take(stage, 'state', { user_id: 'bob' }), 'other_user')
  assert.equal(await take(stage, 'state', { connector: 'other' }), 'other_connector')
  assert.deepStrictEqual(await take(stage, 'state'), { ...flow, created_at: START, expires_at: START + 1000 })
  assert.equal(await take(stage, 'state'), 'used')
  await start(stage, 'late', { connection_id: 'c1' })
  clock.now += 1000
  assert.equal(await take(stage, 'late'), 'expired')
})

/** What a consent has brought of which somebody has to choose. */
const offer = ({ store, tenant_id, event }: Stage, state: string, more = {}) =>
  store.offerChoice({
    ...{ tenant_id, state_hash: bytes(state), lifetime_ms: 1000, event: event() },
    flow: { ...flow, ...more },
  })
const connect = ({ store, tenant_id, event }: Stage, more = {}) =>
  store.connectAccount({
    ...{ tenant_id, connection_id: 'c1', connector: 'acme', connector_version: 1, user_id: 'alice', account: null },
    ...{ account_name: null, generation: null, data_key: bytes('key'), event: event() },
    answer: {
      ...{ sealed_tokens: bytes('t'), scope: 'openid', refresh_fingerprint: null, issued_at: START },
      ...{ access_expires_at: null, refresh_expires_at: null },
    },
    ...more,
  })

contract('a choice is made once, with the connection that rests on it, by whom it was offered', async (stage) => {
  const { store, tenant_id, clock } = stage
  await make(stage)
  await stage.user('alice')
  assert.equal(await offer(stage, 'choice', { connector_version: 2 }), false, 'the connector has changed')
  assert.equal(await offer(stage, 'choice'), true)
  await start(stage, 'flow')
  const whose = { user_id: 'alice', browser_hash: bytes('browser') }
  const look = (state: string, more = {}) =>
    store.findChoice({ tenant_id, state_hash: bytes(state), connector: 'acme', ...whose, ...more })
  assert.equal(await look('choice', { browser_hash: bytes('other') }), 'other_browser')
  assert.equal(await look('choice', { user_id: 'bob' }), 'other_user')
  assert.deepEqual([await look('unknown'), await look('flow')], ['unknown', 'expired'])
  const found = { ...flow, created_at: START, expires_at: START + 1000 }
  assert.deepStrictEqual(await look('choice'), found)
  const choice_hash = bytes('choice')
  assert.equal(await connect(stage, { choice_hash, generation: 1 }), 'moved')
  assert.equal(await connect(stage, { choice_hash, connector_version: 2 }), 'refused')
  assert.equal(await connect(stage, { choice_hash: bytes('flow') }), 'spent', 'nobody was offered that')
  assert.deepStrictEqual(await look('choice'), found, 'what came to nothing has not used it up')
  const all = Array.from({ length: 8 }, (_, i) => connect(stage, { choice_hash, connection_id: `c${i}` }))
  assert.deepEqual((await Promise.all(all)).sort(), ['connected', ...Array.from({ length: 7 }, () => 'spent')])
  assert.equal(await look('choice'), 'used')
  await offer(stage, 'late')
  clock.now += 1000
  assert.deepEqual([await look('late'), await connect(stage, { choice_hash: bytes('late') })], ['expired', 'spent'])
})

contract('a choice that nobody made in time is listed until it is dropped, once', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await make(stage)
  await stage.user('alice')
  const all = { tenant_id, connector: '', after: null, most: 10 }
  const list = async (connector = '') =>
    (await store.listLapsedChoices({ ...all, connector })).map(({ state_hash }) => state_hash)
  const drop = (state: string) => store.dropChoice({ tenant_id, state_hash: bytes(state), event: event() })
  await offer(stage, 'made')
  await offer(stage, 'left')
  await start(stage, 'other')
  assert.equal(await connect(stage, { choice_hash: bytes('made') }), 'connected')
  assert.deepEqual([await list(), await drop('left')], [[], false], 'there is time')
  clock.now += 1000
  assert.deepEqual([await list('beta'), await list('acme')], [[], [bytes('left')]])
  const { connector, user_id, browser_hash, sealed } = flow
  const left = { state_hash: bytes('left'), connector, user_id, browser_hash, sealed, expires_at: START + 1000 }
  assert.deepStrictEqual(await store.listLapsedChoices(all), [left])
  await offer(stage, 'next')
  clock.now += 1000
  const [first, second, ...more] = await store.listLapsedChoices(all)
  assert.deepStrictEqual([first, more], [left, []])
  assert.deepStrictEqual(await store.listLapsedChoices({ ...all, most: 1 }), [left])
  assert.deepStrictEqual(await store.listLapsedChoices({ ...all, after: left }), [second])
  assert.equal(await drop('next'), true)
  assert.deepEqual([await drop('made'), await drop('other')], [false, false])
  assert.deepEqual([await drop('left'), await drop('left'), await list()], [true, false, []])
  await offer(stage, 'ended')
  await store.lapseChoices({ tenant_id, connector: 'beta' })
  assert.deepEqual(await list(), [])
  await store.lapseChoices({ tenant_id, connector: 'acme' })
  assert.deepEqual(await list(), [bytes('ended')])
})

contract('what rests on a consent of the same account is found, through whichever connector', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await make(stage)
  await make(stage, { connector: 'beta' })
  await make(stage, { connector: 'other', client_id: 'another' })
  await stage.user('alice')
  await stage.user('bob')
  const has = (account: string | null, connector = 'acme') =>
    store.hasConnectionOfAccount({ tenant_id, connector, account })
  assert.equal(await has(null), false)
  await connect(stage, { connector: 'beta', account: 'a site-1', user_id: 'bob' })
  assert.deepEqual([await has('a'), await has('a site-1'), await has(null)], [true, true, true])
  assert.deepEqual([await has('a s'), await has('b'), await has('A'), await has(null, 'other')], Array(4).fill(false))
  await store.disconnectConnection({ tenant_id, connection_id: 'c1', reason: 'user', event: event() })
  assert.equal(await has('a'), false)
  await connect(stage, { connection_id: 'c2' })
  assert.equal(await has('b'), true, 'one of an account that nobody knows may be of any')
  const ofOwner = (user_id: string, account: string | null) => {
    const owner = { user_id, client_id: null, end_user_id: null }
    return store.hasConnectionOfAccount({ tenant_id, connector: 'acme', account, owner })
  }
  assert.deepEqual([await ofOwner('alice', 'b'), await ofOwner('bob', 'b')], [true, false], 'or of any of its owner')
  assert.deepEqual([await ofOwner('alice', null), await ofOwner('bob', null)], [true, false])

  const { connector, user_id, browser_hash } = flow
  const beside = async () => {
    const others = await store.listFlowsBeside({ tenant_id, connector, user_id, browser_hash })
    return others
      .map(({ state_hash, holds_tokens }) => `${holds_tokens} ${Buffer.from(state_hash).toString('hex')}`)
      .sort()
  }
  const named = (state: string, holds: 1 | null) => `${holds} ${Buffer.from(bytes(state)).toString('hex')}`
  const strange = { user_id: 'bob', browser_hash: bytes('of bob') }
  await start(stage, 'theirs', strange)
  await start(stage, 'elsewhere', { connector: 'other' })
  assert.deepEqual(await beside(), [])
  await start(stage, 'mine', { connector: 'beta', browser_hash: bytes('another') })
  await offer(stage, 'any', strange)
  assert.deepEqual(await beside(), [named('any', 1), named('mine', null)])
  await take(stage, 'mine', { connector: 'beta', browser_hash: bytes('another') })
  clock.now += 59_999
  assert.deepEqual(await beside(), [named('mine', null)], 'what it brings is being stored')
  clock.now += 1
  assert.deepEqual(await beside(), [])
})

contract(
  'a connector is deleted with its flows, or moved, not while it has tokens that live or may have to be revoked',
  async (stage) => {
    const { store, tenant_id, event } = stage
    await make(stage)
    await stage.user('alice')
    await start(stage, 'state')
    const remove = () => store.deleteConnector({ tenant_id, connector: 'acme', event: event('connector.deleted') })
    assert.equal(await connect(stage), 'connected')
    const connections = () => store.countConnectionsThrough({ tenant_id, connectors: ['acme'], most: 10 })
    assert.deepEqual(await connections(), [1])
    assert.equal(await remove(), 'has_connections')
    const change = (unconnected: boolean) =>
      store.updateConnector({ tenant_id, connector: saved, from_version: 1, unconnected, event: event() })
    assert.deepEqual([await change(true), await change(false)], ['has_connections', 'updated'])
    const end = { tenant_id, connection_id: 'c1', reason: 'test', event: event() }
    assert.equal(await store.disconnectConnection(end), true)
    assert.deepEqual(await connections(), [0])
    assert.deepEqual([await remove(), await change(true)], ['has_connections', 'has_connections'])
    await store.destroyDataKey({ tenant_id, connection_id: 'c1', event: event() })
    await offer(stage, 'choice')
    assert.deepEqual(
      [await remove(), await change(true), await change(false)],
      ['has_choices', 'has_choices', 'updated'],
    )
    await store.lapseChoices({ tenant_id, connector: 'acme' })
    assert.deepEqual([await remove(), await change(true)], ['has_choices', 'has_choices'])
    await store.dropChoice({ tenant_id, state_hash: bytes('choice'), event: event() })
    assert.equal(await change(true), 'updated')
    assert.equal(await remove(), 'deleted')
    assert.deepEqual([await find(stage), await take(stage, 'state'), await remove()], [null, 'unknown', 'unknown'])
  },
)

contract(
  'of all who look at a polled flow within its interval one has the turn, and slower is slower for good',
  async (stage) => {
    const { store, tenant_id, event, clock } = stage
    const polled = {
      tenant_id,
      state_hash: bytes('p'),
      connector: 'acme',
      user_id: 'alice',
      browser_hash: bytes('browser'),
    }
    await make(stage)
    const beginning = { tenant_id, flow, lifetime_ms: 60_000, event: event() }
    await store.startConnectFlow({ ...beginning, state_hash: bytes('p'), poll_seconds: 5 })
    await start(stage, 'plain')
    const look = async (more = {}) => store.pollConnectFlow({ ...polled, question_ms: 20_000, ...more })
    const turn = async () => {
      const looked = await look()
      return typeof looked === 'string' ? looked : looked.turn
    }
    const rest = (turn: number, slower_seconds = 0) =>
      store.endConnectFlowTurn({ tenant_id, state_hash: bytes('p'), turn, slower_seconds })
    assert.equal(await turn(), null)
    clock.now += 5000
    const all = await Promise.all(Array.from({ length: 64 }, turn))
    const turns = all.filter((one) => typeof one === 'number')
    assert.equal(turns.length, 1)
    clock.now += 19_999
    assert.equal(await turn(), null, 'the question may still be under way')
    assert.equal(await rest(turns[0]!, 5), true)
    assert.equal(await rest(turns[0]!, 5), false)
    clock.now += 9999
    assert.equal(await turn(), null)
    clock.now += 1
    const lost = (await turn()) as number
    clock.now += 20_000
    const taken_over = (await turn()) as number
    assert.equal(await rest(lost), false, 'whoever comes back late has no say any more')
    assert.equal(await rest(taken_over), true)
    const told = await Promise.all(
      Array.from({ length: 8 }, () =>
        store.refuseConnectFlow({ tenant_id, state_hash: bytes('p'), event: event('connect.refused') }),
      ),
    )
    assert.equal(told.filter(Boolean).length, 5)
    const refusals = [
      [{ browser_hash: bytes('another') }, 'other_browser'],
      [{ user_id: 'bob' }, 'other_user'],
      [{ connector: 'other' }, 'other_connector'],
      [{ state_hash: bytes('none') }, 'unknown'],
      // One that nobody polls.
      [{ state_hash: bytes('plain') }, 'expired'],
    ] as const
    for (const [more, refusal] of refusals) assert.equal(await look(more), refusal)
    await take(stage, 'p')
    assert.equal(await turn(), 'used')
  },
)
