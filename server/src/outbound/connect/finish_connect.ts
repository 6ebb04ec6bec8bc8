import { exchangeCode } from '../../relying/exchange_code.ts'
import type {
  ClientRefused,
  ExchangeOutcome,
  IdTokenClaims,
  Refused,
  TokenOutcome,
  Tokens,
} from '../../relying/outcome.ts'
import { type Option, stepAfterExchange } from '../../relying/steps.ts'
import type { ConnectFlowRecord, FlowRefusal } from '../../store/verbs/connect_flows.ts'
import { arrangeAnswer } from '../connections/answer.ts'
import {
  type Connector,
  grantTypeOf,
  nameProvider,
  openConnector,
  relyingParty,
  withProofKey,
} from '../connectors/connector.ts'
import { noteConnectorRefused } from '../connectors/connector_error.ts'
import { readCallback } from '../connectors/learned.ts'
import { connectUrl, type OutboundContext, outboundEvent } from '../context.ts'
import { type FoundAccount, findAccount } from './account.ts'
import { isSigned } from './callback_signature.ts'
import { concludeConsent, dropTokens, type TakenFlow } from './conclude_consent.ts'
import type { ConnectFinished, FlowFailure } from './connect_outcome.ts'
import { findForWhom } from './for_whom.ts'
import { isSessionFlow } from './session_flow.ts'
import { type FlowMemory, flowPlace } from './start_connect.ts'

/** What came back from a provider, and who brought it. */
export interface ConnectFinish {
  /** From the path of the callback: each connector has its own (RFC 9700 section 4.4.2). */
  readonly connector: string
  readonly params: URLSearchParams
  /** The secret of the connect cookie, if there is one. */
  readonly browser_secret: string | undefined
  /** The signed-in user, whom only flows of connect sessions may do without. */
  readonly user_id: string | null
}

type Brought = Tokens & { readonly id_token_claims: IdTokenClaims | null }

/** Why nothing is stored, and what came all the same. */
type Undone = FlowFailure & { readonly dropped?: Tokens | undefined }

const STATE = /^(sp_cf_)?[\w-]{43}$/

/**
 * Ends a consent flow: the state is taken up once, by the browser and user that started it and at this connector's
 * callback; then the code is redeemed, and what it brought is stored in one step. Whatever fails stores nothing.
 */
export async function finishConnect(context: OutboundContext, finish: ConnectFinish): Promise<ConnectFinished> {
  const taken = await takeUp(context, finish)
  if ('outcome' in taken) return taken
  // A code has no place in a flow that never asked for one.
  if (grantTypeOf(taken.connector) !== 'authorization_code')
    return taken.failure({ outcome: 'failed', reason: 'grant_type' })
  return finishFlow(context, taken)
}

/** Takes a flow up, once, by the browser and user that started it; or says how it ended with that. */
export async function takeUp(context: OutboundContext, finish: ConnectFinish): Promise<TakenFlow | ConnectFinished> {
  const { tenant_id, store, keys, issuer } = context.tenant
  const { connector: name, user_id } = finish
  const base = { provider_name: name, return_to: `${new URL(issuer).pathname.replace(/\/$/, '')}/account` }
  const record = await store.findConnector({ tenant_id, connector: name })
  if (!record) return { ...base, outcome: 'failed', reason: 'unknown_connector' }
  const connector = openConnector(context, record)
  const provider_name = nameProvider(context, record)
  const retry_url = connectUrl(context, name)
  const flow = await takeFlow(context, finish)
  if (typeof flow === 'string') {
    await tellRefusal(context, { ...finish, state: finish.params.get('state') ?? '', reason: flow })
    const outcome = flow === 'other_browser' || flow === 'other_user' ? 'other_browser' : 'failed'
    return { ...base, provider_name, retry_url, outcome, reason: flow }
  }
  const memory = JSON.parse(keys.open(flow.sealed, flowPlace(flow.state_hash)).toString()) as FlowMemory
  const retry = connectUrl(context, name, flow.connection_id ?? undefined)
  const { return_to, session_id } = memory
  const ended = { provider_name, return_to, ...(session_id !== undefined && { session_id }) }
  const failure = (failed: FlowFailure): ConnectFinished => ({ ...ended, retry_url: retry, ...failed })
  const forWhom = await findForWhom(context, memory.session_id, user_id)
  if (!forWhom) return failure({ outcome: 'failed', reason: 'session_over' })
  if (record.version !== flow.connector_version || record.disabled_at !== null) {
    return failure({ outcome: 'failed', reason: 'connector_changed' })
  }
  return { flow, connector, params: finish.params, memory, ...forWhom, ended, failure }
}

/** Redeems what came back to a flow, unless that was done, and stores what it brought. */
export async function finishFlow(context: OutboundContext, taken: TakenFlow): Promise<ConnectFinished> {
  const { tenant_id, store } = context.tenant
  const { connector, params, memory, session, failure } = taken
  const state = await store.loadTenantState({ tenant_id })
  const asks_email = session !== null && session.expected_account !== null
  const brought = await redeem(context, connector, params, {
    ...{ ...memory, exchanged: taken.exchanged ?? null, asks_email },
  })
  if ('outcome' in brought) {
    const { dropped, ...failed } = brought
    return dropped ? dropTokens(context, taken, dropped, failed) : failure(failed)
  }
  const { tokens, account, options } = brought
  const provider = connector.provider
  const scope = readCallbackScope(provider, params) ?? memory.scope
  const answer = arrangeAnswer(provider, tokens, state!.now, { scope, proof_key: memory.proof_key })
  return concludeConsent(context, taken, { answer, account, options })
}

