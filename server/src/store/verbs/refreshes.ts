import { equalBytes } from '../../crypto/hash.ts'
import type { NewEvent } from '../records.ts'
import { bytes, int, NOW, type Run, sql, text, write } from '../sql.ts'
import { connectionKey, type SealedAnswer, UNPLANNED } from './connections.ts'
import { insertEvent, isRecorded } from './events.ts'

/** How an asked lease was answered; `until` is the database's time. */
export type Lease =
  /** Ours until the deadline; `uncertain_at` says since when an answer may be lost. */
  | { readonly kind: 'leased'; readonly now: number; readonly uncertain_at: number | null }
  | { readonly kind: 'held'; readonly now: number; readonly until: number }
  | { readonly kind: 'backoff'; readonly now: number; readonly until: number }
  /** Another answer was stored, or the connection is no longer ready: read again. */
  | { readonly kind: 'moved' }

interface LeaseRow {
  readonly now: number
  readonly state: string
  readonly generation: number
  readonly refresh_fingerprint: Uint8Array | null
  readonly intent_id: string | null
  readonly intent_owner: string | null
  readonly intent_fingerprint: Uint8Array | null
  readonly intent_at: number | null
  readonly intent_deadline_at: number | null
  readonly uncertain_at: number | null
  readonly retry_at: number | null
}

/**
 * Commits the intent to refresh, which is a lease on the provider by database time. An intent that its owner left open
 * past its deadline is taken over; whether the provider answered it is then uncertain. `sole_owner` says that no other
 * process can be alive, so that the intents of others are those of the dead. `second_look` asks about a connection that
 * already needs a new consent. Whatever becomes of the owner, upkeep looks at the intent when it is past its deadline.
 */
export const leaseConnection = write(
  function* (args: {
    tenant_id: string
    connection_id: string
    generation: number
    intent_id: string
    owner: string
    sole_owner: boolean
    lease_ms: number
    second_look?: boolean
  }): Run<Lease> {
    const { tenant_id, connection_id, generation, intent_id } = args
    const state = args.second_look ? 'needs_reconsent' : 'ready'
    const [row] = yield* sql<LeaseRow>`
      select ${NOW} as now, state, generation, refresh_fingerprint, intent_id, intent_owner, intent_fingerprint,
        intent_at, intent_deadline_at, uncertain_at, retry_at
      from connections where tenant_id = ${tenant_id} and connection_id = ${connection_id}`
    if (row?.state !== state || row.generation !== generation) return { kind: 'moved' }
    const { now, intent_deadline_at: deadline } = row
    if (deadline !== null && row.intent_id !== intent_id) {
      const dead = deadline <= now || (args.sole_owner && row.intent_owner !== args.owner)
      if (!dead) return { kind: 'held', now, until: deadline }
    }
    if (row.retry_at !== null && row.retry_at > now) return { kind: 'backoff', now, until: row.retry_at }
    const lost = deadline !== null && equalBytes(row.intent_fingerprint, row.refresh_fingerprint)
    const uncertain_at = row.uncertain_at ?? (lost && row.intent_id !== intent_id ? row.intent_at : null)
    const [leased] = yield* sql<{ connection_id: string }>`
      update connections set intent_id = ${intent_id}, intent_owner = ${args.owner}, intent_generation = generation,
        intent_fingerprint = refresh_fingerprint, intent_at = ${now}, intent_deadline_at = ${now + args.lease_ms},
        uncertain_at = ${int(uncertain_at)}, upkeep_at = ${now + args.lease_ms}
      where tenant_id = ${tenant_id} and connection_id = ${connection_id} and state = ${state}
        and generation = ${generation} and coalesce(intent_id, '') = ${row.intent_id ?? ''}
        and coalesce(intent_deadline_at, 0) = ${deadline ?? 0}
      returning connection_id`
    return leased ? { kind: 'leased', now, uncertain_at } : { kind: 'moved' }
  },
  { key: connectionKey, repeatable: true },
)

