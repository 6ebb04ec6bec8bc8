import assert from 'node:assert/strict'
import { dumpRows } from '../../../../test/parts/snapshot.ts'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'
import type { EndedSince } from '../verbs/restored.ts'

const NOTHING: EndedSince = { type: '', client_id: null, user_id: null, grant_id: null, connection_id: null }

/** Clients that prove themselves (`web`) and that do not (`spa`), two people, and grants with refresh tokens. */
async function fill(
  stage: Stage,
  grants: readonly [grant_id: string, client_id: string, user_id: string][],
  mark = '',
) {
  const { store, tenant_id, event } = stage
  const methods = { web: 'client_secret_basic', spa: 'none' }
  for (const [name, token_endpoint_auth_method] of Object.entries(methods)) {
    const client = { client_id: `${name}${mark}`, client_name: name, source: 'console', trusted: false }
    const metadata = JSON.stringify({ token_endpoint_auth_method })
    await store.createClient({ tenant_id, client: { ...client, client_secret_hash: null, metadata }, event: event() })
  }
  await Promise.all(['alice', 'bob'].map((user_id) => stage.user(`${user_id}${mark}`)))
  for (const [grant_id, client_id, user_id] of grants) {
    await approve(stage, `${grant_id}${mark}`, { client_id: `${client_id}${mark}`, user_id: `${user_id}${mark}` })
  }
}

async function approve(stage: Stage, grant_id: string, more: object) {
  const made = stage.newGrant(grant_id, { code_hash: null, code_expires_at: null, ...more })
  assert.equal(await stage.store.approveGrant({ ...made, refresh: { hash: bytes(grant_id), kid: 1 } }), 'approved')
}

const settle = ({ store, tenant_id, event }: Stage, keep_proven: boolean) =>
  store.settleRestored({ tenant_id, made_at: START - 5, keep_proven, event: event('tenant.restored') })

const rowsOf = async ({ store, tenant_id }: Stage, table: string) =>
  ((await dumpRows(store)).get(table) ?? []).filter((row) => row['tenant_id'] === tenant_id)

const living = async (stage: Stage) => {
  const [tenant] = await rowsOf(stage, 'tenants')
  const grants = await rowsOf(stage, 'grants')
  return grants
    .filter(({ revoked_at, tenant_epoch }) => revoked_at === null && Number(tenant_epoch) === Number(tenant!['epoch']))
    .map(({ grant_id }) => grant_id)
    .sort()
}

contract(
  'of a restored tenant no grant lives, whatever it hangs on, unless what ended since is known',
  async (stage) => {
    await fill(stage, [
      ['g1', 'web', 'alice'],
      ['g2', 'spa', 'alice'],
    ])
    assert.deepStrictEqual(await settle(stage, false), { kept_grants: 0, ended_grants: 2 })
    assert.deepEqual(await living(stage), [])
    assert.deepStrictEqual(
      await settle(stage, true),
      { kept_grants: 0, ended_grants: 0 },
      'what ended does not come back',
    )
  },
)

contract(
  'what is known to live goes on where a token alone is worth nothing: of proven clients, and bound to a key',
  async (stage) => {
    const { store, tenant_id, event } = stage
    await fill(stage, [
      ['g1', 'web', 'alice'],
      ['g2', 'spa', 'alice'],
    ])
    await approve(stage, 'g3', { client_id: 'spa', cnf: '{"jkt":"x"}' })
    await approve(stage, 'g4', { expires_at: START - 1 })
    await stage.session('s1', 'alice')
    await approve(stage, 'g5', { offline: 0, session_id: 's1' })
    await store.approveGrant(stage.newGrant('g6'))
    await store.revokeGrant({ tenant_id, grant_id: 'g1', reason: 'test', event: event() })
    await approve(stage, 'g7', {})
    assert.deepStrictEqual(await settle(stage, true), { kept_grants: 2, ended_grants: 3 })
    assert.deepEqual(await living(stage), ['g3', 'g7'])
  },
)

contract('a grant of before its tenant was disabled stays dead when it is restored', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage, [['g1', 'web', 'alice']])
  for (const disabled of [true, false]) await store.setTenantDisabled({ tenant_id, disabled, event: event() })
  assert.deepStrictEqual(await settle(stage, true), { kept_grants: 0, ended_grants: 1 })
})

contract(
  'the epoch of a restored tenant is above all that it ever had, and resource servers hear of it',
  async (stage) => {
    const { store, tenant_id, clock } = stage
    await settle(stage, false)
    const state = async () => {
      const { epoch, config_version } = (await store.loadTenantState({ tenant_id }))!
      assert.ok(config_version >= START, 'no version of before comes again')
      return epoch
    }
    assert.equal(await state(), START)
    await settle(stage, false)
    assert.equal(await state(), START + 1, 'restored twice in one moment')
    clock.now += 1000
    await settle(stage, false)
    assert.equal(await state(), START + 1000)
    await store.numberRevocations({ tenant_id, most: 10 })
    // Whoever had read up to a number that was given after the backup is told all the same.
    const page = await store.pageRevocations({
      tenant_id,
      after_sequence: 1_000_000,
      youngest_ms: 86_400_000,
      most: 10,
    })
    const issuer = `https://${tenant_id}.example`
    assert.deepEqual(
      page.revocations.map(({ kind, value, epoch }) => [kind, value, epoch]),
      [START, START + 1, START + 1000].map((epoch) => ['iss', issuer, epoch]),
    )
  },
)

