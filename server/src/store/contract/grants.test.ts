import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'
import type { Redemption, Rotation } from '../verbs/grants.ts'

const MINUTE = 60_000
// A consent without an end, of a time when hosts were not written down.
const NEVER = { expires_at: null, redirect_hosts: null }

async function fill(stage: Stage): Promise<void> {
  await Promise.all([stage.client('web'), stage.client('other'), stage.user('alice'), stage.user('bob')])
}
const load = ({ store, tenant_id }: Stage, grant_id = 'g1') =>
  store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id })
const redemption = ({ tenant_id, event }: Stage, more: Partial<Redemption> = {}): Redemption => ({
  ...{ tenant_id, grant_id: 'g1', code_hash: bytes('code of g1'), attempt_id: 'try 1' },
  ...{ refresh: { hash: bytes('r1'), kid: 1 }, idle_expires_at: START + MINUTE, ...more },
  replay_event: event('code.replayed'),
})
const rotation = (n: number, more: Partial<Rotation> = {}): Omit<Rotation, 'tenant_id'> => ({
  ...{ grant_id: 'g1', generation: n, hash: bytes(`r${n}`), successor_hash: bytes(`r${n + 1}`), kid: 1 },
  ...{ idle_expires_at: START + n * MINUTE, ...more },
})
const typesOf = async ({ store, tenant_id }: Stage, type: string) =>
  (await store.pageEvents({ tenant_id, before_event_id: 'g', type, actor: '', most: 100 })).length

contract('what decides about a grant is read in one, and holds nothing that was joined to it', async (stage) => {
  const { store, tenant_id, newGrant } = stage
  await fill(stage)
  await stage.session('s1', 'alice')
  const all = {
    ...{ session_id: 's1', scope: 'openid read', resource: '["https://api.example"]', offline: 0, nonce: 'n' },
    ...{
      authorization_details: '[]',
      connections: '["c1"]',
      role: 'clerk',
      acr: '1',
      amr: '["pwd"]',
      code_challenge: 'cc',
      cnf: '{"jkt":"k"}',
    },
    ...{ redirect_uri: 'https://app.example/cb', idle_expires_at: START + MINUTE, tenant_epoch: 1, client_epoch: 2 },
    ...{ user_epoch: 3, session_epoch: 4 },
  }
  const made = newGrant('g1', all)
  await store.approveGrant(made)
  const authority = await store.loadGrantAuthority({ tenant_id, client_id: 'other', grant_id: 'g1' })
  assert.deepStrictEqual(authority, {
    now: START,
    tenant: { tenant_id, epoch: 0, config_version: 0, disabled_at: null },
    client: (await store.loadClientAuthority({ tenant_id, client_id: 'other' }))!.client,
    grant_client: { epoch: START, disabled_at: null },
    grant: {
      ...made.grant,
      claims: null,
      ...{ code_redeemed_at: null, code_failures: 0, refresh_generation: 0, refresh_hash: null },
      ...{ refresh_previous_hash: null, refresh_kid: null, refresh_rotated_at: null, restored_at: null },
      revoked_at: null,
    },
    user: {
      ...{ user_id: 'alice', username: 'alice', name: null, email: null, email_verified: 0, claims: '{}', roles: '[]' },
      ...{ epoch: 0, disabled_at: null, updated_at: START },
    },
    session: { sid: 's1', epoch: 0, ended_at: null, expires_at: START + 3_600_000 },
  })
  const none = await store.loadGrantAuthority({ tenant_id, client_id: 'gone', grant_id: 'gone' })
  assert.deepStrictEqual(none, {
    ...{
      now: START,
      tenant: authority!.tenant,
      client: null,
      grant: null,
      grant_client: null,
      user: null,
      session: null,
    },
  })
  assert.equal(await store.loadGrantAuthority({ tenant_id: 'nobody', client_id: 'web', grant_id: 'g1' }), null)
})

