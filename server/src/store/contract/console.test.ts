import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

async function fill(stage: Stage): Promise<void> {
  await Promise.all([stage.client('web'), stage.client('other'), stage.user('alice'), stage.user('bob')])
}

contract('an overview counts what lives, up to a limit', async (stage) => {
  const { store, tenant_id, event, newGrant, clock } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1'))
  await store.approveGrant(newGrant('g2', { expires_at: START + 1 }))
  await store.approveGrant(newGrant('g3'))
  await store.revokeGrant({ tenant_id, grant_id: 'g3', reason: 'test', event: event() })
  const rotation = { client_id: 'web', client_secret_hash: bytes('new'), former_expires_at: START + 100 }
  await store.rotateClientSecret({ tenant_id, ...rotation, event: event() })
  const connector = { connector: 'acme', provider: 'oidc', client_id: 'web', sealed_client_secret: null }
  const more = { scope: 'openid', settings: '{}', version: 1 }
  await store.createConnector({ tenant_id, connector: { ...connector, ...more }, event: event() })
  const error = { error: 'invalid_client', error_description: null }
  await store.noteConnectorError({ tenant_id, connector: 'acme', version: 1, ...error, event: event() })
  for (const [webhook, reason] of [
    ['told', null],
    ['off', 'administrator'],
    ['lost', 'failing'],
  ] as const) {
    const address = { url: 'https://crm.example/', description: '', event_types: '[]' }
    const made = { webhook, ...address, sealed_secrets: bytes('x'), version: 1 }
    await store.createWebhook({ tenant_id, webhook: made, event: event() })
    if (reason) await store.setWebhookDisabled({ tenant_id, webhook, disabled: true, reason, event: event() })
  }
  const overview = (most: number, secrets_before: number) => store.loadOverview({ tenant_id, most, secrets_before })
  const all = {
    ...{ clients: 2, users: 2, grants: 2, connections: 0, connections_need: 0, connectors_fail: 1, webhooks_fail: 1 },
    secrets_expire: 1,
  }
  assert.deepStrictEqual(await overview(10, START + 100), all)
  assert.deepStrictEqual(await overview(1, START + 99), { ...all, clients: 1, users: 1, grants: 1, secrets_expire: 0 })
  clock.now += 1
  assert.equal((await overview(10, 0)).grants, 1)
})

contract('the living grants of a client are counted with their users', async (stage) => {
  const { store, tenant_id, newGrant } = stage
  await fill(stage)
  for (const [i, user_id] of ['alice', 'alice', 'bob'].entries()) {
    await store.approveGrant(newGrant(`g${i}`, { user_id }))
  }
  await store.approveGrant(newGrant('g8', { client_id: 'other' }))
  const count = (client_id: string, most = 10) => store.countGrantsOfClient({ tenant_id, client_id, most })
  assert.deepStrictEqual(await count('web'), { grants: 3, users: 2 })
  assert.deepStrictEqual(await count('other'), { grants: 1, users: 1 })
  assert.deepStrictEqual(await count('unknown'), { grants: 0, users: 0 })
  assert.equal((await count('web', 2)).grants, 2)
})

contract('usernames are found for many ids, in their order, and missing ones are left out', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  const find = (...user_ids: string[]) => store.findUsernames({ tenant_id, user_ids })
  assert.deepStrictEqual(await find(), [])
  assert.deepStrictEqual(await find('bob', 'gone', 'alice'), [
    { user_id: 'bob', username: 'bob' },
    { user_id: 'alice', username: 'alice' },
  ])
})

contract('users are searched by how their names begin', async (stage) => {
  const { store, tenant_id, user } = stage
  for (const name of ['ann', 'anna', 'annb', 'bo', 'an_x', '\u00e4nn']) await user(name)
  const search = async (username_key: string, most = 10) =>
    (await store.searchUsers({ tenant_id, username_key, most })).map(({ username }) => username)
  assert.deepEqual(await search('ann'), ['ann', 'anna', 'annb'])
  assert.deepEqual(await search('ann', 2), ['ann', 'anna'])
  assert.deepEqual(await search('an_'), ['an_x'])
  assert.deepEqual(await search('\u00e4'), ['\u00e4nn'])
  assert.deepEqual(await search('x'), [])
})

contract('clients are searched by any part of their names, of the first ones', async (stage) => {
  const { store, tenant_id, client } = stage
  for (const name of ['Acme Notes', 'Notes', 'Planner', 'Ärzte', "100% 'quoted'"]) await client(name)
  const search = async (text: string, most_read = 10, most = 10) =>
    (await store.searchClients({ tenant_id, text, most_read, most })).map(({ client_name }) => client_name)
  assert.deepEqual(await search('nOTe'), ['Acme Notes', 'Notes'])
  assert.deepEqual(await search('note', 10, 1), ['Acme Notes'])
  assert.deepEqual([await search('lann'), await search('lann', 2)], [['Planner'], []], 'the first two are read')
  assert.deepEqual([await search('Ärz'), await search('0% ')], [['Ärzte'], ["100% 'quoted'"]])
  assert.deepEqual([await search('_otes'), await search('')], [[], []], 'nothing stands for something else')
})

