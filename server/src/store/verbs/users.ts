import type { ClientRecord, NewEvent, SessionRecord, TenantState, UserRecord } from '../records.ts'
import { NOW, type Run, read, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { readClient, readTenantState, readUser } from './grants.ts'

/** A user to make or change; a null password leaves the one there is. */
export interface SavedUser {
  readonly user_id: string
  readonly username_key: string
  readonly username: string
  readonly name: string | null
  readonly email: string | null
  readonly email_verified: boolean
  readonly claims: string
  readonly roles: string
  readonly password_hash: string | null
}

/** Makes a user; false when the username is taken. */
export const createUser = write(function* (args: {
  tenant_id: string
  user: SavedUser
  event: NewEvent
}): Run<boolean> {
  const { user, event } = args
  const [made] = yield* sql<{ user_id: string }>`
    insert into users (tenant_id, user_id, username_key, username, name, email, email_verified, claims, roles,
      password_hash, epoch, created_at, updated_at)
    values (${args.tenant_id}, ${user.user_id}, ${user.username_key}, ${user.username}, ${text(user.name)},
      ${text(user.email)}, ${user.email_verified ? 1 : 0}, ${user.claims}, ${user.roles}, ${text(user.password_hash)},
      0, ${event.at}, ${event.at})
    on conflict do nothing returning user_id`
  if (made) yield* insertEvent(event)
  return made !== undefined
})

/** Changes a user's name, address, claims and roles, and the password where one is given. */
export const updateUser = write(function* (args: {
  tenant_id: string
  user: Omit<SavedUser, 'username_key' | 'username'>
  event: NewEvent
}): Run<boolean> {
  const { user, event } = args
  const [changed] = yield* sql<{ user_id: string }>`
    update users set name = ${text(user.name)}, email = ${text(user.email)}, email_verified = ${user.email_verified ? 1 : 0},
      claims = ${user.claims}, roles = ${user.roles}, password_hash = coalesce(${text(user.password_hash)}, password_hash),
      updated_at = ${event.at}
    where tenant_id = ${args.tenant_id} and user_id = ${user.user_id} returning user_id`
  if (changed) yield* insertEvent(event)
  return changed !== undefined
})

/** Disables or enables a user. Disabling raises the epoch, so that what was issued before never lives again. */
export const setUserDisabled = write(function* (args: {
  tenant_id: string
  user_id: string
  disabled: boolean
  event: NewEvent
}): Run<boolean> {
  const [changed] = args.disabled
    ? yield* sql<{ user_id: string }>`
        update users set disabled_at = ${NOW}, epoch = epoch + 1
        where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and disabled_at is null returning user_id`
    : yield* sql<{ user_id: string }>`
        update users set disabled_at = null
        where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and disabled_at is not null returning user_id`
  if (changed) yield* insertEvent(args.event)
  return changed !== undefined
})

/** A user with what the login page compares. */
export interface UserWithPassword extends UserRecord {
  readonly password_hash: string | null
}

/** The user of a username, or null. */
export const findUserByUsername = read(function* (args: {
  tenant_id: string
  username_key: string
}): Run<UserWithPassword | null> {
  const [user] = yield* sql<UserWithPassword>`
    select user_id, username, name, email, email_verified, claims, roles, epoch, disabled_at, updated_at, password_hash
    from users where tenant_id = ${args.tenant_id} and username_key = ${args.username_key}`
  return user ?? null
})

/** One user, or null. */
export const findUser = read(function* (args: { tenant_id: string; user_id: string }): Run<UserWithPassword | null> {
  const [user] = yield* sql<UserWithPassword>`
    select user_id, username, name, email, email_verified, claims, roles, epoch, disabled_at, updated_at, password_hash
    from users where tenant_id = ${args.tenant_id} and user_id = ${args.user_id}`
  return user ?? null
})

/** Users of a tenant by id, from after a cursor. */
export const pageUsers = read(function* (args: {
  tenant_id: string
  after_user_id: string
  most: number
}): Run<UserRecord[]> {
  return yield* sql<UserRecord>`
    select user_id, username, name, email, email_verified, claims, roles, epoch, disabled_at, updated_at
    from users where tenant_id = ${args.tenant_id} and user_id > ${args.after_user_id}
    order by user_id limit ${args.most}`
})

/** Starts a session with a new id, ending the one that the browser held before (ASVS 7.2.4). */
export const startSession = write(function* (args: {
  tenant_id: string
  session: Omit<SessionRecord, 'last_seen_at' | 'ended_at'> & { readonly user_agent: string | null }
  former_session_id: string | null
  event: NewEvent
}): Run<void> {
  const { session } = args
  yield* sql`
    insert into sessions (tenant_id, session_id, user_id, secret_hash, auth_time, acr, amr, user_agent, epoch,
      tenant_epoch, user_epoch, created_at, last_seen_at, expires_at)
    values (${args.tenant_id}, ${session.session_id}, ${session.user_id}, ${session.secret_hash}, ${session.auth_time},
      ${text(session.acr)}, ${session.amr}, ${text(session.user_agent)}, ${session.epoch}, ${session.tenant_epoch},
      ${session.user_epoch}, ${session.created_at}, ${session.created_at}, ${session.expires_at})`
  if (args.former_session_id) {
    // The same person again: what hangs on the old session moves on to the new one.
    yield* sql`
      update grants set session_id = ${session.session_id}, session_epoch = ${session.epoch}
      where tenant_id = ${args.tenant_id} and session_id = ${args.former_session_id} and user_id = ${session.user_id}
        and revoked_at is null`
    yield* sql`
      update sessions set ended_at = ${NOW}, epoch = epoch + 1
      where tenant_id = ${args.tenant_id} and session_id = ${args.former_session_id} and ended_at is null`
  }
  yield* insertEvent(args.event)
})

/** Ends a session. Its epoch rises, so that what hangs on it is over for good. */
export const endSession = write(function* (args: {
  tenant_id: string
  session_id: string
  event: NewEvent
}): Run<boolean> {
  const [ended] = yield* sql<{ session_id: string }>`
    update sessions set ended_at = ${NOW}, epoch = epoch + 1
    where tenant_id = ${args.tenant_id} and session_id = ${args.session_id} and ended_at is null returning session_id`
  if (ended) yield* insertEvent(args.event)
  return ended !== undefined
})

/** Notes that a session was used. */
export const touchSession = write(
  function* (args: { tenant_id: string; session_id: string }): Run<void> {
    yield* sql`
      update sessions set last_seen_at = ${NOW}
      where tenant_id = ${args.tenant_id} and session_id = ${args.session_id}`
  },
  { key: (args) => `${args.tenant_id}/${args.session_id}`, repeatable: true },
)

/** A session as its owner sees it. */
export interface ListedSession {
  readonly session_id: string
  readonly user_agent: string | null
  readonly auth_time: number
  readonly last_seen_at: number
  readonly expires_at: number
}

/** The living sessions of a user. */
export const listSessionsOfUser = read(function* (args: { tenant_id: string; user_id: string }): Run<ListedSession[]> {
  return yield* sql<ListedSession>`
    select s.session_id, s.user_agent, s.auth_time, s.last_seen_at, s.expires_at
    from sessions s join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id and u.epoch = s.user_epoch
    where s.tenant_id = ${args.tenant_id} and s.user_id = ${args.user_id} and s.ended_at is null
      and s.expires_at > ${NOW} order by s.last_seen_at desc limit 100`
})

/** What a request of a browser needs: tenant, session with its user, the client asked for and the remembered consent. */
export interface BrowserAuthority {
  readonly now: number
  readonly tenant: TenantState
  readonly session: SessionRecord | null
  readonly user: UserRecord | null
  readonly client: ClientRecord | null
  readonly consent: { readonly scope: string; readonly resource: string; readonly connections: string | null } | null
}

/** Reads it in one query; what the browser did not name is the empty string. */
export const loadBrowserAuthority = read(function* (args: {
  tenant_id: string
  session_id: string
  client_id: string
}): Run<BrowserAuthority | null> {
  const [row] = yield* sql<Record<string, unknown>>`
    select ${NOW} as now, t.tenant_id, t.epoch as t_epoch, t.config_version, t.disabled_at as t_disabled_at,
      s.session_id, s.user_id, s.secret_hash, s.auth_time, s.acr, s.amr, s.epoch, s.tenant_epoch, s.user_epoch,
      s.created_at, s.last_seen_at, s.expires_at, s.ended_at,
      u.user_id as u_user_id, u.username, u.name, u.email, u.email_verified, u.claims, u.roles, u.epoch as u_epoch,
      u.disabled_at as u_disabled_at, u.updated_at as u_updated_at,
      c.client_id as c_client_id, c.client_name, c.metadata, c.source, c.trusted, c.client_secret_hash,
      c.former_client_secret_hash, c.former_client_secret_expires_at, c.epoch as c_epoch, c.disabled_at as c_disabled_at,
      k.scope as k_scope, k.resource as k_resource, k.connections as k_connections
    from tenants t
    left join sessions s on s.tenant_id = t.tenant_id and s.session_id = ${args.session_id}
    left join users u on u.tenant_id = t.tenant_id and u.user_id = s.user_id
    left join clients c on c.tenant_id = t.tenant_id and c.client_id = ${args.client_id}
    left join consents k on k.tenant_id = t.tenant_id and k.user_id = s.user_id and k.client_id = c.client_id
    where t.tenant_id = ${args.tenant_id}`
  if (!row) return null
  return {
    now: row['now'] as number,
    tenant: readTenantState(row),
    session: row['session_id'] === null ? null : (row as unknown as SessionRecord),
    user: readUser(row),
    client: readClient(row),
    consent:
      row['k_scope'] === null
        ? null
        : {
            scope: row['k_scope'] as string,
            resource: row['k_resource'] as string,
            connections: row['k_connections'] as string | null,
          },
  }
})

/** Makes a link that works once. */
export const createOneTimeLink = write(function* (args: {
  tenant_id: string
  kind: string
  secret_hash: Uint8Array
  expires_at: number
  at: number
}): Run<void> {
  // A new link of a kind replaces the ones before it that nobody used.
  yield* sql`delete from one_time_links where tenant_id = ${args.tenant_id} and kind = ${args.kind} and used_at is null`
  yield* sql`
    insert into one_time_links (tenant_id, kind, secret_hash, created_at, expires_at)
    values (${args.tenant_id}, ${args.kind}, ${args.secret_hash}, ${args.at}, ${args.expires_at})`
})

/** Whether a link is there to be used. */
export const findOneTimeLink = read(function* (args: {
  tenant_id: string
  kind: string
  secret_hash: Uint8Array
}): Run<boolean> {
  const [link] = yield* sql<{ kind: string }>`
    select kind from one_time_links
    where tenant_id = ${args.tenant_id} and kind = ${args.kind} and secret_hash = ${args.secret_hash}
      and used_at is null and expires_at > ${NOW}`
  return link !== undefined
})

/** Makes the first administrator by a one-time link: the link is spent and the user made, or neither. */
export const redeemSetupLink = write(function* (args: {
  tenant_id: string
  secret_hash: Uint8Array
  user: SavedUser
  event: NewEvent
}): Run<'created' | 'spent'> {
  const [link] = yield* sql<{ kind: string }>`
    update one_time_links set used_at = ${NOW}
    where tenant_id = ${args.tenant_id} and kind = 'setup' and secret_hash = ${args.secret_hash}
      and used_at is null and expires_at > ${NOW} returning kind`
  if (!link) return 'spent'
  const { user, event } = args
  yield* sql`
    insert into users (tenant_id, user_id, username_key, username, name, email, email_verified, claims, roles,
      password_hash, epoch, created_at, updated_at)
    values (${args.tenant_id}, ${user.user_id}, ${user.username_key}, ${user.username}, ${text(user.name)},
      ${text(user.email)}, 0, ${user.claims}, ${user.roles}, ${text(user.password_hash)}, 0, ${event.at}, ${event.at})`
  yield* insertEvent(event)
  return 'created'
})

/** Whether any user holds a role. */
export const hasUserWithRole = read(function* (args: { tenant_id: string; role: string }): Run<boolean> {
  // Roles are a JSON list of plain names, so the quoted name stands in it or not.
  const [user] = yield* sql<{ user_id: string }>`
    select user_id from users where tenant_id = ${args.tenant_id} and roles like ${`%"${args.role}"%`} limit 1`
  return user !== undefined
})

/** Counts a guess before it is checked (ASVS 6.3.1); answers until when further ones are refused, or 0. */
export const reserveGuess = write(
  function* (args: {
    tenant_id: string
    subject: string
    most: number
    window_ms: number
  }): Run<{ refused_until: number }> {
    const [row] = yield* sql<{ failures: number; blocked_until: number; now: number }>`
      update guesses set
        failures = case when window_ends_at <= ${NOW} then 1 else failures + 1 end,
        blocked_until = case
          when blocked_until > ${NOW} then blocked_until
          when window_ends_at > ${NOW} and failures + 1 > ${args.most} then window_ends_at
          else 0 end,
        window_ends_at = case when window_ends_at <= ${NOW} then ${NOW} + ${args.window_ms} else window_ends_at end
      where tenant_id = ${args.tenant_id} and subject = ${args.subject}
      returning failures, blocked_until, ${NOW} as now`
    if (row) return { refused_until: row.blocked_until > row.now ? row.blocked_until : 0 }
    yield* sql`
      insert into guesses (tenant_id, subject, failures, window_ends_at, blocked_until)
      values (${args.tenant_id}, ${args.subject}, 1, ${NOW} + ${args.window_ms}, 0)
      on conflict (tenant_id, subject) do update set failures = guesses.failures + 1`
    return { refused_until: 0 }
  },
  { key: (args) => `${args.tenant_id}/${args.subject}` },
)

/** Forgets the guesses at a secret after it was given rightly. */
export const forgetGuesses = write(
  function* (args: { tenant_id: string; subject: string }): Run<void> {
    yield* sql`delete from guesses where tenant_id = ${args.tenant_id} and subject = ${args.subject}`
  },
  { key: (args) => `${args.tenant_id}/${args.subject}`, repeatable: true },
)
