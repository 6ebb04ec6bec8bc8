import type { NewEvent } from '../records.ts'
import { bytes, int, NOW, type Run, sql, text, write } from '../sql.ts'
import { type ConnectSessionRecord, sessionKey } from './connect_sessions.ts'
import { insertEvent } from './events.ts'

/** What finishes a session, in the transaction that stores its consent. */
export interface FinishedSession {
  readonly session_id: string
  /** What proves to the platform who finished; null where nobody has to confirm. */
  readonly sealed_code: Uint8Array | null
  /** How long the platform may take to confirm; null where the connection is live at once. */
  readonly confirm_ms: number | null
  /** Whether its account is a person's own: one of an organization is the same for everybody in it. */
  readonly tells_person: boolean
}

/** Holds an open session that may still be finished; no other write gets at it before the end of this transaction. */
export function* holdConnectSession(tenant_id: string, session_id: string): Run<boolean> {
  const [held] = yield* sql<{ session_id: string }>`
    update connect_sessions set reason = null
    where tenant_id = ${tenant_id} and session_id = ${session_id} and opened_at is not null and finished_at is null
      and ended_at is null and expires_at > ${NOW}
    returning session_id`
  return held !== undefined
}

/** Finishes a session that is held, with one consent of a connection. */
export function* finishConnectSession(
  tenant_id: string,
  connection_id: string,
  consented_generation: number,
  finished: FinishedSession,
): Run<void> {
  const confirmed = finished.confirm_ms === null ? 1 : 0
  yield* sql`
    update connect_sessions set finished_at = ${NOW}, connection_id = ${connection_id},
      consented_generation = ${consented_generation}, sealed_code = ${bytes(finished.sealed_code)},
      confirmed_at = case when cast(${confirmed} as bigint) = 1 then ${NOW} else null end,
      expires_at = ${NOW} + cast(${int(finished.confirm_ms ?? 0)} as bigint)
    where tenant_id = ${tenant_id} and session_id = ${finished.session_id}`
}

/**
 * Confirms, once, what a session brought: from then on its connection gives tokens, and upkeep looks at once for what came
 * due meanwhile. `over` when the time for that is, the connection was ended, or it holds what another session has brought
 * since.
 */
export const confirmConnectSession = write(
  function* (args: { tenant_id: string; session_id: string; event: NewEvent }): Run<'confirmed' | 'over'> {
    const { tenant_id, session_id } = args
    // The session is held first, as by whoever stores a consent.
    const [held] = yield* sql<Brought>`
      update connect_sessions set reason = null
      where tenant_id = ${tenant_id} and session_id = ${session_id} and finished_at is not null
        and confirmed_at is null and ended_at is null and expires_at > ${NOW}
      returning connection_id, consented_generation`
    if (!held) return 'over'
    const [live] = yield* sql<{ connection_id: string }>`
      update connections set state = case when state = 'pending' then 'ready' else state end, pending_until_at = null,
        upkeep_at = case when state = 'pending' and upkeep_at is not null then ${NOW} else upkeep_at end,
        updated_at = ${args.event.at}
      where tenant_id = ${tenant_id} and connection_id = ${text(held.connection_id)} and state <> 'disconnected'
        and consented_generation = ${int(held.consented_generation)}
      returning connection_id`
    if (!live) return 'over'
    yield* sql`
      update connect_sessions set confirmed_at = ${NOW}, sealed_code = null
      where tenant_id = ${tenant_id} and session_id = ${session_id}`
    yield* insertEvent(args.event)
    return 'confirmed'
  },
  { key: sessionKey },
)

type Brought = Pick<ConnectSessionRecord, 'connection_id' | 'consented_generation'>

/**
 * Ends a session that has brought nothing live yet, and what it brought: neither its token nor its code is of use any more,
 * and its connection gives nothing out, unless that holds what another session has brought since. Answers the connection
 * that ended with it, or `over` where there was nothing to end.
 */
export const endConnectSession = write(
  function* (args: {
    tenant_id: string
    session_id: string
    event: NewEvent
    /** Of the connection, which is named here. */
    disconnected: NewEvent
  }): Run<Pick<ConnectSessionRecord, 'connection_id'> | 'over'> {
    const { tenant_id, session_id } = args
    const [ended] = yield* sql<Brought>`
      update connect_sessions set ended_at = ${NOW}, sealed_code = null
      where tenant_id = ${tenant_id} and session_id = ${session_id} and confirmed_at is null and ended_at is null
      returning connection_id, consented_generation`
    if (!ended) return 'over'
    yield* insertEvent(args.event)
    const { connection_id, consented_generation } = ended
    if (connection_id === null || consented_generation === null) return { connection_id: null }
    const gone = yield* endPending({ ...args, connection_id, consented_generation, event: args.disconnected })
    return { connection_id: gone ? connection_id : null }
  },
  { key: sessionKey },
)

/** Ends a connection that nobody has confirmed in time; false where somebody has, or its time is not over. */
export const endUnconfirmedConnection = write(
  (args: { tenant_id: string; connection_id: string; event: NewEvent }) =>
    endPending({ ...args, consented_generation: null }),
  { key: ({ tenant_id, connection_id }) => `${tenant_id}/${connection_id}` },
)

// Of one consent; null is whichever has waited for too long.
function* endPending(args: {
  tenant_id: string
  connection_id: string
  consented_generation: number | null
  event: NewEvent
}): Run<boolean> {
  const [gone] = yield* sql<{ connector: string }>`
    update connections set state = 'disconnected', reason = 'not_confirmed', upkeep_at = null,
      updated_at = ${args.event.at}
    where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and state = 'pending'
      and (consented_generation = ${int(args.consented_generation)}
        or (cast(${int(args.consented_generation)} as bigint) is null and pending_until_at < ${NOW}))
    returning connector`
  if (!gone) return false
  const { event, connection_id } = args
  const detail = { ...event.detail, connector: gone.connector, reason: 'not_confirmed' }
  yield* insertEvent({ ...event, connection_id, detail })
  return true
}
