import { backoffMs, type Random } from '../../egress/circuit.ts'
import type { ProviderFields } from '../../providers/provider.ts'
import type { ConnectionAuthority, ConnectionRecord, UpkeepPlan } from '../../store/verbs/connections.ts'
import { type ProviderAnswer, renewedBy } from '../vault/vault.ts'
import { mayReplay, type ReplayPolicy } from './replay.ts'

/** What the catalogue says about the life of a refresh token. */
export type LifePolicy = Pick<ProviderFields, 'refresh_token_life' | 'refresh_grant'>

/** The times of stored tokens; `renewable` where a refresh token is among them. */
export interface TokenTimes {
  readonly renewable: boolean
  readonly issued_at: number
  readonly access_expires_at: number | null
  readonly refresh_expires_at: number | null
  /** The end of all refresh tokens of the consent, which no use of one puts off. */
  readonly refresh_ends_at?: number | undefined
}

/** The times of a connection's row, with what was planned for it. */
export type FormerTimes = TokenTimes & Pick<UpkeepPlan, 'warn_at' | 'warned_at'>

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
// Where nobody knows when idleness kills: as short as the shortest that is common.
const ASSUMED_IDLE_MS = 7 * DAY
// What is made to end with its session is let go.
const SHORTEST_KEPT_MS = 10 * MINUTE
const SHORTEST_WARNED_MS = DAY
const MOST_WARNED_AHEAD_MS = 7 * DAY
// A provider that refuses may be wrong for a moment: it is asked again, so often and no oftener.
const SECOND_LOOKS_MS = [5 * MINUTE, 6 * HOUR]
// So long after its tokens were to end, or came, upkeep leaves a connection that never gets an answer to who asks for it.
const GIVEN_UP_AFTER_MS = 30 * DAY

/** How long upkeep leaves alone what only an administrator can repair. */
export const UNTIL_REPAIR_MS = 30 * MINUTE

/** The plan of what upkeep leaves alone. */
export const NEVER: UpkeepPlan = { upkeep_at: null, keep_at: null, warn_at: null, warned_at: null }

/** What upkeep does for tokens that have just come, in place of those before them (null: the first of a consent). */
export function planUpkeep(
  policy: LifePolicy,
  times: TokenTimes,
  before: FormerTimes | null,
  random: Random,
): UpkeepPlan {
  const end = endOf(policy, times)
  const former = before && endOf(policy, before)
  const passed = before ? times.issued_at - before.issued_at : 0
  const gained = former === null || end === null ? Number.POSITIVE_INFINITY : end - former
  const isPutOff = gained > passed / 2
  const keep_at = planKeeping(policy, times, end, before === null ? null : isPutOff, random)
  // An end that stays where it was, but for the seconds that an answer is under way, keeps its warning.
  const warning = before && gained < MINUTE ? before : { warn_at: planWarning(times, end), warned_at: null }
  const { warn_at, warned_at } = warning
  return { keep_at, warn_at, warned_at, upkeep_at: soonest(keep_at, warned_at === null ? warn_at : null, end) }
}

/** An answer with what upkeep does for it, in place of what the row had (null: the first of a consent). */
export function planAnswer(
  policy: LifePolicy,
  answer: ProviderAnswer,
  before: ConnectionRecord | null,
  random: Random,
): ProviderAnswer {
  const { tokens, issued_at, access_expires_at, refresh_expires_at } = answer
  // What is asked for again needs nothing to be kept alive.
  if (tokens.renewal) return { ...answer, plan: NEVER }
  const { refresh_ends_at } = tokens
  const renewable = renewedBy(tokens) !== undefined
  const times = { renewable, issued_at, access_expires_at, refresh_expires_at, refresh_ends_at }
  return { ...answer, plan: planUpkeep(policy, times, before && timesOf(before), random) }
}

function planKeeping(
  { refresh_token_life: life }: LifePolicy,
  { renewable, issued_at, refresh_ends_at }: TokenTimes,
  end: number | null,
  isPutOff: boolean | null,
  random: Random,
): number | null {
  if (!renewable || end === refresh_ends_at) return null
  // What the record says holds until an answer has shown whether a refresh puts the end off.
  const helps = end === null ? life !== 'fixed' && life !== 'unlimited' : (isPutOff ?? life !== 'fixed')
  if (!helps && life !== 'idle') return null
  const length = (end ?? issued_at + ASSUMED_IDLE_MS) - issued_at
  // Spread over a fifth of the life, so that what was connected in one day does not come back in one minute.
  return length < SHORTEST_KEPT_MS ? null : Math.round(issued_at + length * (0.5 + random() / 5))
}

function planWarning({ issued_at }: TokenTimes, end: number | null): number | null {
  if (end === null || end - issued_at < SHORTEST_WARNED_MS) return null
  return Math.round(end - Math.min(MOST_WARNED_AHEAD_MS, (end - issued_at) / 4))
}

// A token that renews itself dies with itself, and one that nothing renews with its life.
function endOf({ refresh_grant }: LifePolicy, times: TokenTimes): number | null {
  const { renewable, access_expires_at, refresh_expires_at } = times
  if (!renewable) return access_expires_at
  return refresh_grant?.sends === 'access_token' ? soonest(access_expires_at, refresh_expires_at) : refresh_expires_at
}

/** The times of a connection as its row holds them. */
export function timesOf(connection: ConnectionRecord): FormerTimes {
  const { refresh_fingerprint, issued_at, access_expires_at, refresh_expires_at, warn_at, warned_at } = connection
  return {
    ...{ renewable: refresh_fingerprint !== null, issued_at: issued_at ?? 0 },
    ...{ access_expires_at, refresh_expires_at, warn_at, warned_at },
  }
}

