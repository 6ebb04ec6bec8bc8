import type { NewEvent } from '../records.ts'
import { NOW, pickColumns, type Run, read, sql, text, write } from '../sql.ts'
import { type ConnectorRecord, readConnector } from './connectors.ts'
import { insertEvent } from './events.ts'

/** What a stored connection may be; `pending` awaits a platform's confirmation. */
export type ConnectionState = 'pending' | 'ready' | 'needs_reconsent' | 'disconnected'

/** Whose a connection is: a user of ours, or somebody whom a platform alone knows. */
export interface ConnectionOwner {
  readonly user_id: string | null
  /** The platform, and its own name for its user, where the owner is no user of ours. */
  readonly client_id: string | null
  readonly end_user_id: string | null
}

/** One owner's link through a connector, as its row holds it. */
export interface ConnectionRecord extends ConnectionOwner {
  readonly connection_id: string
  readonly connector: string
  readonly state: ConnectionState
  readonly reason: string | null
  readonly account: string | null
  readonly account_name: string | null
  readonly scope: string
  readonly data_key: Uint8Array | null
  readonly sealed_tokens: Uint8Array | null
  readonly generation: number
  readonly refresh_fingerprint: Uint8Array | null
  readonly issued_at: number | null
  readonly access_expires_at: number | null
  readonly refresh_expires_at: number | null
  readonly intent_id: string | null
  readonly intent_at: number | null
  readonly intent_deadline_at: number | null
  readonly uncertain_at: number | null
  readonly sealed_candidate: Uint8Array | null
  readonly refresh_failures: number
  /** Of the failures those that were decisions of the provider. */
  readonly refresh_refusals: number
  readonly retry_at: number | null
  readonly last_used_at: number | null
  readonly keep_at: number | null
  readonly warn_at: number | null
  readonly warned_at: number | null
  /** The end that was chosen for it; from then on it is read as disconnected, whoever gets round to it when. */
  readonly ends_at: number | null
  /** The redirect URI that its consent came by; null is the connector's own. */
  readonly redirect_uri: string | null
}

/** Everything that decides about a connection, read in one query. */
export interface ConnectionAuthority {
  readonly now: number
  readonly connection: ConnectionRecord
  readonly connector: ConnectorRecord
  readonly tenant_disabled_at: number | null
  /** Of the owner: the user, or the platform whose user it is. */
  readonly user_disabled_at: number | null
}

/** A connection with its connector, owner, tenant and the time; null when there is none. */
export const loadConnection = read(function* (args: {
  tenant_id: string
  connection_id: string
}): Run<ConnectionAuthority | null> {
  const [row] = yield* sql<Record<string, unknown>>`
    select ${NOW} as now, c.connection_id, c.connector, c.user_id, c.client_id, c.end_user_id,
      case when c.ends_at <= ${NOW} then 'disconnected' else c.state end as state,
      case when c.ends_at <= ${NOW} and c.state <> 'disconnected' then 'ended' else c.reason end as reason,
      c.account, c.account_name, c.scope, c.data_key, c.sealed_tokens, c.generation, c.refresh_fingerprint, c.issued_at, c.access_expires_at,
      c.refresh_expires_at, c.intent_id, c.intent_at, c.intent_deadline_at, c.uncertain_at, c.sealed_candidate, c.refresh_failures,
      c.refresh_refusals, c.retry_at, c.last_used_at, c.keep_at, c.warn_at, c.warned_at, c.ends_at, c.redirect_uri,
      k.provider, k.client_id as k_client_id, k.sealed_client_secret, k.scope as k_scope, k.settings as k_settings,
      k.version as k_version, k.error as k_error, k.error_description as k_error_description, k.error_at as k_error_at, k.disabled_at as k_disabled_at,
      t.disabled_at as t_disabled_at, coalesce(u.disabled_at, cl.disabled_at) as u_disabled_at
    from connections c
    join tenants t on t.tenant_id = c.tenant_id
    join connectors k on k.tenant_id = c.tenant_id and k.connector = c.connector
    left join users u on u.tenant_id = c.tenant_id and u.user_id = c.user_id
    left join clients cl on cl.tenant_id = c.tenant_id and cl.client_id = c.client_id
    where c.tenant_id = ${args.tenant_id} and c.connection_id = ${args.connection_id}`
  if (!row) return null
  return {
    now: row['now'] as number,
    connection: pickColumns<ConnectionRecord>(row, CONNECTION_COLUMNS),
    connector: readConnector(row),
    tenant_disabled_at: row['t_disabled_at'] as number | null,
    user_disabled_at: row['u_disabled_at'] as number | null,
  }
})

