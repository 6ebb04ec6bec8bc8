import type { ClientRecord, NewEvent, SessionRecord, TenantState, UserRecord } from '../records.ts'
import { NOW, pickColumns, type Run, read, sql, text, write } from '../sql.ts'
import { readClient, readTenantState, readUser } from './authority.ts'
import { insertEvent } from './events.ts'
import { type SpentFactor, spendFactor } from './factors.ts'
import type { ConsentRow } from './grants.ts'
import { type EndedSession, endWhatHangsOn } from './logouts.ts'

/**
 * Starts a session with a new id, ending the one that the browser held before (ASVS 7.2.4). The factor that it rests on
 * is spent with it: `spent` when somebody used that one first, and then nothing is changed.
 */
export const startSession = write(
  function* (args: {
    tenant_id: string
    session: Omit<SessionRecord, 'sid' | 'ends_at' | 'last_seen_at' | 'ended_at'> & {
      readonly user_agent: string | null
      /** When it ends unless it is used. */
      readonly ends_at?: number
    }
    former_session_id: string | null
    factor?: SpentFactor | null
    event: NewEvent
  }): Run<'started' | 'spent'> {
    const { session } = args
    if (args.factor && !(yield* spendFactor(args.tenant_id, session.user_id, args.factor))) return 'spent'
    const former = args.former_session_id === null ? null : yield* endFormer(args.tenant_id, args.former_session_id)
    const again = former?.user_id === session.user_id ? former : null
    yield* sql`
      insert into sessions (tenant_id, session_id, sid, user_id, secret_hash, auth_time, acr, amr, user_agent, epoch,
        tenant_epoch, user_epoch, created_at, last_seen_at, ends_at, expires_at)
      values (${args.tenant_id}, ${session.session_id}, ${again?.sid ?? session.session_id}, ${session.user_id},
        ${session.secret_hash}, ${session.auth_time}, ${text(session.acr)}, ${session.amr}, ${text(session.user_agent)},
        ${session.epoch}, ${session.tenant_epoch}, ${session.user_epoch}, ${session.created_at}, ${session.created_at},
        ${session.ends_at ?? session.expires_at}, ${session.expires_at})`
    if (again) yield* moveOn(args.tenant_id, again, session)
    else if (former) yield* endWhatHangsOn(args.event, [former])
    yield* insertEvent(args.event)
    return 'started'
  },
  { key: (args) => `${args.tenant_id}/${args.session.user_id}` },
)

type Former = EndedSession & { readonly user_id: string; readonly living_epoch: number }

function* endFormer(tenant_id: string, session_id: string): Run<Former | null> {
  const [former] = yield* sql<Former>`
    update sessions set ended_at = ${NOW}, epoch = epoch + 1
    where tenant_id = ${tenant_id} and session_id = ${session_id} and ended_at is null and expires_at > ${NOW}
    returning session_id, coalesce(sid, session_id) as sid, user_id, epoch - 1 as living_epoch`
  return former ?? null
}

/** The same person again: what lives by the old session moves on to the new one. What died with it stays dead. */
function* moveOn(
  tenant_id: string,
  former: Former,
  session: Pick<SessionRecord, 'session_id' | 'user_id' | 'epoch' | 'expires_at'>,
): Run<void> {
  yield* sql`
    update grants set session_id = ${session.session_id}, session_epoch = ${session.epoch}
    where tenant_id = ${tenant_id} and session_id = ${former.session_id}
      and user_id = ${session.user_id} and session_epoch = ${former.living_epoch} and revoked_at is null`
  yield* sql`
    update session_clients set expires_at = ${session.expires_at}
    where tenant_id = ${tenant_id} and sid = ${former.sid}`
}

/** Ends a session. Its epoch rises, so that what hangs on it is over for good. */
export const endSession = write(function* (args: {
  tenant_id: string
  session_id: string
  event: NewEvent
}): Run<boolean> {
  const [ended] = yield* sql<EndedSession>`
    update sessions set ended_at = ${NOW}, epoch = epoch + 1
    where tenant_id = ${args.tenant_id} and session_id = ${args.session_id} and ended_at is null
    returning session_id, coalesce(sid, session_id) as sid`
  if (!ended) return false
  yield* endWhatHangsOn(args.event, [ended])
  yield* insertEvent(args.event)
  return true
})

/** Notes that a session was used: unused for as long again, it ends. */
export const touchSession = write(
  function* (args: { tenant_id: string; session_id: string; idle_ms: number }): Run<void> {
    yield* sql`
      update sessions set last_seen_at = ${NOW},
        ends_at = case when ${NOW} + ${args.idle_ms} < expires_at then ${NOW} + ${args.idle_ms} else expires_at end
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
      and coalesce(s.ends_at, s.expires_at) > ${NOW} order by s.last_seen_at desc limit 100`
})

/** All of them, by their ids, from after a cursor. */
export const pageSessionsOfUser = read(function* (args: {
  tenant_id: string
  user_id: string
  after_session_id: string
  most: number
}): Run<ListedSession[]> {
  return yield* sql<ListedSession>`
    select s.session_id, s.user_agent, s.auth_time, s.last_seen_at, s.expires_at
    from sessions s join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id and u.epoch = s.user_epoch
    where s.tenant_id = ${args.tenant_id} and s.user_id = ${args.user_id} and s.session_id > ${args.after_session_id}
      and s.ended_at is null and coalesce(s.ends_at, s.expires_at) > ${NOW}
    order by s.session_id limit ${args.most}`
})