/** Redeems the code and takes what it brings through the steps, up to the account that it is of. */
async function redeem(
  context: OutboundContext,
  connector: Connector,
  params: URLSearchParams,
  memory: FlowMemory & { readonly exchanged: TokenOutcome | null; readonly asks_email: boolean },
): Promise<{ tokens: Brought; account: FoundAccount; options: readonly Option[] | null } | Undone> {
  const told = readCallback(connector.provider, params)
  const own = withProofKey(relyingParty(context, connector, told), memory.proof_key)
  const party = { ...own, scope: memory.scope, redirect_uri: memory.through?.redirect_uri ?? own.redirect_uri }
  if (!isSigned(party, params)) return { outcome: 'failed', reason: 'signature' }
  const outcome = await exchangeCode(context.relying, party, { params, ...memory })
  if (outcome.kind !== 'tokens') {
    const dropped = 'dropped' in outcome ? outcome.dropped : undefined
    const extra = dropped && { ...dropped, extra: { ...dropped.extra, ...told } }
    return { ...(await explain(context, connector, params, outcome)), dropped: extra }
  }
  const exchanged = { ...outcome, extra: { ...outcome.extra, ...told } }
  const here = withProofKey(relyingParty(context, connector, exchanged.extra), memory.proof_key)
  const there = { ...here, scope: memory.scope }
  const stepped = await stepAfterExchange(context.relying, there, exchanged)
  if (stepped.kind !== 'stepped') {
    return { ...(await explain(context, connector, params, stepped)), dropped: exchanged }
  }
  const { tokens, options } = stepped
  const account = await findAccount(context.relying, there, tokens, memory.asks_email)
  return account ? { tokens, account, options } : { outcome: 'failed', reason: 'account_unknown', dropped: tokens }
}

function readCallbackScope({ callback_scope }: Connector['provider'], params: URLSearchParams): string | null {
  const text = callback_scope && params.get(callback_scope.parameter)
  if (!text) return null
  const allowed = text.split(callback_scope.separator).filter((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
  return [...new Set(allowed)].join(' ')
}

async function takeFlow(
  context: OutboundContext,
  { connector, params, browser_secret, user_id }: ConnectFinish,
): Promise<(ConnectFlowRecord & { state_hash: Uint8Array }) | FlowRefusal> {
  const { tenant_id, store, keys } = context.tenant
  const [state, ...more] = params.getAll('state')
  if (state === undefined || more.length > 0 || !STATE.test(state)) return 'unknown'
  const state_hash = keys.hashSecret(state)
  const browser_hash = keys.hashSecret(browser_secret ?? '')
  const bound_to = isSessionFlow(state) ? '' : (user_id ?? '')
  const flow = await store.takeConnectFlow({ tenant_id, state_hash, connector, user_id: bound_to, browser_hash })
  return typeof flow === 'string' ? flow : { ...flow, state_hash }
}

/** Tells in the log that somebody was refused at a flow; so often, however often they come back. */
export async function tellRefusal(
  context: OutboundContext,
  refusal: Pick<ConnectFinish, 'connector' | 'user_id'> & { readonly state: string; readonly reason: FlowRefusal },
): Promise<void> {
  const { user_id, connector, state, reason } = refusal
  // Guesses fill no log, nor do strangers: of a session only who holds the state and not the browser is worth a line.
  if (reason === 'unknown' || (isSessionFlow(state) && reason !== 'other_browser')) return
  const { tenant_id, store, keys } = context.tenant
  const actor = user_id === null ? 'system' : `user:${user_id}`
  const event = outboundEvent(context, 'connect.refused', actor, { user_id, detail: { connector, reason } })
  await store.refuseConnectFlow({ tenant_id, state_hash: keys.hashSecret(state), event })
}

/** What a person is told when no tokens came. */
export async function explain(
  context: OutboundContext,
  connector: Connector,
  params: URLSearchParams,
  outcome: Exclude<ExchangeOutcome, Brought>,
): Promise<FlowFailure> {
  if (outcome.kind === 'client_refused') {
    await noteConnectorRefused(context, connector.record, outcome)
    return { outcome: 'connector_fault', ...said(outcome) }
  }
  if (outcome.kind === 'refused') {
    if (!params.has('error')) return { outcome: 'failed', reason: 'code_refused', ...said(outcome) }
    if (['access_denied', 'interaction_required', 'login_required', 'consent_required'].includes(outcome.error)) {
      return { outcome: 'refused', ...said(outcome) }
    }
    const passing = ['server_error', 'temporarily_unavailable'].includes(outcome.error)
    return { outcome: passing ? 'failed' : 'connector_fault', ...said(outcome) }
  }
  if (outcome.kind === 'rejected') {
    context.report(`an authorization response for ${connector.record.connector} was rejected`, outcome.cause)
    return { outcome: 'failed', reason: outcome.reason }
  }
  if (outcome.kind === 'unknown') {
    context.report(`the code exchange of ${connector.record.connector} has no answer`, outcome.cause)
  }
  return { outcome: 'failed', reason: 'provider_unavailable' }
}

function said({ provider_error, error, error_description }: Refused | ClientRefused) {
  return { error: provider_error || error, error_description }
}
