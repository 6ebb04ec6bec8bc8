import assert from 'node:assert/strict'
import { contract, type Stage } from '../../../../test/parts/stores.ts'
import { type Identity, IdentityTaken } from '../verbs/identities.ts'

const identity = (account: string, authority = 'https://idp.example'): Identity => ({
  ...{ authority, account, connector: 'idp', account_name: account },
})
const use = ({ store, tenant_id }: Stage, { authority, account }: Identity) =>
  store.useIdentity({ tenant_id, authority, account })
const user = (user_id: string, username = user_id) => ({
  ...{ user_id, username_key: username, username, name: null, email: null, email_verified: false },
  ...{ claims: '{}', roles: '[]', password_hash: null },
})

contract(
  'CVE-2026-49443 an identity is of one user, for good, and another authority has accounts of its own',
  async (stage) => {
    const { store, tenant_id, event } = stage
    await Promise.all([stage.user('alice'), stage.user('bob')])
    const link = (user_id: string, one: Identity) =>
      store.linkIdentity({ tenant_id, identity: one, user_id, event: event('identity.linked') })
    assert.equal(await use(stage, identity('a')), null)
    assert.equal(await link('alice', identity('a')), 'linked')
    assert.equal(await link('alice', identity('a')), 'known')
    assert.equal(await link('bob', identity('a')), 'taken')
    assert.equal(await use(stage, identity('a')), 'alice')
    assert.equal(await link('bob', identity('a', 'https://other.example')), 'linked')
    assert.equal(await use(stage, identity('a', 'https://other.example')), 'bob')
  },
)

contract('of 64 who link one identity at once one does', async (stage) => {
  const { store, tenant_id, event } = stage
  const users = Array.from({ length: 64 }, (_, i) => `user-${i}`)
  await Promise.all(users.map((name) => stage.user(name)))
  const outcomes = await Promise.all(
    users.map((user_id) =>
      store.linkIdentity({ tenant_id, identity: identity('a'), user_id, event: event('identity.linked') }),
    ),
  )
  assert.equal(outcomes.filter((outcome) => outcome === 'linked').length, 1)
  assert.equal(outcomes.filter((outcome) => outcome === 'taken').length, 63)
})

contract('a user comes with an identity, or not at all', async (stage) => {
  const { store, tenant_id, event } = stage
  const create = (user_id: string, one: Identity, username?: string) =>
    store.createUserOfIdentity({
      tenant_id,
      identity: one,
      user: user(user_id, username),
      event: event('user.created'),
    })
  assert.equal(await create('carol', identity('c')), true)
  assert.equal(await create('other', identity('d'), 'carol'), false, 'the name is taken')
  assert.equal(await use(stage, identity('d')), null)
  await assert.rejects(create('dora', identity('c')), (error) => error instanceof IdentityTaken)
  assert.equal(await store.findUser({ tenant_id, user_id: 'dora' }), null)
})

contract('only its user unlinks an identity', async (stage) => {
  const { store, tenant_id, event } = stage
  await Promise.all([stage.user('alice'), stage.user('bob')])
  await store.linkIdentity({ tenant_id, identity: identity('a'), user_id: 'alice', event: event('identity.linked') })
  const { authority, account } = identity('a')
  const unlink = (user_id: string) =>
    store.unlinkIdentity({ tenant_id, authority, account, user_id, event: event('identity.unlinked') })
  assert.equal(await unlink('bob'), false)
  assert.equal((await store.listIdentitiesOfUser({ tenant_id, user_id: 'alice' })).length, 1)
  assert.equal(await unlink('alice'), true)
  assert.equal(await use(stage, identity('a')), null)
})
