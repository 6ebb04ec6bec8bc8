import type { ClientRecord, NewEvent, ResourceRecord, TenantState } from '../records.ts'
import { bytes, int, NOW, type Run, read, sql, together, write } from '../sql.ts'
import { readClient, readTenantState } from './authority.ts'
import { noteLogo } from './client_logos.ts'
import { replaceSealedSecret, rotateSealedSecret } from './client_secrets.ts'
import { insertEvent } from './events.ts'
import { revocationStatement } from './revocations.ts'
import { raiseConfigVersion, upsertResource } from './tenants.ts'

/** Tenant, client and time in one query: what a client-authenticated request without a grant needs. */
export const loadClientAuthority = read(function* (args: {
  tenant_id: string
  client_id: string
}): Run<{ now: number; tenant: TenantState; client: ClientRecord | null } | null> {
  const [row] = yield* sql<Record<string, unknown>>`
    select ${NOW} as now, t.tenant_id, t.epoch as t_epoch, t.config_version, t.disabled_at as t_disabled_at,
      c.client_id as c_client_id, c.client_name, c.metadata, c.source, c.trusted, c.client_secret_hash,
      c.former_client_secret_hash, c.former_client_secret_expires_at, c.client_secret_expires_at, c.epoch as c_epoch, c.disabled_at as c_disabled_at
    from tenants t left join clients c on c.tenant_id = t.tenant_id and c.client_id = ${args.client_id}
    where t.tenant_id = ${args.tenant_id}`
  if (!row) return null
  return { now: row['now'] as number, tenant: readTenantState(row), client: readClient(row) }
})

/** A client to make or change. */
export interface SavedClient {
  readonly client_id: string
  readonly client_name: string
  readonly metadata: string
  readonly source: string
  readonly trusted: boolean
  readonly client_secret_hash: Uint8Array | null
  /** Of a client that signs with its secret; null drops what there is, and without it that stays as it is. */
  readonly sealed_client_secret?: Uint8Array | null
  /** It may use a grant that discovery lists only for as long as some client does. */
  readonly legacy?: boolean
}

/**
 * Makes a client; false when the client_id is taken. Its epoch begins at the time, above all that a deleted client of
 * the same client_id ever had: what that one was issued never lives again.
 */
export const createClient = write(function* (args: {
  tenant_id: string
  client: SavedClient
  /** What it stands for: they are made, and deleted, together. */
  resource?: ResourceRecord
  event: NewEvent
}): Run<boolean> {
  const { client, event } = args
  const [made] = yield* sql<{ client_id: string }>`
    insert into clients (tenant_id, client_id, client_name, metadata, source, trusted, client_secret_hash,
      client_secret_made_at, epoch, created_at, updated_at, tokens_issued, legacy)
    values (${args.tenant_id}, ${client.client_id}, ${client.client_name}, ${client.metadata}, ${client.source},
      ${client.trusted ? 1 : 0}, ${bytes(client.client_secret_hash)}, ${int(client.client_secret_hash ? event.at : null)},
      ${NOW}, ${event.at}, ${event.at}, 0, ${client.legacy ? 1 : 0})
    on conflict do nothing returning client_id`
  if (made && client.sealed_client_secret) {
    yield* replaceSealedSecret(args.tenant_id, client.client_id, client.sealed_client_secret)
  }
  if (made && args.resource) {
    yield* upsertResource(args.tenant_id, { ...args.resource, client_id: client.client_id }, event.at)
    yield* raiseConfigVersion(args.tenant_id)
  }
  if (made) yield* noteLogo(args.tenant_id, client.client_id, client.metadata)
  if (made) yield* insertEvent(event)
  return made !== undefined
})

/**
 * Changes a client's metadata and trust; its secrets only when one is given, which is then the only one. False when there
 * is no such client, or `seen` is no longer what stands.
 */
