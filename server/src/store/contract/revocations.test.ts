import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createDatabase, type PostgresServer, startPostgres } from '../../../../test/parts/postgres.ts'
import { contract, DIALECTS, fillStage, makeDatabase, START, type Stage } from '../../../../test/parts/stores.ts'
import { openStore, type Store } from '../store.ts'

const DAY = 86_400_000

async function read({ store, tenant_id }: Pick<Stage, 'store' | 'tenant_id'>, after_sequence = 0, youngest_ms = DAY) {
  while ((await store.numberRevocations({ tenant_id, most: 2 })) === 2);
  const page = await store.pageRevocations({ tenant_id, after_sequence, youngest_ms, most: 100 })
  return page.revocations.map(({ kind, value, epoch }) => [kind, value, epoch])
}

contract('whatever ends leaves a revocation in its own transaction, and once', async (stage) => {
  const { store, tenant_id, newGrant, event, client, user, session } = stage
  await Promise.all([client('web'), client('old'), user('alice'), user('bob')])
  await session('s1', 'alice')
  await store.approveGrant(newGrant('g1'))
  await store.approveGrant(newGrant('g2', { session_id: 's1', offline: 0 }))
  await store.approveGrant(newGrant('g3', { session_id: 's1', offline: 1 }))
  assert.deepEqual(await read(stage), [])
  const revoked = event()
  const revoke = { tenant_id, grant_id: 'g1', reason: 'test', event: revoked }
  assert.equal(await store.revokeGrant(revoke), true)
  assert.equal(await store.revokeGrant(revoke), true, 'the same call again, after an unknown outcome')
  assert.deepEqual(await read(stage), [['grant_id', 'g1', null]])
  await store.endSession({ tenant_id, session_id: 's1', event: event() })
  assert.deepEqual(await read(stage, 1), [['grant_id', 'g2', null]])
  await store.revokeAccessToken({ tenant_id, jti: 'j1', expires_at: START + 5, event: event() })
  await store.revokeAccessToken({ tenant_id, jti: 'j1', expires_at: START + 5, event: event() })
  assert.deepEqual(await read(stage, 2), [['jti', 'j1', null]])
  const off = (disabled: boolean) => ({ tenant_id, disabled, event: event() })
  await store.setUserDisabled({ ...off(true), user_id: 'bob' })
  await store.setUserDisabled({ ...off(false), user_id: 'bob' })
  assert.deepEqual(await read(stage, 3), [['sub', 'bob', 1]])
  await store.setClientDisabled({ ...off(true), client_id: 'web' })
  await store.setClientDisabled({ ...off(false), client_id: 'web' })
  await store.deleteClient({ tenant_id, client_id: 'old', event: event() })
  // A client's epoch begins at the time of its making.
  assert.deepEqual(await read(stage, 4), [
    ['client_id', 'web', START + 1],
    ['client_id', 'old', START + 1],
  ])
  await store.setTenantDisabled(off(true))
  await store.setTenantDisabled(off(false))
  assert.deepEqual(await read(stage, 6), [['iss', `https://${tenant_id}.example`, 1]])
  await store.withdrawConsent({ tenant_id, user_id: 'alice', client_id: 'web', event: event() })
  assert.deepEqual(await read(stage, 7), [['grant_id', 'g3', null]])
})

for (const dialect of DIALECTS) {
  test(`a revocation is forgotten when no token can be left that it concerns (${dialect})`, async (t) => {
    const database = await makeDatabase(dialect)
    t.after(() => database.drop())
    const { clock } = database
    const store = await database.open()
    const tenant_id = 'swept'
    const stage = fillStage({ dialect, store, clock, tenant_id })
    const { event } = stage
    await store.createTenant({
      ...{ tenant_id, issuer: 'https://swept.example', name: 'Swept', settings: '{}' },
      ...{ key: { kid: 1, wrapped: new Uint8Array(1) }, signing_keys: [], resources: [], roles: [], event: event() },
    })
    await store.revokeAccessToken({ tenant_id, jti: 'j1', expires_at: START + 600_000, event: event() })
    await store.setTenantDisabled({ tenant_id, disabled: true, event: event() })
    assert.equal((await read(stage)).length, 2)
    clock.now += 600_000
    assert.equal((await read(stage, 0, 500_000)).length, 0, 'younger than any token of the resource that asks')
    clock.now = START + 660_001
    await store.sweepEnded({ before: clock.now, most: 100 })
    assert.deepEqual(
      (await read(stage)).map(([kind]) => kind),
      ['iss'],
    )
    clock.now = START + DAY + 60_001
    await store.sweepEnded({ before: clock.now, most: 100 })
    assert.deepEqual(await read(stage, 0, 10 * DAY), [])
  })
}