const CONNECTION_COLUMNS: readonly (keyof ConnectionRecord)[] = [
  ...(['connection_id', 'connector', 'user_id', 'client_id', 'end_user_id', 'state', 'reason'] as const),
  ...(['account', 'account_name', 'scope'] as const),
  ...(['data_key', 'sealed_tokens', 'generation', 'refresh_fingerprint', 'issued_at', 'access_expires_at'] as const),
  ...(['refresh_expires_at', 'intent_id', 'intent_at', 'intent_deadline_at', 'uncertain_at'] as const),
  ...(['sealed_candidate', 'refresh_failures', 'refresh_refusals', 'retry_at', 'last_used_at'] as const),
  ...(['keep_at', 'warn_at', 'warned_at'] as const),
  ...(['ends_at', 'redirect_uri'] as const),
]

/** The living connection of an owner's account at a provider, or null. */
export const findConnectionOfAccount = read(function* (args: {
  tenant_id: string
  user_id: string | null
  client_id?: string | null
  end_user_id?: string | null
  connector: string
  account: string
}): Run<string | null> {
  const [row] = yield* sql<{ connection_id: string }>`
    select connection_id from connections
    where tenant_id = ${args.tenant_id}
      and (user_id = ${text(args.user_id)} or (client_id = ${text(args.client_id)} and end_user_id = ${text(args.end_user_id)}))
      and connector = ${args.connector} and account = ${args.account} and state <> 'disconnected'`
  return row?.connection_id ?? null
})

/** The answer of a provider, sealed, with what of it decides. */
export interface SealedAnswer {
  readonly sealed_tokens: Uint8Array
  readonly scope: string
  readonly refresh_fingerprint: Uint8Array | null
  readonly issued_at: number
  readonly access_expires_at: number | null
  readonly refresh_expires_at: number | null
  /** Left out where it is for the work behind the requests to plan. */
  readonly plan?: UpkeepPlan
}

/** When the work behind the requests does something about a connection; null is never. */
export interface UpkeepPlan {
  /** When it looks next. */
  readonly upkeep_at: number | null
  /** When it uses the refresh token, so that it does not die of idleness. */
  readonly keep_at: number | null
  /** When the owner is told that the tokens will end, and when that was done. */
  readonly warn_at: number | null
  readonly warned_at: number | null
}

/** The plan of what is not planned yet: it is looked at at once. */
export const UNPLANNED: UpkeepPlan = { upkeep_at: 0, keep_at: null, warn_at: null, warned_at: null }

/** Ends a connection: no token leaves it from now on. Its data key stays until the provider has been told. */
export const disconnectConnection = write(
  function* (args: { tenant_id: string; connection_id: string; reason: string; event: NewEvent }): Run<boolean> {
    const [ended] = yield* sql<{ connection_id: string }>`
      update connections set state = 'disconnected', reason = ${args.reason}, upkeep_at = null,
        updated_at = ${args.event.at}
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and state <> 'disconnected'
      returning connection_id`
    if (ended) yield* insertEvent(args.event)
    return ended !== undefined
  },
  { key: connectionKey, repeatable: true },
)

/** Destroys the data key of an ended connection, and with it every copy of its tokens but those in backups made before. */
export const destroyDataKey = write(
  function* (args: { tenant_id: string; connection_id: string; event: NewEvent }): Run<boolean> {
    const [destroyed] = yield* sql<{ connection_id: string }>`
      update connections set data_key = null, sealed_tokens = null, sealed_candidate = null,
        refresh_fingerprint = null, intent_fingerprint = null, updated_at = ${args.event.at}
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and state = 'disconnected'
        and data_key is not null
      returning connection_id`
    if (destroyed) yield* insertEvent(args.event)
    return destroyed !== undefined
  },
  { key: connectionKey, repeatable: true },
)

/** Ended connections whose data key still stands, because a process died before it was done. */
export const listUndestroyed = read(function* (args: {
  tenant_id: string
  before: number
  after: Pick<EndedConnection, 'connection_id'> | null
  most: number
}): Run<EndedConnection[]> {
  return yield* sql<EndedConnection>`
    select connection_id, connector from connections
    where tenant_id = ${args.tenant_id} and state = 'disconnected' and data_key is not null
      and updated_at < ${args.before} and connection_id > ${args.after?.connection_id ?? ''}
    order by connection_id limit ${args.most}`
})

/** A connection that has ended. */
export type EndedConnection = Pick<ConnectionRecord, 'connection_id' | 'connector'>

/** Notes the last use of a connection; called at most once an hour. */
export const touchConnection = write(
  function* (args: { tenant_id: string; connection_id: string }): Run<void> {
    yield* sql`
      update connections set last_used_at = ${NOW}
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id}`
  },
  { key: connectionKey, repeatable: true },
)

/** The key by which writes on one connection are kept apart in a batch. */
export function connectionKey(args: { tenant_id: string; connection_id: string }): string {
  return `${args.tenant_id}/${args.connection_id}`
}
