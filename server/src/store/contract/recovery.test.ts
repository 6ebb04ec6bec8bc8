import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf } from '../../../../test/parts/query_plan.ts'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'
import { findUsersByEmail, type UserLinkKind } from '../verbs/recovery.ts'
import { findSignInLinks } from '../verbs/sign_in_links.ts'

const MINUTE = 60_000

async function fill(stage: Stage): Promise<void> {
  const { store, tenant_id, event } = stage
  for (const user_id of ['alice', 'bob']) {
    const names = { user_id, username_key: user_id, username: user_id, name: null, email: `${user_id}@example.test` }
    const more = { email_verified: false, claims: '{}', roles: '[]', password_hash: `old of ${user_id}` }
    await store.createUser({ tenant_id, user: { ...names, ...more }, event: event() })
  }
}
const link = (stage: Stage, kind: UserLinkKind, id: string, user_id = 'alice', email = `${user_id}@example.test`) =>
  stage.store.createUserLink({
    ...{ tenant_id: stage.tenant_id, kind, user_id, email, secret_hash: bytes(id) },
    ...{ expires_at: stage.clock.now + 15 * MINUTE, event: stage.event('link') },
  })
const reset = ({ store, tenant_id, event }: Stage, id: string, user_id = 'alice') =>
  store.redeemResetLink({ tenant_id, user_id, secret_hash: bytes(id), password_hash: 'new', event: event('reset') })
const confirm = ({ store, tenant_id, event }: Stage, id: string, user_id = 'alice') =>
  store.redeemEmailLink({ tenant_id, user_id, secret_hash: bytes(id), event: event('confirm') })
const userOf = async ({ store, tenant_id }: Stage, user_id = 'alice') => (await store.findUser({ tenant_id, user_id }))!

contract('6.5.1 a reset link sets one password, and the epoch rises with it', async (stage) => {
  await fill(stage)
  await link(stage, 'reset', 'r1')
  const outcomes = await Promise.all(Array.from({ length: 64 }, () => reset(stage, 'r1')))
  assert.equal(outcomes.filter((outcome) => outcome === 'reset').length, 1)
  const alice = await userOf(stage)
  assert.deepEqual([alice.password_hash, alice.epoch, alice.email_verified], ['new', 1, 1])
  assert.equal((await userOf(stage, 'bob')).password_hash, 'old of bob')
})

contract(
  '6.4.1 CVE-2025-64708 a link is over after its time, when a newer one is there, and when its address is another',
  async (stage) => {
    const { store, tenant_id, clock, event } = stage
    await fill(stage)
    await link(stage, 'reset', 'r1')
    clock.now += MINUTE
    await link(stage, 'reset', 'r2')
    assert.equal(await reset(stage, 'r1'), 'spent')
    clock.now += 15 * MINUTE
    assert.equal(await reset(stage, 'r2'), 'spent')
    await link(stage, 'reset', 'r3')
    const change = { name: null, email: 'moved@example.test', email_verified: false, claims: '{}', roles: '[]' }
    await store.updateUser({ tenant_id, user: { user_id: 'alice', ...change, password_hash: null }, event: event() })
    assert.equal(await reset(stage, 'r3'), 'spent')
    await link(stage, 'reset', 'r4', 'alice', 'moved@example.test')
    await store.setUserDisabled({ tenant_id, user_id: 'alice', disabled: true, event: event() })
    assert.equal(await store.findUserLink({ tenant_id, kind: 'reset', secret_hash: bytes('r4') }), null)
    assert.equal(await reset(stage, 'r4'), 'spent', 'nobody who is disabled comes back by mail')
    assert.equal((await userOf(stage)).password_hash, 'old of alice')
  },
)

