import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, contract, DIALECTS, fillStage, makeDatabase, START } from '../../../../test/parts/stores.ts'
import type { ResourceRecord, SigningKeyRecord } from '../records.ts'
import type { KeyMove } from '../verbs/signing_keys.ts'

const resource: ResourceRecord = {
  resource: 'https://api.example',
  name: 'API',
  scopes: '{"read":"Read"}',
  default_scopes: '["read"]',
  access_token_format: 'jwt',
  access_token_lifetime_seconds: 600,
  access_token_signing_alg: null,
  introspection_clients: '[]',
  every_user: 0,
}
const key = (kid: string, state: SigningKeyRecord['state']): SigningKeyRecord => ({
  ...{ kid, alg: 'ES256', public_jwk: `{"kid":"${kid}"}`, sealed_private: bytes(kid), state },
})

contract('a tenant is made once for an issuer, with everything it was given', async ({ store, tenant_id, event }) => {
  const other = {
    ...{
      tenant_id: `${tenant_id}b`,
      issuer: `https://${tenant_id}b.example`,
      name: 'B',
      settings: '{"a":1}',
    },
    ...{
      key: { kid: 7, wrapped: bytes('wrapped'), wrapped_by: 'root' },
      signing_keys: [key('k1', 'current')],
      resources: [resource],
    },
    roles: [{ role: 'member', scopes: '["read"]' }],
  }
  const made = (more: object) => store.createTenant({ ...other, event: event('tenant.created'), ...more })
  assert.equal(await made({}), true)
  assert.equal(await made({}), false)
  assert.equal(await made({ tenant_id: `${tenant_id}c` }), false)
  assert.equal(await made({ issuer: 'https://elsewhere.example' }), false)
  assert.deepStrictEqual(await store.loadTenantConfig({ tenant_id: other.tenant_id }), {
    ...{ config_version: 0, issuer: other.issuer, name: 'B', settings: '{"a":1}', created_at: START },
    ...{ resources: [resource], roles: other.roles, signing_keys: other.signing_keys },
  })
  assert.deepStrictEqual(await store.listTenantKeys({ tenant_id: other.tenant_id }), [
    { kid: 7, wrapped: bytes('wrapped'), seals: 1, wrapped_by: 'root' },
  ])
  assert.equal(await store.loadTenantConfig({ tenant_id: `${tenant_id}c` }), null)
  assert.deepStrictEqual(await store.listTenantKeys({ tenant_id: `${tenant_id}c` }), [])
})

contract('disabling a tenant raises its epoch, and enabling it leaves the epoch there', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  const set = (disabled: boolean) => store.setTenantDisabled({ tenant_id, disabled, event: event('tenant.switched') })
  const state = (epoch: number, disabled_at: number | null) => ({
    ...{ tenant_id, epoch, config_version: 0, disabled_at, now: clock.now },
  })
  assert.deepStrictEqual(await store.loadTenantState({ tenant_id }), state(0, null))
  assert.equal(await set(false), false)
  clock.now += 5
  assert.equal(await set(true), true)
  assert.equal(await set(true), false)
  assert.deepStrictEqual(await store.loadTenantState({ tenant_id }), state(1, START + 5))
  assert.equal(await set(false), true)
  assert.deepStrictEqual(await store.loadTenantState({ tenant_id }), state(1, null))
  assert.equal(await store.loadTenantState({ tenant_id: 'nobody' }), null)
})

contract('every change of settings, resources, roles and signing keys raises config_version', async (stage) => {
  const { store, tenant_id, event } = stage
  const versions: number[] = []
  const note = async () => versions.push((await store.loadTenantConfig({ tenant_id }))!.config_version)
  await note()
  await store.saveSettings({ tenant_id, settings: '{"code_lifetime_seconds":30}', event: event() })
  await note()
  await store.saveResource({ tenant_id, resource, event: event() })
  await note()
  await store.saveResource({ tenant_id, resource: { ...resource, name: 'API 2', scopes: '{}' }, event: event() })
  await note()
  await store.saveRole({ tenant_id, role: { role: 'member', scopes: '[]' }, event: event() })
  await store.saveRole({ tenant_id, role: { role: 'member', scopes: '["read"]' }, event: event() })
  await note()
  await store.changeSigningKeys({ tenant_id, added: [key('k1', 'current')], moves: [], events: [event()] })
  await note()
  const moves = [{ kid: 'k1', from: 'current' as const, to: 'retired' as const }]
  await store.changeSigningKeys({ tenant_id, added: [key('k2', 'current')], moves, events: [event()] })
  await note()
  assert.deepEqual(versions, [0, 1, 2, 3, 5, 6, 7])
  assert.deepStrictEqual(await store.loadTenantConfig({ tenant_id }), {
    ...{ config_version: 7, issuer: `https://${tenant_id}.example`, name: 'Test' },
    created_at: START,
    settings: '{"code_lifetime_seconds":30}',
    resources: [{ ...resource, name: 'API 2', scopes: '{}' }],
    roles: [{ role: 'member', scopes: '["read"]' }],
    signing_keys: [key('k1', 'retired'), key('k2', 'current')],
  })
})

contract('a resource is changed by whoever has seen the configuration as it stands', async (stage) => {
  const { store, tenant_id, event } = stage
  const save = (name: string, seen: number) =>
    store.saveResource({ tenant_id, resource: { ...resource, name }, seen, event: event('resource.saved') })
  assert.deepEqual([await save('One', 1), await save('Two', 0), await save('Three', 0)], [false, true, false])
  const config = (await store.loadTenantConfig({ tenant_id }))!
  assert.deepEqual([config.config_version, config.resources.map(({ name }) => name)], [1, ['Two']])
  assert.equal(await store.saveResource({ tenant_id: 'nobody', resource, event: event() }), false)
})

