import type { NewEvent } from '../records.ts'
import { bytes, int, NOW, type Run, read, sql, text, write } from '../sql.ts'
import type { ListedClient, SavedClient } from './clients.ts'
import { insertEvent } from './events.ts'
import { revocationStatement } from './revocations.ts'

/** An initial access token (RFC 7591 section 3); lists in it are JSON or spaced, as on the wire. */
export interface RegistrationTokenRecord {
  readonly token_id: string
  readonly name: string
  /** What its clients may have instead of what the tenant lets unknown clients have; null is the tenant's. */
  readonly scope: string | null
  readonly grant_types: string | null
  readonly uses_left: number | null
  readonly created_at: number
  readonly expires_at: number
}

/** Keeps a new initial access token; false when there is one of that id. */
export const createRegistrationToken = write(function* (args: {
  tenant_id: string
  token: RegistrationTokenRecord & { readonly secret_hash: Uint8Array }
  event: NewEvent
}): Run<boolean> {
  const { token } = args
  const [made] = yield* sql`
    insert into registration_tokens (tenant_id, token_id, name, secret_hash, scope, grant_types, uses_left, created_at,
      expires_at)
    values (${args.tenant_id}, ${token.token_id}, ${token.name}, ${token.secret_hash}, ${text(token.scope)},
      ${text(token.grant_types)}, ${int(token.uses_left)}, ${token.created_at}, ${token.expires_at})
    on conflict do nothing returning token_id`
  if (made) yield* insertEvent(args.event)
  return made !== undefined
})

/** The initial access tokens that can still be used, newest first. */
export const listRegistrationTokens = read(function* (args: { tenant_id: string }): Run<RegistrationTokenRecord[]> {
  return yield* sql<RegistrationTokenRecord>`
    select token_id, name, scope, grant_types, uses_left, created_at, expires_at from registration_tokens
    where tenant_id = ${args.tenant_id} and expires_at > ${NOW} and (uses_left is null or uses_left > 0)
    order by token_id desc limit 500`
})

/** All of them, the newest first, from before a cursor. */
export const pageRegistrationTokens = read(function* (args: {
  tenant_id: string
  before_token_id: string
  most: number
}): Run<RegistrationTokenRecord[]> {
  return yield* sql<RegistrationTokenRecord>`
    select token_id, name, scope, grant_types, uses_left, created_at, expires_at from registration_tokens
    where tenant_id = ${args.tenant_id} and token_id < ${args.before_token_id} and expires_at > ${NOW}
      and (uses_left is null or uses_left > 0)
    order by token_id desc limit ${args.most}`
})

/** The initial access token of this secret, if it can still be used. */
export const findRegistrationToken = read(function* (args: {
  tenant_id: string
  secret_hash: Uint8Array
}): Run<RegistrationTokenRecord | null> {
  const [token] = yield* sql<RegistrationTokenRecord>`
    select token_id, name, scope, grant_types, uses_left, created_at, expires_at from registration_tokens
    where tenant_id = ${args.tenant_id} and secret_hash = ${args.secret_hash} and expires_at > ${NOW}
      and (uses_left is null or uses_left > 0)`
  return token ?? null
})

/** Ends an initial access token; false when there is none. */
export const deleteRegistrationToken = write(function* (args: {
  tenant_id: string
  token_id: string
  event: NewEvent
}): Run<boolean> {
  const [gone] = yield* sql<{ token_id: string }>`
    delete from registration_tokens where tenant_id = ${args.tenant_id} and token_id = ${args.token_id}
    returning token_id`
  if (gone) yield* insertEvent(args.event)
  return gone !== undefined
})

/** A client that registers itself: what manages it later, and when its secret ends. */
export interface RegisteredClient extends SavedClient {
  readonly registration_token_hash: Uint8Array
  readonly client_secret_expires_at: number | null
}

