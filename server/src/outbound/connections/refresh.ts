import { newId } from '../../crypto/random.ts'
import { askToken } from '../../relying/asked_grant.ts'
import type { RelyingParty } from '../../relying/context.ts'
import type { Refused, TokenOutcome } from '../../relying/outcome.ts'
import { refreshToken } from '../../relying/token_call.ts'
import type { ConnectionAuthority } from '../../store/verbs/connections.ts'
import { askedGrant, openConnector, partyOfTokens } from '../connectors/connector.ts'
import { noteConnectorWorks } from '../connectors/connector_error.ts'
import type { OutboundContext, RefreshPause } from '../context.ts'
import { openVault } from '../vault/vault.ts'
import type { Attempt } from './attempt.ts'
import { blameConnector, giveUp, postpone } from './failed_refresh.ts'
import { keepTokens } from './keep_answer.ts'

// The call must be over before its lease is, with room for a slow start and for storing the answer.
const CALL_MS = 15_000
const LATEST_START_MS = 4_000
/** How long a process that died keeps its place. */
export const LEASE_MS = 30_000
const LONGEST_WAIT_MS = 20_000
// A refusal that no standard names is believed after so many: nothing else would ever bring its owner back.
const REFUSALS_BELIEVED = 8
const BUSY: RefreshPause = { reason: 'busy', retry_ms: 1000 }

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
  const { connection_id, generation, state, data_key, sealed_tokens } = authority.connection
  // What needs a new consent is asked for by upkeep alone.
  const is_second_look = state === 'needs_reconsent'
  const connector = openConnector(context, authority.connector)
  const vault = await openVault(context, connection_id, data_key!)
  const tokens = vault.open(sealed_tokens!, generation)
  const party = partyOfTokens(context, connector, tokens)
  const intent_id = newId(context.clock())
  const { owner, sole_owner } = context
  const began = context.clock()
  const lease = await store.leaseConnection({
    ...{ tenant_id, connection_id, generation, intent_id, owner, sole_owner, lease_ms: LEASE_MS },
    second_look: is_second_look,
  })
  if (lease.kind === 'moved') return null
  if (lease.kind === 'backoff') return { reason: 'provider', retry_ms: lease.until - lease.now }
  if (lease.kind === 'held') return waitForHolder(context, authority, lease.until)
  const spent = context.clock() - began
  if (spent < 0 || spent > LATEST_START_MS) {
    await store.dropIntent({ tenant_id, connection_id, intent_id, upkeep_ms: 0 })
    return BUSY
  }
  const { now: leased_at, uncertain_at } = lease
  const made = { authority, connector, vault, tokens, intent_id, leased_at, uncertain_at, is_second_look, may_repeat }
  const call = conclude(context, made, party).finally(() => context.calls.delete(call))
  context.calls.add(call)
  return call
}

/** Calls the provider, and brings whatever comes of it into the store. */
async function conclude(
  context: OutboundContext,
  made: Attempt,
  party: RelyingParty,
): Promise<RefreshPause | 'again' | null> {
  const outcome = await renew(context, made, party)
  context.noteRefresh(outcome.kind)
  switch (outcome.kind) {
    case 'tokens':
      await keepTokens(context, made, outcome)
      await noteConnectorWorks(context, made.authority.connector)
      return null
    case 'client_refused':
      return blameConnector(context, made, outcome)
    case 'refused':
      return isBelieved(made, outcome) ? giveUp(context, made, outcome) : postpone(context, made, outcome)
    default:
      return postpone(context, made, outcome)
  }
}

/** Sends the refresh token, or asks once more where there never is one. */
function renew(
  { relying }: OutboundContext,
  { authority, connector, tokens }: Attempt,
  party: RelyingParty,
): Promise<TokenOutcome> {
  const { refresh_token = '', access_token, renewal } = tokens
  const { scope } = authority.connection
  const asked = renewal && askedGrant(connector, renewal.subject)
  return asked
    ? askToken(relying, party, asked, { timeoutMs: CALL_MS, again: true })
    : refreshToken(relying, party, { refresh_token, access_token, scope, timeoutMs: CALL_MS })
}

// Of what needs a new consent already, a refusal says nothing new.
function isBelieved({ authority, is_second_look }: Attempt, { error }: Refused): boolean {
  if (is_second_look) return false
  return error === 'invalid_grant' || authority.connection.refresh_refusals >= REFUSALS_BELIEVED
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