contract('a user ends one of the own sessions, or all but one, and nobody else\u2019s', async (stage) => {
  const { store, tenant_id, session, event } = stage
  await fill(stage)
  for (const id of ['s1', 's2', 's3']) await session(id, 'alice')
  await session('s4', 'bob')
  const living = async (user_id: string) =>
    (await store.listSessionsOfUser({ tenant_id, user_id })).map(({ session_id }) => session_id).sort()
  const end = (session_id: string, user_id = 'alice') =>
    store.endSessionOfUser({ tenant_id, user_id, session_id, event: event('session.ended') })
  assert.deepEqual(
    [await end('s4'), await end('unknown'), await end('s1'), await end('s1')],
    [false, false, true, false],
  )
  assert.deepEqual(await living('alice'), ['s2', 's3'])
  await session('s5', 'alice')
  const others = () =>
    store.endOtherSessions({ tenant_id, user_id: 'alice', kept_session_id: 's3', event: event('sessions.ended') })
  assert.deepEqual([await others(), await others()], [2, 0])
  assert.deepEqual([await living('alice'), await living('bob')], [['s3'], ['s4']])
  const ended = (await store.loadBrowserAuthority({ tenant_id, session_id: 's2', client_id: '' }))!.session
  assert.deepEqual([ended!.ended_at, ended!.epoch], [START, 1])
})

contract('a server at rest has nothing to seal', async ({ store, tenant_id, event }) => {
  const waits = () => store.hasUnsealedEvents({ tenant_id })
  assert.equal(await waits(), true)
  await store.sealEvents({ tenant_id, most: 10 })
  assert.equal(await waits(), false)
  await store.recordEvent(event())
  assert.equal(await waits(), true)
})

contract('grants are paged from the newest on, of all, of a client, of a user, or of both', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  for (const [grant_id, client_id, user_id] of [
    ['g1', 'web', 'alice'],
    ['g2', 'other', 'alice'],
    ['g3', 'web', 'bob'],
    ['g4', 'web', 'alice'],
    ['g5', 'web', 'alice'],
  ] as const) {
    await store.approveGrant(stage.newGrant(grant_id, { client_id, user_id }))
    const redeemed = { grant_id, code_hash: bytes(`code of ${grant_id}`), attempt_id: grant_id, refresh: null }
    if (grant_id === 'g5') continue
    await store.redeemCode({ tenant_id, ...redeemed, idle_expires_at: null, replay_event: stage.event() })
  }
  const page = async (filter: { client_id?: string; user_id?: string } = {}, before_grant_id = '~', most = 10) => {
    const args = { tenant_id, client_id: '', user_id: '', ...filter, before_grant_id, most }
    return (await store.pageLatestGrants(args)).map(({ grant_id }) => grant_id)
  }
  assert.deepEqual(await page(), ['g4', 'g3', 'g2', 'g1'])
  assert.deepEqual(await page({}, 'g4', 2), ['g3', 'g2'])
  assert.deepEqual(await page({ client_id: 'web' }), ['g4', 'g3', 'g1'])
  assert.deepEqual(await page({ user_id: 'alice' }, 'g4'), ['g2', 'g1'])
  assert.deepEqual(await page({ client_id: 'web', user_id: 'alice' }), ['g4', 'g1'])
  assert.deepEqual(await page({ client_id: 'nobody' }), [])
})

contract('what happens routinely is summed up by the hour, by the clock of the database', async (stage) => {
  const { store, tenant_id, clock } = stage
  const HOUR = 3_600_000
  const hour_at = START - (START % HOUR)
  const add = (label: string, count: number) =>
    store.addHourlyCounts({ tenant_id, counts: [{ kind: 'tokens', label, count }] })
  const list = async (hours: number) =>
    (await store.listHourlyCounts({ tenant_id, hours })).counts.map((one) => [one.hour_at, one.label, one.count])
  await add('refresh_token', 3)
  await add('authorization_code', 1)
  await add('refresh_token', 4)
  clock.now = hour_at + HOUR
  await add('refresh_token', 1)
  assert.deepEqual(await list(1), [[hour_at + HOUR, 'refresh_token', 1]])
  assert.deepEqual(await list(2), [
    [hour_at, 'authorization_code', 1],
    [hour_at, 'refresh_token', 7],
    [hour_at + HOUR, 'refresh_token', 1],
  ])
  assert.equal((await store.listHourlyCounts({ tenant_id, hours: 1 })).this_hour_at, hour_at + HOUR)
  assert.deepEqual((await store.listHourlyCounts({ tenant_id: 'nobody', hours: 9 })).counts, [])
})
