import { newId } from '../crypto/random.ts'
import { backoffMs } from '../egress/circuit.ts'
import { askToken } from '../relying/asked_grant.ts'
import type { RelyingParty } from '../relying/context.ts'
import type { ClientRefused, Refused, Throttled, TokenOutcome, Tokens, Unknown } from '../relying/outcome.ts'
import { refreshToken } from '../relying/token_call.ts'
import type { ConnectionAuthority } from '../store/verbs/connections.ts'
import { askedGrant, type Connector, openConnector, partyOfTokens } from './connector.ts'
import { noteConnectorRefused, noteConnectorWorks } from './connector_error.ts'
import { type OutboundContext, outboundEvent, type RefreshPause } from './context.ts'
import { keepAnswer } from './keep_answer.ts'
import { mayReplay } from './replay.ts'
import { openVault, type ProviderTokens, renewedBy, type Vault } from './vault.ts'

// The call must be over before its lease is, with room for a slow start and for storing the answer.
const CALL_MS = 15_000
const LATEST_START_MS = 4_000
/** How long a process that died keeps its place. */
export const LEASE_MS = 30_000
const LONGEST_WAIT_MS = 20_000
const REFUSALS_BELIEVED = 8
const MINUTE = 60_000
// A provider that says a token is dead may be wrong for a moment: it is asked again, so often and no oftener.
const SECOND_LOOKS_MS = [5 * MINUTE, 6 * 60 * MINUTE]
// So long after its tokens were to end, or came, upkeep leaves a connection that never gets an answer to who asks for it.
const GIVEN_UP_AFTER_MS = 30 * 24 * 60 * MINUTE
const BUSY: RefreshPause = { reason: 'busy', retry_ms: 1000 }

/** One refresh of a connection under way: what was read, and the intent that was committed. */
interface Attempt {
  readonly authority: ConnectionAuthority
  readonly connector: Connector
  readonly vault: Vault
  readonly intent_id: string
  /** The database's time of the intent, and since when an earlier answer may be lost. */
  readonly leased_at: number
  readonly uncertain_at: number | null
  /** The first try of this refresh. */
  readonly may_repeat: boolean
}

/**
 * Renews the token of a connection as it was read. Callers of one process share one refresh; across processes the lease
 * decides. Null means that the connection has changed: read it again.
 */
export async function refreshConnection(
  context: OutboundContext,
  authority: ConnectionAuthority,
): Promise<RefreshPause | null> {
  const { connection_id } = authority.connection
  let refresh = context.refreshes.get(connection_id)
  if (!refresh) {
    // Nobody who waits can cancel it: once a provider has answered, the answer must find its place.
    refresh = runRefresh(context, authority).finally(() => context.refreshes.delete(connection_id))
    context.refreshes.set(connection_id, refresh)
  }
  return within(refresh, LONGEST_WAIT_MS, BUSY)
}

async function runRefresh(context: OutboundContext, authority: ConnectionAuthority): Promise<RefreshPause | null> {
  const { connector } = authority
  const retry_ms = context.circuits.waitMs(connector.connector, connector.version, context.clock())
  if (retry_ms > 0) return { reason: connector.error === null ? 'provider' : 'connector', retry_ms }
  const first = await attempt(context, authority, true)
  return first === 'again' ? ((await attempt(context, authority, false)) as RefreshPause | null) : first
}

/** Intent, lease, call, store. */
async function attempt(
  context: OutboundContext,
  authority: ConnectionAuthority,
  may_repeat: boolean,
): Promise<RefreshPause | 'again' | null> {
  const { tenant_id, store } = context.tenant
  const { connection_id, generation, data_key, sealed_tokens } = authority.connection
  const second_look = isSecondLook(authority)
  const connector = openConnector(context, authority.connector)
  const vault = await openVault(context, connection_id, data_key!)
  const tokens = vault.open(sealed_tokens!, generation)
  const party = partyOfTokens(context, connector, tokens)
  const intent_id = newId(context.clock())
  const { owner, sole_owner } = context
  const began = context.clock()
  const lease = await store.leaseConnection({
    ...{ tenant_id, connection_id, generation, intent_id, owner, sole_owner, lease_ms: LEASE_MS, second_look },
  })
  if (lease.kind === 'moved') return null
  if (lease.kind === 'backoff') return { reason: 'provider', retry_ms: lease.until - lease.now }
  if (lease.kind === 'held') return waitForHolder(context, authority, lease.until)
  const spent = context.clock() - began
  if (spent < 0 || spent > LATEST_START_MS) {
    await store.dropIntent({ tenant_id, connection_id, intent_id })
    return BUSY
  }
  const { now: leased_at, uncertain_at } = lease
  const made: Attempt = { authority, connector, vault, intent_id, leased_at, uncertain_at, may_repeat }
  const call = conclude(context, made, party, tokens).finally(() => context.calls.delete(call))
  context.calls.add(call)
  return call
}