contract('where a lifetime has become shorter, revocations are kept for tokens from before', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  const resource = (access_token_lifetime_seconds: number) =>
    store.saveResource({
      ...{ tenant_id, event: event() },
      resource: {
        ...{ resource: 'https://api.example', name: 'API', scopes: '{}', default_scopes: '[]' },
        ...{ access_token_format: 'jwt', access_token_lifetime_seconds },
      },
    })
  const keepsFor = async () =>
    (await store.pageRevocations({ tenant_id, after_sequence: 0, youngest_ms: 600_000, most: 9 })).keep_ms
  for (const seconds of [600, 7200, 600]) await resource(seconds)
  assert.equal(await keepsFor(), 7_260_000)
  await resource(300)
  assert.equal(await keepsFor(), 7_260_000)
  await store.revokeAccessToken({ tenant_id, jti: 'j1', expires_at: START + 7_200_000, event: event() })
  clock.now += 7_000_000
  assert.equal((await read(stage, 0, 300_000)).length, 1)
  clock.now = START + DAY
  assert.equal(await keepsFor(), 660_000)
})

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(() => server?.stop())

test('a cursor of the feed misses nothing, in whatever order revocations are committed', async (t) => {
  const { url, drop } = await createDatabase(server.url)
  const stores: Store[] = []
  for (let i = 0; i < 3; i++) stores.push(await openStore({ postgres: url, connections: 8 }))
  t.after(async () => {
    for (const store of stores) await store.close()
    await drop()
  })
  const tenant_id = 'race'
  const event = (type = 'test') => ({ tenant_id, event_id: randomUUID(), at: Date.now(), type, actor: 'cli' })
  await stores[0]!.createTenant({
    ...{ tenant_id, issuer: 'https://race.example', name: 'Race', settings: '{}' },
    ...{ key: { kid: 1, wrapped: new Uint8Array(1) }, signing_keys: [], resources: [], roles: [], event: event() },
  })
  const written = new Set<string>()
  const expires_at = Date.now() + DAY
  let writing = true
  const writer = async (store: Store, name: string) => {
    for (let i = 0; i < 150; i++) {
      const jti = `${name}-${i}`
      await store.revokeAccessToken({ tenant_id, jti, expires_at, event: event() })
      written.add(jti)
    }
  }
  // A transaction that began before all others and commits long after them.
  const { Client } = await import('pg')
  const slow = new Client({ connectionString: url })
  await slow.connect()
  await slow.query('begin')
  await slow.query(
    `insert into revocations (tenant_id, revocation_id, kind, value, created_at, expires_at)
     values ($1, '0-the-smallest', 'jti', 'slow', $2, $3)`,
    [tenant_id, Date.now(), expires_at],
  )
  const reader = async (store: Store) => {
    const seen: string[] = []
    let cursor = 0
    for (let last = false; ; ) {
      const page = await store.pageRevocations({ tenant_id, after_sequence: cursor, youngest_ms: DAY, most: 1000 })
      if (page.unnumbered) await store.numberRevocations({ tenant_id, most: 7 })
      for (const { sequence, value } of page.revocations) {
        assert.ok(sequence > cursor)
        seen.push(value)
      }
      cursor = page.last_sequence
      if (last && !page.unnumbered) return seen
      last = !writing
    }
  }
  const reading = stores.map(reader)
  await Promise.all(stores.flatMap((store, i) => ['a', 'b', 'c'].map((name) => writer(store, `${name}${i}`))))
  await slow.query('commit')
  await slow.end()
  written.add('slow')
  writing = false
  for (const seen of await Promise.all(reading)) {
    assert.equal(seen.length, new Set(seen).size, 'nothing twice')
    assert.deepEqual(seen.toSorted(), [...written].sort())
  }
})
