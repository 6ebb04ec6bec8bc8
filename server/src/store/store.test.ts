import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DIALECTS, makeDatabase } from '../../../test/parts/stores.ts'
import { StoreUnavailable } from './sql.ts'
import { openStore } from './store.ts'
import * as registry from './verbs/index.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const verbs = Object.entries(registry)
  .filter(([, value]) => typeof value === 'object' && 'run' in value)
  .map(([name]) => name)

test('every verb is in the port, and what is no verb is not', async (t) => {
  const database = await makeDatabase('sqlite')
  t.after(() => database.drop())
  const store = await database.open()
  assert.deepEqual(Object.keys(store).sort(), [...verbs, 'close', 'driver'].sort())
  assert.ok(verbs.length > 60)
})

test('every verb has its outcomes in the contract', () => {
  const files = ['contract/*.test.ts', 'verbs/*.test.ts', '*.test.ts'].flatMap((pattern) =>
    globSync(pattern, { cwd: folder }),
  )
  const tests = files.map((file) => readFileSync(path.join(folder, file), 'utf8')).join()
  assert.deepEqual(
    verbs.filter((name) => !tests.includes(`.${name}(`)),
    [],
  )
})

test('hot writes have keys: those without run alone', () => {
  const hot = ['approveGrant', 'redeemCode', 'rotateRefreshToken', 'revokeGrant', 'revokeAccessToken', 'recordEvent']
  for (const name of [
    ...hot,
    'countTokensIssued',
    'reserveGuess',
    'touchSession',
    'leaseConnection',
    'storeRefreshed',
  ]) {
    assert.equal(typeof (registry as unknown as Record<string, { key?: unknown }>)[name]!.key, 'function', name)
  }
})

test('keys of verbs begin with their tenant, so that none waits for another tenant\u2019s', () => {
  const of_user = { user_id: 'u' }
  const rows = { grant: { ...of_user, client_id: 'c' }, client: { client_id: 'c' }, token: of_user, session: of_user }
  const hash = Buffer.alloc(1)
  const hashes = { state_hash: hash, device_code_hash: hash, request_hash: hash, secret_hash: hash }
  const args = { tenant_id: 'T', ...rows, ...hashes, identity: { authority: 'a', account: 'b' } }
  for (const [name, verb] of Object.entries(registry)) {
    const key = (verb as { key?: (args: unknown) => string }).key
    if (key) assert.match(key(args), /^T\//, name)
  }
})

for (const dialect of DIALECTS) {
  test(`a store without its schema is not made silently (${dialect})`, async (t) => {
    const database = await makeDatabase(dialect, { empty: true })
    t.after(() => database.drop())
    const location = dialect === 'sqlite' ? { sqlite: ':memory:' } : { postgres: database.location }
    const store = await openStore(location, { migrate: false })
    await assert.rejects(store.listTenants({}), /tenants/)
    await store.close()
    await assert.rejects(store.listTenants({}), StoreUnavailable)
  })
}

test('a store that cannot be brought up to date is closed again', async (t) => {
  const home = await mkdtemp(path.join(tmpdir(), 'sallyport-store-'))
  t.after(() => rm(home, { recursive: true }))
  const sqlite = path.join(home, 'store.db')
  const store = await openStore({ sqlite })
  await store.driver.exclusively((session) => session.transaction('delete from migrations'))
  await store.close()
  await assert.rejects(openStore({ sqlite }), /already exists/)
  // The lock is free: the refusal left nothing open.
  await (await openStore({ sqlite }, { migrate: false })).close()
})
