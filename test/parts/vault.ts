import assert from 'node:assert/strict'
import { newId } from '../../server/src/crypto/random.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import { openOrCreateTenant } from '../../server/src/inbound/tenants.ts'
import type { ConnectorInput } from '../../server/src/outbound/administration/connector_input.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import type { ConnectFinished } from '../../server/src/outbound/connect/connect_outcome.ts'
import { finishConnect } from '../../server/src/outbound/connect/finish_connect.ts'
import { startConnect } from '../../server/src/outbound/connect/start_connect.ts'
import { createOutboundContext, type OutboundContext, type OutboundParts } from '../../server/src/outbound/context.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import { verified } from '../../server/src/providers/fact.ts'
import type { Provider } from '../../server/src/providers/provider.ts'
import { oidc } from '../../server/src/providers/records/oidc.ts'
import type { NewEvent } from '../../server/src/store/records.ts'
import { openStore, type Store } from '../../server/src/store/store.ts'
import { Tenant } from '../../server/src/store/tenant.ts'
import type { ConnectionRecord } from '../../server/src/store/verbs/connections.ts'
import type { EventRecord } from '../../server/src/store/verbs/events.ts'
import { type ForeignProviderOptions, startForeignProvider } from './foreign_provider.ts'
import { createDatabase, startPostgres } from './postgres.ts'

/** The two kinds of database, for tests that hold on both. */
export const DATABASES = ['sqlite', 'postgres'] as const

/** The root key of every test tenant. */
export const TEST_ROOT = new RootKey(new Uint8Array(32).fill(7))

/** Stores over one new database, as many as there are replicas (SQLite has one), and what removes them. */
export async function openStores(
  kind: (typeof DATABASES)[number],
  replicas = 1,
  clock?: () => number,
): Promise<{ stores: readonly [Store, ...Store[]]; url: string | null; drop(): Promise<void> }> {
  const given = clock ? { clock } : {}
  if (kind === 'sqlite') {
    const store = await openStore({ sqlite: ':memory:', ...given })
    return { stores: [store], url: null, drop: () => store.close() }
  }
  const server = await startPostgres()
  const database = await createDatabase(server.url)
  const first = await openStore({ postgres: database.url, ...given })
  const others: Store[] = []
  while (others.length + 1 < replicas) {
    others.push(await openStore({ postgres: database.url, ...given }, { migrate: false }))
  }
  return {
    stores: [first, ...others],
    url: database.url,
    async drop() {
      await Promise.all([first, ...others].map((store) => store.close()))
      await database.drop()
      await server.stop()
    },
  }
}

/** The tenant of an issuer in a store. */
export function openTestTenant(store: Store, issuer = 'http://localhost:9400', clock = Date.now): Promise<Tenant> {
  return openOrCreateTenant({ issuer, store, root: TEST_ROOT, clock })
}

/** An event for verbs that a test calls by hand. */
export function testEvent(tenant_id: string, type = 'test'): NewEvent {
  return { tenant_id, event_id: newId(Date.now()), at: Date.now(), type, actor: 'system' }
}

/** Makes a user and answers its id. */
export async function addUser(tenant: Tenant, username: string): Promise<string> {
  const user_id = newId(Date.now())
  await tenant.store.createUser({
    tenant_id: tenant.tenant_id,
    user: {
      ...{ user_id, username_key: username, username, name: null, email: null, email_verified: false },
      ...{ claims: '{}', roles: '[]', password_hash: null },
    },
    event: testEvent(tenant.tenant_id),
  })
  return user_id
}

/** The events of a tenant, oldest first. */
export async function listEvents(tenant: Tenant): Promise<EventRecord[]> {
  const { tenant_id } = tenant
  const page = { tenant_id, before_event_id: 'g', type: '', actor: '', most: 1000 }
  return (await tenant.store.pageEvents(page)).reverse()
}

/** The types of a tenant's events, oldest first. */
export async function eventTypes(tenant: Tenant): Promise<string[]> {
  return (await listEvents(tenant)).map(({ type }) => type)
}

/** A provider whose refresh tokens may be sent again and again, whatever became of the answer. */
const PATIENT: Provider = {
  ...oidc,
  provider: 'patient',
  fields: { ...oidc.fields, refresh_token_rotation: verified('never', 'this test') },
}

