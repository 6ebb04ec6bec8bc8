import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { NewEvent } from '../../server/src/store/records.ts'
import { openStore, type Store } from '../../server/src/store/store.ts'
import type { NewGrant } from '../../server/src/store/verbs/grants.ts'
import { createDatabase, type PostgresServer, startPostgres } from './postgres.ts'

/** The databases on which the store keeps its word. */
export const DIALECTS = ['sqlite', 'postgres'] as const
export type Dialect = (typeof DIALECTS)[number]

/** When the tests of the store begin. */
export const START = 1_800_000_000_000

/** A database of a test's own, under a clock that the test sets; as many stores on it as processes there would be. */
export interface TestDatabase {
  readonly clock: { now: number }
  /** Opens a store; on SQLite, which belongs to one process, every call answers the same one. */
  open(options?: { connections?: number; clock?: 'database' }): Promise<Store>
  /** The connection string of PostgreSQL, or the path of the file. */
  readonly location: string
  /** Closes what was opened and removes it. */
  drop(): Promise<void>
}

// One for all the tests of a file.
let server: Promise<PostgresServer> | undefined

/** Makes a database without rows, or `empty` without tables; on SQLite in memory, unless it is to be a file. */
export async function makeDatabase(
  dialect: Dialect,
  options: { file?: boolean; empty?: boolean } = {},
): Promise<TestDatabase> {
  const clock = { now: START }
  const stores: Store[] = []
  const closeAll = () => Promise.all(stores.map((store) => store.close()))
  if (dialect === 'sqlite') {
    const folder = options.file ? await mkdtemp(path.join(tmpdir(), 'sallyport-store-')) : undefined
    const location = folder ? path.join(folder, 'store.db') : ':memory:'
    return {
      clock,
      location,
      async open() {
        stores[0] ??= await openStore({ sqlite: location, clock: () => clock.now })
        return stores[0]
      },
      async drop() {
        await closeAll()
        if (folder) await rm(folder, { recursive: true })
      },
    }
  }
  server ??= startPostgres()
  const database = await createDatabase((await server).url, options)
  return {
    clock,
    location: database.url,
    async open({ connections, clock: which } = {}) {
      const size = connections === undefined ? {} : { connections }
      const time = which === 'database' ? {} : { clock: () => clock.now }
      const store = await openStore({ postgres: database.url, ...size, ...time })
      stores.push(store)
      return store
    },
    async drop() {
      await closeAll()
      await database.drop()
    },
  }
}

/** What a test of the contract works on: a store with an empty tenant, and ways to fill it. */
export interface Stage {
  readonly dialect: Dialect
  readonly store: Store
  readonly clock: { now: number }
  readonly tenant_id: string
  /** An audit event that nothing but its type tells apart; ids rise. */
  event(type?: string, more?: Partial<NewEvent>): NewEvent
  client(client_id: string): Promise<void>
  user(user_id: string): Promise<void>
  session(session_id: string, user_id: string): Promise<void>
  /** A grant that is about to be made by `alice` for `web`, with a code that lives a minute. */
  newGrant(grant_id: string, more?: Partial<NewGrant['grant']>): NewGrant
}

/**
 * A rule of the store's port, tested on both databases, and on each in two ways: call by call, and in company, where
 * every call arrives together with the same call of two other tenants. What the verbs answer must be equal in all four.
 */
export function contract(title: string, scenario: (stage: Stage) => Promise<void>): void {
  test(title, async (t) => {
    const journals: unknown[][] = []
    for (const dialect of DIALECTS) {
      for (const company of [false, true]) {
        await t.test(company ? `${dialect}, in company` : dialect, async () => {
          const { database, store } = await shared(dialect, company, t.fullName.slice(0, -title.length))
          const tenant_id = `tenant${String(t.name.length).padStart(3, '0')}${hashOf(t.name)}`
          const journal: unknown[] = []
          database.clock.now = START
          const recorded = record(company ? crowd(store, tenant_id) : store, journal)
          await scenario(await makeStage({ dialect, store: recorded, clock: database.clock, tenant_id }))
          journals.push(journal)
        })
      }
    }
    for (const journal of journals.slice(1)) assert.deepStrictEqual(journal, journals[0])
  })
}

const opened = new Map<string, Promise<{ database: TestDatabase; store: Store }>>()

// What sweeps is told of every tenant, so that no two files share a database.
function shared(dialect: Dialect, company: boolean, file: string) {
  const name = `${file}${dialect}${company}`
  let known = opened.get(name)
  if (!known) {
    known = makeDatabase(dialect).then(async (database) => ({ database, store: await database.open() }))
    opened.set(name, known)
  }
  return known
}

after(async () => {
  for (const pending of opened.values()) await pending.then(({ database }) => database.drop())
  await (await server)?.stop()
})

function hashOf(text: string): string {
  let hash = 7
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)!) % 0xffff_ffff
  return hash.toString(36)
}

