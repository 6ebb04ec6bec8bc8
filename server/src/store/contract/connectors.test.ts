import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const saved = {
  ...{ connector: 'acme', provider: 'oidc', client_id: 'web', sealed_client_secret: bytes('sealed'), scope: 'openid' },
  ...{ settings: '{}', version: 1 },
}
const record = { ...saved, error: null, error_description: null, error_at: null, disabled_at: null }
const listed = { ...record, created_at: START, updated_at: START, connections: 0 }
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

contract('a flow that nobody chose for in time is taken once', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  const hold = (state: string) =>
    store.startConnectFlow({
      ...{ tenant_id, state_hash: bytes(state), flow, lifetime_ms: 1000, holds_tokens: true, event: event() },
    })
  const takeAll = async () => (await store.takeUnchosenFlows({ tenant_id })).map(({ state_hash }) => state_hash)
  await hold('chosen')
  await hold('left')
  await start(stage, 'other')
  assert.notEqual(typeof (await take(stage, 'chosen')), 'string')
  assert.deepEqual(await takeAll(), [])
  clock.now += 1000
  assert.equal(await take(stage, 'left'), 'expired')
  assert.deepStrictEqual(await store.takeUnchosenFlows({ tenant_id }), [
    { state_hash: bytes('left'), connector: 'acme', connector_version: 1, user_id: 'alice', sealed: bytes('sealed') },
  ])
  assert.deepEqual([await takeAll(), await take(stage, 'left')], [[], 'used'])
})

contract(
  'a connector is deleted with its flows, or moved, not while a connection lives or may have to be revoked',
  async (stage) => {
    const { store, tenant_id, event } = stage
    await make(stage)
    await stage.user('alice')
    await start(stage, 'state')
    const remove = () => store.deleteConnector({ tenant_id, connector: 'acme', event: event('connector.deleted') })
    const answer = {
      ...{ sealed_tokens: bytes('t'), scope: 'openid', refresh_fingerprint: null, issued_at: START },
      ...{ access_expires_at: null, refresh_expires_at: null },
    }
    const consent = {
      ...{ tenant_id, connection_id: 'c1', connector: 'acme', connector_version: 1, user_id: 'alice', account: null },
      ...{ account_name: null, generation: null, data_key: bytes('key'), answer, event: event() },
    }
    assert.equal(await store.connectAccount(consent), 'connected')
    assert.equal((await find(stage))!.connections, 1)
    assert.equal(await remove(), 'has_connections')
    const change = (unconnected: boolean) =>
      store.updateConnector({ tenant_id, connector: saved, from_version: 1, unconnected, event: event() })
    assert.deepEqual([await change(true), await change(false)], ['has_connections', 'updated'])
    const end = { tenant_id, connection_id: 'c1', reason: 'test', event: event() }
    assert.equal(await store.disconnectConnection(end), true)
    assert.deepEqual([await remove(), await change(true)], ['has_connections', 'has_connections'])
    await store.destroyDataKey({ tenant_id, connection_id: 'c1', event: event() })
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
    const look = async (more = {}) => store.pollConnectFlow({ ...polled, ...more })
    const turn = async () => {
      const looked = await look()
      return typeof looked === 'string' ? looked : [looked.is_turn, looked.poll_seconds]
    }
    assert.deepEqual(await turn(), [false, 5])
    clock.now += 5000
    const all = await Promise.all(Array.from({ length: 64 }, turn))
    assert.equal(all.filter(([is_turn]) => is_turn === (true as unknown)).length, 1)
    await store.slowConnectFlow({ tenant_id, state_hash: bytes('p') })
    clock.now += 5000
    assert.deepEqual(await turn(), [false, 10])
    clock.now += 5000
    assert.deepEqual(await turn(), [true, 10])
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