contract('I7 what works once and may have been used since the backup works no more', async (stage) => {
  const { store, tenant_id, clock } = stage
  await fill(stage, [])
  await stage.session('s1', 'alice')
  const times = { created_at: clock.now, expires_at: clock.now + 60_000 }
  await store.pushRequest({ tenant_id, request_hash: bytes('r'), client_id: 'web', sealed: bytes('x'), ...times })
  await store.createOneTimeLink({ tenant_id, kind: 'setup', secret_hash: bytes('l'), at: START, expires_at: START + 1 })
  await settle(stage, true)
  for (const table of ['pushed_requests', 'one_time_links', 'device_codes', 'consents', 'permanent_tokens', 'leases']) {
    assert.deepEqual(await rowsOf(stage, table), [], table)
  }
  const [session] = await rowsOf(stage, 'sessions')
  assert.equal(Number(session!['ended_at']), clock.now)
})

const ENDS: readonly (readonly [type: string, names: Partial<EndedSince>, left: string[]])[] = [
  ['grant.revoked', { grant_id: 'g1', user_id: 'alice', client_id: 'web' }, ['g2', 'g3']],
  ['consent.withdrawn', { user_id: 'alice', client_id: 'web' }, ['g2', 'g3']],
  ['connection.taken_back', { user_id: 'alice', client_id: 'web', connection_id: 'x' }, ['g2', 'g3']],
  ['password.reset', { user_id: 'alice' }, ['g3']],
  ['user.disabled', { user_id: 'alice' }, ['g3']],
  ['user.deleted', { user_id: 'alice' }, ['g3']],
  ['client.disabled', { client_id: 'web' }, ['g2']],
  ['type.of_the_future', { client_id: 'web' }, ['g2']],
  ['session.started', { user_id: 'alice' }, ['g1', 'g2', 'g3']],
  ['connection.used', { grant_id: 'g1' }, ['g1', 'g2', 'g3']],
  ['tenant.disabled', {}, []],
]

contract(
  'an event since the backup ends what it names: a grant, those of a user, of a client, or all',
  async (stage) => {
    const { store, tenant_id } = stage
    for (const [i, [type, names, left]] of ENDS.entries()) {
      const mark = `-${i}`
      await fill(
        stage,
        [
          ['g1', 'web', 'alice'],
          ['g2', 'spa', 'alice'],
          ['g3', 'web', 'bob'],
        ],
        mark,
      )
      const named = Object.fromEntries(Object.entries(names).map(([name, value]) => [name, `${value}${mark}`]))
      await store.replayEnded({ tenant_id, ended: [{ ...NOTHING, type, ...named }] })
      const all = { tenant_id, client_id: '', user_id: '', after_grant_id: '', most: 100 }
      const alive = (await store.pageGrants(all)).filter(({ revoked_at }) => revoked_at === null)
      const own = alive.map(({ grant_id }) => grant_id).filter((grant_id) => grant_id.endsWith(mark))
      assert.deepEqual(
        own.sort(),
        left.map((grant_id) => `${grant_id}${mark}`),
        type,
      )
      const client = await store.findClient({ tenant_id, client_id: `web${mark}` })
      assert.equal(client!.disabled_at !== null, type === 'client.disabled', type)
      const state = await store.loadTenantState({ tenant_id })
      assert.equal(state!.disabled_at !== null, type === 'tenant.disabled', type)
    }
    const users = await rowsOf(stage, 'users')
    for (const [i, [type]] of ENDS.entries()) {
      const user = users.find(({ user_id }) => user_id === `alice-${i}`)
      assert.equal(user!['disabled_at'] !== null, /^user\./.test(type), type)
      assert.equal(user!['deleted_at'] !== null, type === 'user.deleted', type)
      assert.equal(String(user!['username_key']).startsWith('\u0001'), type === 'user.deleted', 'nobody is known again')
    }
    assert.deepStrictEqual((await settle(stage, true)).kept_grants, 0, 'after the end of all')
  },
)

contract('a restored grant goes forward to a proven generation, once, and no other grant does', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage, [
    ['g1', 'web', 'alice'],
    ['g2', 'spa', 'alice'],
  ])
  const forward = (grant_id: string, from: number, generation: number) =>
    store.forwardRefreshToken({ tenant_id, grant_id, from, generation, hash: bytes('new'), event: event() })
  assert.equal(await forward('g1', 1, 5), false, 'it was not restored')
  await settle(stage, true)
  assert.equal(await forward('g1', 2, 5), false, 'it is not there')
  assert.equal(await forward('g1', 1, 1), false, 'it does not go back')
  assert.equal(await forward('g1', 1, 5), true)
  assert.equal(await forward('g1', 1, 5), false)
  assert.equal(await forward('g2', 1, 5), false, 'it ended')
  const authority = await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id: 'g1' })
  const { refresh_generation, refresh_hash, refresh_previous_hash } = authority!.grant!
  assert.deepStrictEqual([refresh_generation, refresh_hash, refresh_previous_hash], [5, bytes('new'), null])
})