type Call = (args: unknown) => Promise<unknown>

function wrap(store: Store, around: (name: string, call: Call) => Call): Store {
  const port: Record<string, unknown> = { driver: store.driver, close: () => store.close() }
  for (const [name, call] of Object.entries(store)) {
    if (typeof call === 'function' && name !== 'close') port[name] = around(name, call as Call)
  }
  return port as unknown as Store
}

/** Notes every answer in the order of the calls; errors by name alone, since the databases word them differently. */
function record(store: Store, journal: unknown[]): Store {
  return wrap(store, (name, call) => async (args) => {
    const entry: unknown[] = [name]
    journal.push(entry)
    try {
      const answer = await call(args)
      entry.push(answer)
      return answer
    } catch (error) {
      entry.push('an error')
      throw error
    }
  })
}

/** Makes every call of a tenant three: two twins of the tenant do and answer the same, in the same turn. */
function crowd(store: Store, tenant_id: string): Store {
  const twins = [`${tenant_id}~0`, `${tenant_id}~1`]
  return wrap(store, (_, call) => async (args) => {
    if ((args as { tenant_id?: string }).tenant_id !== tenant_id) return call(args)
    const all = [twins[0]!, tenant_id, twins[1]!]
    const answers = await Promise.allSettled(all.map((name) => call(rename(args, tenant_id, name))))
    const [first, own, last] = answers
    for (const [i, twin] of [first!, last!].entries()) {
      assert.equal(twin.status, own!.status)
      if (twin.status === 'rejected' || own!.status === 'rejected') continue
      assert.deepStrictEqual(rename(twin.value, twins[i]!, tenant_id), own!.value)
    }
    if (own!.status === 'rejected') throw own!.reason
    return own!.value
  })
}

function rename(value: unknown, from: string, to: string): unknown {
  if (typeof value === 'string') return value.replaceAll(from, to)
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((member) => rename(member, from, to))
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rename(member, from, to)]))
}

async function makeStage(base: Pick<Stage, 'dialect' | 'store' | 'clock' | 'tenant_id'>): Promise<Stage> {
  const { store, clock, tenant_id } = base
  const stage = fillStage(base)
  await store.createTenant({
    ...{ tenant_id, issuer: `https://${tenant_id}.example`, name: 'Test', settings: '{}' },
    ...{ key: { kid: 1, wrapped: bytes('key') }, signing_keys: [], resources: [], roles: [] },
    event: stage.event('tenant.created', { at: clock.now }),
  })
  return stage
}

/** The ways to fill a tenant that is there. */
export function fillStage(base: Pick<Stage, 'dialect' | 'store' | 'clock' | 'tenant_id'>): Stage {
  const { store, clock, tenant_id } = base
  let events = 0
  const event: Stage['event'] = (type = 'test', more = {}) => {
    const event_id = `event-${String(++events).padStart(6, '0')}`
    return { tenant_id, event_id, at: clock.now, type, actor: 'cli', ...more }
  }
  return {
    ...base,
    event,
    async client(client_id) {
      const client = { client_id, client_name: client_id, metadata: '{}', source: 'console', trusted: false }
      await store.createClient({
        tenant_id,
        client: { ...client, client_secret_hash: bytes(client_id) },
        event: event(),
      })
    },
    async user(user_id) {
      const names = { user_id, username_key: user_id, username: user_id, name: null, email: null }
      const more = { email_verified: false, claims: '{}', roles: '[]', password_hash: null }
      await store.createUser({ tenant_id, user: { ...names, ...more }, event: event() })
    },
    async session(session_id, user_id) {
      const now = clock.now
      await store.startSession({
        tenant_id,
        session: {
          ...{ session_id, user_id, secret_hash: bytes(session_id), auth_time: now, acr: null, amr: '["pwd"]' },
          ...{
            user_agent: null,
            epoch: 0,
            tenant_epoch: 0,
            user_epoch: 0,
            created_at: now,
            expires_at: now + 3_600_000,
          },
        },
        former_session_id: null,
        event: event(),
      })
    },
    newGrant(grant_id, more = {}) {
      const now = clock.now
      return {
        tenant_id,
        grant: {
          ...{ grant_id, client_id: 'web', user_id: 'alice', session_id: null, scope: 'openid', resource: '[]' },
          ...{
            authorization_details: null,
            connections: null,
            role: null,
            nonce: null,
            auth_time: now,
            acr: null,
            amr: null,
          },
          ...{ tenant_epoch: 0, client_epoch: 0, user_epoch: 0, session_epoch: 0, offline: 1 },
          ...{ code_hash: bytes(`code of ${grant_id}`), code_expires_at: now + 60_000, code_challenge: null },
          ...{ redirect_uri: null, created_at: now, idle_expires_at: null, expires_at: now + 86_400_000 },
          ...more,
        },
        consent: null,
        event: event('grant.approved'),
      }
    },
  }
}

/** Bytes of a text, as both databases return them. */
export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}
