import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, together, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { type EndedGrant, revokeTokensOf } from './revocations.ts'

/** How long the delivery of a logout is tried. */
const GIVE_UP_MS = 86_400_000

/** A session that has just ended, as `returning` gives it. */
export interface EndedSession {
  readonly session_id: string
  readonly sid: string
}

/**
 * Ends what hangs on sessions that have just ended: their grants without offline_access (OpenID Connect Back-Channel
 * Logout section 2.7), and leaves a notice for each client that was told of them.
 */
export function* endWhatHangsOn(event: NewEvent, sessions: readonly EndedSession[]): Run<void> {
  const { tenant_id } = event
  const ended = yield* together(
    sessions.map(
      ({ session_id }) => sql<EndedGrant>`
        update grants set revoked_at = ${NOW}, revoked_reason = 'session_ended'
        where tenant_id = ${tenant_id} and session_id = ${session_id} and offline = 0 and revoked_at is null
        returning grant_id`,
    ),
  )
  yield* revokeTokensOf(event, ended.flat())
  yield* together(
    sessions.flatMap(({ sid }) => [
      sql`
        insert into logout_notices (tenant_id, sid, client_id, user_id, created_at, attempts, next_at, expires_at)
        select tenant_id, sid, client_id, user_id, ${NOW}, 0, ${NOW}, ${NOW} + ${GIVE_UP_MS} from session_clients
        where tenant_id = ${tenant_id} and sid = ${sid}
        on conflict do nothing`,
      sql`delete from session_clients where tenant_id = ${tenant_id} and sid = ${sid}`,
    ]),
  )
}

/**
 * Holds a session while a grant is made under it: updating the row locks it, so whoever ends the session afterwards sees
 * the grant. False when it has ended. Notes a client that is to be told of the end.
 */
export function* holdSession(
  tenant_id: string,
  session_id: string,
  about: { readonly grant: { readonly client_id: string }; readonly tells_logout?: boolean },
): Run<boolean> {
  const [held] = yield* sql<{ sid: string; user_id: string; expires_at: number }>`
    update sessions set ended_at = null
    where tenant_id = ${tenant_id} and session_id = ${session_id} and ended_at is null
    returning coalesce(sid, session_id) as sid, user_id, expires_at`
  if (held && about.tells_logout) {
    yield* sql`
      insert into session_clients (tenant_id, sid, client_id, user_id, expires_at)
      values (${tenant_id}, ${held.sid}, ${about.grant.client_id}, ${held.user_id}, ${held.expires_at})
      on conflict do nothing`
  }
  return held !== undefined
}

/** Ends every session of a user, as part of the verb that ends all that is theirs. */
export function* endSessionsOfUser(event: NewEvent, user_id: string): Run<void> {
  const sessions = yield* sql<EndedSession>`
    update sessions set ended_at = ${NOW}, epoch = epoch + 1
    where tenant_id = ${event.tenant_id} and user_id = ${user_id} and ended_at is null
    returning session_id, coalesce(sid, session_id) as sid`
  yield* endWhatHangsOn(event, sessions)
}

/** Ends sessions that nobody used for too long, or that have reached their end; says how many. */
export const endUnusedSessions = write(function* (args: {
  tenant_id: string
  most: number
  event: NewEvent
}): Run<number> {
  const sessions = yield* sql<EndedSession>`
    update sessions set ended_at = ${NOW}, epoch = epoch + 1
    where tenant_id = ${args.tenant_id} and ended_at is null and session_id in
      (select session_id from sessions where tenant_id = ${args.tenant_id} and ended_at is null and ends_at <= ${NOW}
        order by ends_at limit ${args.most})
    returning session_id, coalesce(sid, session_id) as sid`
  if (sessions.length === 0) return 0
  yield* endWhatHangsOn(args.event, sessions)
  yield* insertEvent({ ...args.event, detail: { session_ids: sessions.map(({ session_id }) => session_id) } })
  return sessions.length
})

/** Whether a session has reached its own end: a read, so that a server at rest writes nothing. */
export const hasUnusedSessions = read(function* (args: { tenant_id: string }): Run<boolean> {
  const [session] = yield* sql<{ session_id: string }>`
    select session_id from sessions where tenant_id = ${args.tenant_id} and ended_at is null and ends_at <= ${NOW} limit 1`
  return session !== undefined
})

/** A client that is still to be told of the end of a session. */
export interface LogoutNotice {
  readonly sid: string
  readonly client_id: string
  readonly user_id: string
  readonly attempts: number
  readonly now: number
  /** When it is given up. */
  readonly expires_at: number
  /** The client's metadata, or null when it is gone. */
  readonly metadata: string | null
}

/** Notices whose turn has come. */
export const listDueNotices = read(function* (args: { tenant_id: string; most: number }): Run<LogoutNotice[]> {
  return yield* sql<LogoutNotice>`
    select n.sid, n.client_id, n.user_id, n.attempts, n.expires_at, ${NOW} as now, c.metadata
    from logout_notices n left join clients c on c.tenant_id = n.tenant_id and c.client_id = n.client_id
    where n.tenant_id = ${args.tenant_id} and n.next_at <= ${NOW}
    order by n.next_at limit ${args.most}`
})

type NoticeKey = { readonly tenant_id: string; readonly sid: string; readonly client_id: string }

/** Takes a notice before it is sent, so that it is sent again later if this process dies over it. */
export const leaseNotice = write(
  function* (args: NoticeKey & { attempts: number; again_in_ms: number }): Run<boolean> {
    const [leased] = yield* sql<{ sid: string }>`
      update logout_notices set attempts = attempts + 1, next_at = ${NOW} + ${args.again_in_ms}
      where tenant_id = ${args.tenant_id} and sid = ${args.sid} and client_id = ${args.client_id}
        and attempts = ${args.attempts} and next_at <= ${NOW}
      returning sid`
    return leased !== undefined
  },
  { key: noticeKey },
)

/** Removes a notice that was delivered or is given up, with its event. */
export const settleNotice = write(
  function* (args: NoticeKey & { event: NewEvent }): Run<void> {
    const [settled] = yield* sql<{ sid: string }>`
      delete from logout_notices
      where tenant_id = ${args.tenant_id} and sid = ${args.sid} and client_id = ${args.client_id} returning sid`
    if (settled) yield* insertEvent(args.event)
  },
  { key: noticeKey },
)

function noticeKey({ tenant_id, sid, client_id }: NoticeKey): string {
  return `${tenant_id}/${sid}/${client_id}`
}
