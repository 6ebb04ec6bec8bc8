import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const LIVES_MS = 1000

const claim = ({ store, tenant_id }: Stage, key: string, request = 'r') =>
  store.claimIdempotencyKey({ tenant_id, key_hash: bytes(key), request_hash: bytes(request), lives_ms: LIVES_MS })

contract('who claims a key first has it, and the others are told what it was used for', async (stage) => {
  const { store, tenant_id, clock } = stage
  assert.equal(await claim(stage, 'once'), 'claimed')
  clock.now += 1
  const former = { request_hash: bytes('r'), answer: null, started_at: START, now: START + 1 }
  assert.deepEqual(await claim(stage, 'once', 'other'), former)
  await store.keepAnswer({ tenant_id, key_hash: bytes('once'), answer: bytes('sealed') })
  await store.keepAnswer({ tenant_id, key_hash: bytes('once'), answer: bytes('another') })
  const { answer } = (await claim(stage, 'once', 'other')) as { answer: Uint8Array }
  assert.deepEqual(Buffer.from(answer).toString(), 'sealed', 'the first answer stays')
  await store.releaseIdempotencyKey({ tenant_id, key_hash: bytes('once') })
  assert.notEqual(await claim(stage, 'once'), 'claimed', 'what was answered is not given back')
  clock.now += LIVES_MS - 1
  assert.equal(await claim(stage, 'once', 'later'), 'claimed', 'what has ended is free')
  await store.releaseIdempotencyKey({ tenant_id, key_hash: bytes('once') })
  assert.equal(await claim(stage, 'once'), 'claimed', 'and so is what was given back')
})

contract('a configuration, a role and a user are changed only while they are what was seen', async (stage) => {
  const { store, tenant_id, event } = stage
  const version = async () => (await store.loadTenantState({ tenant_id }))!.config_version
  const seen = await version()
  const save = (n: number) =>
    store.saveRole({ tenant_id, role: { role: 'member', scopes: `["${n}"]` }, seen, event: event('role.saved') })
  assert.deepEqual([await save(1), await save(2)], [true, false])
  assert.equal(await version(), seen + 1)
  assert.equal(await store.saveSettings({ tenant_id, settings: '{}', seen, event: event('settings.saved') }), false)
  assert.equal(await store.saveSettings({ tenant_id, settings: '{}', seen: seen + 1, event: event() }), true)

  await stage.user('alice')
  const before = (await store.findUser({ tenant_id, user_id: 'alice' }))!
  const user = { user_id: 'alice', email: null, email_verified: false, claims: '{}', roles: '[]', password_hash: null }
  const change = (name: string) =>
    store.updateUser({ tenant_id, user: { ...user, name }, seen: before, event: event('user.updated') })
  assert.deepEqual([await change('a'), await change('b')], [true, false])
  const after = (await store.findUser({ tenant_id, user_id: 'alice' }))!
  const last = { tenant_id, user: { ...user, name: 'd' }, event: event('user.updated') }
  assert.equal(await store.updateUser({ ...last, seen: { ...after, roles: '["x"]' } }), false)
  assert.equal(await store.updateUser({ ...last, seen: after }), true)
  const events = await store.pageEvents({ tenant_id, before_event_id: '~', type: '', actor: '', most: 100 })
  const count = (type: string) => events.filter((one) => one.type === type).length
  assert.deepEqual([count('role.saved'), count('settings.saved'), count('user.updated')], [1, 0, 2])
})

contract('grants are paged by id, of all, of a client, of a user, or of both; codes are none yet', async (stage) => {
  const { store, tenant_id } = stage
  for (const client_id of ['web', 'other']) await stage.client(client_id)
  for (const user_id of ['alice', 'bob']) await stage.user(user_id)
  await stage.session('s1', 'alice')
  await stage.session('s2', 'bob')
  for (const [grant_id, client_id, user_id, session_id] of [
    ['g1', 'web', 'alice', 's1'],
    ['g2', 'other', 'alice', 's1'],
    ['g3', 'web', 'bob', 's2'],
    ['g4', 'web', 'alice', 's1'],
    ['g5', 'web', 'alice', 's1'],
  ] as const) {
    await store.approveGrant(stage.newGrant(grant_id, { client_id, user_id, session_id }))
    if (grant_id === 'g5') continue
    const redeemed = { grant_id, code_hash: bytes(`code of ${grant_id}`), attempt_id: grant_id, refresh: null }
    const outcome = await store.redeemCode({
      tenant_id,
      ...redeemed,
      idle_expires_at: null,
      replay_event: stage.event(),
    })
    assert.equal(outcome, 'redeemed')
  }
  const page = async (filter: { client_id?: string; user_id?: string } = {}, after_grant_id = '', most = 10) => {
    const args = { tenant_id, client_id: '', user_id: '', ...filter, after_grant_id, most }
    return (await store.pageGrants(args)).map(({ grant_id }) => grant_id)
  }
  assert.deepEqual(await page(), ['g1', 'g2', 'g3', 'g4'])
  assert.deepEqual(await page({}, 'g1', 2), ['g2', 'g3'])
  assert.deepEqual(await page({ client_id: 'web' }), ['g1', 'g3', 'g4'])
  assert.deepEqual(await page({ client_id: 'web' }, 'g1', 1), ['g3'])
  assert.deepEqual(await page({ user_id: 'alice' }, 'g1'), ['g2', 'g4'])
  assert.deepEqual(await page({ client_id: 'web', user_id: 'alice' }), ['g1', 'g4'])
  assert.deepEqual(await page({ client_id: 'nobody' }), [])
  const found = await store.findGrant({ tenant_id, grant_id: 'g3' })
  assert.deepEqual([found?.username, found?.client_name, found?.revoked_at], ['bob', 'web', null])
  assert.equal(await store.findGrant({ tenant_id, grant_id: 'g5' }), null)
  assert.equal(await store.findGrant({ tenant_id, grant_id: 'nobody' }), null)
  assert.equal(await store.revokeGrant({ tenant_id, grant_id: 'g3', reason: 'test', event: stage.event() }), true)
  assert.equal((await store.findGrant({ tenant_id, grant_id: 'g3' }))?.revoked_reason, 'test')
})