contract('6.6.2 a link does what it was made for, for whom it was made for', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  await link(stage, 'reset', 'r1')
  await link(stage, 'email', 'e1', 'alice', 'new@example.test')
  const find = (kind: UserLinkKind, id: string) => store.findUserLink({ tenant_id, kind, secret_hash: bytes(id) })
  assert.equal(await find('email', 'r1'), null)
  assert.equal(await find('reset', 'e1'), null)
  const found = await find('email', 'e1')
  assert.deepEqual([found?.email, found?.user.user_id], ['new@example.test', 'alice'])
  assert.equal(await confirm(stage, 'r1'), 'spent')
  assert.equal(await reset(stage, 'e1'), 'spent')
  assert.equal(await confirm(stage, 'e1', 'bob'), 'spent', 'of another user')
  assert.equal((await userOf(stage)).email, 'alice@example.test')
  assert.equal(await confirm(stage, 'e1'), 'confirmed')
  const alice = await userOf(stage)
  assert.deepEqual([alice.email, alice.email_verified, alice.epoch], ['new@example.test', 1, 0])
  assert.equal(await reset(stage, 'r1'), 'spent', 'the former mailbox is no longer the user’s')
  assert.equal(await confirm(stage, 'e1'), 'spent')
})

contract('a password that its user changes ends what the user wants ended, and once', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  await stage.client('web')
  for (const session_id of ['here', 'there']) await stage.session(session_id, 'alice')
  await stage.session('of bob', 'bob')
  await store.approveGrant(stage.newGrant('g1', { user_id: 'alice' }))
  await store.approveGrant(stage.newGrant('g2', { user_id: 'bob' }))
  await link(stage, 'reset', 'r1')
  const change = (former_hash: string, only_session_id: string | null, end_apps: boolean) =>
    store.changePassword({
      ...{ tenant_id, user_id: 'alice', former_hash, password_hash: `${former_hash}!`, only_session_id, end_apps },
      event: event('password.changed'),
    })
  const living = async (user_id: string) =>
    (await store.listSessionsOfUser({ tenant_id, user_id })).map(({ session_id }) => session_id).toSorted()
  const revoked = async (grant_id: string) =>
    (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id }))!.grant!.revoked_at
  const outcomes = await Promise.all(Array.from({ length: 16 }, () => change('old of alice', null, false)))
  assert.equal(outcomes.filter((outcome) => outcome === 'changed').length, 1)
  assert.deepEqual(await living('alice'), ['here', 'there'])
  assert.deepEqual([await revoked('g1'), (await userOf(stage)).epoch], [null, 0])
  assert.equal(await reset(stage, 'r1'), 'spent', 'who knows the password needs no link')
  assert.equal(await change('old of alice!', 'here', true), 'changed')
  assert.deepEqual([await living('alice'), await living('bob')], [['here'], ['of bob']])
  assert.deepEqual([await revoked('g1'), await revoked('g2')], [START, null])
})

contract(
  '6.5.1 whoever presses twice opens the letter that comes first, and with it the other is over',
  async (stage) => {
    const { clock, store, tenant_id, event } = stage
    await fill(stage)
    await link(stage, 'reset', 'r1')
    clock.now += MINUTE - 1
    await link(stage, 'reset', 'r2')
    assert.equal(
      (await store.findUserLink({ tenant_id, kind: 'reset', secret_hash: bytes('r2') }))?.user.user_id,
      'alice',
    )
    const opened = await Promise.all(['r1', 'r2', 'r1', 'r2'].map((id) => reset(stage, id)))
    assert.deepEqual(opened.toSorted(), ['reset', 'spent', 'spent', 'spent'], 'in the same moment, too')
    await link(stage, 'email', 'e1', 'alice', 'mistyped@example.test')
    await link(stage, 'email', 'e2')
    assert.equal(await confirm(stage, 'e1'), 'spent', 'that of another mailbox is over at once')
    assert.equal(await confirm(stage, 'e2'), 'confirmed')
    // By the time of the database, which is one for all; a letter of a replica whose clock is ahead is as old as others.
    const ahead = (kind: UserLinkKind, id: string) =>
      store.createUserLink({
        ...{ tenant_id, kind, user_id: 'bob', email: 'bob@example.test', secret_hash: bytes(id) },
        ...{ expires_at: clock.now + 15 * MINUTE, event: event('link', { at: clock.now + 5 * MINUTE }) },
      })
    const lives = async (kind: UserLinkKind, id: string) =>
      (await store.findUserLink({ tenant_id, kind, secret_hash: bytes(id) })) !== null
    await ahead('sign_in', 's1')
    await ahead('reset', 'b1')
    await link(stage, 'sign_in', 's2', 'bob')
    assert.deepEqual([await lives('sign_in', 's1'), await lives('sign_in', 's2')], [false, true])
    clock.now += MINUTE
    await link(stage, 'reset', 'b2', 'bob')
    assert.deepEqual([await lives('reset', 'b1'), await lives('reset', 'b2')], [false, true])
  },
)