/** A refresh that brought no token of use; the next try waits. */
export interface FailedRefresh {
  readonly error: string
  readonly retry_ms: number
  /** After how long the work behind the requests tries by itself; null is never. */
  readonly upkeep_ms: number | null
  /** Written for the first failure in a row. */
  readonly event: NewEvent | null
}

/** A provider's answer to a refresh, sealed for the generation after `generation` and, alike, as a candidate. */
export interface RefreshAnswer {
  readonly tenant_id: string
  readonly connection_id: string
  readonly intent_id: string
  /** The generation under which the refresh token was sent, and the one that was last read. */
  readonly sent_generation: number
  readonly generation: number
  readonly sent_fingerprint: Uint8Array
  readonly answer: SealedAnswer
  readonly sealed_candidate: Uint8Array
  /** Where nothing of the answer was of use but its refresh token. */
  readonly failed?: FailedRefresh | undefined
  readonly recovered_event: NewEvent
  readonly candidate_event: NewEvent
}

/** What became of a provider's answer. */
export type Stored =
  | { readonly kind: 'stored' | 'kept' }
  /** The connection has ended, or a newer consent has taken its place. */
  | { readonly kind: 'gone' | 'obsolete' }
  /** Seal again for what comes after this generation, as the answer to this refresh token. */
  | { readonly kind: 'moved'; readonly generation: number; readonly refresh_fingerprint: Uint8Array }

/**
 * Stores a provider's answer. What decides is the refresh token that was sent, never who holds the lease: while it is
 * the stored one, the answer replaces it, unless it was asked for earlier and brings the same; after that the answer is kept
 * as a candidate, or replaces a token that has turned out dead. Only an answer to an earlier consent, or to an ended connection, has no place. An answer that failed but
 * for its refresh token is a failure all the same.
 */
export const storeRefreshed = write(
  function* (args: RefreshAnswer): Run<Stored> {
    const { tenant_id, connection_id, answer, failed } = args
    const { plan = UNPLANNED } = answer
    const [row] = yield* sql<StoredRow>`
      select state, generation, consented_generation, refresh_fingerprint, issued_at, intent_id, intent_deadline_at,
        refresh_failures
      from connections where tenant_id = ${tenant_id} and connection_id = ${connection_id}`
    if (!row || row.state === 'disconnected') return { kind: 'gone' }
    const [stored] = yield* sql<{ connection_id: string }>`
      update connections set state = 'ready', reason = null, scope = ${answer.scope},
        sealed_tokens = ${answer.sealed_tokens}, generation = generation + 1,
        refresh_fingerprint = ${bytes(answer.refresh_fingerprint)}, issued_at = ${answer.issued_at},
        access_expires_at = ${int(answer.access_expires_at)}, refresh_expires_at = ${int(answer.refresh_expires_at)},
        intent_deadline_at = case when intent_id = ${args.intent_id} then null else intent_deadline_at end,
        uncertain_at = null, sealed_candidate = null,
        refresh_failures = case when ${failed ? 1 : 0} = 1 then refresh_failures + 1 else 0 end, refresh_refusals = 0,
        retry_at = ${NOW} + ${int(failed?.retry_ms)}, last_error = ${text(failed?.error)},
        upkeep_at = ${int(plan.upkeep_at)}, keep_at = ${int(plan.keep_at)}, warn_at = ${int(plan.warn_at)},
        warned_at = ${int(plan.warned_at)}, updated_at = ${NOW}
      where tenant_id = ${tenant_id} and connection_id = ${connection_id} and generation = ${args.generation}
        and refresh_fingerprint = ${args.sent_fingerprint} and state in ('ready', 'needs_reconsent')
      returning connection_id`
    if (stored) {
      if (row.state !== 'ready' || (row.refresh_failures > 0 && !failed)) yield* insertEvent(args.recovered_event)
      if (failed?.event && row.refresh_failures === 0) yield* insertEvent(failed.event)
      return { kind: 'stored' }
    }
    return yield* placeLate(args)
  },
  { key: connectionKey, repeatable: true },
)