/** Makes a client and takes one use of the initial access token with which it came; `spent` when none was left. */
export const registerDynamicClient = write(function* (args: {
  tenant_id: string
  client: RegisteredClient
  token_id: string | null
  event: NewEvent
}): Run<'registered' | 'spent'> {
  const { tenant_id, client, event } = args
  if (args.token_id !== null) {
    const [used] = yield* sql<{ token_id: string }>`
      update registration_tokens set uses_left = uses_left - 1
      where tenant_id = ${tenant_id} and token_id = ${args.token_id} and expires_at > ${NOW}
        and (uses_left is null or uses_left > 0) returning token_id`
    if (!used) return 'spent'
  }
  yield* sql`
    insert into clients (tenant_id, client_id, client_name, metadata, source, trusted, client_secret_hash,
      client_secret_made_at, client_secret_expires_at, registration_token_hash, epoch, created_at, updated_at, tokens_issued)
    values (${tenant_id}, ${client.client_id}, ${client.client_name}, ${client.metadata}, ${client.source}, 0,
      ${bytes(client.client_secret_hash)}, ${int(client.client_secret_hash ? event.at : null)},
      ${int(client.client_secret_expires_at)}, ${client.registration_token_hash}, ${NOW}, ${event.at}, ${event.at}, 0)`
  yield* insertEvent(event)
  return 'registered'
})

/** A client as its own registration shows it, if this token manages it (RFC 7592 section 2). */
export const findRegistration = read(function* (args: {
  tenant_id: string
  client_id: string
  registration_token_hash: Uint8Array
}): Run<ListedClient | null> {
  const [client] = yield* sql<ListedClient>`
    select client_id, client_name, metadata, source, trusted, client_secret_hash, former_client_secret_hash,
      former_client_secret_expires_at, client_secret_expires_at, epoch, disabled_at, created_at, updated_at, tokens_issued,
      last_used_at
    from clients where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}
      and registration_token_hash = ${args.registration_token_hash} and disabled_at is null`
  return client ?? null
})

/** What of a client's secret changes with its registration. */
export type SecretChange =
  | { readonly kind: 'keep' | 'drop' }
  | { readonly kind: 'renew'; readonly hash: Uint8Array; readonly expires_at: number | null }

/** Changes a client by its own registration, if nothing changed since it was read; a renewed secret leaves the old one its time. */
export const updateRegistration = write(function* (args: {
  tenant_id: string
  client: { readonly client_id: string; readonly client_name: string; readonly metadata: string }
  seen: { readonly metadata: string }
  secret: SecretChange
  event: NewEvent
}): Run<boolean> {
  const { tenant_id, client, secret, event } = args
  const [changed] = yield* sql<{ client_id: string }>`
    update clients set client_name = ${client.client_name}, metadata = ${client.metadata}, updated_at = ${event.at}
    where tenant_id = ${tenant_id} and client_id = ${client.client_id} and metadata = ${args.seen.metadata}
      and disabled_at is null and registration_token_hash is not null
    returning client_id`
  if (!changed) return false
  if (secret.kind === 'drop') {
    yield* sql`
      update clients set client_secret_hash = null, client_secret_expires_at = null, former_client_secret_hash = null,
        former_client_secret_expires_at = null
      where tenant_id = ${tenant_id} and client_id = ${client.client_id}`
  } else if (secret.kind === 'renew') {
    yield* sql`
      update clients set former_client_secret_hash = client_secret_hash,
        former_client_secret_made_at = client_secret_made_at, client_secret_made_at = ${event.at},
        former_client_secret_expires_at = client_secret_expires_at, client_secret_hash = ${secret.hash},
        client_secret_expires_at = ${int(secret.expires_at)}
      where tenant_id = ${tenant_id} and client_id = ${client.client_id}`
  }
  yield* insertEvent(event)
  return true
})

/** Where a client's row stands when it is met again. */
export interface KeptClient {
  readonly epoch: number
  readonly disabled_at: number | null
}

/**
 * Keeps what a client's metadata document says; the event is written where that is new. `weaker` raises the epoch: what
 * was issued to a client that had to prove itself does not live on with one that has not. Null where the client_id
 * belongs to a client that came another way.
 */
