import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const HOUR = 3_600_000
const saved = {
  ...{ user_id: 'u1', username_key: 'alice', username: 'Alice', name: 'Alice E', email: 'a@example.test' },
  ...{ email_verified: true, claims: '{"a":1}', roles: '["member"]', password_hash: 'phc' },
}
const { username_key: _, ...shown } = saved
const record = { ...shown, email_verified: 1, epoch: 0, disabled_at: null, updated_at: START }
const make = ({ store, tenant_id, event }: Stage, more = {}) =>
  store.createUser({ tenant_id, user: { ...saved, ...more }, event: event('user.created') })

contract('a username is given once in a tenant, as compared', async (stage) => {
  const { store, tenant_id } = stage
  assert.equal(await make(stage), true)
  assert.equal(await make(stage, { user_id: 'u2' }), false)
  assert.equal(await make(stage, { username_key: 'bob' }), false)
  assert.deepStrictEqual(await store.findUserByUsername({ tenant_id, username_key: 'alice' }), record)
  assert.deepStrictEqual(await store.findUser({ tenant_id, user_id: 'u1' }), record)
  assert.equal(await store.findUserByUsername({ tenant_id, username_key: 'Alice' }), null)
  assert.equal(await store.findUser({ tenant_id, user_id: 'u2' }), null)
  assert.equal(await store.findUser({ tenant_id: 'nobody', user_id: 'u1' }), null)
})

contract('changing a user keeps the password unless another one is given, which raises the epoch', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await make(stage)
  clock.now += 9
  const change = { user_id: 'u1', name: null, email: null, email_verified: false, claims: '{}', roles: '[]' }
  const expected = { ...record, ...change, email_verified: 0, updated_at: START + 9 }
  assert.equal(await store.updateUser({ tenant_id, user: { ...change, password_hash: null }, event: event() }), true)
  assert.deepStrictEqual(await store.findUser({ tenant_id, user_id: 'u1' }), expected)
  await store.updateUser({ tenant_id, user: { ...change, password_hash: 'new' }, event: event() })
  assert.deepStrictEqual(await store.findUser({ tenant_id, user_id: 'u1' }), {
    ...expected,
    ...{ password_hash: 'new', epoch: 1 },
  })
  const unknown = { ...change, user_id: 'unknown', password_hash: null }
  assert.equal(await store.updateUser({ tenant_id, user: unknown, event: event() }), false)
})

contract('disabling a user raises the epoch, and enabling leaves it there', async (stage) => {
  const { store, tenant_id, event } = stage
  await make(stage)
  const set = (disabled: boolean, user_id = 'u1') =>
    store.setUserDisabled({ tenant_id, user_id, disabled, event: event() })
  assert.equal(await set(false), false)
  assert.equal(await set(true), true)
  assert.equal(await set(true), false)
  const disabled = { ...record, epoch: 1, disabled_at: START }
  assert.deepStrictEqual(await store.findUser({ tenant_id, user_id: 'u1' }), disabled)
  assert.equal(await set(false), true)
  assert.deepStrictEqual(await store.findUser({ tenant_id, user_id: 'u1' }), { ...record, epoch: 1 })
  assert.equal(await set(true, 'unknown'), false)
})

contract(
  'of two who disable each other one stays, when nobody else holds a role that somebody must hold',
  async (stage) => {
    const { store, tenant_id, event } = stage
    const roles = '["administrator"]'
    for (const user_id of ['a', 'b']) await make(stage, { user_id, username_key: user_id, roles })
    await make(stage, { user_id: 'c', username_key: 'c', roles: '["administrators"]' })
    const disable = (user_id: string) =>
      store.setUserDisabled({ tenant_id, user_id, disabled: true, indispensable_role: 'administrator', event: event() })
    const outcomes = await Promise.all([disable('a'), disable('b')])
    assert.deepEqual(outcomes.toSorted(), ['last', true])
    const [gone, left] = outcomes[0] === true ? ['a', 'b'] : ['b', 'a']
    assert.equal(await disable(left!), 'last')
    assert.equal((await store.findUser({ tenant_id, user_id: left! }))?.disabled_at, null)
    assert.equal(await disable(gone!), false)
    assert.equal(await disable('c'), true)
  },
)