interface StoredRow {
  readonly state: string
  readonly generation: number
  readonly consented_generation: number
  readonly refresh_fingerprint: Uint8Array | null
  readonly issued_at: number | null
  readonly intent_id: string | null
  readonly intent_deadline_at: number | null
  readonly refresh_failures: number
}

function* placeLate(args: RefreshAnswer): Run<Stored> {
  const { tenant_id, connection_id, intent_id } = args
  const [row] = yield* sql<StoredRow>`
    select state, generation, consented_generation, refresh_fingerprint, issued_at, intent_id, intent_deadline_at,
      refresh_failures
    from connections where tenant_id = ${tenant_id} and connection_id = ${connection_id}`
  if (!row || row.state === 'disconnected') return { kind: 'gone' }
  const ours = row.intent_id === intent_id
  // The same call again, after a commit whose outcome was unknown.
  if (ours && row.intent_deadline_at === null && row.generation === args.generation + 1) return { kind: 'stored' }
  const obsolete = args.sent_generation < row.consented_generation
  if (!obsolete && isOlder(args.answer, row)) {
    yield* closeIntent(args)
    return { kind: 'kept' }
  }
  if (!obsolete && row.refresh_fingerprint !== null) {
    const sentIsStored = equalBytes(row.refresh_fingerprint, args.sent_fingerprint)
    if (sentIsStored || row.state === 'needs_reconsent') {
      return { kind: 'moved', generation: row.generation, refresh_fingerprint: row.refresh_fingerprint }
    }
  }
  yield* sql`
    update connections set intent_deadline_at = case when intent_id = ${intent_id} then null else intent_deadline_at end,
      sealed_candidate = case when ${obsolete ? 1 : 0} = 1 then sealed_candidate else ${args.sealed_candidate} end
    where tenant_id = ${tenant_id} and connection_id = ${connection_id}`
  if (obsolete) return { kind: 'obsolete' }
  if (!(yield* isRecorded(args.candidate_event))) yield* insertEvent(args.candidate_event)
  return { kind: 'kept' }
}

// What brings the stored refresh token again, asked for before the answer that is stored, has nothing that is newer.
function isOlder({ refresh_fingerprint, issued_at }: SealedAnswer, row: StoredRow): boolean {
  return equalBytes(refresh_fingerprint, row.refresh_fingerprint) && issued_at < (row.issued_at ?? 0)
}

/** Makes the kept answer of a late winner the stored one, after the stored token turned out dead. */
export const promoteCandidate = write(
  function* (args: {
    tenant_id: string
    connection_id: string
    intent_id: string
    generation: number
    sealed_candidate: Uint8Array
    answer: SealedAnswer
    event: NewEvent
  }): Run<boolean> {
    const { answer } = args
    const { plan = UNPLANNED } = answer
    const [promoted] = yield* sql<{ connection_id: string }>`
      update connections set scope = ${answer.scope}, sealed_tokens = ${answer.sealed_tokens},
        generation = generation + 1, refresh_fingerprint = ${bytes(answer.refresh_fingerprint)},
        issued_at = ${answer.issued_at}, access_expires_at = ${int(answer.access_expires_at)},
        refresh_expires_at = ${int(answer.refresh_expires_at)}, intent_deadline_at = null, uncertain_at = null,
        sealed_candidate = null, refresh_refusals = 0, upkeep_at = ${int(plan.upkeep_at)},
        keep_at = ${int(plan.keep_at)}, warn_at = ${int(plan.warn_at)}, warned_at = ${int(plan.warned_at)},
        updated_at = ${NOW}
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and intent_id = ${args.intent_id}
        and generation = ${args.generation} and sealed_candidate = ${args.sealed_candidate} and state = 'ready'
      returning connection_id`
    if (promoted) yield* insertEvent(args.event)
    return promoted !== undefined
  },
  { key: connectionKey },
)