contract('a grant needs its client and its user, and its id is given once', async (stage) => {
  const { store, newGrant } = stage
  await fill(stage)
  await assert.rejects(store.approveGrant(newGrant('g1', { client_id: 'gone' })), /foreign key/i)
  await assert.rejects(store.approveGrant(newGrant('g1', { user_id: 'gone' })), /foreign key/i)
  await store.approveGrant(newGrant('g1'))
  await assert.rejects(store.approveGrant(newGrant('g1', { user_id: 'bob' })), /unique/i)
  assert.equal((await load(stage))!.grant!.user_id, 'alice')
  assert.equal(await typesOf(stage, 'grant.approved'), 1)
})

contract(
  'a consent is remembered with its grant, replaced by the next, and left by a grant without one',
  async (stage) => {
    const { store, tenant_id, newGrant, clock } = stage
    await fill(stage)
    await stage.session('s1', 'alice')
    const remembered = async (client_id = 'web') =>
      (await store.loadBrowserAuthority({ tenant_id, session_id: 's1', client_id }))!.consent
    const first = { scope: 'openid', resource: '[]', connections: null, ...NEVER }
    const hosts = { expires_at: START + 1, redirect_hosts: '["app.example"]' }
    const second = { scope: 'openid read', resource: '["https://api.example"]', connections: '["c1"]', ...hosts }
    assert.equal(await remembered(), null)
    await store.approveGrant({ ...newGrant('g1'), consent: first })
    assert.deepStrictEqual(await remembered(), first)
    clock.now += 1
    await store.approveGrant({ ...newGrant('g2'), consent: second })
    assert.deepStrictEqual(await remembered(), second)
    await store.approveGrant(newGrant('g3'))
    assert.deepStrictEqual(await remembered(), second)
    assert.equal(await remembered('other'), null)
    await store.approveGrant({ ...newGrant('g4', { user_id: 'bob' }), consent: first })
    assert.deepStrictEqual(await remembered(), second)
  },
)

contract('a code is redeemed once, and a second redemption ends the grant with one event', async (stage) => {
  const { store, newGrant, clock } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1'))
  clock.now += 10
  assert.equal(await store.redeemCode(redemption(stage)), 'redeemed')
  const { grant } = (await load(stage))!
  assert.equal(grant!.code_redeemed_at, START + 10)
  assert.deepStrictEqual([grant!.refresh_generation, grant!.refresh_hash, grant!.refresh_kid], [1, bytes('r1'), 1])
  assert.equal(grant!.refresh_rotated_at, START + 10)
  assert.equal(grant!.idle_expires_at, START + MINUTE)
  assert.equal(grant!.revoked_at, null)
  clock.now += 10
  assert.equal(await store.redeemCode(redemption(stage, { attempt_id: 'try 2' })), 'replayed')
  assert.equal((await load(stage))!.grant!.revoked_at, START + 20)
  assert.equal(await store.redeemCode(redemption(stage, { attempt_id: 'try 3' })), 'replayed')
  assert.equal(await typesOf(stage, 'code.replayed'), 1)
})

contract('the same try again, after an outcome that was not heard, is redeemed and ends nothing', async (stage) => {
  const { store, newGrant } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1'))
  assert.equal(await store.redeemCode(redemption(stage)), 'redeemed')
  assert.equal(await store.redeemCode(redemption(stage)), 'redeemed')
  assert.equal((await load(stage))!.grant!.revoked_at, null)
  assert.equal(await typesOf(stage, 'code.replayed'), 0)
})

contract('a redemption without refresh token leaves the grant without one', async (stage) => {
  const { store, newGrant } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1'))
  assert.equal(await store.redeemCode(redemption(stage, { refresh: null, idle_expires_at: null })), 'redeemed')
  const { grant } = (await load(stage))!
  assert.deepEqual([grant!.refresh_generation, grant!.refresh_hash, grant!.idle_expires_at], [0, null, null])
})

