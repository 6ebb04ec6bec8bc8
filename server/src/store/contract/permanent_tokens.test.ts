import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const token = (token_id: string, user_id = 'alice') => ({
  ...{
    token_id,
    user_id,
    name: 'ci',
    scope: 'a b',
    resource: '["r"]',
    tenant_epoch: 1,
    user_epoch: 2,
    created_at: START,
    expires_at: null,
  },
})
const make = (
  { store, tenant_id, event }: Stage,
  token_id: string,
  user_id = 'alice',
  most = 50,
  expires_at: number | null = null,
) =>
  store.createPermanentToken({
    tenant_id,
    ...{
      token: { ...token(token_id, user_id), expires_at, secret_hash: bytes(token_id) },
      most,
      event: event('permanent_token.created'),
    },
  })

contract('a permanent token is found with its hash, listed without it, and gone when it is deleted', async (stage) => {
  const { store, tenant_id } = stage
  await Promise.all([stage.user('alice'), stage.user('bob')])
  assert.equal(await make(stage, 't1'), 'made')
  const found = (await store.findPermanentToken({ tenant_id, token_id: 't1' }))!
  assert.deepEqual(found.secret_hash, bytes('t1'))
  assert.deepEqual(found.token, { ...token('t1'), last_used_at: null })
  assert.deepEqual(await store.listPermanentTokens({ tenant_id, user_id: 'alice' }), [
    { ...token('t1'), last_used_at: null },
  ])
  assert.equal(await store.findPermanentToken({ tenant_id: 'nobody', token_id: 't1' }), null)
  const remove = (user_id: string) =>
    store.deletePermanentToken({ tenant_id, user_id, token_id: 't1', event: stage.event('permanent_token.deleted') })
  assert.equal(await remove('bob'), false, 'of another user')
  assert.equal(await remove('alice'), true)
  assert.equal(await remove('alice'), false)
  assert.equal(await store.findPermanentToken({ tenant_id, token_id: 't1' }), null)
})

contract('2.3.2 15.4.2 a user has so many permanent tokens, however many are made at once', async (stage) => {
  await Promise.all([stage.user('alice'), stage.user('bob')])
  const made = await Promise.all(Array.from({ length: 20 }, (_, i) => make(stage, `t${i}`, 'alice', 3)))
  assert.equal(made.filter((outcome) => outcome === 'made').length, 3)
  assert.equal(await make(stage, 'b1', 'bob', 3), 'made')
})

contract('a permanent token of a taken name is none, and leaves the one that there is as it was', async (stage) => {
  const { store, tenant_id } = stage
  await Promise.all([stage.user('alice'), stage.user('bob')])
  const outcomes = await Promise.all(['alice', 'alice', 'bob'].map((user_id) => make(stage, 't1', user_id, 1)))
  assert.deepEqual(outcomes.toSorted(), ['made', 'taken', 'taken'])
  const of = async (user_id: string) => (await store.listPermanentTokens({ tenant_id, user_id })).length
  assert.equal((await of('alice')) + (await of('bob')), 1)
  const events = await store.pageEvents({ tenant_id, user_id: '', before_event_id: '~', type: '', actor: '', most: 50 })
  assert.equal(events.filter(({ type }) => type === 'permanent_token.created').length, 1)
})

contract('permanent tokens that have run out are listed, the first first, and count no more', async (stage) => {
  const { store, tenant_id, clock } = stage
  await stage.user('alice')
  await make(stage, 't1', 'alice', 3, START + 2)
  await make(stage, 't2', 'alice', 3, START + 1)
  await make(stage, 't3', 'alice', 3)
  const expired = async (most = 10) =>
    (await store.listExpiredPermanentTokens({ tenant_id, most })).map(({ token_id }) => token_id)
  assert.deepEqual(await expired(), [])
  assert.equal(await make(stage, 't4', 'alice', 3, START + 9), 'full')
  clock.now += 2
  assert.deepEqual([await expired(), await expired(1)], [['t2', 't1'], ['t2']])
  assert.equal(await make(stage, 't4', 'alice', 3, START + 9), 'made')
  assert.deepEqual(await store.listExpiredPermanentTokens({ tenant_id: 'nobody', most: 10 }), [])
})

contract('permanent tokens of a former epoch of their user or tenant count no more', async (stage) => {
  const { store, tenant_id } = stage
  await stage.user('alice')
  assert.equal(await make(stage, 't1', 'alice', 1), 'made')
  const create = (token_id: string, epochs: object) =>
    store.createPermanentToken({
      ...{ tenant_id, most: 1, event: stage.event('permanent_token.created') },
      token: { ...token(token_id), secret_hash: bytes(token_id), ...epochs },
    })
  assert.equal(await create('t2', {}), 'full')
  assert.equal(await create('t2', { user_epoch: 3 }), 'made')
  assert.equal(await create('t3', { user_epoch: 3 }), 'full')
  assert.equal(await create('t3', { user_epoch: 3, tenant_epoch: 2 }), 'made')
})

contract('the use of a permanent token is noted once an hour', async (stage) => {
  const { store, tenant_id, clock } = stage
  await stage.user('alice')
  await make(stage, 't1')
  const touch = async () => {
    await store.touchPermanentToken({ tenant_id, token_id: 't1' })
    return (await store.findPermanentToken({ tenant_id, token_id: 't1' }))!.token.last_used_at
  }
  assert.equal(await touch(), START)
  clock.now += 3_600_000
  assert.equal(await touch(), START)
  clock.now += 1
  assert.equal(await touch(), START + 3_600_001)
})

contract('grants with a refresh token are listed for their user, those without are not', async (stage) => {
  const { store, tenant_id } = stage
  await Promise.all([stage.client('web'), stage.user('alice')])
  await store.approveGrant({
    ...stage.newGrant('g1', { code_hash: null, code_expires_at: null }),
    refresh: { hash: bytes('r'), kid: 1 },
  })
  await store.approveGrant(stage.newGrant('g2'))
  const list = async () =>
    (await store.listRefreshableGrants({ tenant_id, user_id: 'alice' })).map(({ grant_id }) => grant_id)
  assert.deepEqual(await list(), ['g1'])
  await store.revokeGrant({ tenant_id, grant_id: 'g1', reason: 'test', event: stage.event() })
  assert.deepEqual(await list(), [])
})
