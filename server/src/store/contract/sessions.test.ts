import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const HOUR = 3_600_000

async function fill(stage: Stage): Promise<void> {
  await Promise.all([stage.client('web'), stage.user('alice'), stage.user('bob')])
  await stage.session('s1', 'alice')
}
const sessionOf = async ({ store, tenant_id }: Stage, session_id: string) =>
  (await store.loadBrowserAuthority({ tenant_id, session_id, client_id: '' }))!.session!
const grantOf = async ({ store, tenant_id }: Stage, grant_id: string) =>
  (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id }))!

function signInAgain(stage: Stage, session_id: string, user_id: string, former_session_id: string) {
  const { store, tenant_id, clock, event } = stage
  const { now } = clock
  return store.startSession({
    tenant_id,
    session: {
      ...{ session_id, user_id, secret_hash: bytes(session_id), auth_time: now, acr: '2', amr: '["pwd","otp"]' },
      ...{ user_agent: 'Browser', epoch: 5, tenant_epoch: 1, user_epoch: 2, created_at: now, expires_at: now + HOUR },
    },
    former_session_id,
    event: event('session.started'),
  })
}

contract('a session ends once, and its epoch rises with it', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await fill(stage)
  clock.now += 3
  const end = (session_id: string) => store.endSession({ tenant_id, session_id, event: event() })
  assert.equal(await end('s1'), true)
  const ended = await sessionOf(stage, 's1')
  assert.deepEqual([ended.ended_at, ended.epoch], [START + 3, 1])
  assert.equal(await end('s1'), false)
  assert.equal((await sessionOf(stage, 's1')).epoch, 1)
  assert.equal(await end('unknown'), false)
})

contract('the use of a session is noted', async (stage) => {
  const { store, tenant_id, clock } = stage
  await fill(stage)
  clock.now += 1234
  await store.touchSession({ tenant_id, session_id: 's1', idle_ms: HOUR })
  await store.touchSession({ tenant_id, session_id: 'unknown', idle_ms: HOUR })
  assert.equal((await sessionOf(stage, 's1')).last_seen_at, START + 1234)
})

contract('signing in again ends the former session and takes what lives by it along', async (stage) => {
  const { store, newGrant, clock } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1', { session_id: 's1', session_epoch: 0, offline: 0 }))
  clock.now += 7
  await signInAgain(stage, 's2', 'alice', 's1')
  const [former, next] = [await sessionOf(stage, 's1'), await sessionOf(stage, 's2')]
  assert.deepEqual([former.ended_at, former.epoch], [START + 7, 1])
  assert.deepEqual([next.ended_at, next.epoch, next.tenant_epoch, next.user_epoch], [null, 5, 1, 2])
  assert.deepEqual([next.acr, next.amr], ['2', '["pwd","otp"]'])
  const { grant, session } = await grantOf(stage, 'g1')
  assert.deepEqual([grant!.session_id, grant!.session_epoch], ['s2', 5])
  assert.deepEqual(session, { sid: 's1', epoch: 5, ended_at: null, expires_at: START + 7 + HOUR })
})

contract('what died with a session that was ended stays dead when its user signs in again', async (stage) => {
  const { store, tenant_id, newGrant, event } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1', { session_id: 's1', session_epoch: 0, offline: 0 }))
  await store.endSession({ tenant_id, session_id: 's1', event: event() })
  await signInAgain(stage, 's2', 'alice', 's1')
  const { grant, session } = await grantOf(stage, 'g1')
  assert.deepEqual([grant!.session_id, grant!.session_epoch, session!.epoch], ['s1', 0, 1])
})

contract('what died with a session that ran out stays dead when its user signs in again', async (stage) => {
  const { store, newGrant, clock } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1', { session_id: 's1', session_epoch: 0, offline: 0 }))
  clock.now += HOUR
  await signInAgain(stage, 's2', 'alice', 's1')
  const { grant } = await grantOf(stage, 'g1')
  assert.equal(grant!.session_id, 's1')
})

contract('another person in the same browser ends the former session and inherits nothing', async (stage) => {
  const { store, newGrant } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1', { session_id: 's1', session_epoch: 0, offline: 0 }))
  await signInAgain(stage, 's2', 'bob', 's1')
  assert.notEqual((await sessionOf(stage, 's1')).ended_at, null)
  assert.equal((await grantOf(stage, 'g1')).grant!.session_id, 's1')
})