contract(
  'a code is gone when it is wrong, unknown, expired or of a grant that ended, and that changes nothing',
  async (stage) => {
    const { store, tenant_id, newGrant, clock, event } = stage
    await fill(stage)
    await store.approveGrant(newGrant('g1'))
    await store.approveGrant(newGrant('g2'))
    const before = await load(stage)
    assert.equal(await store.redeemCode(redemption(stage, { code_hash: bytes('wrong') })), 'gone')
    assert.equal(await store.redeemCode(redemption(stage, { grant_id: 'unknown' })), 'gone')
    assert.equal(await store.redeemCode(redemption(stage, { grant_id: 'g2' })), 'gone')
    assert.deepStrictEqual(await load(stage), before)
    await store.revokeGrant({ tenant_id, grant_id: 'g2', reason: 'test', event: event() })
    assert.equal(await store.redeemCode(redemption(stage, { grant_id: 'g2', code_hash: bytes('code of g2') })), 'gone')
    clock.now += MINUTE
    assert.equal(await store.redeemCode(redemption(stage)), 'gone')
    clock.now -= 1
    assert.equal(await store.redeemCode(redemption(stage)), 'redeemed')
  },
)

contract('wrong tries at a code are counted until it is redeemed', async (stage) => {
  const { store, tenant_id, newGrant } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1'))
  const count = () => store.countCodeFailure({ tenant_id, grant_id: 'g1' })
  await Promise.all([count(), count()])
  await count()
  assert.equal((await load(stage))!.grant!.code_failures, 3)
  await store.redeemCode(redemption(stage))
  await count()
  assert.equal((await load(stage))!.grant!.code_failures, 3)
})

contract('a refresh token rotates from its own generation and hash, and is stale otherwise', async (stage) => {
  const { store, tenant_id, newGrant, clock } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1'))
  await store.redeemCode(redemption(stage))
  const rotate = (n: number, more: Partial<Rotation> = {}) =>
    store.rotateRefreshToken({ tenant_id, ...rotation(n, more) })
  clock.now += 1000
  assert.equal(await rotate(1, { kid: 2 }), 'rotated')
  const { grant } = (await load(stage))!
  assert.deepStrictEqual(
    [grant!.refresh_generation, grant!.refresh_hash, grant!.refresh_previous_hash, grant!.refresh_kid],
    [2, bytes('r2'), bytes('r1'), 2],
  )
  assert.deepEqual([grant!.refresh_rotated_at, grant!.idle_expires_at], [START + 1000, START + MINUTE])
  const before = await load(stage)
  assert.equal(await rotate(1), 'stale')
  assert.equal(await rotate(2, { hash: bytes('wrong') }), 'stale')
  assert.equal(await rotate(3), 'stale')
  assert.equal(await rotate(3, { hash: bytes('r2') }), 'stale')
  assert.equal(await rotate(2, { grant_id: 'unknown' }), 'stale')
  assert.deepStrictEqual(await load(stage), before)
  assert.equal(await rotate(2, { idle_expires_at: null }), 'rotated')
  assert.equal((await load(stage))!.grant!.idle_expires_at, null)
})

contract('a revoked grant rotates no more', async (stage) => {
  const { store, tenant_id, newGrant, event, clock } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1'))
  await store.redeemCode(redemption(stage))
  clock.now += 5
  const revoke = (grant_id: string) =>
    store.revokeGrant({ tenant_id, grant_id, reason: 'token_revoked', event: event('grant.revoked') })
  assert.equal(await revoke('g1'), true)
  assert.equal((await load(stage))!.grant!.revoked_at, START + 5)
  assert.equal(await revoke('g1'), false)
  assert.equal(await revoke('unknown'), false)
  assert.equal(await store.rotateRefreshToken({ tenant_id, ...rotation(1) }), 'stale')
  assert.equal(await typesOf(stage, 'grant.revoked'), 1)
})