contract('the last who holds a role that somebody must hold keeps it', async (stage) => {
  const { store, tenant_id, event } = stage
  const roles = '["administrator"]'
  for (const user_id of ['a', 'b', 'c']) await make(stage, { user_id, username_key: user_id, roles })
  const base = { name: null, email: null, email_verified: false, claims: '{}', password_hash: null }
  const set = (user_id: string, roles: string) =>
    store.updateUser({
      ...{ tenant_id, user: { ...base, user_id, roles }, event: event() },
      indispensable_role: 'administrator',
    })
  const disable = (user_id: string) =>
    store.setUserDisabled({ tenant_id, user_id, disabled: true, indispensable_role: 'administrator', event: event() })
  assert.equal(await disable('c'), true)
  assert.equal(await set('a', '["member"]'), true)
  assert.equal(await set('b', '[]'), 'last')
  assert.equal(await disable('b'), 'last')
  assert.equal((await store.findUser({ tenant_id, user_id: 'b' }))?.roles, roles)
  assert.equal(await set('b', '["x","administrator"]'), true)
  assert.equal(await set('c', '[]'), true, 'who cannot sign in is nobody’s last')
})

contract('users are listed by user_id, page by page, without their passwords', async (stage) => {
  const { store, tenant_id } = stage
  for (const user_id of ['c', 'a', 'b', 'B']) await make(stage, { user_id, username_key: user_id })
  const { password_hash: _, ...listed } = record
  assert.deepStrictEqual(await store.pageUsers({ tenant_id, after_user_id: 'B', most: 2 }), [
    { ...listed, user_id: 'a' },
    { ...listed, user_id: 'b' },
  ])
})

contract('a role is held under its exact name', async (stage) => {
  const { store, tenant_id } = stage
  await make(stage, { roles: '["site_administrator","say \\"hi\\"","Member"]' })
  const held = (role: string) => store.hasUserWithRole({ tenant_id, role })
  assert.equal(await held('site_administrator'), true)
  assert.equal(await held('say "hi"'), true)
  for (const other of ['administrator', 'siteXadministrator', 'site%', 'member', 'hi']) {
    assert.equal(await held(other), false, other)
  }
})

contract('what a browser\u2019s request needs is read in one; what it does not name is null', async (stage) => {
  const { store, tenant_id, client, session } = stage
  await make(stage)
  await client('web')
  await session('s1', 'u1')
  const tenant = { tenant_id, epoch: 0, config_version: 0, disabled_at: null }
  const { password_hash: _, ...user } = record
  const web = (await store.loadClientAuthority({ tenant_id, client_id: 'web' }))!.client
  const load = (session_id: string, client_id: string) =>
    store.loadBrowserAuthority({ tenant_id, session_id, client_id })
  assert.deepStrictEqual(await load('s1', 'web'), {
    ...{ now: START, tenant, user, client: web, consent: null },
    session: {
      ...{ session_id: 's1', user_id: 'u1', secret_hash: bytes('s1'), auth_time: START, acr: null, amr: '["pwd"]' },
      ...{ epoch: 0, tenant_epoch: 0, user_epoch: 0, created_at: START, last_seen_at: START },
      ...{ sid: 's1', ends_at: START + HOUR, expires_at: START + HOUR, ended_at: null },
    },
  })
  const empty = { now: START, tenant, session: null, user: null, client: null, consent: null }
  assert.deepStrictEqual(await load('', ''), empty)
  assert.deepStrictEqual(await load('gone', 'web'), { ...empty, client: web })
  assert.equal(await store.loadBrowserAuthority({ tenant_id: 'nobody', session_id: 's1', client_id: 'web' }), null)
})

contract('1.2.4 whatever stands in a value is a value: nothing of it is read as SQL', async (stage) => {
  const { store, tenant_id, event } = stage
  const hostile = [
    ...["'", "''", '"', '\\', "\\'", ';', '--', '/*', '$1', ':a', '?', '$$', '%', '_', "' or '1'='1", "') or 1=1 --"],
    ...["'; drop table users; --", "x' union select password_hash from users --", '${1}', '\u02bc', '\uff07', "a\nb';"],
  ]
  for (const name of hostile) {
    assert.equal(await store.findUserByUsername({ tenant_id, username_key: name }), null, name)
    assert.deepEqual(await store.searchUsers({ tenant_id, username_key: name, most: 10 }), [], name)
    assert.equal(await store.findUser({ tenant_id: name, user_id: name }), null, name)
    assert.equal(await make(stage, { user_id: `id ${name}`, username_key: name, username: name, name }), true)
  }
  for (const name of hostile) {
    const found = await store.findUserByUsername({ tenant_id, username_key: name })
    assert.deepEqual([found?.user_id, found?.username, found?.name], [`id ${name}`, name, name])
    const begin = hostile.filter((other) => other.startsWith(name))
    assert.equal((await store.searchUsers({ tenant_id, username_key: name, most: 50 })).length, begin.length, name)
    const change = { user_id: `id ${name}`, name: null, email: name, email_verified: false, claims: '{}', roles: '[]' }
    await store.updateUser({ tenant_id, user: { ...change, password_hash: null }, event: event() })
  }
  const all = await store.pageUsers({ tenant_id, after_user_id: '', most: 50 })
  assert.deepEqual(all.map(({ email }) => email).sort(), [...hostile].sort())
})