contract('a grant of an earlier epoch of the session, or a revoked one, does not move', async (stage) => {
  const { store, tenant_id, newGrant, event } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1', { session_id: 's1', session_epoch: 9, offline: 0 }))
  await store.approveGrant(newGrant('g2', { session_id: 's1', session_epoch: 0, offline: 0 }))
  await store.revokeGrant({ tenant_id, grant_id: 'g2', reason: 'test', event: event() })
  await signInAgain(stage, 's2', 'alice', 's1')
  assert.equal((await grantOf(stage, 'g1')).grant!.session_id, 's1')
  assert.equal((await grantOf(stage, 'g2')).grant!.session_id, 's1')
})

contract('a user sees the own sessions that live, the latest used first', async (stage) => {
  const { store, tenant_id, session, event, clock } = stage
  await fill(stage)
  for (const id of ['s2', 's3', 's4']) await session(id, 'alice')
  await session('s5', 'bob')
  await store.endSession({ tenant_id, session_id: 's3', event: event() })
  clock.now += 1000
  await store.touchSession({ tenant_id, session_id: 's1', idle_ms: HOUR })
  clock.now += 1000
  await store.touchSession({ tenant_id, session_id: 's4', idle_ms: HOUR })
  const shown = (session_id: string, last_seen_at: number) => ({
    ...{ session_id, user_agent: null, auth_time: START, last_seen_at, expires_at: START + HOUR },
  })
  assert.deepStrictEqual(await store.listSessionsOfUser({ tenant_id, user_id: 'alice' }), [
    shown('s4', START + 2000),
    shown('s1', START + 1000),
    shown('s2', START),
  ])
  const page = (after_session_id: string, most: number) =>
    store.pageSessionsOfUser({ tenant_id, user_id: 'alice', after_session_id, most })
  assert.deepStrictEqual(await page('', 2), [shown('s1', START + 1000), shown('s2', START)])
  assert.deepStrictEqual(await page('s2', 2), [shown('s4', START + 2000)])
  await store.setUserDisabled({ tenant_id, user_id: 'alice', disabled: true, event: event() })
  assert.deepStrictEqual(await store.listSessionsOfUser({ tenant_id, user_id: 'alice' }), [])
  clock.now = START + HOUR
  assert.deepStrictEqual(await store.listSessionsOfUser({ tenant_id, user_id: 'bob' }), [])
})

contract('a user sees the own grants that were redeemed and live, the newest first', async (stage) => {
  const { store, tenant_id, newGrant, event, clock } = stage
  await fill(stage)
  const grants = { g1: {}, g2: {}, g3: {}, g4: { expires_at: START + 5 }, g5: { user_id: 'bob' }, g6: {} }
  for (const [grant_id, more] of Object.entries(grants)) {
    await store.approveGrant(newGrant(grant_id, more))
    if (grant_id === 'g6') continue
    await store.redeemCode({
      ...{ tenant_id, grant_id, code_hash: bytes(`code of ${grant_id}`), attempt_id: 'a', refresh: null },
      ...{ idle_expires_at: null, replay_event: event() },
    })
  }
  await store.revokeGrant({ tenant_id, grant_id: 'g2', reason: 'test', event: event() })
  clock.now += 5
  const shown = (grant_id: string) => ({
    ...{ grant_id, client_id: 'web', client_name: 'web', scope: 'openid', connections: null, created_at: START },
    ...{ last_used_at: START, expires_at: START + 86_400_000, metadata: '{}' },
  })
  const listed = await store.listGrantsOfUser({ tenant_id, user_id: 'alice' })
  assert.deepStrictEqual(listed, [shown('g3'), shown('g1')])
})

contract('the session that an ID token speaks of is found while it and its user live', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await fill(stage)
  const find = async (sid: string) => (await store.findSessionBySid({ tenant_id, sid }))?.user.user_id
  assert.equal(await find('s1'), 'alice')
  assert.equal(await find('unknown'), undefined)
  assert.equal(await store.findSessionBySid({ tenant_id: 'elsewhere', sid: 's1' }), null)
  await stage.session('s2', 'alice')
  assert.deepEqual((await store.findSessionBySid({ tenant_id, sid: 's2' }))!.session.session_id, 's2')
  clock.now += HOUR
  assert.equal(await find('s1'), undefined)
  await stage.session('s3', 'bob')
  await store.endSession({ tenant_id, session_id: 's3', event: event() })
  assert.equal(await find('s3'), undefined)
  // Of another epoch than its user's: what a user whose sessions were all ended had.
  await signInAgain(stage, 's4', 'alice', 's2')
  assert.equal(await find('s4'), undefined)
})