/** What a request of a browser needs: tenant, session with its user, the client asked for and the remembered consent. */
export interface BrowserAuthority {
  readonly now: number
  readonly tenant: TenantState
  readonly session: SessionRecord | null
  readonly user: UserRecord | null
  readonly client: ClientRecord | null
  readonly consent: ConsentRow | null
}

/** Reads it in one query; what the browser did not name is the empty string. */
export const loadBrowserAuthority = read(function* (args: {
  tenant_id: string
  session_id: string
  client_id: string
}): Run<BrowserAuthority | null> {
  const [row] = yield* sql<Record<string, unknown>>`
    select ${NOW} as now, t.tenant_id, t.epoch as t_epoch, t.config_version, t.disabled_at as t_disabled_at,
      s.session_id, coalesce(s.sid, s.session_id) as sid, s.user_id, s.secret_hash, s.auth_time, s.acr, s.amr, s.epoch, s.tenant_epoch, s.user_epoch,
      s.created_at, s.last_seen_at, coalesce(s.ends_at, s.expires_at) as ends_at, s.expires_at, s.ended_at,
      u.user_id as u_user_id, u.username, u.name, u.email, u.email_verified, u.claims, u.roles, u.epoch as u_epoch,
      u.disabled_at as u_disabled_at, u.updated_at as u_updated_at,
      c.client_id as c_client_id, c.client_name, c.metadata, c.source, c.trusted, c.client_secret_hash,
      c.former_client_secret_hash, c.former_client_secret_expires_at, c.client_secret_expires_at, c.epoch as c_epoch, c.disabled_at as c_disabled_at,
      k.scope as k_scope, k.resource as k_resource, k.connections as k_connections,
      k.expires_at as k_expires_at, k.redirect_hosts as k_redirect_hosts
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
    session: readSession(row),
    user: readUser(row),
    client: readClient(row),
    consent:
      row['k_scope'] === null
        ? null
        : {
            scope: row['k_scope'] as string,
            resource: row['k_resource'] as string,
            connections: row['k_connections'] as string | null,
            expires_at: row['k_expires_at'] as number | null,
            redirect_hosts: row['k_redirect_hosts'] as string | null,
          },
  }
})

function readSession(row: Record<string, unknown>): SessionRecord | null {
  if (row['session_id'] === null) return null
  return {
    session_id: row['session_id'] as string,
    sid: row['sid'] as string,
    user_id: row['user_id'] as string,
    secret_hash: row['secret_hash'] as Uint8Array,
    auth_time: row['auth_time'] as number,
    acr: row['acr'] as string | null,
    amr: row['amr'] as string,
    epoch: row['epoch'] as number,
    tenant_epoch: row['tenant_epoch'] as number,
    user_epoch: row['user_epoch'] as number,
    created_at: row['created_at'] as number,
    last_seen_at: row['last_seen_at'] as number,
    ends_at: row['ends_at'] as number,
    expires_at: row['expires_at'] as number,
    ended_at: row['ended_at'] as number | null,
  }
}

/** A living session by the name that clients know it by, and its user. */
export interface SessionOfSid {
  readonly now: number
  readonly session: Pick<SessionRecord, 'session_id' | 'user_id' | 'auth_time' | 'acr' | 'amr' | 'epoch' | 'expires_at'>
  readonly user: UserRecord
}

/** Finds the session that an ID token speaks of, while it lives (OpenID Connect Back-Channel Logout section 2.1, `sid`). */
export const findSessionBySid = read(function* (args: { tenant_id: string; sid: string }): Run<SessionOfSid | null> {
  const [row] = yield* sql<Record<string, unknown>>`
    select ${NOW} as now, s.session_id, s.user_id, s.auth_time, s.acr, s.amr, s.epoch, s.expires_at,
      u.user_id as u_user_id, u.username, u.name, u.email, u.email_verified, u.claims, u.roles, u.epoch as u_epoch,
      u.disabled_at as u_disabled_at, u.updated_at as u_updated_at
    from sessions s
    join tenants t on t.tenant_id = s.tenant_id and t.epoch = s.tenant_epoch and t.disabled_at is null
    join users u on u.tenant_id = s.tenant_id and u.user_id = s.user_id and u.epoch = s.user_epoch
      and u.disabled_at is null
    where s.tenant_id = ${args.tenant_id} and s.sid = ${args.sid} and s.ended_at is null
      and coalesce(s.ends_at, s.expires_at) > ${NOW}
    order by s.created_at desc limit 1`
  const user = row ? readUser(row) : null
  if (!row || !user) return null
  const session = pickColumns<SessionOfSid['session']>(row, SESSION_OF_SID)
  return { now: row['now'] as number, session, user }
})

const SESSION_OF_SID = ['session_id', 'user_id', 'auth_time', 'acr', 'amr', 'epoch', 'expires_at'] as const