contract('an address is found whatever its case, for everybody who has it', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  const find = async (email: string) =>
    (await store.findUsersByEmail({ tenant_id, email, most: 2 })).map(({ user_id }) => user_id)
  assert.deepEqual(await find('ALICE@Example.test'), ['alice'])
  assert.deepEqual(await find('alice@example.tes_'), [])
  await store.setUserDisabled({ tenant_id, user_id: 'alice', disabled: true, event: event() })
  assert.deepEqual(await find('alice@example.test'), [])
})

test('whoever asks about an address, without being signed in, too, has not all users of a tenant read for it', async () => {
  const [plan] = await planOf(findUsersByEmail.run({ tenant_id: 't', email: 'alice@example.test', most: 2 }))
  assert.match(plan!, /users_by_email \(tenant_id=\? AND <expr>=\?\)/)
})

/** What a link is for: a request of a browser, and the user as they are. */
async function signInLink(stage: Stage, id: string, { user_id = 'alice', asked = 'here', email = '' } = {}) {
  const { epoch } = await userOf(stage, user_id)
  await stage.store.createUserLink({
    ...{ tenant_id: stage.tenant_id, kind: 'sign_in', user_id, email: email || `${user_id}@example.test` },
    ...{ secret_hash: bytes(id), asked: { asked_hash: bytes(asked), user_epoch: epoch } },
    ...{ expires_at: stage.clock.now + 10 * MINUTE, event: stage.event('sign_in_link.asked') },
  })
}
async function confirmed(stage: Stage): Promise<void> {
  await fill(stage)
  for (const user_id of ['alice', 'bob']) {
    await link(stage, 'email', `address of ${user_id}`, user_id)
    await confirm(stage, `address of ${user_id}`, user_id)
  }
}
const signInBy = ({ store, tenant_id, clock, event }: Stage, id: string, n: number, user_id = 'alice') => {
  const now = clock.now
  const from = { auth_time: now, acr: null, amr: '[]', user_agent: null, epoch: 0, tenant_epoch: 0, user_epoch: 0 }
  return store.startSession({
    tenant_id,
    factor: { kind: 'sign_in_link', secret_hash: bytes(id) },
    session: {
      ...{ session_id: `session ${id} ${n}`, user_id, secret_hash: bytes(`${id} ${n}`), ...from },
      ...{ created_at: now, expires_at: now + 60 * MINUTE },
    },
    former_session_id: null,
    event: event('session.started'),
  })
}
const redeem = ({ store, tenant_id, event }: Stage, id: string, user_id = 'alice') =>
  store.redeemSignInLink({ tenant_id, user_id, secret_hash: bytes(id), event: event('sign_in_link.used') })
const found = async ({ store, tenant_id }: Stage, id: string) =>
  (await store.findSignInLinks({ tenant_id, hash: bytes(id) })).map(({ user }) => user.user_id)

