import { askToken } from '../../relying/asked_grant.ts'
import type { RelyingParty } from '../../relying/context.ts'
import type { DeviceAuthorization } from '../../relying/device_authorization.ts'
import type { TokenOutcome } from '../../relying/outcome.ts'
import { arrangeAnswer } from '../connections/answer.ts'
import { grantTypeOf, nameProvider, openConnector, relyingParty } from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'
import type { TakenFlow } from './conclude_consent.ts'
import { bindParty, storeAsked } from './connect_asked.ts'
import type { ConnectFinished } from './connect_outcome.ts'
import { type ConnectFinish, explain, takeUp } from './finish_connect.ts'
import { findForWhom } from './for_whom.ts'
import { isSessionFlow } from './session_flow.ts'
import { type FlowMemory, flowPlace } from './start_connect.ts'
import { takeBackRefused } from './unchosen.ts'

/** A flow whose person consents elsewhere, while this page waits (RFC 8628 section 3.3). */
export interface DeviceWaiting extends Omit<DeviceAuthorization, 'device_code' | 'expires_in'> {
  readonly outcome: 'waiting'
  readonly provider_name: string
  /** Milliseconds. */
  readonly expires_at: number
}

/**
 * Asks the provider whether the person has consented, when it is time to ask again; whichever replica asks, it is one at a
 * time (RFC 8628 sections 3.4 and 3.5). The flow stays as it is until there is a definite answer, which ends it.
 */
export async function pollDevice(
  context: OutboundContext,
  finish: Omit<ConnectFinish, 'params'> & { readonly state: string },
): Promise<DeviceWaiting | ConnectFinished> {
  const { tenant_id, store, keys } = context.tenant
  const { state, ...rest } = finish
  const take = () => takeUp(context, { ...rest, params: new URLSearchParams({ state }) })
  const record = await store.findConnector({ tenant_id, connector: finish.connector })
  const state_hash = keys.hashSecret(state)
  const { connector: name, user_id } = finish
  const browser_hash = keys.hashSecret(finish.browser_secret ?? '')
  const polled = await store.pollConnectFlow({
    ...{ tenant_id, state_hash, connector: name, user_id: isSessionFlow(state) ? '' : (user_id ?? ''), browser_hash },
    question_ms: QUESTION_MS,
  })
  // Whatever is wrong with it is said by whoever takes it up, which then brings nothing.
  if (!record || typeof polled === 'string' || record.version !== polled.flow.connector_version) return refusedBy(take)
  const connector = openConnector(context, record)
  const memory = JSON.parse(keys.open(polled.flow.sealed, flowPlace(state_hash)).toString()) as FlowMemory
  const { device } = memory
  const grant_type = grantTypeOf(connector)
  if (!device || record.disabled_at !== null || grant_type !== 'urn:ietf:params:oauth:grant-type:device_code') {
    return refusedBy(take)
  }
  const { device_code, expires_in: _, ...shown } = device
  const provider_name = nameProvider(context, record)
  const waiting = { ...shown, outcome: 'waiting', provider_name, expires_at: polled.flow.expires_at } as const
  const { turn } = polled
  if (turn === null) return { ...waiting, interval: polled.poll_seconds }
  // Nobody is asked for what could not be kept.
  if (!(await findForWhom(context, memory.session_id, user_id))) return refusedBy(take)
  const own = { ...relyingParty(context, connector), scope: memory.scope }
  const { party, proof_key } = await bindParty(context, own)
  const asked_at = polled.now
  const outcome = await askToken(context.relying, party, { grant_type, device_code }, { timeoutMs: ANSWER_MS })
  if (outcome.kind === 'unknown') context.report(`a question to the provider of ${name} has no answer`, outcome.cause)
  if (outcome.kind !== 'tokens') {
    const is_open = outcome.kind === 'throttled' || outcome.kind === 'unknown'
    const slower_seconds = is_open ? SLOWER_SECONDS : 0
    const was_mine = await store.endConnectFlowTurn({ tenant_id, state_hash, turn, slower_seconds })
    // What this question was refused, whoever has asked since may have got.
    if (is_open || isPending(outcome) || !was_mine)
      return { ...waiting, interval: polled.poll_seconds + slower_seconds }
  }
  const taken = await take()
  if (!('outcome' in taken)) return conclude(context, taken, party, { outcome, proof_key }, device_code, asked_at)
  if (outcome.kind === 'tokens') {
    const { tokens } = arrangeAnswer(connector.provider, outcome, asked_at, { scope: memory.scope, proof_key })
    // Whoever took it up before may be storing what came by the same code.
    const { user_id, browser_hash } = polled.flow
    const own = taken.reason === 'used' ? {} : { state_hash }
    await takeBackRefused(context, record, tokens, null, { user_id, browser_hash, ...own })
  }
  return taken
}

/** How long an answer may take; and a question, with the metadata before it and once more for a nonce (RFC 9449). */
const ANSWER_MS = 15_000
const QUESTION_MS = 45_000
/** RFC 8628 section 3.5: each slow_down is for all that follows. */
const SLOWER_SECONDS = 5

function isPending(outcome: TokenOutcome): boolean {
  return outcome.kind === 'refused' && outcome.error === 'authorization_pending'
}

async function refusedBy(take: () => Promise<TakenFlow | ConnectFinished>): Promise<ConnectFinished> {
  const taken = await take()
  return 'outcome' in taken ? taken : taken.failure({ outcome: 'failed', reason: 'grant_type' })
}

async function conclude(
  context: OutboundContext,
  taken: TakenFlow,
  party: RelyingParty,
  {
    outcome,
    proof_key,
  }: { outcome: Exclude<TokenOutcome, { kind: 'unknown' | 'throttled' }>; proof_key?: string | undefined },
  device_code: string,
  asked_at: number,
): Promise<ConnectFinished> {
  if (outcome.kind === 'tokens') {
    const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code } as const
    return storeAsked(context, taken, party, grant, { ...outcome, proof_key }, asked_at)
  }
  const failed = await explain(context, taken.connector, new URLSearchParams(), outcome)
  if (outcome.error === 'access_denied') return taken.failure({ ...failed, outcome: 'refused' })
  return taken.failure(outcome.error === 'expired_token' ? { ...failed, reason: 'expired' } : failed)
}
