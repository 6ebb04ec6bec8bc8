import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { makeDatabase, START } from '../../../test/parts/stores.ts'
import { SealError } from '../crypto/seal.ts'
import { newSigningKey } from '../crypto/signing_keys.ts'
import { RootKey } from '../crypto/tenant_keys.ts'
import type { NewEvent, SigningKeyRecord } from './records.ts'
import { openTenant, signingKeyPlace, type Tenant } from './tenant.ts'

const tenant_id = 't'
let events = 0
const event = (): NewEvent => ({ tenant_id, event_id: `e${++events}`, at: START, type: 'test', actor: 'cli' })

async function open(
  t: TestContext,
): Promise<{ tenant: Tenant; first: string; make: (state: SigningKeyRecord['state']) => Promise<SigningKeyRecord> }> {
  const database = await makeDatabase('sqlite')
  t.after(() => database.drop())
  const store = await database.open()
  const root = new RootKey(randomBytes(32))
  const key = root.newTenantKey(tenant_id, 1)
  const keys = root.unwrap(tenant_id, [key])
  const make = async (state: SigningKeyRecord['state']): Promise<SigningKeyRecord> => {
    const { kid, alg, public_jwk, pkcs8 } = await newSigningKey()
    const sealed_private = keys.seal(pkcs8, signingKeyPlace(kid))
    return { kid, alg, public_jwk: JSON.stringify(public_jwk), sealed_private, state }
  }
  const current = await make('current')
  await store.createTenant({
    ...{ tenant_id, issuer: 'https://t.example', name: 'T', settings: '{"code_lifetime_seconds":30}', key },
    signing_keys: [current],
    resources: [
      {
        ...{ resource: 'https://api.example', name: 'API', scopes: '{"read":"Read"}', default_scopes: '["read"]' },
        ...{ access_token_format: 'opaque', access_token_lifetime_seconds: 60, every_user: 1 },
      },
    ],
    roles: [{ role: 'member', scopes: '["read"]' }],
    event: event(),
  })
  const tenant = await openTenant({ tenant_id, issuer: 'https://t.example', store, root, clock: () => START })
  await assert.rejects(
    openTenant({ tenant_id, issuer: 'x', store, root: new RootKey(randomBytes(32)), clock: () => START }),
    SealError,
  )
  return { tenant, first: current.kid, make }
}

test('a configuration is read from its rows', async (t) => {
  const { tenant, first } = await open(t)
  const configuration = await tenant.currentConfiguration()
  assert.equal(configuration.config_version, 0)
  assert.equal(configuration.settings.code_lifetime_seconds, 30)
  assert.deepEqual(configuration.roles.get('member'), ['read'])
  assert.deepEqual(configuration.resources.get('https://api.example'), {
    ...{ resource: 'https://api.example', name: 'API', scopes: new Map([['read', 'Read']]), default_scopes: ['read'] },
    ...{
      access_token_format: 'opaque',
      access_token_lifetime_seconds: 60,
      every_user: true,
      introspection_clients: [],
    },
  })
  assert.equal(configuration.signing_key.kid, first)
  assert.deepEqual(
    configuration.jwks.keys.map(({ kid }) => kid),
    [first],
  )
  assert.equal('d' in configuration.jwks.keys[0]!, false)
})

test('a configuration is kept until a newer version was seen, and an older one never comes back', async (t) => {
  const { tenant } = await open(t)
  const { store } = tenant
  const before = await tenant.currentConfiguration()
  assert.equal(await tenant.configuration(0), before)
  await store.saveSettings({ tenant_id, settings: '{"code_lifetime_seconds":40}', event: event() })
  // What decides is the version that the request has just read.
  assert.equal(await tenant.configuration(0), before)
  const after = await tenant.configuration(1)
  assert.equal(after.settings.code_lifetime_seconds, 40)
  assert.equal(await tenant.configuration(0), after)
  assert.equal(await tenant.currentConfiguration(), after)
})

test('a retired key still verifies, a revoked one is in no list, and the current one signs', async (t) => {
  const { tenant, first, make } = await open(t)
  const second = await make('current')
  type State = SigningKeyRecord['state']
  const save = async (added: SigningKeyRecord[], kid: string, from: State, to: State) => {
    const change = { tenant_id, added, moves: [{ kid, from, to }], events: [event()] }
    assert.equal(await tenant.store.changeSigningKeys(change), 'changed')
  }
  await save([second], first, 'current', 'retired')
  const rotated = await tenant.currentConfiguration()
  assert.equal(rotated.signing_key.kid, second.kid)
  assert.deepEqual([...rotated.verifying_keys.keys()].sort(), [first, second.kid].sort())
  await save([], first, 'retired', 'revoked')
  const revoked = await tenant.currentConfiguration()
  assert.deepEqual([...revoked.verifying_keys.keys()], [second.kid])
  assert.deepEqual(
    revoked.jwks.keys.map(({ kid }) => kid),
    [second.kid],
  )
  await save([], second.kid, 'current', 'retired')
  await assert.rejects(tenant.currentConfiguration(), /has no current signing key/)
})

test('requests that come together after a change read it once, and a reading from before the change is not enough', async (t) => {
  const { tenant } = await open(t)
  const { store } = tenant
  await tenant.currentConfiguration()
  const load = store.loadTenantConfig
  let reads = 0
  let change = async () => {}
  Object.assign(store, {
    async loadTenantConfig(args: { tenant_id: string }) {
      reads++
      const config = await load(args)
      await change()
      return config
    },
  })
  const save = (seconds: number) =>
    store.saveSettings({ tenant_id, settings: `{"code_lifetime_seconds":${seconds}}`, event: event() })
  await save(40)
  const all = await Promise.all(Array.from({ length: 64 }, () => tenant.configuration(1)))
  assert.deepEqual([reads, new Set(all).size], [1, 1])
  await save(50)
  change = async () => {
    change = async () => {}
    await save(55)
  }
  const [early, late] = await Promise.all([tenant.configuration(2), tenant.configuration(3)])
  assert.ok(early.config_version >= 2)
  assert.equal(late.settings.code_lifetime_seconds, 55)
})
