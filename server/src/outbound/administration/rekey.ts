import { SealError, sealedHeader } from '../../crypto/seal.ts'
import type { TenantKeys } from '../../crypto/tenant_keys.ts'
import type { Rewrapped, WrappedDataKey } from '../../store/verbs/vault_keys.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'
import { rewrapDataKey } from '../vault/vault.ts'
import { newestHeader, type VaultKeys } from '../vault/vault_keys.ts'

/** How keys stand: by which root keys they are wrapped, and how far a rotation is. */
export interface KeyState {
  /** The root key that wraps tenant keys, and the one that wraps the keys of the vault; null where it has none. */
  readonly root_key: string | null
  readonly vault_root_key: string | null
  /** How many of these keys another root key than the present one still wraps. */
  readonly under_former_roots: number
  readonly vault_keys: number
  /** All data keys, and those that an older key of the vault still wraps; counted up to 100,000. */
  readonly data_keys: number
  readonly under_former_vault_keys: number
  /** Why the vault is closed; null while it is open. */
  readonly vault_closed: string | null
}

/** What one step of a rekeying has done, and where the next one goes on. */
export interface RekeyStep {
  /** Tenant keys and keys of the vault that were put under the present root key. */
  readonly rewrapped_keys: number
  readonly rewrapped_data_keys: number
  /** Data keys that no key opens, which stay as they are. */
  readonly unreadable: number
  /** Keys of the vault that wrap nothing any more and are destroyed. */
  readonly destroyed_keys: number
  /** Up to where data keys are done, for the next step; null when none is left. */
  readonly after: string | null
}

/** What a step is asked: with `data_keys` a new key of the vault takes over, unless an older take-over is unfinished. */
export interface RekeyWish {
  readonly data_keys: boolean
  /** Where the step before has stopped; '' at first. */
  readonly after: string
  readonly actor: string
}

const DATA_KEYS_AT_ONCE = 500
const HEADER_BYTES = 5
// Longer than it takes from the choice of a wrapping key to the row that is wrapped by it.
const KNOWN_MS = 60_000

/** How keys stand. */
export async function describeKeys(context: OutboundContext): Promise<KeyState> {
  const { tenant, vault_keys } = context
  const { tenant_id, store, root_name } = tenant
  const tenant_rows = await store.listTenantKeys({ tenant_id })
  const rows = await vault_keys.list()
  const { all, left } = await store.countDataKeys({ tenant_id, header: newestHeader(rows) })
  const others = (name: string | null) => (row: { wrapped_by?: string | null }) => row.wrapped_by !== name
  return {
    root_key: root_name,
    vault_root_key: vault_keys.root_name,
    under_former_roots: tenant_rows.filter(others(root_name)).length + rows.filter(others(vault_keys.root_name)).length,
    vault_keys: rows.length,
    data_keys: all,
    under_former_vault_keys: left,
    vault_closed: await vault_keys.whyClosed(),
  }
}

/**
 * One step of a rekeying: keys under former root keys first, then some data keys under former keys of the vault. What
 * is done is seen in the rows alone, so whoever comes after a kill goes on where it happened.
 */
export async function rekeyStep(context: OutboundContext, wish: RekeyWish): Promise<RekeyStep> {
  const first = wish.after === ''
  const rewrapped_keys = first ? await rewrapRootKeys(context, wish.actor) : 0
  if (first && wish.data_keys) await startTakeOver(context, wish.actor)
  const some = await rewrapSome(context, wish.after)
  const destroyed_keys = some.after === null ? await destroyFormerVaultKeys(context, wish.actor) : 0
  return { rewrapped_keys, destroyed_keys, ...some }
}

/** Puts all keys under the present root keys that former ones wrap; answers how many. */
async function rewrapRootKeys(context: OutboundContext, actor: string): Promise<number> {
  const { tenant, vault_keys } = context
  const tenant_keys = await tenant.rewrapKeys()
  const rewrapped: Rewrapped[] = []
  for (const row of await vault_keys.list()) {
    const again = await vault_keys.rewrap(row)
    if (again) rewrapped.push({ kid: row.kid, former: row.wrapped, ...again })
  }
  const count = tenant_keys.length + rewrapped.length
  if (count === 0) return 0
  const detail = { root_key: tenant.root_name, vault_root_key: vault_keys.root_name, keys: count }
  const event = outboundEvent(context, 'root_key.used', actor, { detail })
  await tenant.store.rewrapKeys({ tenant_id: tenant.tenant_id, tenant_keys, vault_keys: rewrapped, event })
  return count
}

/** Adds the key of the vault that takes over, unless an older one still has to give way: then that is finished first. */
async function startTakeOver(context: OutboundContext, actor: string): Promise<void> {
  const { tenant, vault_keys } = context
  const rows = await vault_keys.list()
  const { all, left } = await tenant.store.countDataKeys({ tenant_id: tenant.tenant_id, header: newestHeader(rows) })
  const waits = left > 0 && rows.length > 0
  if (all === 0 || waits) return
  const detail = { former: rows.at(-1)?.kid ?? null }
  await vault_keys.add(rows, outboundEvent(context, 'vault_key.added', actor, { detail }))
}

/** Some data keys behind `after`, by the key that wraps them and the connection. */
async function rewrapSome(
  { tenant, vault_keys }: OutboundContext,
  after: string,
): Promise<Pick<RekeyStep, 'after' | 'rewrapped_data_keys' | 'unreadable'>> {
  const { tenant_id, store } = tenant
  const header = newestHeader(await vault_keys.list())
  const rows = await store.pageDataKeys({ tenant_id, header, after: readCursor(after), most: DATA_KEYS_AT_ONCE })
  const last = rows.at(-1)
  if (!last) return { after: null, rewrapped_data_keys: 0, unreadable: 0 }
  const wrapping = await vault_keys.newest()
  const tried = await Promise.all(rows.map((row) => rewrap(vault_keys, wrapping, row)))
  const keys = tried.filter((key) => key !== null)
  const rewrapped_data_keys = await store.rewrapDataKeys({ tenant_id, keys })
  const cursor = Buffer.from(last.data_key.subarray(0, HEADER_BYTES)).toString('hex') + last.connection_id
  return { after: cursor, rewrapped_data_keys, unreadable: rows.length - keys.length }
}

function readCursor(after: string): { header: Uint8Array; connection_id: string } {
  const digits = HEADER_BYTES * 2
  return { header: Buffer.from(after.slice(0, digits), 'hex'), connection_id: after.slice(digits) }
}

/** Null for a data key that does not open: it stays as it is, and with it the key that it names. */
async function rewrap(vault_keys: VaultKeys, wrapping: TenantKeys, row: WrappedDataKey) {
  try {
    const data_key = await rewrapDataKey(vault_keys, wrapping, row)
    return { connection_id: row.connection_id, former: row.data_key, data_key }
  } catch (error) {
    if (error instanceof SealError) return null
    throw error
  }
}

/** Destroys the keys of the vault that nothing needs any more, once every replica knows their successor. */
export async function destroyFormerVaultKeys(context: OutboundContext, actor: string): Promise<number> {
  const { tenant_id, store } = context.tenant
  const rows = await context.vault_keys.list()
  const newest = rows.at(-1)?.kid
  if (newest === undefined || rows.length === 1) return 0
  const event = outboundEvent(context, 'vault_key.destroyed', actor)
  const header = sealedHeader(newest)
  return store.destroyFormerVaultKeys({ tenant_id, header, newest, known_ms: KNOWN_MS, event })
}