/**
 * Ends an intent that brought no tokens. `uncertain` when the provider may have answered it, `refused` when it has decided
 * against it. It says nothing of tokens that came since it began, such as those of a newer consent.
 */
export const failRefresh = write(
  function* (
    args: FailedRefresh & {
      tenant_id: string
      connection_id: string
      intent_id: string
      uncertain: boolean
      refused: boolean
    },
  ): Run<void> {
    const [failed] = yield* sql<{ refresh_failures: number }>`
      update connections set intent_deadline_at = null, refresh_failures = refresh_failures + 1,
        refresh_refusals = refresh_refusals + ${args.refused ? 1 : 0},
        retry_at = ${NOW} + cast(${args.retry_ms} as bigint), last_error = ${args.error}, updated_at = ${NOW},
        upkeep_at = ${NOW} + ${int(args.upkeep_ms)},
        uncertain_at = case when ${args.uncertain ? 1 : 0} = 1 then coalesce(uncertain_at, intent_at) else uncertain_at end
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and intent_id = ${args.intent_id}
        and intent_deadline_at is not null and intent_generation = generation
      returning refresh_failures`
    if (!failed) yield* closeIntent(args)
    else if (failed.refresh_failures === 1 && args.event) yield* insertEvent(args.event)
  },
  { key: connectionKey, repeatable: true },
)

type Intent = { readonly tenant_id: string; readonly connection_id: string; readonly intent_id: string }

function* closeIntent({ tenant_id, connection_id, intent_id }: Intent): Run<void> {
  yield* sql`
    update connections set intent_deadline_at = null
    where tenant_id = ${tenant_id} and connection_id = ${connection_id} and intent_id = ${intent_id}
      and intent_deadline_at is not null`
}

/** Ends an intent that used nothing up; upkeep plans anew after `upkeep_ms`, unless newer tokens have a plan of their own. */
export const dropIntent = write(
  function* (args: Intent & { upkeep_ms: number }): Run<void> {
    const [dropped] = yield* sql<{ connection_id: string }>`
      update connections set intent_deadline_at = null, upkeep_at = ${NOW} + cast(${args.upkeep_ms} as bigint)
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and intent_id = ${args.intent_id}
        and intent_deadline_at is not null and intent_generation = generation
      returning connection_id`
    if (!dropped) yield* closeIntent(args)
  },
  { key: connectionKey, repeatable: true },
)

/**
 * Says that only a new consent helps, while the tokens are still those of the generation that the provider refused, nobody
 * else has begun to renew them since `intent_id`, and no late winner's answer is at hand. False means: read again.
 */
export const needReconsent = write(
  function* (args: {
    tenant_id: string
    connection_id: string
    generation: number
    /** The intent that found it out; null where nothing was sent. */
    intent_id: string | null
    reason: string
    error: string
    /** After how long the provider is asked whether it meant it; null is never. */
    second_look_ms: number | null
    event: NewEvent
  }): Run<boolean> {
    const [marked] = yield* sql<{ connection_id: string }>`
      update connections set state = 'needs_reconsent', reason = ${args.reason}, last_error = ${args.error},
        intent_deadline_at = null, retry_at = null, refresh_failures = 0, refresh_refusals = 0,
        upkeep_at = ${NOW} + ${int(args.second_look_ms)}, updated_at = ${NOW}
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and state = 'ready'
        and generation = ${args.generation} and sealed_candidate is null
        and coalesce(${text(args.intent_id)}, intent_id, '') = coalesce(intent_id, '')
      returning connection_id`
    if (marked) yield* insertEvent(args.event)
    return marked !== undefined
  },
  { key: connectionKey, repeatable: true },
)
