import assert from 'node:assert/strict'
import { contract, START, type Stage } from '../../../../test/parts/stores.ts'

const nothing = { client_id: '', token_client_id: '', user_id: '', session_id: '', grant_id: '', jti: '' }

async function fill({ store, client, user, session, newGrant }: Stage): Promise<void> {
  await Promise.all([client('web'), client('api'), user('alice')])
  await session('s1', 'alice')
  await store.approveGrant(newGrant('g1', { session_id: 's1', connections: '["c1"]', scope: 'openid read' }))
}

contract('what decides about a token is read in one: all it names, and who asks', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  const named = { token_client_id: 'web', user_id: 'alice', session_id: 's1', grant_id: 'g1', jti: 'j1' }
  const authority = await store.loadTokenAuthority({ tenant_id, client_id: 'api', ...named })
  assert.deepStrictEqual(authority, {
    now: START,
    tenant: { tenant_id, epoch: 0, config_version: 0, disabled_at: null },
    client: (await store.loadClientAuthority({ tenant_id, client_id: 'api' }))!.client,
    token_client: { epoch: START, disabled_at: null, metadata: '{}', trusted: 0 },
    user: { epoch: 0, disabled_at: null, roles: '[]', username: 'alice' },
    session: { epoch: 0, ended_at: null, expires_at: START + 3_600_000 },
    grant: {
      ...{ client_id: 'web', user_id: 'alice', auth_time: START, acr: null, claims: null, authorization_details: null },
      ...{ scope: 'openid read', resource: '[]', connections: '["c1"]', role: null, offline: 1 },
      ...{ expires_at: START + 86_400_000, revoked_at: null },
    },
    forebears: [],
    denied: false,
  })
})

contract('what a token does not name, or what is gone, is null', async (stage) => {
  const { store, tenant_id } = stage
  await fill(stage)
  const empty = {
    ...{ now: START, tenant: { tenant_id, epoch: 0, config_version: 0, disabled_at: null }, client: null },
    ...{ token_client: null, user: null, session: null, grant: null, forebears: [], denied: false },
  }
  assert.deepStrictEqual(await store.loadTokenAuthority({ tenant_id, ...nothing }), empty)
  const gone = Object.fromEntries(Object.keys(nothing).map((name) => [name, 'gone'])) as typeof nothing
  assert.deepStrictEqual(await store.loadTokenAuthority({ tenant_id, ...gone }), empty)
  assert.equal(await store.loadTokenAuthority({ tenant_id: 'nobody', ...nothing }), null)
})

contract('a revoked token is denied in its own tenant, and revoking it again is no second event', async (stage) => {
  const { store, tenant_id, event } = stage
  const denied = async (jti: string) => (await store.loadTokenAuthority({ tenant_id, ...nothing, jti }))!.denied
  const revoke = (jti: string) =>
    store.revokeAccessToken({ tenant_id, jti, expires_at: START + 1000, event: event('token.revoked') })
  assert.equal(await denied('j1'), false)
  await revoke('j1')
  assert.equal(await denied('j1'), true)
  assert.equal(await denied('j2'), false)
  await revoke('j1')
  await Promise.all([revoke('j2'), revoke('j3'), revoke('j2')])
  assert.deepEqual([await denied('j2'), await denied('j3')], [true, true])
  const filter = { before_event_id: 'g', type: 'token.revoked', actor: '', most: 10 }
  assert.equal((await store.pageEvents({ tenant_id, ...filter })).length, 3)
})

contract('a switch shows in the authority of a token at once', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  const named = { token_client_id: 'web', user_id: 'alice', session_id: 's1', grant_id: 'g1', jti: '' }
  const load = async () => (await store.loadTokenAuthority({ tenant_id, client_id: '', ...named }))!
  await store.setTenantDisabled({ tenant_id, disabled: true, event: event() })
  assert.deepEqual([(await load()).tenant.epoch, (await load()).tenant.disabled_at], [1, START])
  await store.setClientDisabled({ tenant_id, client_id: 'web', disabled: true, event: event() })
  assert.deepEqual((await load()).token_client, {
    ...{ epoch: START + 1, disabled_at: START, metadata: '{}', trusted: 0 },
  })
  await store.setUserDisabled({ tenant_id, user_id: 'alice', disabled: true, event: event() })
  assert.deepEqual((await load()).user, { epoch: 1, disabled_at: START, roles: '[]', username: 'alice' })
  await store.endSession({ tenant_id, session_id: 's1', event: event() })
  assert.deepEqual((await load()).session, { epoch: 1, ended_at: START, expires_at: START + 3_600_000 })
  await store.revokeGrant({ tenant_id, grant_id: 'g1', reason: 'test', event: event() })
  assert.equal((await load()).grant!.revoked_at, START)
})

contract('of a token that was exchanged, each that it was exchanged from is read as well', async (stage) => {
  const { store, tenant_id, event } = stage
  await fill(stage)
  const named_before = [
    { client_id: 'web', jti: 'j1' },
    { client_id: 'gone', jti: 'j2' },
    { client_id: 'api', jti: 'j1' },
  ]
  const named = { token_client_id: 'api', user_id: 'alice', grant_id: 'g1', jti: '' }
  const load = async () =>
    (await store.loadTokenAuthority({ tenant_id, client_id: '', ...named, forebears: named_before }))!.forebears
  const on = { client: { epoch: START, disabled_at: null }, denied: false }
  assert.deepEqual(await load(), [on, { client: null, denied: false }, on])
  await store.setClientDisabled({ tenant_id, client_id: 'web', disabled: true, event: event() })
  await store.revokeAccessToken({ tenant_id, jti: 'j2', expires_at: START + 1000, event: event() })
  const off = { client: { epoch: START + 1, disabled_at: START }, denied: false }
  assert.deepEqual(await load(), [off, { client: null, denied: true }, on])
})
