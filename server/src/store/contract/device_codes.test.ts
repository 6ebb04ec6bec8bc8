import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const SECOND = 1000
const code = (name: string) => ({ device_code_hash: bytes(`device ${name}`), user_code_hash: bytes(`user ${name}`) })
async function start({ store, tenant_id, client }: Stage, name = 'a'): Promise<boolean> {
  await client('tv')
  return store.startDeviceCode({
    ...{ tenant_id, ...code(name), client_id: 'tv', scope: 'openid', resource: '[]', code_challenge: null },
    ...{ user_agent: 'TV', address: '192.0.2.1', interval_seconds: 5, lifetime_ms: 600 * SECOND },
  })
}
const poll = ({ store, tenant_id }: Stage, name = 'a', client_id = 'tv') =>
  store.pollDeviceCode({
    ...{ tenant_id, device_code_hash: code(name).device_code_hash, client_id, grace_ms: 500 },
  })
const enter = ({ store, tenant_id, event }: Stage, user_id: string, name = 'a') =>
  store.openDeviceCode({
    ...{ tenant_id, user_code_hash: code(name).user_code_hash, user_id, event: event('device_code.passed_around') },
  })
const approve = (stage: Stage, user_id = 'alice', grant_id = 'g1') =>
  stage.store.approveDeviceCode({
    tenant_id: stage.tenant_id,
    user_code_hash: code('a').user_code_hash,
    approval: stage.newGrant(grant_id, { client_id: 'tv', user_id }),
  })

contract('of two requests with one user code one waits', async (stage) => {
  assert.equal(await start(stage), true)
  const { store, tenant_id } = stage
  const other = { ...code('a'), device_code_hash: bytes('device b') }
  assert.equal(
    await store.startDeviceCode({
      ...{ tenant_id, ...other, client_id: 'tv', scope: '', resource: '[]', code_challenge: null, user_agent: null },
      ...{ address: null, interval_seconds: 5, lifetime_ms: SECOND },
    }),
    false,
  )
})

contract('a poll too soon makes the wait longer, and nobody else`s client can poll', async (stage) => {
  await start(stage)
  const { clock } = stage
  assert.equal((await poll(stage))!.too_soon, false)
  assert.equal((await poll(stage))!.too_soon, true)
  clock.now += 9 * SECOND
  assert.equal((await poll(stage))!.too_soon, true, 'ten seconds by now')
  clock.now += 15 * SECOND
  assert.equal((await poll(stage))!.too_soon, false)
  assert.equal(await poll(stage, 'a', 'other'), null)
  assert.equal(await poll(stage, 'b'), null)
})

contract('the first who enters a code has it; a third person ends it', async (stage) => {
  await start(stage)
  assert.equal(await enter(stage, 'alice', 'b'), null)
  const mine = await enter(stage, 'alice')
  assert.ok(mine && mine !== 'taken')
  assert.deepEqual([mine.user_id, mine.state, mine.expires_at], ['alice', 'pending', START + 600 * SECOND])
  assert.equal(await enter(stage, 'bob'), 'taken')
  assert.equal(await enter(stage, 'bob'), 'taken', 'twice the same one is one')
  assert.equal((await poll(stage))!.state, 'pending')
  assert.equal(await enter(stage, 'carol'), 'taken')
  assert.equal((await poll(stage))!.state, 'dead')
})

contract('the first answer is heard, and only of the one who has the code', async (stage) => {
  const { store, tenant_id, user, event } = stage
  await start(stage)
  await Promise.all([user('alice'), user('bob')])
  await enter(stage, 'alice')
  const deny = (user_id: string) =>
    store.denyDeviceCode({ tenant_id, user_code_hash: code('a').user_code_hash, user_id, event: event('denied') })
  assert.equal(await deny('bob'), false)
  assert.equal(await approve(stage, 'bob'), false)
  assert.equal(await approve(stage), true)
  assert.deepEqual([await deny('alice'), await approve(stage, 'alice', 'g2')], [false, false])
  const { state, grant_id } = (await poll(stage))!
  assert.deepEqual([state, grant_id], ['approved', 'g1'])
})

contract('a grant whose session has ended is not made, and the code waits on', async (stage) => {
  const { store, tenant_id, user, session, event, newGrant } = stage
  await start(stage)
  await user('alice')
  await session('s1', 'alice')
  await enter(stage, 'alice')
  await store.endSession({ tenant_id, session_id: 's1', event: event() })
  const approval = newGrant('g1', { client_id: 'tv', user_id: 'alice', session_id: 's1', offline: 0 })
  assert.equal(await store.approveDeviceCode({ tenant_id, user_code_hash: code('a').user_code_hash, approval }), false)
  const { state, grant_id } = (await poll(stage))!
  assert.deepEqual([state, grant_id], ['pending', null])
})

contract('what it brought is redeemed once, by the code that was polled with', async (stage) => {
  const { store, tenant_id, user, newGrant } = stage
  await start(stage)
  await user('alice')
  await enter(stage, 'alice')
  const { device_code_hash, user_code_hash } = code('a')
  const approval = newGrant('g1', { client_id: 'tv', user_id: 'alice', code_hash: device_code_hash })
  assert.equal(await store.approveDeviceCode({ tenant_id, user_code_hash, approval }), true)
  assert.equal(await store.findGrantOfDevice({ tenant_id, device_code_hash }), 'g1')
  const redeem = (attempt_id: string, code_hash = device_code_hash) =>
    store.redeemDeviceCode({ tenant_id, grant_id: 'g1', code_hash, attempt_id, refresh: null, idle_expires_at: null })
  assert.equal(await redeem('0', user_code_hash), 'gone')
  assert.equal(await redeem('1'), 'redeemed')
  assert.deepEqual([await redeem('1'), await redeem('2')], ['redeemed', 'gone'], 'the same try recognises itself')
  const { grant } = (await store.loadGrantAuthority({ tenant_id, client_id: 'tv', grant_id: 'g1' }))!
  assert.equal(grant!.revoked_at, null, 'a poll that came twice ends nothing')
})