export const updateClient = write(function* (args: {
  tenant_id: string
  client: Omit<SavedClient, 'source'>
  /** The metadata that whoever decided this has seen. */
  seen?: string
  event: NewEvent
}): Run<boolean> {
  const { client, event } = args
  const renewed = client.client_secret_hash ? 1 : 0
  const [changed] = yield* sql<{ client_id: string }>`
    update clients set client_name = ${client.client_name}, metadata = ${client.metadata},
      trusted = ${client.trusted ? 1 : 0}, legacy = ${client.legacy ? 1 : 0}, updated_at = ${event.at},
      client_secret_hash = coalesce(${bytes(client.client_secret_hash)}, client_secret_hash),
      client_secret_made_at = case when ${renewed} = 1 then ${event.at} else client_secret_made_at end,
      former_client_secret_hash = case when ${renewed} = 1 then null else former_client_secret_hash end,
      client_secret_expires_at = case when ${renewed} = 1 then null else client_secret_expires_at end,
      -- Whoever an administrator describes describes itself no more.
      source = case when source in ('dynamic', 'metadata_document') then 'apply' else source end,
      registration_token_hash = null
    where tenant_id = ${args.tenant_id} and client_id = ${client.client_id}
      and (${args.seen === undefined ? 1 : 0} = 1 or metadata = ${args.seen ?? ''}) returning client_id`
  if (changed && client.sealed_client_secret !== undefined) {
    yield* replaceSealedSecret(args.tenant_id, client.client_id, client.sealed_client_secret)
  }
  if (changed) yield* noteLogo(args.tenant_id, client.client_id, client.metadata)
  if (changed) yield* insertEvent(event)
  return changed !== undefined
})

/** Gives a client a new secret; the old one lives on until the given time. False when `seen` is no longer the old one. */
export const rotateClientSecret = write(function* (args: {
  tenant_id: string
  client_id: string
  client_secret_hash: Uint8Array
  sealed_client_secret?: Uint8Array | null
  former_expires_at: number | null
  /** The hash of the secret that whoever decided this has seen. */
  seen?: Uint8Array
  event: NewEvent
}): Run<boolean> {
  const [changed] = yield* sql<{ client_id: string }>`
    update clients set former_client_secret_hash = client_secret_hash, former_client_secret_made_at = client_secret_made_at,
      former_client_secret_expires_at = ${int(args.former_expires_at)}, client_secret_hash = ${args.client_secret_hash},
      client_secret_made_at = ${args.event.at}, client_secret_expires_at = null, updated_at = ${args.event.at}
    where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}
      and (${args.seen ? 1 : 0} = 0 or client_secret_hash = ${bytes(args.seen)}) returning client_id`
  if (changed && args.sealed_client_secret) {
    yield* rotateSealedSecret(args.tenant_id, args.client_id, args.sealed_client_secret)
  }
  if (changed) yield* insertEvent(args.event)
  return changed !== undefined
})

/** Disables or enables a client. Disabling raises its epoch, so that what was issued before never lives again. */
export const setClientDisabled = write(function* (args: {
  tenant_id: string
  client_id: string
  disabled: boolean
  event: NewEvent
}): Run<boolean> {
  const [changed] = args.disabled
    ? yield* sql<{ epoch: number }>`
        update clients set disabled_at = ${NOW}, epoch = epoch + 1
        where tenant_id = ${args.tenant_id} and client_id = ${args.client_id} and disabled_at is null returning epoch`
    : yield* sql<{ epoch: number }>`
        update clients set disabled_at = null
        where tenant_id = ${args.tenant_id} and client_id = ${args.client_id} and disabled_at is not null
        returning epoch`
  const { client_id } = args
  if (changed && args.disabled) {
    yield* revocationStatement(args.event, { kind: 'client_id', value: client_id, epoch: changed.epoch })
  }
  if (changed) yield* insertEvent(args.event)
  return changed !== undefined
})

