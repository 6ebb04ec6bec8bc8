import type { NewEvent } from '../records.ts'
import { bytes, int, NOW, type Run, sql, text, write } from '../sql.ts'
import { holdChoice, makeChoice } from './choices.ts'
import { connectionKey, type SealedAnswer, UNPLANNED } from './connections.ts'
import { holdConnector } from './connectors.ts'
import { insertEvent } from './events.ts'
import { type FinishedSession, finishConnectSession, holdConnectSession } from './finished_sessions.ts'

/** What a finished consent flow stores; `generation` is the one that was read, null for a new connection. */
export interface NewConsent {
  readonly tenant_id: string
  readonly connection_id: string
  readonly connector: string
  readonly connector_version: number
  readonly user_id: string | null
  /** The platform and its user, where the owner is no user of ours. */
  readonly client_id?: string | null
  readonly end_user_id?: string | null
  readonly account: string | null
  readonly account_name: string | null
  readonly generation: number | null
  readonly data_key: Uint8Array
  readonly answer: SealedAnswer
  /** How long it is to last from now on; without, a repair keeps the end there is. */
  readonly lifetime_ms?: number | null
  readonly redirect_uri?: string | null
  /** The connect session that ends with it. */
  readonly session?: FinishedSession | undefined
  /** The choice that was made, where there was one to be made. */
  readonly choice_hash?: Uint8Array | undefined
  readonly event: NewEvent
}

/**
 * Stores what a consent brought and sets the connection `ready`: a new one, or the same one again. `moved` when another
 * answer was stored, or the account connected, since it was read, or one that works would have to wait for a confirmation; `refused` when connector or user no longer allow it;
 * `spent` when the choice that it rests on was made before, or too late.
 */
export const connectAccount = write(
  function* (args: NewConsent): Run<'connected' | 'moved' | 'refused' | 'spent'> {
    const { tenant_id, answer, choice_hash } = args
    if (!(yield* holdConnector(tenant_id, args.connector, args.connector_version))) return 'refused'
    const [allowed] = yield* sql<{ tenant_id: string }>`
      select t.tenant_id from tenants t
      where t.tenant_id = ${tenant_id}
        and (exists (select 1 from users u where u.tenant_id = t.tenant_id and u.user_id = ${text(args.user_id)}
            and u.disabled_at is null)
          or exists (select 1 from clients cl where cl.tenant_id = t.tenant_id and cl.client_id = ${text(args.client_id)}
            and cl.disabled_at is null))`
    if (!allowed || (args.session && !(yield* holdConnectSession(tenant_id, args.session.session_id)))) return 'refused'
    if (choice_hash && !(yield* holdChoice(tenant_id, choice_hash))) return 'spent'
    const stored = args.generation === null ? yield* insertConnection(args) : yield* repairConnection(args, answer)
    if (!stored) return 'moved'
    if (choice_hash) yield* makeChoice(tenant_id, choice_hash)
    if (args.session) {
      yield* finishConnectSession(tenant_id, args.connection_id, (args.generation ?? 0) + 1, args.session)
    }
    yield* insertEvent(args.event)
    return 'connected'
  },
  { key: connectionKey },
)

function* insertConnection(args: NewConsent): Run<boolean> {
  const { answer } = args
  const { plan = UNPLANNED } = answer
  const confirm_ms = args.session?.confirm_ms ?? null
  const [made] = yield* sql<{ connection_id: string }>`
    insert into connections (tenant_id, connection_id, connector, user_id, client_id, end_user_id, state,
      pending_until_at, account, account_name, scope, data_key, sealed_tokens, generation, consented_generation, refresh_fingerprint, issued_at, access_expires_at,
      refresh_expires_at, refresh_failures, upkeep_at, keep_at, warn_at, warned_at, ends_at, redirect_uri, created_at, updated_at)
    values (${args.tenant_id}, ${args.connection_id}, ${args.connector}, ${text(args.user_id)},
      ${text(args.client_id)}, ${text(args.end_user_id)}, ${confirm_ms === null ? 'ready' : 'pending'},
      ${NOW} + cast(${int(confirm_ms)} as bigint), ${text(args.account)}, ${text(args.account_name)},
      ${answer.scope}, ${args.data_key}, ${answer.sealed_tokens}, 1, 1,
      ${bytes(answer.refresh_fingerprint)}, ${answer.issued_at}, ${int(answer.access_expires_at)},
      ${int(answer.refresh_expires_at)}, 0, ${int(plan.upkeep_at)}, ${int(plan.keep_at)}, ${int(plan.warn_at)},
      ${int(plan.warned_at)}, ${NOW} + cast(${int(args.lifetime_ms)} as bigint), ${text(args.redirect_uri)}, ${args.event.at}, ${args.event.at})
    on conflict do nothing returning connection_id`
  return made !== undefined
}

// A refresh that is under way keeps its intent: its late answer belongs to the consent before this one. The data key stays as
// it is wrapped now, which may be otherwise than when it was read. What works is never made to wait for a confirmation: where none
// comes it would end.
function* repairConnection(args: NewConsent, answer: SealedAnswer): Run<boolean> {
  const { plan = UNPLANNED } = answer
  const confirm_ms = args.session?.confirm_ms ?? null
  const tells_person = args.session?.tells_person === false ? 0 : 1
  // An account that was known before and is the same one now needs no second look, where it is one person's.
  const [repaired] = yield* sql<{ connection_id: string }>`
    update connections set
      state = case when cast(${int(confirm_ms)} as bigint) is not null
          and (state = 'pending' or account is null or ${text(args.account)} is null
            or cast(${tells_person} as bigint) = 0)
        then 'pending' else 'ready' end,
      pending_until_at = ${NOW} + cast(${int(confirm_ms)} as bigint), reason = null, account = ${text(args.account)},
      account_name = ${text(args.account_name)}, scope = ${answer.scope}, sealed_tokens = ${answer.sealed_tokens},
      generation = generation + 1, consented_generation = generation + 1,
      refresh_fingerprint = ${bytes(answer.refresh_fingerprint)}, issued_at = ${answer.issued_at},
      access_expires_at = ${int(answer.access_expires_at)}, refresh_expires_at = ${int(answer.refresh_expires_at)},
      uncertain_at = null, sealed_candidate = null, refresh_failures = 0, refresh_refusals = 0, retry_at = null,
      last_error = null, upkeep_at = ${int(plan.upkeep_at)}, keep_at = ${int(plan.keep_at)}, warn_at = ${int(plan.warn_at)},
      warned_at = ${int(plan.warned_at)}, ends_at = coalesce(${NOW} + cast(${int(args.lifetime_ms)} as bigint), ends_at),
      redirect_uri = ${text(args.redirect_uri)}, updated_at = ${args.event.at}
    where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and connector = ${args.connector}
      and (user_id = ${text(args.user_id)} or (client_id = ${text(args.client_id)} and end_user_id = ${text(args.end_user_id)}))
      and generation = ${int(args.generation)} and state <> 'disconnected'
      and (cast(${int(confirm_ms)} as bigint) is null or state <> 'ready'
        or (account = ${text(args.account)} and cast(${tells_person} as bigint) = 1))
      and (ends_at is null or ends_at > ${NOW})
    returning connection_id`
  return repaired !== undefined
}
