import assert from 'node:assert/strict'
import { contract, START, type Stage } from '../../../../test/parts/stores.ts'

const allowed = (scope: string) => ({
  scope,
  resource: '[]',
  connections: null,
  expires_at: null,
  redirect_hosts: null,
})

async function fill({ store, client, user, newGrant, clock }: Stage): Promise<void> {
  await Promise.all([client('web'), client('other'), user('alice'), user('bob')])
  await store.approveGrant({ ...newGrant('g1'), consent: allowed('openid') })
  await store.approveGrant({ ...newGrant('g2', { client_id: 'other' }), consent: allowed('read') })
  await store.approveGrant({ ...newGrant('g3', { user_id: 'bob' }), consent: allowed('write') })
  clock.now += 5
  await store.approveGrant({ ...newGrant('g4'), consent: allowed('openid read') })
}

contract('what a user has allowed is found by user and client, as it was allowed last', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  const find = (user_id: string, client_id: string) => store.findConsent({ tenant_id, user_id, client_id })
  assert.deepStrictEqual(await find('alice', 'web'), { scope: 'openid read' })
  assert.deepStrictEqual(await find('alice', 'other'), { scope: 'read' })
  assert.equal(await find('bob', 'other'), null)
  assert.equal(await store.findConsent({ tenant_id: 'elsewhere', user_id: 'alice', client_id: 'web' }), null)
})

contract('the list of what a user has allowed holds each client once, and nobody else\u2019s', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  const list = async (user_id: string) =>
    (await store.listConsentsOfUser({ tenant_id, user_id })).map(({ client_id, scope, created_at, updated_at }) => [
      client_id,
      scope,
      created_at - START,
      updated_at - START,
    ])
  assert.deepEqual(await list('alice'), [
    ['other', 'read', 0, 0],
    ['web', 'openid read', 0, 5],
  ])
  assert.deepEqual(await list('bob'), [['web', 'write', 0, 0]])
  await store.withdrawConsent({ tenant_id, user_id: 'alice', client_id: 'web', event: event() })
  assert.deepEqual(await list('alice'), [['other', 'read', 0, 0]])
  assert.deepEqual(await store.listConsentsOfUser({ tenant_id: 'elsewhere', user_id: 'alice' }), [])
})
