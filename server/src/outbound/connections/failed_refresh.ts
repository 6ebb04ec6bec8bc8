import { equalBytes } from '../../crypto/hash.ts'
import { backoffMs } from '../../egress/circuit.ts'
import type { ClientRefused, Refused, Throttled, Unknown } from '../../relying/outcome.ts'
import type { FailedRefresh } from '../../store/verbs/refreshes.ts'
import { noteConnectorRefused } from '../connectors/connector_error.ts'
import { type OutboundContext, outboundEvent, type RefreshPause } from '../context.ts'
import type { Attempt } from './attempt.ts'
import { keepSuccessor } from './keep_answer.ts'
import { mayReplay } from './replay.ts'
import { planRetry, spread, UNTIL_REPAIR_MS, untilSecondLook } from './upkeep_plan.ts'

type NoTokens = Refused | Throttled | Unknown

/** No tokens, and no word that they are dead: what is stored stays, and the next try waits. */
export async function postpone(
  context: OutboundContext,
  attempt: Attempt,
  outcome: NoTokens,
): Promise<RefreshPause | 'again'> {
  const { authority, connector, intent_id, leased_at } = attempt
  const { connection_id, refresh_failures } = authority.connection
  const { tenant_id, store } = context.tenant
  const { refused, successor, uncertain, lost_at, asked_ms } = weigh(attempt, outcome)
  const again = uncertain && mayRepeat(attempt)
  const retry_ms = again ? 0 : backoffMs(refresh_failures, context.random, asked_ms)
  const tried = { at: leased_at, lost_at, refused, retry_ms }
  const upkeep_ms = planRetry(connector.provider, authority.connection, tried, context.random)
  const failed = { retry_ms, upkeep_ms, ...tellFailure(context, attempt, outcome, uncertain) }
  if (successor) await keepSuccessor(context, attempt, successor, failed)
  else await store.failRefresh({ tenant_id, connection_id, intent_id, uncertain, refused, ...failed })
  noteCircuit(context, attempt, outcome, asked_ms)
  return again ? 'again' : { reason: 'provider', retry_ms }
}

/** What an outcome without tokens comes to. */
function weigh({ authority, vault, leased_at, uncertain_at }: Attempt, outcome: NoTokens) {
  const unknown = outcome.kind === 'unknown' ? outcome : null
  // What brings a refresh token has come, whatever is wrong beside it; one that brings the same back has changed nothing.
  const brought = unknown?.successor
  const isNew = brought && !equalBytes(vault.fingerprint(brought), authority.connection.refresh_fingerprint)
  const uncertain = unknown?.sent === true && brought === undefined
  return {
    refused: outcome.kind === 'refused',
    successor: isNew ? brought : null,
    uncertain,
    lost_at: isNew ? null : (uncertain_at ?? (uncertain ? leased_at : null)),
    asked_ms: outcome.kind === 'refused' ? 0 : (outcome.retry_after_seconds ?? 0) * 1000,
  }
}

/** Whether the same refresh token may be sent once more at once. */
function mayRepeat({ connector, leased_at, is_second_look, may_repeat }: Attempt): boolean {
  return may_repeat && !is_second_look && mayReplay(connector.provider, leased_at, leased_at)
}

/** What is said of a failure: in the connection, in the log, and to its owner unless they know it already. */
function tellFailure(
  context: OutboundContext,
  { authority, is_second_look }: Attempt,
  outcome: NoTokens,
  uncertain: boolean,
): Pick<FailedRefresh, 'error' | 'event'> {
  const { connection_id, user_id, connector } = authority.connection
  const error = outcome.kind === 'refused' ? outcome.error : outcome.kind
  if (outcome.kind === 'unknown')
    context.report(`the refresh of connection ${connection_id} brought no tokens`, outcome.cause)
  if (is_second_look) return { error, event: null }
  const about = { connection_id, user_id, detail: { connector, error, uncertain } }
  return { error, event: outboundEvent(context, 'connection.refresh_failed', 'system', about) }
}

// A provider that decides works, whatever it decides.
function noteCircuit(
  { circuits, clock }: OutboundContext,
  { authority }: Attempt,
  { kind }: NoTokens,
  asked_ms: number,
): void {
  const { connector, version } = authority.connector
  if (kind === 'refused') circuits.succeed(connector)
  else circuits.fail(connector, version, clock(), { asked_ms })
}

/** The provider refuses our registration: no user can help, and the connection stays as it is. */
export async function blameConnector(
  context: OutboundContext,
  attempt: Attempt,
  refused: ClientRefused,
): Promise<RefreshPause> {
  const { authority, intent_id } = attempt
  const { connector, connection } = authority
  const { tenant_id, store } = context.tenant
  const { connection_id } = connection
  await noteConnectorRefused(context, connector, refused)
  const upkeep_ms = spread(UNTIL_REPAIR_MS, context.random)
  await store.dropIntent({ tenant_id, connection_id, intent_id, upkeep_ms })
  const { circuits, clock } = context
  circuits.fail(connector.connector, connector.version, clock(), { at_once: true })
  return { reason: 'connector', retry_ms: circuits.waitMs(connector.connector, connector.version, clock()) }
}

/** The provider says that the refresh token is dead: true only if nobody has stored a newer one, holds one, or waits for one. */
export async function giveUp(context: OutboundContext, attempt: Attempt, refused: Refused): Promise<null> {
  const { authority, intent_id, leased_at, uncertain_at } = attempt
  const { tenant_id, store } = context.tenant
  const { connection_id, generation, user_id, connector, refresh_expires_at } = authority.connection
  context.circuits.succeed(connector)
  if (await useCandidate(context, attempt, refused)) return null
  const is_over = refresh_expires_at !== null && refresh_expires_at <= leased_at
  const is_sure = uncertain_at === null && refused.error === 'invalid_grant'
  const reason = is_over ? 'expired' : is_sure ? 'revoked' : 'unknown'
  const detail = { connector, ...said(refused), reason, uncertain: uncertain_at !== null }
  // Where a successor may have been issued, to send its predecessor once more would be a replay.
  const second_look_ms = is_over || uncertain_at !== null ? null : untilSecondLook(0, context.random)
  const named = { tenant_id, connection_id, intent_id }
  const marked = await store.needReconsent({
    ...{ ...named, generation, reason, error: refused.error, second_look_ms },
    event: outboundEvent(context, 'connection.needs_reconsent', 'system', { connection_id, user_id, detail }),
  })
  if (!marked) await store.dropIntent({ ...named, upkeep_ms: 0 })
  return null
}

/** Puts the kept answer of a late winner in the place of tokens that turned out dead, if there is one. */
async function useCandidate(
  context: OutboundContext,
  { authority, vault, intent_id }: Attempt,
  refused: Refused,
): Promise<boolean> {
  const { tenant_id, store } = context.tenant
  const { connection_id, user_id, connector, generation } = authority.connection
  const again = await store.loadConnection({ tenant_id, connection_id })
  const sealed_candidate = again?.connection.generation === generation ? again.connection.sealed_candidate : null
  if (!sealed_candidate) return false
  const detail = { connector, ...said(refused) }
  return store.promoteCandidate({
    ...{ tenant_id, connection_id, intent_id, generation, sealed_candidate },
    answer: vault.seal(vault.openCandidate(sealed_candidate), generation + 1),
    event: outboundEvent(context, 'connection.candidate_used', 'system', { connection_id, user_id, detail }),
  })
}

function said({ error, provider_error, error_description }: Refused) {
  return { error, provider_error, error_description }
}