/** What upkeep does about a connection now; `wait` names the next look. */
export type UpkeepStep =
  | { readonly kind: 'warn' | 'refresh' | 'lapse' }
  | { readonly kind: 'wait'; readonly until: number | null }

/** What there is to do for a connection, from what was read alone. */
export function decideUpkeep(
  authority: ConnectionAuthority,
  policy: LifePolicy & ReplayPolicy,
  sole_owner: boolean,
): UpkeepStep {
  const { connection: row, now } = authority
  // Whoever confirms it, or consents anew, has it looked at.
  if (row.state === 'pending') return { kind: 'wait', until: now + HOUR }
  if (isDisabled(authority)) return { kind: 'wait', until: now + untilEnabled(policy, row, now) }
  const { intent_deadline_at: deadline, keep_at } = row
  if (deadline !== null && deadline > now && !sole_owner) return { kind: 'wait', until: deadline }
  const uncertain_at = row.uncertain_at ?? (deadline === null ? null : row.intent_at)
  const mayBeSent = uncertain_at === null || mayReplay(policy, uncertain_at, now)
  // Planned only where a second look is due.
  if (row.state === 'needs_reconsent' && mayBeSent) return refreshFrom(row, now)
  if (row.state !== 'ready') return { kind: 'wait', until: null }
  const times = timesOf(row)
  const end = endOf(policy, times)
  const isOver = row.access_expires_at !== null && row.access_expires_at <= now
  const warn_at = mayMatter(row, end, now) ? row.warn_at : null
  // An end that a use may put off is worth no warning before one has failed.
  const mayBePutOff = keep_at !== null && keep_at <= now && row.refresh_failures === 0
  if (warn_at !== null && warn_at <= now && !mayBePutOff) return { kind: 'warn' }
  if (!times.renewable) return isOver ? { kind: 'lapse' } : { kind: 'wait', until: soonest(warn_at, end) }
  // As for a caller: where a replay could end what still lives, nothing is risked while it serves.
  if (!mayBeSent && !isOver) return { kind: 'wait', until: row.access_expires_at }
  if (uncertain_at !== null) return refreshFrom(row, now)
  if (keep_at !== null && keep_at <= now) return refreshFrom(row, now)
  // Past its end the provider itself says whether that was the end, once there is nothing left to lose.
  if (end !== null && end <= now) {
    return isOver ? refreshFrom(row, now) : { kind: 'wait', until: row.access_expires_at }
  }
  return { kind: 'wait', until: soonest(keep_at, warn_at, end) }
}

// What is enabled again is found in time to be kept, however short its tokens live.
function untilEnabled(policy: LifePolicy, row: ConnectionRecord, now: number): number {
  const next = soonest(...[row.keep_at, endOf(policy, timesOf(row))].filter((at) => at !== null && at > now))
  return next === null ? HOUR : Math.min(HOUR, Math.max(MINUTE, Math.round((next - now) / 4)))
}

// Nobody is told twice, nor too late, nor of what comes after an end that the owner has chosen.
function mayMatter({ warned_at, ends_at }: ConnectionRecord, end: number | null, now: number): boolean {
  return warned_at === null && end !== null && end > now && (ends_at === null || end < ends_at)
}

// The backoff of the connection holds for everybody.
function refreshFrom({ retry_at }: ConnectionRecord, now: number): UpkeepStep {
  return retry_at !== null && retry_at > now ? { kind: 'wait', until: retry_at } : { kind: 'refresh' }
}

/** A refresh that brought no token of use. */
export interface FailedTry {
  /** The database's time when it began. */
  readonly at: number
  /** Since when an answer may be lost: to it, or to one before it. */
  readonly lost_at: number | null
  /** Whether the provider has decided against it. */
  readonly refused: boolean
  readonly retry_ms: number
}

/** After how long upkeep tries what failed, if nobody asks before; null is never. */
export function planRetry(
  policy: ReplayPolicy,
  row: ConnectionRecord,
  { at, lost_at, refused, retry_ms }: FailedTry,
  random: Random,
): number | null {
  if (row.state === 'needs_reconsent') {
    // To ask once more for an answer that may be lost would be a replay.
    if (lost_at !== null) return null
    if (refused) return untilSecondLook(row.refresh_refusals + 1, random)
  }
  // A lost answer is still to be had while its grace lasts.
  const hurries = policy.refresh_token_replay === 'within_grace' && lost_at !== null
  if (hurries && mayReplay(policy, lost_at, at + retry_ms)) return retry_ms
  if (at > Math.max(row.refresh_expires_at ?? 0, row.issued_at ?? 0) + GIVEN_UP_AFTER_MS) return null
  return Math.max(retry_ms, 60 * backoffMs(row.refresh_failures, random))
}

/** After how long a provider that has refused so often since is asked whether it meant it; null is never. */
export function untilSecondLook(refusals: number, random: Random): number | null {
  const ms = SECOND_LOOKS_MS[refusals]
  return ms === undefined ? null : spread(ms, random)
}

/** About so long: what waits for the same does not come back in one moment. */
export function spread(ms: number, random: Random): number {
  return Math.round(ms * (0.75 + random() / 2))
}

function isDisabled({ tenant_disabled_at, user_disabled_at, connector }: ConnectionAuthority): boolean {
  return tenant_disabled_at !== null || user_disabled_at !== null || connector.disabled_at !== null
}

function soonest(...times: readonly (number | null)[]): number | null {
  const known = times.filter((at) => at !== null)
  return known.length === 0 ? null : Math.min(...known)
}
