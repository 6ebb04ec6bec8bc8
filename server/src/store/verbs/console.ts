import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, together, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { type EndedSession, endWhatHangsOn } from './logouts.ts'
import { endSignInLinks } from './sign_in_links.ts'

/** How much of everything there is; each count stops at `most`, so that it stays fast. */
export interface Overview {
  readonly clients: number
  readonly users: number
  readonly grants: number
  readonly connections: number
  readonly connections_need: number
  readonly connectors_fail: number
  /** Those whose receiver does not answer, or did not for too long. */
  readonly webhooks_fail: number
  readonly secrets_expire: number
}

/** What the console's first page counts. */
export const loadOverview = read(function* (args: {
  tenant_id: string
  most: number
  secrets_before: number
}): Run<Overview> {
  const { tenant_id, most } = args
  const [row] = yield* sql<Overview>`
    select
      (select count(*) from (select 1 from clients where tenant_id = ${tenant_id} limit ${most}) a) as clients,
      (select count(*) from (select 1 from users where tenant_id = ${tenant_id} and deleted_at is null limit ${most}) b) as users,
      (select count(*) from (select 1 from grants where tenant_id = ${tenant_id} and revoked_at is null
        and expires_at > ${NOW} limit ${most}) c) as grants,
      (select count(*) from (select 1 from connections where tenant_id = ${tenant_id}
        and state in ('needs_reconsent', 'pending', 'ready') limit ${most}) d) as connections,
      (select count(*) from (select 1 from connections where tenant_id = ${tenant_id}
        and state = 'needs_reconsent' limit ${most}) e) as connections_need,
      (select count(*) from connectors where tenant_id = ${tenant_id} and error is not null) as connectors_fail,
      (select count(*) from webhooks where tenant_id = ${tenant_id}
        and (disabled_reason in ('failing', 'gone') or (disabled_at is null and failures > 0))) as webhooks_fail,
      (select count(*) from (select 1 from clients where tenant_id = ${tenant_id}
        and former_client_secret_expires_at between ${NOW} and ${args.secrets_before} limit ${most}) f) as secrets_expire`
  return row!
})

/** The usernames of some users, for lists that hold identifiers. */
export const findUsernames = read(function* (args: {
  tenant_id: string
  user_ids: readonly string[]
}): Run<{ user_id: string; username: string }[]> {
  const found = yield* together(
    args.user_ids.map(
      (user_id) => sql<{ user_id: string; username: string }>`
        select user_id, username from users where tenant_id = ${args.tenant_id} and user_id = ${user_id}`,
    ),
  )
  return found.flat()
})

/** How many living grants a client has, and of how many users; both stop at `most`. */
export const countGrantsOfClient = read(function* (args: {
  tenant_id: string
  client_id: string
  most: number
}): Run<{ grants: number; users: number }> {
  const [row] = yield* sql<{ grants: number; users: number }>`
    select count(*) as grants, count(distinct user_id) as users from (
      select user_id from grants where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}
        and revoked_at is null and expires_at > ${NOW} limit ${args.most}) g`
  return row!
})

/** Ends every session of a user but one. */
export const endOtherSessions = write(function* (args: {
  tenant_id: string
  user_id: string
  kept_session_id: string
  event: NewEvent
}): Run<number> {
  const ended = yield* sql<EndedSession>`
    update sessions set ended_at = ${NOW}, epoch = epoch + 1
    where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and session_id <> ${args.kept_session_id}
      and ended_at is null returning session_id, coalesce(sid, session_id) as sid`
  yield* endWhatHangsOn(args.event, ended)
  yield* endSignInLinks(args.tenant_id, args.user_id)
  if (ended.length > 0) yield* insertEvent(args.event)
  return ended.length
})

/** Ends one session, if it is this user's. */
export const endSessionOfUser = write(function* (args: {
  tenant_id: string
  user_id: string
  session_id: string
  event: NewEvent
}): Run<boolean> {
  const ended = yield* sql<EndedSession>`
    update sessions set ended_at = ${NOW}, epoch = epoch + 1
    where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and session_id = ${args.session_id}
      and ended_at is null returning session_id, coalesce(sid, session_id) as sid`
  yield* endWhatHangsOn(args.event, ended)
  if (ended.length > 0) yield* insertEvent(args.event)
  return ended.length > 0
})
