import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { bytes, fillStage, makeDatabase, START, type Stage, type TestDatabase } from '../../../test/parts/stores.ts'

const CALLERS = 16
let database: TestDatabase
let stage: Stage
before(async () => {
  database = await makeDatabase('postgres')
  // By the database's clock, as in service: its expression is part of the statements.
  const store = await database.open({ connections: 1, clock: 'database' })
  stage = fillStage({ dialect: 'postgres', store, clock: database.clock, tenant_id: 't' })
  await store.createTenant({
    ...{ tenant_id: 't', issuer: 'https://t.example', name: 'T', settings: '{}', key: { kid: 1, wrapped: bytes('k') } },
    ...{ signing_keys: [], resources: [], roles: [], event: stage.event() },
  })
  for (let i = 0; i < CALLERS; i++) {
    await Promise.all([stage.client(`c${i}`), stage.user(`u${i}`)])
    await stage.session(`s${i}`, `u${i}`)
  }
})
after(() => database.drop())

/** How many statements so many callers of a verb cost together, without BEGIN, the lock of keys and COMMIT. */
async function cost(call: (i: number) => Promise<unknown>): Promise<{ statements: number; transactions: number }> {
  const original = pg.Client.prototype.query
  const seen = { statements: 0, transactions: 0 }
  pg.Client.prototype.query = function (this: pg.Client, query: string | { name: string }, ...rest: never[]) {
    if (typeof query === 'object' && query.name !== 'lock') seen.statements++
    if (query === 'commit') seen.transactions++
    return Reflect.apply(original, this, [query, ...rest])
  } as never
  try {
    await Promise.all(Array.from({ length: CALLERS }, (_, i) => call(i)))
  } finally {
    pg.Client.prototype.query = original
  }
  return seen
}
const once = { statements: 1, transactions: 1 }
const consent = { scope: 'openid', resource: '[]', connections: null }
const tenant_id = 't'
const redemption = (i: number, attempt_id: string) => ({
  ...{ tenant_id, grant_id: `g${i}`, code_hash: bytes(`code of g${i}`), attempt_id, idle_expires_at: null },
  ...{ refresh: { hash: bytes('r1'), kid: 1 }, replay_event: stage.event('replayed') },
})

test('so many callers of a read cost one statement', async () => {
  const { store } = stage
  const reading = { statements: 1, transactions: 0 }
  const client = (i: number) => ({ tenant_id, client_id: `c${i}` })
  assert.deepEqual(await cost((i) => store.loadClientAuthority(client(i))), reading)
  assert.deepEqual(await cost((i) => store.loadGrantAuthority({ ...client(i), grant_id: `g${i}` })), reading)
  assert.deepEqual(await cost((i) => store.loadBrowserAuthority({ ...client(i), session_id: `s${i}` })), reading)
  const token = { token_client_id: '', user_id: '', session_id: '', grant_id: '', jti: '' }
  assert.deepEqual(await cost((i) => store.loadTokenAuthority({ ...client(i), ...token })), reading)
  assert.deepEqual(await cost((i) => store.findUserByUsername({ tenant_id, username_key: `u${i}` })), reading)
})

test('so many callers of a hot verb cost as many statements as one, in one transaction', async () => {
  const { store, event, newGrant } = stage
  const approve = (i: number) =>
    store.approveGrant({ ...newGrant(`g${i}`, { client_id: `c${i}`, user_id: `u${i}` }), consent })
  assert.deepEqual(await cost(approve), { statements: 3, transactions: 1 })
  assert.deepEqual(await cost((i) => store.countCodeFailure({ tenant_id, grant_id: `g${i}` })), once)
  assert.deepEqual(await cost((i) => store.redeemCode(redemption(i, 'first'))), once)
  const rotate = (i: number) =>
    store.rotateRefreshToken({
      ...{ tenant_id, grant_id: `g${i}`, generation: 1, hash: bytes('r1'), successor_hash: bytes('r2'), kid: 1 },
      idle_expires_at: null,
    })
  assert.deepEqual(await cost(rotate), once)
  assert.deepEqual(await cost((i) => store.redeemCode(redemption(i, 'second'))), { statements: 5, transactions: 1 })
  const revoke = (i: number) =>
    store.revokeAccessToken({ tenant_id, jti: `j${i}`, expires_at: START + 1, event: event('revoked') })
  assert.deepEqual(await cost(revoke), { statements: 4, transactions: 1 })
  assert.deepEqual(await cost((i) => store.countTokensIssued({ tenant_id, client_id: `c${i}`, count: 2 })), once)
  assert.deepEqual(await cost((i) => store.touchSession({ tenant_id, session_id: `s${i}`, idle_ms: 60_000 })), once)
  assert.deepEqual(await cost((i) => store.recordEvent(event(`e${i}`))), { statements: 2, transactions: 1 })
})

test('so many callers of guesses and leases cost as many statements as one, in one transaction', async () => {
  const { store } = stage
  const guess = (i: number) => store.reserveGuess({ tenant_id, subject: `s${i}`, most: 3, window_ms: 1000 })
  assert.deepEqual(await cost(guess), { statements: 4, transactions: 1 })
  assert.deepEqual(await cost(guess), once)
  assert.deepEqual(await cost((i) => store.forgetGuesses({ tenant_id, subject: `s${i}` })), once)
  const take = (i: number) => store.takeLease({ tenant_id, name: `l${i}`, owner: 'a', duration_ms: 1000 })
  // A lease that was never taken before is inserted by itself.
  assert.deepEqual(await cost(take), { statements: 1 + CALLERS, transactions: 1 })
  assert.deepEqual(await cost(take), once)
})

test('sealing so many events costs four statements', async () => {
  const { store } = stage
  assert.deepEqual(await cost(async (i) => i === 0 && (await store.sealEvents({ tenant_id, most: 1000 }))), {
    statements: 4,
    transactions: 1,
  })
  const sealed = await store.pageSealedEvents({ tenant_id, after_sequence: 0, most: 1000 })
  assert.ok(sealed.length > 100)
})