/** Deletes a client with its grants, its consents and the resource that it stands for. An administrator may give its client_id to another client. */
export const deleteClient = write(function* (args: {
  tenant_id: string
  client_id: string
  event: NewEvent
}): Run<boolean> {
  yield* sql`delete from grants where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}`
  yield* sql`delete from consents where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}`
  yield* sql`delete from pushed_requests where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}`
  yield* sql`delete from connect_sessions where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}`
  // Nobody is left who may use the connections of its users: upkeep tells the providers and destroys the keys.
  yield* sql`
    update connections set state = 'disconnected', reason = 'client_deleted', upkeep_at = null, updated_at = ${args.event.at}
    where tenant_id = ${args.tenant_id} and client_id = ${args.client_id} and state <> 'disconnected'`
  const { client_id } = args
  const [gone] = yield* sql<{ epoch: number }>`
    delete from clients where tenant_id = ${args.tenant_id} and client_id = ${client_id} returning epoch + 1 as epoch`
  if (gone) yield* revocationStatement(args.event, { kind: 'client_id', value: client_id, epoch: gone.epoch })
  const resources = yield* sql<{ resource: string }>`
    delete from resources where tenant_id = ${args.tenant_id} and client_id = ${args.client_id} returning resource`
  if (resources.length > 0) yield* raiseConfigVersion(args.tenant_id)
  if (gone) yield* insertEvent(args.event)
  return gone !== undefined
})

/** The metadata of clients that may use a legacy grant and are not disabled. */
export const listLegacyClients = read(function* (args: {
  tenant_id: string
  most: number
}): Run<{ metadata: string }[]> {
  return yield* sql<{ metadata: string }>`
    select metadata from clients where tenant_id = ${args.tenant_id} and legacy = 1 and disabled_at is null
    limit ${args.most}`
})

/** A client as lists show it. */
export interface ListedClient extends ClientRecord {
  readonly created_at: number
  readonly updated_at: number
  readonly tokens_issued: number
  readonly last_used_at: number | null
}

/** Clients of a tenant by client_id, from after a cursor; with `secrets_before` those whose older secret ends until then. */
export const pageClients = read(function* (args: {
  tenant_id: string
  after_client_id: string
  secrets_before?: number | undefined
  most: number
}): Run<ListedClient[]> {
  if (args.secrets_before !== undefined) {
    // In the order of the table's key, SQLite would read all clients of the tenant for the few.
    return yield* sql<ListedClient>`
      select client_id, client_name, metadata, source, trusted, client_secret_hash, former_client_secret_hash,
        former_client_secret_expires_at, client_secret_expires_at, epoch, disabled_at, created_at, updated_at, tokens_issued, last_used_at
      from clients where tenant_id = ${args.tenant_id} and client_id > ${args.after_client_id}
        and former_client_secret_expires_at between ${NOW} and ${args.secrets_before}
      order by client_id || '' limit ${args.most}`
  }
  return yield* sql<ListedClient>`
    select client_id, client_name, metadata, source, trusted, client_secret_hash, former_client_secret_hash,
      former_client_secret_expires_at, client_secret_expires_at, epoch, disabled_at, created_at, updated_at, tokens_issued, last_used_at
    from clients where tenant_id = ${args.tenant_id} and client_id > ${args.after_client_id}
    order by client_id limit ${args.most}`
})

/**
 * Clients whose name holds a text, by client_id, of the first `most_read` that there are: no index finds what stands in
 * the middle of a name. Letters of ASCII are alike in both cases.
 */
export const searchClients = read(function* (args: {
  tenant_id: string
  text: string
  most_read: number
  most: number
}): Run<ListedClient[]> {
  const { tenant_id } = args
  const found = yield* sql<{ client_id: string }>`
    select client_id from (
      select client_id, client_name from clients where tenant_id = ${tenant_id} order by client_id limit ${args.most_read}) c
    where replace(lower(client_name), lower(${args.text}), '') <> lower(client_name)
    order by client_id limit ${args.most}`
  const rows = yield* together(found.map(({ client_id }) => oneClient(tenant_id, client_id)))
  return rows.flat()
})

/** One client, or null. */
export const findClient = read(function* (args: { tenant_id: string; client_id: string }): Run<ListedClient | null> {
  const [client] = yield* oneClient(args.tenant_id, args.client_id)
  return client ?? null
})

const oneClient = (tenant_id: string, client_id: string) => sql<ListedClient>`
  select client_id, client_name, metadata, source, trusted, client_secret_hash, former_client_secret_hash,
    former_client_secret_expires_at, client_secret_expires_at, epoch, disabled_at, created_at, updated_at, tokens_issued, last_used_at
  from clients where tenant_id = ${tenant_id} and client_id = ${client_id}`