contract('6.5.1 a link that signs in starts one session, and is its user’s alone', async (stage) => {
  await confirmed(stage)
  await signInLink(stage, 's1')
  assert.deepEqual(
    [await found(stage, 's1'), await found(stage, 'here'), await found(stage, 'there')],
    [['alice'], ['alice'], []],
  )
  assert.equal(await signInBy(stage, 's1', 0, 'bob'), 'spent')
  const outcomes = await Promise.all(Array.from({ length: 64 }, (_, n) => signInBy(stage, 's1', n)))
  assert.equal(outcomes.filter((outcome) => outcome === 'started').length, 1)
  assert.deepEqual([await found(stage, 's1'), await found(stage, 'here')], [[], []])
  await signInLink(stage, 's2')
  await signInLink(stage, 's3', { user_id: 'bob' })
  assert.deepEqual((await found(stage, 'here')).toSorted(), ['alice', 'bob'], 'an address may be that of several users')
  const redeemed = await Promise.all(Array.from({ length: 64 }, () => redeem(stage, 's2')))
  assert.equal(redeemed.filter((outcome) => outcome === 'redeemed').length, 1)
  assert.equal(await redeem(stage, 's3'), 'spent', 'of another user')
  assert.deepEqual(await found(stage, 'here'), ['bob'])
  const { store, tenant_id } = stage
  assert.equal((await store.listSessionsOfUser({ tenant_id, user_id: 'alice' })).length, 1)
  const events = await store.pageEvents({ tenant_id, before_event_id: '~', type: '', actor: '', most: 1000 })
  const counted = (type: string) => events.filter((one) => one.type === type).length
  assert.deepEqual([counted('sign_in_link.used'), counted('sign_in_link.asked')], [1, 3])
})

test('a link that signs in is found by its own hash or that of who asked, and not among all of a tenant', async () => {
  const [plan] = await planOf(findSignInLinks.run({ tenant_id: 't', hash: bytes('h') }))
  assert.match(plan!, /one_time_links_1 \(tenant_id=\? AND kind=\? AND secret_hash=\?\)/)
  assert.match(plan!, /one_time_links_by_asked \(tenant_id=\? AND asked_hash=\?\)/)
})

contract('6.6.2 7.4.3 a link that signs in ends with whatever says that its user is another one now', async (stage) => {
  const { store, tenant_id, clock, event } = stage
  await confirmed(stage)
  const update = (more: { email?: string; email_verified?: boolean }) => {
    const same = { user_id: 'alice', name: null, claims: '{}', roles: '[]', password_hash: null }
    const user = { ...same, email: 'alice@example.test', email_verified: true, ...more }
    return store.updateUser({ tenant_id, user, event: event() })
  }
  const setDisabled = (disabled: boolean) =>
    store.setUserDisabled({ tenant_id, user_id: 'alice', disabled, event: event() })
  const ends: Record<string, () => Promise<unknown>> = {
    'a newer one': () => signInLink(stage, 'newer'),
    'its time': async () => {
      clock.now += 10 * MINUTE
    },
    'another address': () => update({ email: 'moved@example.test' }),
    'an address that is confirmed no more': () => update({ email_verified: false }),
    'a confirmed address': async () => {
      await link(stage, 'email', `e${clock.now}`)
      await confirm(stage, `e${clock.now}`)
    },
    'a reset': async () => {
      await link(stage, 'reset', 'r')
      assert.equal(await reset(stage, 'r'), 'reset')
    },
    'a changed password': () =>
      store.changePassword({
        ...{ tenant_id, user_id: 'alice', former_hash: 'new', password_hash: 'newer' },
        ...{ only_session_id: null, end_apps: false, event: event() },
      }),
    'the end of all sessions': () =>
      store.endOtherSessions({ tenant_id, user_id: 'alice', kept_session_id: '', event: event() }),
    'a disablement, even one that is over': async () => {
      await setDisabled(true)
      await setDisabled(false)
    },
  }
  let n = 0
  for (const [what, end] of Object.entries(ends)) {
    const id = `link ${n++}`
    await signInLink(stage, id, { asked: `asked ${id}` })
    assert.deepEqual(await found(stage, id), ['alice'], what)
    await end()
    assert.deepEqual(await found(stage, id), [], what)
    assert.deepEqual([await redeem(stage, id), await signInBy(stage, id, n)], ['spent', 'spent'], what)
    await update({})
  }
})