/** Calls the provider, and brings whatever comes of it into the store. */
async function conclude(
  context: OutboundContext,
  made: Attempt,
  party: RelyingParty,
  tokens: ProviderTokens,
): Promise<RefreshPause | 'again' | null> {
  const outcome = await renew(context, made, party, tokens)
  switch (outcome.kind) {
    case 'tokens':
      return finish(context, made, outcome, renewedBy(tokens) ?? '')
    case 'client_refused':
      return blameConnector(context, made, outcome)
    case 'refused':
      if (isSecondLook(made.authority)) return postpone(context, made, outcome)
      return isDead(made, outcome) ? giveUp(context, made, outcome) : postpone(context, made, outcome)
    default:
      return postpone(context, made, outcome)
  }
}

/** Sends the refresh token, or asks once more where there never is one. */
function renew(
  { relying }: OutboundContext,
  { authority, connector }: Attempt,
  party: RelyingParty,
  { refresh_token = '', access_token, renewal }: ProviderTokens,
): Promise<TokenOutcome> {
  const { scope } = authority.connection
  const asked = renewal && askedGrant(connector, renewal.subject)
  return asked
    ? askToken(relying, party, asked, { timeoutMs: CALL_MS, again: true })
    : refreshToken(relying, party, { refresh_token, access_token, scope, timeoutMs: CALL_MS })
}

async function finish(
  context: OutboundContext,
  attempt: Attempt,
  answer: Tokens,
  sent_refresh_token: string,
): Promise<null> {
  await keepAnswer(context, { ...attempt, sent_refresh_token, answer })
  await noteConnectorWorks(context, attempt.authority.connector)
  return null
}

// What needs a new consent is asked for by upkeep alone.
function isSecondLook({ connection }: ConnectionAuthority): boolean {
  return connection.state === 'needs_reconsent'
}

// A refusal that no standard names is believed in the end: nothing else would ever bring its owner back.
function isDead({ authority }: Attempt, refused: Refused): boolean {
  return refused.error === 'invalid_grant' || authority.connection.refresh_failures >= REFUSALS_BELIEVED
}

/** The provider says that the refresh token is dead: true only if nobody has stored a newer one, or holds one. */
async function giveUp(context: OutboundContext, attempt: Attempt, refused: Refused): Promise<null> {
  const { authority, vault, intent_id, leased_at, uncertain_at } = attempt
  const { tenant_id, store } = context.tenant
  const { connection_id, generation, user_id, connector, refresh_expires_at } = authority.connection
  context.circuits.succeed(connector)
  const named = { tenant_id, connection_id, intent_id, generation }
  const again = await store.loadConnection({ tenant_id, connection_id })
  const candidate = again?.connection.generation === generation ? again.connection.sealed_candidate : null
  const eventOf = (type: string, detail: object) => {
    return outboundEvent(context, type, 'system', {
      connection_id,
      user_id,
      detail: { connector, ...said(refused), ...detail },
    })
  }
  if (candidate) {
    const answer = vault.seal(vault.openCandidate(candidate), generation + 1)
    const event = eventOf('connection.candidate_used', {})
    if (await store.promoteCandidate({ ...named, sealed_candidate: candidate, answer, event })) return null
  }
  let reason = uncertain_at === null && refused.error === 'invalid_grant' ? 'revoked' : 'unknown'
  if (refresh_expires_at !== null && refresh_expires_at <= leased_at) reason = 'expired'
  const event = eventOf('connection.needs_reconsent', { reason, uncertain: uncertain_at !== null })
  // Where a successor may have been issued, to send its predecessor once more would be a replay.
  const second_look_ms = reason === 'revoked' ? spread(context, SECOND_LOOKS_MS[0]!) : null
  const marked = await store.needReconsent({ ...named, reason, error: refused.error, second_look_ms, event })
  if (!marked) await store.dropIntent(named)
  return null
}

