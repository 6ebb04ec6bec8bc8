import type { NewEvent } from '../records.ts'
import { bytes, NOW, type Run, read, sql, text, together, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** What a platform asks of one of its people, as its row holds it. */
export interface ConnectSessionRecord {
  readonly session_id: string
  /** The platform that made it. */
  readonly client_id: string
  /** The owner of what comes of it: a user of ours, or else somebody whom the platform alone knows. */
  readonly user_id: string | null
  readonly end_user_id: string | null
  /** 1 where another person than the owner is to consent. */
  readonly invitation: number
  readonly expected_account: string | null
  /** JSON lists: the connectors to choose from, and the origins of the pages that may open it. */
  readonly connectors: string
  readonly origins: string
  readonly scope: string | null
  /** The connection to repair, and afterwards the one that came of it. */
  readonly connection_id: string | null
  readonly return_uri: string | null
  readonly created_at: number
  readonly expires_at: number
  readonly opened_at: number | null
  readonly browser_hash: Uint8Array | null
  /** Of the page that opened it; null where a person followed a link. */
  readonly origin: string | null
  readonly code_challenge: string | null
  readonly reason: string | null
  readonly finished_at: number | null
  /** The consent that it ended with, of those that its connection has had. */
  readonly consented_generation: number | null
  readonly sealed_code: Uint8Array | null
  readonly confirmed_at: number | null
  readonly ended_at: number | null
}

/** A session with what decides about it, read in one query. */
export interface ConnectSessionAuthority {
  readonly now: number
  readonly session: ConnectSessionRecord
  readonly client_name: string
  readonly client_disabled_at: number | null
  /** Of what came of it, if anything did. */
  readonly connection_state: string | null
  /** The consent that this holds now, which may be a later one. */
  readonly connection_generation: number | null
  readonly account: string | null
  readonly account_name: string | null
}

/** What a session is made of. */
export type NewConnectSession = Pick<
  ConnectSessionRecord,
  | 'session_id'
  | 'client_id'
  | 'user_id'
  | 'end_user_id'
  | 'invitation'
  | 'expected_account'
  | 'connectors'
  | 'origins'
  | 'scope'
  | 'connection_id'
  | 'return_uri'
>

/** Makes a session under the hash of its token. */
export const createConnectSession = write(function* (args: {
  tenant_id: string
  session: NewConnectSession
  token_hash: Uint8Array
  lifetime_ms: number
  event: NewEvent
}): Run<{ expires_at: number }> {
  const { tenant_id, session } = args
  const [made] = yield* sql<{ expires_at: number }>`
    insert into connect_sessions (tenant_id, session_id, client_id, user_id, end_user_id, invitation, expected_account,
      connectors, origins, scope, connection_id, return_uri, token_hash, created_at, expires_at)
    values (${tenant_id}, ${session.session_id}, ${session.client_id}, ${text(session.user_id)},
      ${text(session.end_user_id)}, ${session.invitation}, ${text(session.expected_account)}, ${session.connectors},
      ${session.origins}, ${text(session.scope)}, ${text(session.connection_id)}, ${text(session.return_uri)},
      ${args.token_hash}, ${NOW}, ${NOW} + cast(${args.lifetime_ms} as bigint))
    returning expires_at`
  yield* insertEvent(args.event)
  return made!
})

type SessionRow = ConnectSessionRecord & Omit<ConnectSessionAuthority, 'session'>

/** A session by its id; null where there is none, or its platform is gone. */
export const loadConnectSession = read((args: { tenant_id: string; session_id: string }) =>
  selectSession({ ...args, token_hash: null }),
)

/** The same by the hash of its token. */
export const findConnectSession = read((args: { tenant_id: string; token_hash: Uint8Array }) =>
  selectSession({ ...args, session_id: null }),
)

/** Sessions that have neither brought anything live nor been ended, the newest first; what is too late stays for a day. */
export const pageConnectSessions = read(function* (args: {
  tenant_id: string
  before_session_id: string
  most: number
}): Run<ConnectSessionAuthority[]> {
  const { tenant_id } = args
  const found = yield* sql<{ session_id: string }>`
    select session_id from connect_sessions where tenant_id = ${tenant_id} and session_id < ${args.before_session_id}
      and confirmed_at is null and ended_at is null
    order by session_id desc limit ${args.most}`
  const rows = yield* together(found.map(({ session_id }) => sessionBy({ tenant_id, session_id, token_hash: null })))
  return rows.flat().map(readSession)
})

interface SessionKey {
  readonly tenant_id: string
  readonly session_id: string | null
  readonly token_hash: Uint8Array | null
}

function* selectSession(args: SessionKey): Run<ConnectSessionAuthority | null> {
  const [row] = yield* sessionBy(args)
  return row ? readSession(row) : null
}

function sessionBy(args: SessionKey) {
  return sql<SessionRow>`
    select ${NOW} as now, s.session_id, s.client_id, s.user_id, s.end_user_id, s.invitation, s.expected_account,
      s.connectors, s.origins, s.scope, s.connection_id, s.return_uri, s.created_at, s.expires_at, s.opened_at,
      s.browser_hash, s.origin, s.code_challenge, s.reason, s.finished_at, s.consented_generation, s.sealed_code,
      s.confirmed_at, s.ended_at, cl.client_name, cl.disabled_at as client_disabled_at, c.state as connection_state,
      c.consented_generation as connection_generation, c.account, c.account_name
    from connect_sessions s
    join clients cl on cl.tenant_id = s.tenant_id and cl.client_id = s.client_id
    left join connections c on c.tenant_id = s.tenant_id and c.connection_id = s.connection_id
    where s.tenant_id = ${args.tenant_id}
      and (s.session_id = ${text(args.session_id)} or s.token_hash = ${bytes(args.token_hash)})`
}

function readSession(row: SessionRow): ConnectSessionAuthority {
  const { now, client_name, client_disabled_at, connection_state, connection_generation, ...rest } = row
  const { account, account_name, ...session } = rest
  return {
    ...{ now, session, client_name, client_disabled_at, connection_state, connection_generation },
    ...{ account, account_name },
  }
}

/** Opens a session, once: it belongs to one browser from then on, which has so long. */
export const openConnectSession = write(
  function* (args: {
    tenant_id: string
    session_id: string
    browser_hash: Uint8Array
    origin: string | null
    code_challenge: string | null
    lifetime_ms: number
    event: NewEvent
  }): Run<boolean> {
    const [opened] = yield* sql<{ session_id: string }>`
      update connect_sessions set opened_at = ${NOW}, browser_hash = ${args.browser_hash}, origin = ${text(args.origin)},
        code_challenge = ${text(args.code_challenge)}, expires_at = ${NOW} + cast(${args.lifetime_ms} as bigint)
      where tenant_id = ${args.tenant_id} and session_id = ${args.session_id} and opened_at is null and ended_at is null
        and expires_at > ${NOW}
      returning session_id`
    if (opened) yield* insertEvent(args.event)
    return opened !== undefined
  },
  { key: sessionKey },
)

/** How many refusals of one session are told, and tries that came to nothing: whoever holds it fills no log with it. */
const MOST_REFUSALS = 5
const MOST_FAILURES = 25

/** Tells that somebody was refused who has the token of a session; says whether it was told. */
export const refuseConnectSession = write(
  function* (args: { tenant_id: string; session_id: string; event: NewEvent }): Run<boolean> {
    const [counted] = yield* sql<{ session_id: string }>`
      update connect_sessions set refusals = refusals + 1
      where tenant_id = ${args.tenant_id} and session_id = ${args.session_id} and refusals < ${MOST_REFUSALS}
      returning session_id`
    if (counted) yield* insertEvent(args.event)
    return counted !== undefined
  },
  { key: sessionKey },
)

/** Counts that the browser of an open session is sent on from it; false where that was often enough. */
export const startFromConnectSession = write(
  function* (args: { tenant_id: string; session_id: string; most: number }): Run<boolean> {
    const [counted] = yield* sql<{ session_id: string }>`
      update connect_sessions set starts = starts + 1
      where tenant_id = ${args.tenant_id} and session_id = ${args.session_id} and starts < ${args.most}
        and opened_at is not null and finished_at is null and ended_at is null and expires_at > ${NOW}
      returning session_id`
    return counted !== undefined
  },
  { key: sessionKey },
)

/** Notes why a try of an open session brought nothing; another may follow. */
export const failConnectSession = write(
  function* (args: { tenant_id: string; session_id: string; reason: string; event: NewEvent }): Run<boolean> {
    const [failed] = yield* sql<{ refusals: number }>`
      update connect_sessions set reason = ${args.reason}, refusals = refusals + 1
      where tenant_id = ${args.tenant_id} and session_id = ${args.session_id} and opened_at is not null
        and finished_at is null and ended_at is null
      returning refusals`
    if (failed && failed.refusals <= MOST_FAILURES) yield* insertEvent(args.event)
    return failed !== undefined
  },
  { key: sessionKey },
)

/** The key by which writes on one session are kept apart in a batch. */
export function sessionKey(args: { tenant_id: string; session_id: string }): string {
  return `${args.tenant_id}/${args.session_id}`
}
