import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const flow = {
  ...{ connector: 'acme', connector_version: 1, user_id: 'alice', connection_id: null },
  ...{ browser_hash: bytes('browser'), sealed: bytes('sealed') },
}
const taken = { ...flow, created_at: START, expires_at: START + 1000 }
const BROKER = 'https://redirect.example'

const start = ({ store, tenant_id, event }: Stage, state: string, broker: string | undefined = BROKER) =>
  store.startConnectFlow({
    ...{ tenant_id, state_hash: bytes(state), flow, lifetime_ms: 1000, broker, event: event() },
  })
const message = ({ tenant_id }: Stage, state: string, jti: string) => ({
  ...{ tenant_id, state_hash: bytes(state), broker: BROKER },
  proof: { kind: 'broker' as const, id_hash: bytes(jti), expires_at: START + 60_000 },
})
const open = (stage: Stage, state: string, more = {}) =>
  stage.store.openBrokeredFlow({ ...message(stage, state, `open ${state}`), event: stage.event(), ...more })
const deliver = (stage: Stage, state: string, more = {}) =>
  stage.store.deliverBrokeredFlow({
    ...{ tenant_id: stage.tenant_id, state_hash: bytes(state), broker: BROKER },
    ...{ delivered: 'sealed tokens', receipt_hash: bytes('receipt'), event: stage.event(), ...more },
  })
const take = ({ store, tenant_id }: Stage, state: string, more = {}) =>
  store.takeDeliveredFlow({
    ...{ tenant_id, state_hash: bytes(state), connector: 'acme', user_id: 'alice', browser_hash: bytes('browser') },
    ...{ receipt_hash: bytes('receipt'), ...more },
  })

contract('a flow is opened once, by its broker, before it runs out', async (stage) => {
  const { clock } = stage
  await start(stage, 'state')
  assert.equal(await open(stage, 'state', { broker: 'https://other.example' }), null)
  assert.equal(await open(stage, 'unknown'), null)
  const { connector, connector_version, sealed, expires_at } = taken
  assert.deepStrictEqual(await open(stage, 'state'), { connector, connector_version, sealed, expires_at })
  assert.equal(await open(stage, 'state', { proof: message(stage, 'state', 'again').proof }), null)
  await stage.store.startConnectFlow({
    ...{ tenant_id: stage.tenant_id, state_hash: bytes('direct'), flow, lifetime_ms: 1000 },
  })
  assert.equal(await open(stage, 'direct'), null)
  await start(stage, 'late')
  clock.now += 1000
  assert.equal(await open(stage, 'late'), null)
})

contract('a flow that goes through a broker is nothing to a callback that does not', async (stage) => {
  const { store, tenant_id } = stage
  await start(stage, 'state')
  const whose = { connector: 'acme', user_id: 'alice', browser_hash: bytes('browser') }
  assert.equal(typeof (await store.takeConnectFlow({ tenant_id, state_hash: bytes('state'), ...whose })), 'string')
  assert.notEqual(await open(stage, 'state'), null)
})

contract('a flow waits from its opening to its delivery', async (stage) => {
  const { store } = stage
  await start(stage, 'state')
  const check = (jti: string, more = {}) => store.checkBrokeredFlow({ ...message(stage, 'state', jti), ...more })
  assert.equal(await check('1'), false)
  await open(stage, 'state')
  assert.deepEqual([await check('2'), await check('3', { broker: 'https://other.example' })], [true, false])
  assert.equal(await deliver(stage, 'state'), true)
  assert.equal(await check('4'), false)
})

contract('one thing is delivered for a flow that was opened, and taken up once with its receipt', async (stage) => {
  const { clock } = stage
  await start(stage, 'state')
  assert.equal(await deliver(stage, 'state'), false)
  await open(stage, 'state')
  assert.equal(await deliver(stage, 'state', { broker: 'https://other.example' }), false)
  assert.equal(await take(stage, 'state'), 'other_browser')
  assert.deepEqual([await deliver(stage, 'state'), await deliver(stage, 'state')], [true, true])
  assert.equal(await deliver(stage, 'state', { delivered: 'other tokens' }), false)
  assert.equal(await deliver(stage, 'state', { receipt_hash: bytes('other') }), false)
  assert.equal(await take(stage, 'unknown'), 'unknown')
  assert.equal(await take(stage, 'state', { browser_hash: bytes('other') }), 'other_browser')
  assert.equal(await take(stage, 'state', { receipt_hash: bytes('other') }), 'other_browser')
  assert.equal(await take(stage, 'state', { user_id: 'bob' }), 'other_user')
  assert.equal(await take(stage, 'state', { connector: 'other' }), 'other_connector')
  assert.deepStrictEqual(await take(stage, 'state'), { ...taken, broker: BROKER, delivered: 'sealed tokens' })
  assert.equal(await take(stage, 'state'), 'used')
  assert.equal(await deliver(stage, 'state'), false)

  await start(stage, 'late')
  await open(stage, 'late')
  await deliver(stage, 'late')
  clock.now += 1000
  assert.equal(await take(stage, 'late'), 'expired')
})