/** The outbound half without a listener: contexts as of so many processes, on one database. */
export interface Bench {
  readonly contexts: readonly [OutboundContext, ...OutboundContext[]]
  readonly tenant: Tenant
  readonly user_id: string
  /** Added to the time of every process and of the database. */
  readonly clock: { offset: number }
  /** What was reported behind the back of every caller. */
  readonly reports: string[]
  /** Where a process of its own finds the database; null for SQLite. */
  readonly url: string | null
  /** Another process on the same database; `store` may spoil its store. */
  another(parts?: Partial<OutboundParts> & { readonly spoil?: (store: Store) => Store }): OutboundContext
  load(connection_id: string): Promise<ConnectionRecord>
  drop(): Promise<void>
}

/** Opens a database with one tenant and one user, and contexts over it. */
export async function openBench(kind: (typeof DATABASES)[number] = 'sqlite', replicas = 1): Promise<Bench> {
  const clock = { offset: 0 }
  const now = () => Date.now() + clock.offset
  const { stores, url, drop } = await openStores(kind, replicas, now)
  const egress: Egress = createEgress({ allow: ['127.0.0.1'] })
  const tenants = await Promise.all(stores.map((store) => openTestTenant(store, 'http://localhost:9400', now)))
  const tenant = tenants[0]!
  const reports: string[] = []
  let processes = 0
  const open = (own: Tenant, parts: Partial<OutboundParts> = {}) =>
    createOutboundContext({
      ...{ tenant: own, egress, clock: now, catalogue: createCatalogue([PATIENT]), random: () => 0.5 },
      owner: `process ${++processes}`,
      report: (what) => void reports.push(what),
      ...parts,
    })
  const bench: Bench = {
    contexts: tenants.map((own) => open(own)) as [OutboundContext, ...OutboundContext[]],
    tenant,
    user_id: await addUser(tenant, 'alice'),
    clock,
    reports,
    url,
    another({ spoil, ...parts } = {}) {
      const store = spoil ? spoil(tenant.store) : tenant.store
      const { tenant_id, issuer, keys } = tenant
      return open(new Tenant({ tenant_id, issuer, keys, store, clock: now, root: TEST_ROOT }), parts)
    },
    async load(connection_id) {
      const found = await tenant.store.loadConnection({ tenant_id: tenant.tenant_id, connection_id })
      // The row carries the time of reading with it.
      return Object.assign({ ...found!.connection }, { now: 0 })
    },
    async drop() {
      await egress.close()
      await drop()
    },
  }
  return bench
}

/** A foreign provider with our registration there as connector `acme`. */
export async function openForeign(
  bench: Bench,
  options: Partial<ForeignProviderOptions> = {},
  input: Partial<ConnectorInput> = {},
) {
  const client = { client_id: 'web', client_secret: 'foreign-secret' }
  const connector = input.connector ?? 'acme'
  const redirect_uris = [`${bench.tenant.issuer}/connect/${connector}/callback`]
  const foreign = await startForeignProvider({
    clients: [Object.assign({ ...client, redirect_uris }, { grant_types: ['authorization_code', 'refresh_token'] })],
    ...options,
  })
  const wanted = { connector, provider: 'oidc', issuer: foreign.issuer, scope: 'openid email offline_access' }
  await saveConnector(bench.contexts[0], 'test', { ...wanted, ...client, ...input })
  return foreign
}

/** Walks a browser from our authorization URL to our callback, and answers the callback's parameters. */
export async function walk(authorization_url: string, callback = '/connect/'): Promise<URLSearchParams> {
  const cookies = new Map<string, string>()
  let url = new URL(authorization_url)
  for (let hops = 0; hops < 20; hops++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!
      cookies.set(name!, value!)
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`The walk ends with ${response.status}: ${await response.text()}`)
    url = new URL(location, url)
    if (url.pathname.startsWith(callback) && url.port === '9400') return url.searchParams
  }
  throw new Error('The walk does not end')
}

/** Takes a user through a whole consent flow. */
export async function connectAs(
  context: OutboundContext,
  user_id: string,
  start: { connector?: string; connection_id?: string; scope?: string } = {},
): Promise<ConnectFinished> {
  const connector = start.connector ?? 'acme'
  const { authorization_url, browser_secret } = await startConnect(context, { ...start, user_id, connector })
  const params = await walk(authorization_url)
  return finishConnect(context, { connector, params, browser_secret, user_id })
}

/** Connects and answers the connection's id. */
export async function connected(bench: Bench, user_id = bench.user_id): Promise<string> {
  const finished = await connectAs(bench.contexts[0], user_id)
  assert.equal(finished.outcome, 'connected', JSON.stringify(finished))
  return finished.connection_id!
}
