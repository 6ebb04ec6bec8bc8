import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const ANSWER = {
  ...{ sealed_tokens: bytes('sealed'), scope: 'openid', refresh_fingerprint: bytes('R1'), issued_at: START },
  ...{ access_expires_at: START + 10, refresh_expires_at: null },
}

const remove = ({ store, tenant_id, event }: Stage, user_id = 'alice') =>
  store.deleteUser({
    tenant_id,
    user_id,
    indispensable_role: 'administrator',
    event: event('user.deleted', { user_id }),
  })
const erase = ({ store, tenant_id }: Stage, most = 100) => store.eraseDeletedUser({ tenant_id, user_id: 'alice', most })

contract('a deleted user is found by nobody, is never enabled again, and leaves the username free', async (stage) => {
  const { store, tenant_id, event } = stage
  await Promise.all([stage.user('alice'), stage.user('bob')])
  const { username } = (await store.findUser({ tenant_id, user_id: 'alice' }))!
  assert.equal(await remove(stage), 'deleted')
  assert.equal(await remove(stage), 'unknown')
  assert.equal(await remove(stage, 'nobody'), 'unknown')
  assert.equal(await store.findUser({ tenant_id, user_id: 'alice' }), null)
  assert.equal(await store.findUserByUsername({ tenant_id, username_key: username }), null)
  const listed = await store.pageUsers({ tenant_id, after_user_id: '', most: 9 })
  const found = await store.searchUsers({ tenant_id, username_key: '', most: 9 })
  assert.deepEqual(
    [listed, found].map((users) => users.map(({ user_id }) => user_id)),
    [['bob'], ['bob']],
  )
  const enabled = { tenant_id, user_id: 'alice', disabled: false, event: event() }
  assert.equal(await store.setUserDisabled(enabled), false)
  const user = {
    ...{ user_id: 'alice', name: 'A', email: null, email_verified: false, claims: '{}', roles: '[]' },
    password_hash: null,
  }
  assert.equal(await store.updateUser({ tenant_id, user, event: event() }), false)
  const again = { ...user, user_id: 'alice2', username, username_key: username }
  assert.equal(await store.createUser({ tenant_id, user: again, event: event() }), true)
})

contract('the user_id of a deleted user stays taken', async (stage) => {
  const { store, tenant_id } = stage
  await stage.user('alice')
  const known = (user_id: string) => store.isUserId({ tenant_id, user_id })
  await remove(stage)
  assert.deepEqual([await known('alice'), await known('bob')], [true, false])
  assert.equal((await store.findUsernames({ tenant_id, user_ids: ['alice'] }))[0]?.username, 'alice')
})

contract('what a deleted user was issued is dead, and resource servers are told', async (stage) => {
  const { store, tenant_id, newGrant } = stage
  await Promise.all([stage.client('web'), stage.user('alice')])
  await stage.session('s1', 'alice')
  await store.approveGrant(newGrant('g1'))
  await remove(stage)
  assert.deepEqual(await store.listGrantsOfUser({ tenant_id, user_id: 'alice' }), [])
  assert.deepEqual(await store.listSessionsOfUser({ tenant_id, user_id: 'alice' }), [])
  await store.numberRevocations({ tenant_id, most: 10 })
  const { revocations } = await store.pageRevocations({ tenant_id, after_sequence: 0, youngest_ms: 1, most: 10 })
  assert.ok(revocations.some(({ kind, value, epoch }) => kind === 'sub' && value === 'alice' && epoch === 1))
})

contract('the details of what a deleted user did are erased some at a time, and nobody else\u2019s', async (stage) => {
  const { store, tenant_id, event } = stage
  await Promise.all([stage.user('alice'), stage.user('bob')])
  const told = (user_id: string) => event('factor.added', { user_id, detail: { name: `of ${user_id}` } })
  for (const user_id of ['alice', 'bob', 'alice', 'alice']) await store.recordEvent(told(user_id))
  assert.equal(await erase(stage), 0, 'nobody who is there is erased')
  await remove(stage)
  assert.deepEqual([await erase(stage, 2), await erase(stage, 2), await erase(stage, 2)], [2, 1, 0])
  const details = async (user_id: string) => {
    const events = await store.pageEvents({ tenant_id, user_id, before_event_id: '~', type: '', actor: '', most: 9 })
    return events.map(({ type, detail }) => `${type} ${detail}`)
  }
  const gone = 'factor.added {}'
  assert.deepEqual((await details('alice')).slice(0, 4), ['user.deleted {}', gone, gone, gone])
  assert.equal((await details('bob'))[0], 'factor.added {"name":"of bob"}')
})