/** The provider refuses our registration: no user can help, and the connection stays as it is. */
async function blameConnector(
  context: OutboundContext,
  attempt: Attempt,
  refused: ClientRefused,
): Promise<RefreshPause> {
  const { connector, connection } = attempt.authority
  const { tenant_id, store } = context.tenant
  await noteConnectorRefused(context, connector, refused)
  await store.dropIntent({ tenant_id, connection_id: connection.connection_id, intent_id: attempt.intent_id })
  context.circuits.fail(connector.connector, connector.version, context.clock(), { at_once: true })
  return {
    reason: 'connector',
    retry_ms: context.circuits.waitMs(connector.connector, connector.version, context.clock()),
  }
}

/** No tokens, and no word that they are dead: what is stored stays, and the next try waits. */
async function postpone(
  context: OutboundContext,
  attempt: Attempt,
  outcome: Refused | Throttled | Unknown,
): Promise<RefreshPause | 'again'> {
  const { authority, connector, intent_id, leased_at } = attempt
  const { connection_id, user_id, refresh_failures } = authority.connection
  const { tenant_id, store } = context.tenant
  const second_look = isSecondLook(authority)
  const uncertain = outcome.kind === 'unknown' && outcome.sent
  const again = attempt.may_repeat && uncertain && !second_look && mayReplay(connector.provider, leased_at, leased_at)
  const asked_ms = outcome.kind === 'refused' ? 0 : (outcome.retry_after_seconds ?? 0) * 1000
  const retry_ms = again ? 0 : backoffMs(refresh_failures, context.random, asked_ms)
  const error = outcome.kind === 'refused' ? outcome.error : outcome.kind
  if (outcome.kind === 'unknown')
    context.report(`the refresh of connection ${connection_id} has no answer`, outcome.cause)
  const detail = { connector: connector.record.connector, error, uncertain }
  const failed = outboundEvent(context, 'connection.refresh_failed', 'system', { connection_id, user_id, detail })
  const event = second_look ? null : failed
  const upkeep_ms = untilUpkeep(context, attempt, uncertain, retry_ms)
  await store.failRefresh({ tenant_id, connection_id, intent_id, uncertain, retry_ms, upkeep_ms, error, event })
  const { connector: name, version } = connector.record
  if (outcome.kind === 'refused') context.circuits.succeed(name)
  else context.circuits.fail(name, version, context.clock(), { asked_ms })
  return again ? 'again' : { reason: 'provider', retry_ms }
}

/** After how long upkeep tries what failed, if nobody asks before; null is never. */
function untilUpkeep(
  context: OutboundContext,
  { authority, connector, uncertain_at, leased_at }: Attempt,
  uncertain: boolean,
  retry_ms: number,
): number | null {
  const { refresh_failures, refresh_expires_at, issued_at } = authority.connection
  if (isSecondLook(authority)) {
    // An answer may be lost now: no further look.
    const next = uncertain ? undefined : SECOND_LOOKS_MS[refresh_failures + 1]
    return next === undefined ? null : Math.max(retry_ms, spread(context, next))
  }
  // A lost answer is still to be had while its grace lasts.
  const { provider } = connector
  const lost_at = uncertain_at ?? (uncertain ? leased_at : null)
  const hurries = provider.refresh_token_replay === 'within_grace' && lost_at !== null
  if (hurries && mayReplay(provider, lost_at, leased_at + retry_ms)) return retry_ms
  if (leased_at > Math.max(refresh_expires_at ?? 0, issued_at ?? 0) + GIVEN_UP_AFTER_MS) return null
  return Math.max(retry_ms, 60 * backoffMs(refresh_failures, context.random))
}

function spread({ random }: OutboundContext, ms: number): number {
  return Math.round(ms * (0.75 + random() / 2))
}

function said({ error, provider_error, error_description }: Refused | ClientRefused) {
  return { error, provider_error, error_description }
}

/** Another process refreshes: waits until it is done, or its lease is over. */
async function waitForHolder(context: OutboundContext, authority: ConnectionAuthority, until: number): Promise<null> {
  const { tenant_id, store } = context.tenant
  const { connection_id, generation } = authority.connection
  for (let wait_ms = 20; ; wait_ms = Math.min(wait_ms * 1.5, 250)) {
    await context.wait(wait_ms)
    const again = await store.loadConnection({ tenant_id, connection_id })
    if (again?.connection.generation !== generation || again.connection.state !== 'ready') return null
    if (again.connection.intent_deadline_at === null || again.now >= until) return null
  }
}

async function within<T>(promise: Promise<T>, ms: number, otherwise: T): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>()
  const timer = setTimeout(() => resolve(otherwise), ms).unref()
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