contract('the same revocation again, after an outcome that was not heard, answers the same', async (stage) => {
  const { store, tenant_id, newGrant, event } = stage
  await fill(stage)
  await store.approveGrant(newGrant('g1'))
  const args = { tenant_id, grant_id: 'g1', reason: 'token_revoked', event: event('grant.revoked') }
  assert.equal(await store.revokeGrant(args), true)
  assert.equal(await store.revokeGrant(args), true)
  assert.equal(await typesOf(stage, 'grant.revoked'), 1)
})

contract('a withdrawn consent ends every grant of that user with that client, and no other', async (stage) => {
  const { store, tenant_id, newGrant, event } = stage
  await fill(stage)
  await stage.session('s1', 'alice')
  const consent = { scope: 'openid', resource: '[]', connections: null, ...NEVER }
  await store.approveGrant({ ...newGrant('g1'), consent })
  await store.approveGrant({ ...newGrant('g2'), consent })
  await store.approveGrant({ ...newGrant('g3', { client_id: 'other' }), consent })
  await store.approveGrant({ ...newGrant('g4', { user_id: 'bob' }), consent })
  const withdraw = () => store.withdrawConsent({ tenant_id, user_id: 'alice', client_id: 'web', event: event() })
  assert.equal(await withdraw(), 2)
  const revoked = async (grant_id: string) => (await load(stage, grant_id))!.grant!.revoked_at
  const ends = [await revoked('g1'), await revoked('g2'), await revoked('g3'), await revoked('g4')]
  assert.deepEqual(ends, [START, START, null, null])
  const remembered = async (client_id: string) =>
    (await store.loadBrowserAuthority({ tenant_id, session_id: 's1', client_id }))!.consent
  assert.equal(await remembered('web'), null)
  assert.deepStrictEqual(await remembered('other'), consent)
  assert.equal(await withdraw(), 0)
})

contract('what rests on a consent is not made once that is withdrawn', async (stage) => {
  const { store, tenant_id, newGrant, event } = stage
  await fill(stage)
  const consent = { scope: 'openid', resource: '[]', connections: null, ...NEVER }
  const rest = (grant_id: string) => store.approveGrant({ ...newGrant(grant_id), rests_on_consent: true })
  assert.equal(await rest('g1'), 'withdrawn')
  assert.equal(await store.approveGrant({ ...newGrant('g2'), consent }), 'approved')
  assert.equal(await rest('g3'), 'approved')
  await store.withdrawConsent({ tenant_id, user_id: 'alice', client_id: 'web', event: event() })
  assert.equal(await rest('g4'), 'withdrawn')
  for (const grant_id of ['g1', 'g4']) assert.equal((await load(stage, grant_id))!.grant, null)
  assert.equal(await typesOf(stage, 'grant.approved'), 2)
})

contract('a grant without a code is made with its first refresh token, which then rotates', async (stage) => {
  const { store, tenant_id } = stage
  await Promise.all([stage.client('web'), stage.user('alice')])
  const made = stage.newGrant('g1', { code_hash: null, code_expires_at: null })
  assert.equal(await store.approveGrant({ ...made, refresh: { hash: bytes('r1'), kid: 3 } }), 'approved')
  const load = async () => (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id: 'g1' }))!.grant!
  const { refresh_generation, refresh_hash, refresh_kid, code_redeemed_at } = await load()
  assert.deepEqual([refresh_generation, refresh_kid, code_redeemed_at], [1, 3, START])
  assert.deepEqual(refresh_hash, bytes('r1'))
  const rotation = { tenant_id, grant_id: 'g1', generation: 1, hash: bytes('r1'), successor_hash: bytes('r2'), kid: 3 }
  assert.equal(await store.rotateRefreshToken({ ...rotation, idle_expires_at: null }), 'rotated')
  assert.equal((await load()).refresh_generation, 2)
})
