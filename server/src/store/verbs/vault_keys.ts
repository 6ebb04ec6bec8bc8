import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, text, together, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** A key that wraps data keys, as its row holds it. */
export interface VaultKeyRecord {
  readonly kid: number
  readonly wrapped: Uint8Array
  /** The name of the root key that wraps it. */
  readonly wrapped_by: string
  /** Sealed under the key itself: what it opens shows that the key is the right one. */
  readonly canary: Uint8Array
}

/** The keys of a tenant's vault, the newest last. */
export const listVaultKeys = read(function* (args: { tenant_id: string }): Run<VaultKeyRecord[]> {
  return yield* sql<VaultKeyRecord>`
    select kid, wrapped, wrapped_by, canary from vault_keys where tenant_id = ${args.tenant_id} order by kid`
})

/** Adds a key that wraps from now on; false when there is one of its id already. The first key of a vault has no event. */
export const addVaultKey = write(function* (args: {
  tenant_id: string
  key: VaultKeyRecord
  event: NewEvent | null
}): Run<boolean> {
  const { kid, wrapped, wrapped_by, canary } = args.key
  const [added] = yield* sql<{ kid: number }>`
    insert into vault_keys (tenant_id, kid, wrapped, wrapped_by, canary, created_at)
    values (${args.tenant_id}, ${kid}, ${wrapped}, ${wrapped_by}, ${canary}, ${NOW})
    on conflict do nothing returning kid`
  if (added && args.event) yield* insertEvent(args.event)
  return added !== undefined
})

/** A wrapped key of a tenant or of its vault, as it was and as it is to be. */
export interface Rewrapped {
  readonly kid: number
  readonly former: Uint8Array
  readonly wrapped: Uint8Array
  readonly wrapped_by: string
}

/** Puts keys under another root key; one that has changed since it was read stays as it is. */
export const rewrapKeys = write(function* (args: {
  tenant_id: string
  tenant_keys: readonly Rewrapped[]
  vault_keys: readonly Rewrapped[]
  event: NewEvent
}): Run<void> {
  const { tenant_id } = args
  for (const { kid, former, wrapped, wrapped_by } of args.tenant_keys) {
    yield* sql`
      update tenant_keys set wrapped = ${wrapped}, wrapped_by = ${text(wrapped_by)}
      where tenant_id = ${tenant_id} and kid = ${kid} and wrapped = ${former}`
  }
  for (const { kid, former, wrapped, wrapped_by } of args.vault_keys) {
    yield* sql`
      update vault_keys set wrapped = ${wrapped}, wrapped_by = ${wrapped_by}
      where tenant_id = ${tenant_id} and kid = ${kid} and wrapped = ${former}`
  }
  yield* insertEvent(args.event)
})

/** A data key as its connection's row holds it. */
export interface WrappedDataKey {
  readonly connection_id: string
  readonly data_key: Uint8Array
}

// A statement may take two seconds, however many connections there are.
const MOST_COUNTED = 100_000

/** How many data keys there are, and how many an older key than the newest wraps; each counted up to 100,000. */
export const countDataKeys = read(function* (args: {
  tenant_id: string
  /** What the data keys under the newest key begin with. */
  header: Uint8Array
}): Run<{ all: number; left: number }> {
  const [all] = yield* sql<{ counted: number }>`
    select count(*) as counted from (select 1 as one from connections
      where tenant_id = ${args.tenant_id} and data_key is not null limit ${MOST_COUNTED}) c`
  const [left] = yield* sql<{ counted: number }>`
    select count(*) as counted from (select 1 as one from connections
      where tenant_id = ${args.tenant_id} and data_key is not null and substr(data_key, 1, 5) < ${args.header}
      limit ${MOST_COUNTED}) c`
  return { all: Number(all!.counted), left: Number(left!.counted) }
})

/** Data keys that an older key than the newest wraps, by that key and connection, behind a given one. */
export const pageDataKeys = read(function* (args: {
  tenant_id: string
  header: Uint8Array
  after: { readonly header: Uint8Array; readonly connection_id: string }
  most: number
}): Run<WrappedDataKey[]> {
  return yield* sql<WrappedDataKey>`
    select connection_id, data_key from connections
    where tenant_id = ${args.tenant_id} and data_key is not null and substr(data_key, 1, 5) < ${args.header}
      and (substr(data_key, 1, 5), connection_id) > (${args.after.header}, ${args.after.connection_id})
    order by substr(data_key, 1, 5), connection_id limit ${args.most}`
})

/** Puts data keys under another key; one that was destroyed or changed since it was read stays as it is. */
export const rewrapDataKeys = write(function* (args: {
  tenant_id: string
  keys: readonly (WrappedDataKey & { readonly former: Uint8Array })[]
}): Run<number> {
  const changed = yield* together(
    args.keys.map(
      ({ connection_id, former, data_key }) => sql<{ connection_id: string }>`
        update connections set data_key = ${data_key}
        where tenant_id = ${args.tenant_id} and connection_id = ${connection_id} and data_key = ${former}
        returning connection_id`,
    ),
  )
  return changed.flat().length
})

/**
 * Destroys the keys that wrap nothing any more and whose successor every replica knows; answers how many. A connection
 * that is being made under one of them is stored long before that time is over.
 */
export const destroyFormerVaultKeys = write(function* (args: {
  tenant_id: string
  /** What the data keys under the newest key begin with. */
  header: Uint8Array
  newest: number
  known_ms: number
  event: NewEvent
}): Run<number> {
  const { tenant_id } = args
  const gone = yield* sql<{ kid: number }>`
    delete from vault_keys where tenant_id = ${tenant_id} and kid < ${args.newest}
      and exists (select 1 from vault_keys n
        where n.tenant_id = ${tenant_id} and n.kid = ${args.newest} and n.created_at <= ${NOW} - ${args.known_ms})
      and not exists (select 1 from connections c where c.tenant_id = ${tenant_id} and c.data_key is not null
        and substr(c.data_key, 1, 5) < ${args.header})
    returning kid`
  if (gone.length > 0) yield* insertEvent({ ...args.event, detail: { kids: gone.map(({ kid }) => kid) } })
  return gone.length
})