contract('what is stored of a user while they are deleted is erased until nothing can be under way', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await stage.user('alice')
  await stage.session('s1', 'alice')
  await remove(stage)
  await erase(stage)
  const finish = () => store.finishErasure({ tenant_id, user_id: 'alice', after_ms: 1000 })
  const left = () => store.listUsersToErase({ tenant_id })
  await finish()
  assert.deepEqual(await left(), ['alice'])
  const identity = { authority: 'https://idp.example', account: 'a', account_name: 'Alice', connector: 'idp' }
  await store.linkIdentity({
    tenant_id,
    identity,
    user_id: 'alice',
    event: event('identity.linked', { detail: { account: 'a' }, user_id: 'alice' }),
  })
  assert.equal(await erase(stage), 1)
  assert.deepEqual(await store.listIdentitiesOfUser({ tenant_id, user_id: 'alice' }), [])
  assert.deepEqual(await store.useIdentity({ tenant_id, authority: identity.authority, account: 'a' }), null)
  clock.now += 1001
  await finish()
  assert.deepEqual(await left(), [])
})

contract('connections of a deleted user are at their end, and say nothing of the account', async (stage) => {
  const { store, tenant_id, event } = stage
  await Promise.all([stage.user('alice'), stage.user('bob')])
  const connector = { connector: 'acme', provider: 'oidc', client_id: 'web', sealed_client_secret: null }
  const more = { scope: 'openid', settings: '{}', version: 1 }
  await store.createConnector({ tenant_id, connector: { ...connector, ...more }, event: event() })
  for (const user_id of ['alice', 'bob']) {
    await store.connectAccount({
      ...{ tenant_id, connection_id: `c-${user_id}`, connector: 'acme', connector_version: 1, user_id },
      ...{ account: `account-${user_id}`, account_name: user_id, generation: null, data_key: bytes('key') },
      ...{ answer: ANSWER, event: event() },
    })
  }
  await remove(stage)
  await erase(stage)
  const overdue = await store.listOverdueConnections({ tenant_id, after: null, most: 10 })
  assert.deepEqual(
    overdue.map(({ connection_id }) => connection_id),
    ['c-alice'],
  )
  const shown = async () => {
    const { connection } = (await store.loadConnection({ tenant_id, connection_id: 'c-alice' }))!
    return [connection.account, connection.account_name]
  }
  const left = async () => {
    await store.finishErasure({ tenant_id, user_id: 'alice', after_ms: -1 })
    return store.listUsersToErase({ tenant_id })
  }
  assert.deepEqual(await shown(), ['account-alice', null], 'what else rests on it is asked for by the account')
  assert.deepEqual(await left(), ['alice'])
  const ended = { tenant_id, connection_id: 'c-alice' }
  await store.disconnectConnection({ ...ended, reason: 'ended', event: event() })
  await store.destroyDataKey({ ...ended, event: event() })
  await erase(stage)
  assert.deepEqual([await shown(), await left()], [[null, null], []])
  assert.equal((await store.loadConnection({ tenant_id, connection_id: 'c-bob' }))?.connection.account, 'account-bob')
})

contract('whoever holds a role that somebody must hold is not deleted when nobody else does', async (stage) => {
  const { store, tenant_id, event } = stage
  const user = { name: null, email: null, email_verified: false, claims: '{}', password_hash: null }
  for (const [user_id, roles] of [
    ['a', '["administrator"]'],
    ['b', '["administrator"]'],
    ['c', '["administrators"]'],
  ] as const) {
    const made = { ...user, user_id, username: user_id, username_key: user_id, roles }
    await store.createUser({ tenant_id, user: made, event: event() })
  }
  await store.setUserDisabled({ tenant_id, user_id: 'b', disabled: true, event: event() })
  assert.equal(await remove(stage, 'a'), 'last', 'who is disabled cannot sign in')
  assert.equal((await store.findUser({ tenant_id, user_id: 'a' }))?.roles, '["administrator"]')
  assert.equal(await remove(stage, 'b'), 'deleted')
  assert.equal(await remove(stage, 'c'), 'deleted')
  assert.equal(await remove(stage, 'a'), 'last')
})
