import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf } from '../../../../test/parts/query_plan.ts'
import { contract, START, type Stage } from '../../../../test/parts/stores.ts'
import { hasUnusedSessions } from '../verbs/logouts.ts'

const HOUR = 3_600_000

async function endSessionOf(stage: Stage, session_id = 's1'): Promise<void> {
  const { store, tenant_id, client, user, session, newGrant, event } = stage
  await Promise.all([client('web'), client('quiet'), user('alice')])
  await session(session_id, 'alice')
  await store.approveGrant({ ...newGrant('g1', { session_id }), tells_logout: true })
  await store.approveGrant({ ...newGrant('g2', { session_id }), tells_logout: true })
  await store.approveGrant(newGrant('g3', { session_id, client_id: 'quiet' }))
  await store.endSession({ tenant_id, session_id, event: event() })
}

contract(
  'the end of a session leaves one notice for each client that was told of it and wants to know',
  async (stage) => {
    const { store, tenant_id, clock } = stage
    await endSessionOf(stage)
    const due = await store.listDueNotices({ tenant_id, most: 10 })
    assert.deepStrictEqual(due, [
      {
        ...{ sid: 's1', client_id: 'web', user_id: 'alice', attempts: 0, now: START, expires_at: START + 24 * HOUR },
        metadata: '{}',
      },
    ])
    clock.now += 5
    await store.deleteClient({ tenant_id, client_id: 'web', event: stage.event() })
    assert.equal((await store.listDueNotices({ tenant_id, most: 10 }))[0]!.metadata, null)
  },
)

contract('of 64 that take a notice one does, and the others find that its turn is later', async (stage) => {
  const { store, tenant_id, clock, event } = stage
  await endSessionOf(stage)
  const key = { tenant_id, sid: 's1', client_id: 'web' }
  const take = (attempts: number) => store.leaseNotice({ ...key, attempts, again_in_ms: 1000 })
  const taken = await Promise.all(Array.from({ length: 64 }, () => take(0)))
  assert.equal(taken.filter(Boolean).length, 1)
  assert.deepEqual(await store.listDueNotices({ tenant_id, most: 10 }), [])
  clock.now += 1000
  assert.equal(await take(0), false)
  assert.equal(await take(1), true)
  await store.settleNotice({ ...key, event: event('logout.delivered') })
  await store.settleNotice({ ...key, event: event('logout.delivered') })
  const events = await store.pageEvents({ tenant_id, before_event_id: '~', type: 'logout.', actor: '', most: 10 })
  assert.equal(events.length, 1)
  clock.now += HOUR
  assert.deepEqual(await store.listDueNotices({ tenant_id, most: 10 }), [])
})

test('sessions that have run out are found by their index, however many there are', async () => {
  const [plan] = await planOf(hasUnusedSessions.run({ tenant_id: 't' }))
  assert.match(plan!, /USING (COVERING )?INDEX sessions_running_out \(tenant_id=\? AND ends_at<\?\)/)
})

contract(
  'a session that was not used until its own end is ended, with what hangs on it, and only then',
  async (stage) => {
    const { store, tenant_id, clock, event, newGrant } = stage
    await Promise.all([stage.client('web'), stage.user('alice')])
    await stage.session('s1', 'alice')
    await store.approveGrant({ ...newGrant('g1', { session_id: 's1', offline: 0 }), tells_logout: true })
    await store.touchSession({ tenant_id, session_id: 's1', idle_ms: 60_000 })
    clock.now += 59_999
    assert.equal(await store.hasUnusedSessions({ tenant_id }), false)
    await store.touchSession({ tenant_id, session_id: 's1', idle_ms: 60_000 })
    clock.now += 60_000
    assert.equal(await store.hasUnusedSessions({ tenant_id }), true)
    const end = () => store.endUnusedSessions({ tenant_id, most: 10, event: event('session.expired') })
    assert.equal(await end(), 1)
    assert.equal(await end(), 0)
    const { grant, session } = (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id: 'g1' }))!
    assert.deepEqual([grant!.revoked_at, session!.ended_at], [clock.now, clock.now])
    assert.equal((await store.listDueNotices({ tenant_id, most: 10 })).length, 1)
    const events = await store.pageEvents({ tenant_id, before_event_id: '~', type: 'session.', actor: '', most: 10 })
    assert.deepEqual(
      events.map(({ detail }) => JSON.parse(detail)),
      [{ session_ids: ['s1'] }],
    )
  },
)

contract('the use of a session moves its end, and never past its last day', async (stage) => {
  const { store, tenant_id } = stage
  await stage.user('alice')
  await stage.session('s1', 'alice')
  const endsAt = async () =>
    (await store.loadBrowserAuthority({ tenant_id, session_id: 's1', client_id: '' }))!.session!.ends_at
  await store.touchSession({ tenant_id, session_id: 's1', idle_ms: 1000 })
  assert.equal(await endsAt(), START + 1000)
  await store.touchSession({ tenant_id, session_id: 's1', idle_ms: 2 * HOUR })
  assert.equal(await endsAt(), START + HOUR)
})

contract('no grant is made under a session that has ended', async (stage) => {
  const { store, tenant_id, newGrant } = stage
  await endSessionOf(stage)
  for (const session_id of ['s1', 'unknown']) {
    assert.equal(await store.approveGrant(newGrant(`late-${session_id}`, { session_id, offline: 1 })), 'session_ended')
    const grant_id = `late-${session_id}`
    assert.equal((await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id }))!.grant, null)
  }
})

contract('grants of many clients that are made at once in one session are all made', async (stage) => {
  const { store, newGrant } = stage
  const clients = Array.from({ length: 16 }, (_, i) => `c${i}`)
  await Promise.all([stage.user('alice'), ...clients.map((client_id) => stage.client(client_id))])
  await stage.session('s1', 'alice')
  const approve = (client_id: string) =>
    store.approveGrant({ ...newGrant(`g-${client_id}`, { client_id, session_id: 's1' }), tells_logout: true })
  const outcomes = await Promise.all(clients.map(approve))
  assert.deepEqual(new Set(outcomes), new Set(['approved']))
})

contract('many sessions that end at once tell the clients of each', async (stage) => {
  const { store, tenant_id, newGrant, event, clock } = stage
  await Promise.all([stage.user('alice'), stage.client('web'), stage.client('other')])
  const sids = ['s1', 's2', 's3', 's4']
  for (const session_id of sids) {
    await stage.session(session_id, 'alice')
    for (const client_id of ['web', 'other']) {
      const grant_id = `${client_id}-${session_id}`
      await store.approveGrant({ ...newGrant(grant_id, { client_id, session_id, offline: 0 }), tells_logout: true })
    }
  }
  const told = async () =>
    (await store.listDueNotices({ tenant_id, most: 99 })).map(({ sid, client_id }) => `${sid} ${client_id}`).sort()
  await store.endOtherSessions({ tenant_id, user_id: 'alice', kept_session_id: 's1', event: event() })
  assert.deepEqual(await told(), ['s2 other', 's2 web', 's3 other', 's3 web', 's4 other', 's4 web'])
  await store.setUserDisabled({ tenant_id, user_id: 'alice', disabled: true, event: event() })
  assert.equal((await told()).length, 8)
  clock.now += HOUR
  await store.numberRevocations({ tenant_id, most: 99 })
  const { revocations } = await store.pageRevocations({ tenant_id, after_sequence: 0, youngest_ms: 2 * HOUR, most: 99 })
  assert.equal(revocations.filter(({ kind }) => kind === 'grant_id').length, 8)
  assert.deepEqual(revocations.filter(({ kind }) => kind === 'sub').length, 1)
})
