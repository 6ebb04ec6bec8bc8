import assert from 'node:assert/strict'
import { contract, START, type Stage } from '../../../../test/parts/stores.ts'

const HOUR = 3_600_000
const NOTES = 'https://notes.example'

async function fill({ store, client, user, session, newGrant }: Stage): Promise<void> {
  await Promise.all([client('web'), client('other'), user('alice'), user('bob')])
  const consent = {
    ...{ scope: 'openid', resource: '[]', expires_at: null, redirect_hosts: null },
    connections: JSON.stringify([{ connector: 'acme', connection_id: 'c1' }]),
  }
  await session('s1', 'alice')
  await store.approveGrant({ ...newGrant('g1'), consent })
  await store.approveGrant(newGrant('g2'))
  await store.approveGrant(newGrant('g3', { client_id: 'other' }))
  await store.approveGrant(newGrant('g4', { user_id: 'bob' }))
}

const allow = (stage: Stage, connection_id: string, more: Record<string, unknown> = {}, resource?: string) =>
  stage.store.allowConnection({
    ...{ tenant_id: stage.tenant_id, grant_id: 'g1', client_id: 'web', user_id: 'alice' },
    connection: { connector: 'acme', connection_id, ...(resource !== undefined && { resource }) },
    detail: { type: 'connection', connector: 'acme', ...(resource !== undefined && { locations: [resource] }) },
    event: stage.event('connection.allowed'),
    ...more,
  })

async function grant({ store, tenant_id }: Stage, grant_id = 'g1') {
  const { connections, authorization_details } = (await store.loadGrantAuthority({
    tenant_id,
    client_id: 'web',
    grant_id,
  }))!.grant!
  return [JSON.parse(connections ?? 'null'), JSON.parse(authorization_details ?? 'null')]
}

contract('a connection is allowed to one grant, in place of what stood there for the same server', async (stage) => {
  await fill(stage)
  assert.equal(await allow(stage, 'c1'), 'allowed')
  assert.equal(await allow(stage, 'c2', {}, NOTES), 'allowed')
  assert.equal(await allow(stage, 'c3', {}, NOTES), 'allowed')
  assert.deepEqual(await grant(stage), [
    [
      { connector: 'acme', connection_id: 'c1' },
      { connector: 'acme', connection_id: 'c3', resource: NOTES },
    ],
    [
      { type: 'connection', connector: 'acme' },
      { type: 'connection', connector: 'acme', locations: [NOTES] },
    ],
  ])
  for (const other of ['g2', 'g3', 'g4']) assert.deepEqual(await grant(stage, other), [null, null], other)
})

contract('of many answers at once none is lost', async (stage) => {
  await fill(stage)
  const all = await Promise.all(Array.from({ length: 16 }, (_, i) => allow(stage, `c${i}`, {}, `${NOTES}/${i}`)))
  assert.ok(all.every((word) => word === 'allowed'))
  assert.equal((await grant(stage))[0].length, 16)
})

contract('nothing is allowed to what has ended, or is of somebody else', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await fill(stage)
  for (const more of [{ client_id: 'other' }, { user_id: 'bob' }, { grant_id: 'gone' }, { tenant_id: 'elsewhere' }]) {
    assert.equal(await allow(stage, 'c1', more), 'gone', JSON.stringify(more))
  }
  await store.revokeGrant({ tenant_id, grant_id: 'g2', reason: 'test', event: event() })
  assert.equal(await allow(stage, 'c1', { grant_id: 'g2' }), 'gone')
  clock.now += 400 * 24 * HOUR
  assert.equal(await allow(stage, 'c1'), 'gone')
  const types = await store.pageEvents({ tenant_id, before_event_id: 'z', type: 'connection.', actor: '', most: 10 })
  assert.deepEqual(types, [])
})

contract('a connection is taken back from every grant of a client, and from what is remembered', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  await allow(stage, 'c1')
  await allow(stage, 'c1', {}, NOTES)
  await allow(stage, 'c2', { grant_id: 'g2' })
  await allow(stage, 'c1', { grant_id: 'g3', client_id: 'other' })
  const take = (connection_id: string, user_id = 'alice') =>
    store.takeBackConnection({
      tenant_id,
      user_id,
      client_id: 'web',
      connection_id,
      event: event('connection.taken_back'),
    })
  const remembered = async () =>
    (await store.loadBrowserAuthority({ tenant_id, session_id: 's1', client_id: 'web' }))!.consent!.connections
  assert.match((await remembered())!, /c1/)
  assert.equal(await take('c1', 'bob'), 0)
  assert.equal(await take('c1'), 1)
  assert.equal(await take('c1'), 0)
  assert.deepEqual(await grant(stage), [null, []])
  assert.equal((await grant(stage, 'g2'))[0][0].connection_id, 'c2')
  assert.equal((await grant(stage, 'g3'))[0][0].connection_id, 'c1')
  assert.equal(await remembered(), null)
})

contract('the use of a connection is noted once an hour, with its event', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await fill(stage)
  await allow(stage, 'c1')
  const note = (more: Record<string, unknown> = {}) =>
    store.noteConnectionUse({
      ...{ tenant_id, grant_id: 'g1', connection_id: 'c1', resource: null, event: event('connection.used'), ...more },
    })
  assert.equal(await note(), true)
  assert.equal(await note(), false)
  for (const more of [{ connection_id: 'c2' }, { resource: NOTES }, { grant_id: 'g2' }, { tenant_id: 'elsewhere' }]) {
    assert.equal(await note(more), false, JSON.stringify(more))
  }
  clock.now += HOUR
  assert.equal(await note({ event: null }), true)
  assert.deepEqual((await grant(stage))[0], [{ connector: 'acme', connection_id: 'c1', last_used_at: START + HOUR }])
  const used = await store.pageEvents({ tenant_id, before_event_id: 'z', type: 'connection.used', actor: '', most: 9 })
  assert.equal(used.length, 1)
})
