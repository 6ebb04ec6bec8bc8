import type { NewEvent } from '../records.ts'
import { bytes, NOW, type Run, read, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** A tenant's own registration at a provider, as its row holds it; `settings` is JSON. */
export interface ConnectorRecord {
  readonly connector: string
  readonly provider: string
  readonly client_id: string
  readonly sealed_client_secret: Uint8Array | null
  readonly scope: string
  readonly settings: string
  readonly version: number
  /** What the provider holds against this registration, as its error code. */
  readonly error: string | null
  readonly error_description: string | null
  readonly error_at: number | null
  readonly disabled_at: number | null
}

/** A connector to make or change, sealed under its new version. */
export type SavedConnector = Omit<ConnectorRecord, 'error' | 'error_description' | 'error_at' | 'disabled_at'>

/** Makes a connector; false when the name is taken. */
export const createConnector = write(function* (args: {
  tenant_id: string
  connector: SavedConnector
  event: NewEvent
}): Run<boolean> {
  const { connector, event } = args
  const [made] = yield* sql<{ connector: string }>`
    insert into connectors (tenant_id, connector, provider, client_id, sealed_client_secret, scope, settings, version,
      created_at, updated_at)
    values (${args.tenant_id}, ${connector.connector}, ${connector.provider}, ${connector.client_id},
      ${bytes(connector.sealed_client_secret)}, ${connector.scope}, ${connector.settings}, ${connector.version},
      ${event.at}, ${event.at})
    on conflict do nothing returning connector`
  if (made) yield* insertEvent(event)
  return made !== undefined
})

/**
 * Holds a connector that is at the version that was read, and that its tenant may use: updating the row locks it. Whoever
 * moves or deletes it afterwards sees what this transaction stores through it, and whoever did so before is seen.
 */
export function* holdConnector(tenant_id: string, connector: string, version: number): Run<boolean> {
  // The subquery keeps it out of batches, in which of those who hold the same one only one would be told.
  const [held] = yield* sql<{ connector: string }>`
    update connectors set version = version
    where tenant_id = ${tenant_id} and connector = ${connector} and version = ${version} and disabled_at is null
      and exists (select 1 from tenants t where t.tenant_id = connectors.tenant_id and t.disabled_at is null)
    returning connector`
  return held !== undefined
}

/**
 * Changes a connector that is still at the version that was read; what the provider held against it is forgotten. With
 * `unconnected` only while it has no connection, counting those whose tokens are still to be revoked, and nobody has tokens
 * of it to choose from.
 */
export const updateConnector = write(function* (args: {
  tenant_id: string
  connector: SavedConnector
  from_version: number
  unconnected: boolean
  event: NewEvent
}): Run<'updated' | 'moved' | 'has_connections' | 'has_choices'> {
  const { tenant_id, connector, event } = args
  if (args.unconnected) {
    // Updating the row locks it: a connection that is being stored is seen, and one after this finds another version.
    yield* sql`
      update connectors set version = version where tenant_id = ${tenant_id} and connector = ${connector.connector}`
    if (yield* hasConnections(tenant_id, connector.connector)) return 'has_connections'
    if (yield* hasChoices(tenant_id, connector.connector)) return 'has_choices'
  }
  const [changed] = yield* sql<{ connector: string }>`
    update connectors set provider = ${connector.provider}, client_id = ${connector.client_id},
      sealed_client_secret = ${bytes(connector.sealed_client_secret)}, scope = ${connector.scope},
      settings = ${connector.settings}, version = ${connector.version}, error = null, error_description = null, error_at = null,
      updated_at = ${event.at}
    where tenant_id = ${args.tenant_id} and connector = ${connector.connector} and version = ${args.from_version}
    returning connector`
  if (!changed) return 'moved'
  yield* insertEvent(event)
  return 'updated'
})

// An ended one counts until its tokens are destroyed: until then they may still be sent, to be revoked.
function* hasConnections(tenant_id: string, connector: string): Run<boolean> {
  const [live] = yield* sql<{ connection_id: string }>`
    select connection_id from connections
    where tenant_id = ${tenant_id} and connector = ${connector}
      and (state <> 'disconnected' or data_key is not null)
    limit 1`
  return live !== undefined
}

// What waits for a choice has tokens, lapsed or not, until they were taken back.
function* hasChoices(tenant_id: string, connector: string): Run<boolean> {
  const [waiting] = yield* sql<{ connector: string }>`
    select connector from connect_flows
    where tenant_id = ${tenant_id} and connector = ${connector} and holds_tokens = 1 and used_at is null
    limit 1`
  return waiting !== undefined
}

/** Disables or enables a connector: what goes through it stops at once, and may go on later. */
export const setConnectorDisabled = write(function* (args: {
  tenant_id: string
  connector: string
  disabled: boolean
  event: NewEvent
}): Run<boolean> {
  const [changed] = args.disabled
    ? yield* sql<{ connector: string }>`
        update connectors set disabled_at = ${NOW}
        where tenant_id = ${args.tenant_id} and connector = ${args.connector} and disabled_at is null
        returning connector`
    : yield* sql<{ connector: string }>`
        update connectors set disabled_at = null
        where tenant_id = ${args.tenant_id} and connector = ${args.connector} and disabled_at is not null
        returning connector`
  if (changed) yield* insertEvent(args.event)
  return changed !== undefined
})

/** Notes what the provider holds against a registration, or that it works again; says whether that is news. */
export const noteConnectorError = write(
  function* (args: {
    tenant_id: string
    connector: string
    version: number
    error: string | null
    error_description: string | null
    event: NewEvent
  }): Run<boolean> {
    const [changed] =
      args.error === null
        ? yield* sql<{ connector: string }>`
            update connectors set error = null, error_description = null, error_at = null
            where tenant_id = ${args.tenant_id} and connector = ${args.connector} and version = ${args.version}
              and error is not null
            returning connector`
        : yield* sql<{ connector: string }>`
            update connectors set error = ${args.error}, error_description = ${text(args.error_description)},
              error_at = ${NOW}
            where tenant_id = ${args.tenant_id} and connector = ${args.connector} and version = ${args.version}
              and (error is null or error <> ${args.error})
            returning connector`
    if (changed) yield* insertEvent(args.event)
    return changed !== undefined
  },
  { key: (args) => `${args.tenant_id}/${args.connector}` },
)

/** Deletes a connector with its flows and ended connections; refused while a connection lives, or tokens of it are kept. */
export const deleteConnector = write(function* (args: {
  tenant_id: string
  connector: string
  event: NewEvent
}): Run<'deleted' | 'has_connections' | 'has_choices' | 'unknown'> {
  const { tenant_id, connector } = args
  // Updating the row locks it: a connection that is being stored is seen, and one after this finds no connector.
  const [held] = yield* sql<{ connector: string }>`
    update connectors set version = version where tenant_id = ${tenant_id} and connector = ${connector} returning connector`
  if (!held) return 'unknown'
  if (yield* hasConnections(tenant_id, connector)) return 'has_connections'
  if (yield* hasChoices(tenant_id, connector)) return 'has_choices'
  yield* sql`delete from connect_flows where tenant_id = ${tenant_id} and connector = ${connector}`
  yield* sql`delete from connections where tenant_id = ${tenant_id} and connector = ${connector}`
  yield* sql`delete from connectors where tenant_id = ${tenant_id} and connector = ${connector}`
  yield* insertEvent(args.event)
  return 'deleted'
})

/** A connector as lists show it. */
export interface ListedConnector extends ConnectorRecord {
  readonly created_at: number
  readonly updated_at: number
}

/** The connectors of a tenant, by name. */
export const listConnectors = read(function* (args: { tenant_id: string }): Run<ListedConnector[]> {
  return yield* sql<ListedConnector>`
    select connector, provider, client_id, sealed_client_secret, scope, settings, version, error, error_description,
      error_at, disabled_at, created_at, updated_at
    from connectors where tenant_id = ${args.tenant_id} order by connector limit 1000`
})

/** One connector, or null. */
export const findConnector = read(function* (args: {
  tenant_id: string
  connector: string
}): Run<ListedConnector | null> {
  const [connector] = yield* sql<ListedConnector>`
    select connector, provider, client_id, sealed_client_secret, scope, settings, version, error, error_description,
      error_at, disabled_at, created_at, updated_at
    from connectors where tenant_id = ${args.tenant_id} and connector = ${args.connector}`
  return connector ?? null
})

/** Reads the connector's part of a joined row. */
export function readConnector(row: Readonly<Record<string, unknown>>): ConnectorRecord {
  return {
    connector: row['connector'] as string,
    provider: row['provider'] as string,
    client_id: row['k_client_id'] as string,
    sealed_client_secret: row['sealed_client_secret'] as Uint8Array | null,
    scope: row['k_scope'] as string,
    settings: row['k_settings'] as string,
    version: row['k_version'] as number,
    error: row['k_error'] as string | null,
    error_description: row['k_error_description'] as string | null,
    error_at: row['k_error_at'] as number | null,
    disabled_at: row['k_disabled_at'] as number | null,
  }
}