contract('a signing key is added with the states of the others, or nothing is changed', async (stage) => {
  const { store, tenant_id, event } = stage
  const change = (moves: KeyMove[], ...added: SigningKeyRecord[]) =>
    store.changeSigningKeys({ tenant_id, added, moves, events: [event()] })
  const keys = async () => (await store.loadTenantConfig({ tenant_id }))!.signing_keys
  assert.equal(await change([], key('k1', 'current')), 'changed')
  const retire: KeyMove[] = [{ kid: 'k1', from: 'current', to: 'retired' }]
  await assert.rejects(change(retire, key('k1', 'current')), /unique/i)
  assert.equal(await change([], key('k2', 'current')), 'stale')
  assert.equal(await change([{ kid: 'k1', from: 'next', to: 'current' }]), 'stale')
  assert.equal(await change([{ kid: 'unknown', from: 'next', to: 'gone' }]), 'stale')
  assert.deepStrictEqual(await keys(), [key('k1', 'current')])
  assert.equal(await change([], key('k2', 'next')), 'changed')
  assert.equal(await change([], key('k3', 'next')), 'stale')
  stage.clock.now += 7
  assert.equal(await change([...retire, { kid: 'k2', from: 'next', to: 'current' }]), 'changed')
  assert.deepStrictEqual(await keys(), [key('k1', 'retired'), key('k2', 'current')])
  const listed = await store.listSigningKeys({ tenant_id })
  assert.deepStrictEqual(listed.keys[1], {
    kid: 'k2',
    alg: 'ES256',
    state: 'current',
    created_at: START,
    state_at: START + 7,
  })
  assert.equal(await change([{ kid: 'k1', from: 'retired', to: 'revoked' }]), 'changed')
  assert.equal((await keys())[0]!.sealed_private.length, 0)
  assert.equal(await change([{ kid: 'k1', from: 'revoked', to: 'gone' }]), 'changed')
  assert.deepStrictEqual(await keys(), [key('k2', 'current')])
})

for (const dialect of DIALECTS) {
  // Who wins is chance, so that twins in company need not agree.
  test(`of replicas that change a configuration at once, one does (${dialect})`, async (t) => {
    const database = await makeDatabase(dialect)
    t.after(() => database.drop())
    const store = await database.open()
    const { tenant_id, event } = fillStage({ dialect, store, clock: database.clock, tenant_id: 'a' })
    await store.createTenant({
      ...{ tenant_id, issuer: 'https://a.example', name: 'a', settings: '{}', key: { kid: 1, wrapped: bytes('a') } },
      ...{ signing_keys: [], resources: [], roles: [], event: event() },
    })
    const saved = await Promise.all(
      Array.from({ length: 64 }, () => store.saveResource({ tenant_id, resource, seen: 0, event: event() })),
    )
    assert.equal(saved.filter(Boolean).length, 1)
    const add = (kid: string) =>
      store.changeSigningKeys({ tenant_id, added: [key(kid, 'current')], moves: [], events: [event()] })
    const answers = await Promise.all(['k1', 'k2', 'k3', 'k4'].map(add))
    assert.deepEqual(answers.toSorted(), ['changed', 'stale', 'stale', 'stale'])
  })

  test(`every tenant is listed, each with its own rows (${dialect})`, async (t) => {
    const database = await makeDatabase(dialect)
    t.after(() => database.drop())
    const store = await database.open()
    for (const tenant_id of ['b', 'a']) {
      const { event } = fillStage({ dialect, store, clock: database.clock, tenant_id })
      await store.createTenant({
        ...{ tenant_id, issuer: `https://${tenant_id}.example`, name: tenant_id, settings: '{}' },
        ...{ key: { kid: 1, wrapped: bytes(tenant_id) }, signing_keys: [], resources: [], roles: [], event: event() },
      })
    }
    const listed = (tenant_id: string) => ({
      ...{ tenant_id, issuer: `https://${tenant_id}.example`, name: tenant_id, settings: '{}', epoch: 0 },
      ...{ config_version: 0, disabled_at: null, created_at: START },
    })
    assert.deepStrictEqual(await store.listTenants({}), [listed('a'), listed('b')])
    assert.deepStrictEqual(await store.listTenantKeys({ tenant_id: 'b' }), [
      { kid: 1, wrapped: bytes('b'), seals: 1, wrapped_by: null },
    ])
  })
}

contract('a further tenant key only opens at first, and seals when it has been there long enough', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  const add = (kid: number) =>
    store.addTenantKey({ tenant_id, key: { kid, wrapped: bytes(`key ${kid}`) }, event: event('tenant_key.added') })
  assert.equal(await add(2), true)
  assert.equal(await add(2), false)
  const seals = async () => (await store.listTenantKeys({ tenant_id })).map(({ kid, seals }) => [kid, seals])
  assert.deepEqual(await seals(), [
    [1, 1],
    [2, 0],
  ])
  const use = () => store.sealWithTenantKeys({ tenant_id, known_ms: 1000, event: event('tenant_key.used') })
  clock.now += 999
  assert.deepEqual([await store.hasWaitingTenantKey({ tenant_id, known_ms: 1000 }), await use()], [false, false])
  clock.now += 1
  assert.deepEqual([await store.hasWaitingTenantKey({ tenant_id, known_ms: 1000 }), await use()], [true, true])
  assert.equal(await use(), false)
  assert.deepEqual((await seals())[1], [2, 1])
  assert.equal((await store.loadTenantConfig({ tenant_id }))!.config_version, 2)
})
