import { newId } from '../../server/src/crypto/random.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { openOrCreateTenant } from '../../server/src/inbound/tenants.ts'
import type { NewEvent } from '../../server/src/store/records.ts'
import { openStore, type Store } from '../../server/src/store/store.ts'
import type { Tenant } from '../../server/src/store/tenant.ts'
import { createDatabase, startPostgres } from './postgres.ts'

/** The two kinds of database, for tests that hold on both. */
export const DATABASES = ['sqlite', 'postgres'] as const

const root = new RootKey(new Uint8Array(32).fill(7))

/** Stores over one new database, as many as there are replicas (SQLite has one), and what removes them. */
export async function openStores(
  kind: (typeof DATABASES)[number],
  replicas = 1,
  clock?: () => number,
): Promise<{ stores: readonly [Store, ...Store[]]; drop(): Promise<void> }> {
  const given = clock ? { clock } : {}
  if (kind === 'sqlite') {
    const store = await openStore({ sqlite: ':memory:', ...given })
    return { stores: [store], drop: () => store.close() }
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
    async drop() {
      await Promise.all([first, ...others].map((store) => store.close()))
      await database.drop()
      await server.stop()
    },
  }
}

/** The tenant of an issuer in a store. */
export function openTestTenant(store: Store, issuer = 'http://localhost:9400', clock = Date.now): Promise<Tenant> {
  return openOrCreateTenant({ issuer, store, root, clock })
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

/** The types of a tenant's events, oldest first. */
export async function eventTypes(tenant: Tenant): Promise<string[]> {
  const { tenant_id } = tenant
  const events = await tenant.store.pageEvents({ tenant_id, before_event_id: 'g', type: '', actor: '', most: 1000 })
  return events.map(({ type }) => type).reverse()
}