export const keepDocumentClient = write(
  function* (args: {
    tenant_id: string
    client: { readonly client_id: string; readonly client_name: string; readonly metadata: string }
    weaker: boolean
    event: NewEvent
  }): Run<KeptClient | null> {
    const { tenant_id, client, event } = args
    const [made] = yield* sql<KeptClient>`
      insert into clients (tenant_id, client_id, client_name, metadata, source, trusted, epoch, created_at, updated_at,
        tokens_issued)
      values (${tenant_id}, ${client.client_id}, ${client.client_name}, ${client.metadata}, 'metadata_document', 0, ${NOW},
        ${event.at}, ${event.at}, 0)
      on conflict do nothing returning epoch, disabled_at`
    const [changed] = made
      ? [made]
      : yield* sql<KeptClient>`
          update clients set client_name = ${client.client_name}, metadata = ${client.metadata}, updated_at = ${event.at},
            epoch = epoch + ${args.weaker ? 1 : 0}
          where tenant_id = ${tenant_id} and client_id = ${client.client_id} and source = 'metadata_document'
            and metadata <> ${client.metadata} returning epoch, disabled_at`
    if (changed) {
      if (!made && args.weaker) {
        yield* revocationStatement(event, { kind: 'client_id', value: client.client_id, epoch: changed.epoch })
      }
      yield* insertEvent({ ...event, type: made ? 'client.created' : 'client.updated' })
      return changed
    }
    const [known] = yield* sql<KeptClient>`
      select epoch, disabled_at from clients
      where tenant_id = ${tenant_id} and client_id = ${client.client_id} and source = 'metadata_document'`
    return known ?? null
  },
  { key: ({ tenant_id, client }) => `${tenant_id}/${client.client_id}` },
)

/** Clients that nobody of the tenant registered, without a grant, and not used since. */
export const listUnusedClients = read(function* (args: {
  tenant_id: string
  unused_since: number
  most: number
}): Run<{ client_id: string }[]> {
  return yield* sql<{ client_id: string }>`
    select client_id from clients c
    where tenant_id = ${args.tenant_id} and source in ('dynamic', 'metadata_document') and disabled_at is null
      and created_at < ${args.unused_since} and (last_used_at is null or last_used_at < ${args.unused_since})
      and not exists (select 1 from grants g where g.tenant_id = c.tenant_id and g.client_id = c.client_id)
      and not exists (select 1 from connections n where n.tenant_id = c.tenant_id and n.client_id = c.client_id
        and n.state <> 'disconnected')
    order by created_at, client_id limit ${args.most}`
})

/** Throw-away clients of the playground from before a time, used or not. */
export const listThrownAwayClients = read(function* (args: {
  tenant_id: string
  created_before: number
  most: number
}): Run<{ client_id: string }[]> {
  return yield* sql<{ client_id: string }>`
    select client_id from clients
    where tenant_id = ${args.tenant_id} and source = 'playground' and created_at < ${args.created_before}
    order by created_at limit ${args.most}`
})

/** Deletes a client that is still unused; its event is written with it. */
export const deleteUnusedClient = write(function* (args: {
  tenant_id: string
  client_id: string
  unused_since: number
  event: NewEvent
}): Run<boolean> {
  const { tenant_id, client_id, unused_since } = args
  // Updating the row locks it: a grant that is made at this moment waits, and finds no client.
  const [unused] = yield* sql<{ client_id: string }>`
    update clients set updated_at = updated_at
    where tenant_id = ${tenant_id} and client_id = ${client_id} and source in ('dynamic', 'metadata_document')
      and disabled_at is null and created_at < ${unused_since}
      and (last_used_at is null or last_used_at < ${unused_since})
      and not exists (select 1 from grants g where g.tenant_id = clients.tenant_id and g.client_id = clients.client_id)
      and not exists (select 1 from connections c where c.tenant_id = clients.tenant_id and c.client_id = clients.client_id
        and c.state <> 'disconnected')
    returning client_id`
  if (!unused) return false
  yield* sql`delete from consents where tenant_id = ${tenant_id} and client_id = ${client_id}`
  const [gone] = yield* sql<{ client_id: string }>`
    delete from clients where tenant_id = ${tenant_id} and client_id = ${client_id} returning client_id`
  if (gone) yield* insertEvent(args.event)
  return gone !== undefined
})
