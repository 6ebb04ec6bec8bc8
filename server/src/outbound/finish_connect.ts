import { newId } from '../crypto/random.ts'
import { readLearnedOrigin } from '../providers/template.ts'
import type { RelyingParty } from '../relying/context.ts'
import { exchangeCode } from '../relying/exchange_code.ts'
import type { ClientRefused, ExchangeOutcome, IdTokenClaims, Refused, Tokens } from '../relying/outcome.ts'
import type { ConnectFlowRecord, FlowRefusal } from '../store/verbs/connect_flows.ts'
import { type Account, findAccount } from './account.ts'
import { arrangeAnswer } from './answer.ts'
import { type Connector, nameProvider, openConnector, relyingParty } from './connector.ts'
import { noteConnectorRefused, noteConnectorWorks } from './connector_error.ts'
import { connectUrl, type OutboundContext, outboundEvent } from './context.ts'
import { type FlowMemory, flowPlace } from './start_connect.ts'
import { newVault, openVault, type ProviderAnswer, type Vault } from './vault.ts'

/** What came back from a provider, and who brought it. */
export interface ConnectFinish {
  /** From the path of the callback: each connector has its own (RFC 9700 section 4.4.2). */
  readonly connector: string
  readonly params: URLSearchParams
  /** The secret of the connect cookie, if there is one. */
  readonly browser_secret: string | undefined
  /** The signed-in user. */
  readonly user_id: string
}

/** How a consent flow ended, for the person who went through it. */
export interface ConnectFinished {
  readonly outcome:
    | 'connected'
    | 'reconnected'
    | 'refused'
    | 'failed'
    | 'other_browser'
    | 'other_account'
    | 'connector_fault'
  /** One word on what went wrong, for the page, the log and the support. */
  readonly reason?: string
  /** What the provider said, cleaned. */
  readonly error?: string
  readonly error_description?: string
  readonly connection_id?: string
  readonly account_name?: string | null
  readonly provider_name: string
  /** Starts again where that can help. */
  readonly retry_url?: string
  readonly return_to: string
}

/** Why a flow brought nothing. */
export type FlowFailure = Pick<ConnectFinished, 'outcome' | 'reason' | 'error' | 'error_description'>
type Brought = Tokens & { readonly id_token_claims: IdTokenClaims | null }

const STATE = /^[\w-]{43}$/
const MOST_TRIES = 4

/**
 * Ends a consent flow: the state is taken up once, by the browser and user that started it and at this connector's
 * callback; then the code is redeemed, and what it brought is stored in one step. Whatever fails stores nothing.
 */
export async function finishConnect(context: OutboundContext, finish: ConnectFinish): Promise<ConnectFinished> {
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
    await recordRefusal(context, finish, flow)
    const outcome = flow === 'other_browser' || flow === 'other_user' ? 'other_browser' : 'failed'
    return { ...base, provider_name, retry_url, outcome, reason: flow }
  }
  const memory = JSON.parse(keys.open(flow.sealed, flowPlace(flow.state_hash)).toString()) as FlowMemory
  const retry = connectUrl(context, name, flow.connection_id ?? undefined)
  const ended = { provider_name, return_to: memory.return_to }
  const failure = (failed: FlowFailure): ConnectFinished => ({ ...ended, retry_url: retry, ...failed })
  if (record.version !== flow.connector_version || record.disabled_at !== null) {
    return failure({ outcome: 'failed', reason: 'connector_changed' })
  }
  const party = { ...relyingParty(context, connector), scope: memory.scope }
  const state = await store.loadTenantState({ tenant_id })
  const outcome = await exchangeCode(context.relying, party, { params: finish.params, ...memory })
  if (outcome.kind !== 'tokens') return failure(await explain(context, connector, finish.params, outcome))
  const account = await findAccount(context.relying, party, outcome)
  if (!account) return failure({ outcome: 'failed', reason: 'account_unknown' })
  const answer = arrange(party, outcome, finish.params, state!.now, memory.scope)
  const stored = await storeConsent(context, { flow, connector, answer, account, user_id })
  if ('outcome' in stored) return failure(stored)
  return { ...ended, ...stored.done, account_name: account.account_name }
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
  const flow = await store.takeConnectFlow({ tenant_id, state_hash, connector, user_id, browser_hash })
  return typeof flow === 'string' ? flow : { ...flow, state_hash }
}

async function recordRefusal(context: OutboundContext, finish: ConnectFinish, reason: FlowRefusal): Promise<void> {
  const { user_id, connector } = finish
  const detail = { connector, reason }
  const event = outboundEvent(context, 'connect.refused', `user:${user_id}`, { user_id, detail })
  await context.tenant.store.recordEvent(event)
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

function arrange(
  party: RelyingParty,
  brought: Brought,
  params: URLSearchParams,
  asked_at: number,
  scope: string,
): ProviderAnswer {
  const learned: Record<string, string> = {}
  for (const { name, from, path, form, suffixes } of party.provider.learned) {
    const value = from === 'callback' ? params.get(path) : null
    if (value === null) continue
    const read = form === 'text' ? (/^[\w.~-]{1,128}$/.test(value) ? value : null) : readLearnedOrigin(value, suffixes)
    if (read !== null) learned[name] = read
  }
  const answer = { ...brought, extra: { ...brought.extra, ...learned } }
  return arrangeAnswer(party.provider, answer, asked_at, { scope })
}

interface Consent {
  readonly flow: ConnectFlowRecord
  readonly connector: Connector
  readonly answer: ProviderAnswer
  readonly account: Account
  readonly user_id: string
}

/** Stores what a consent brought: into the connection it was to repair, the one this account has already, or a new one. */
async function storeConsent(
  context: OutboundContext,
  consent: Consent,
): Promise<FlowFailure | { done: Pick<ConnectFinished, 'connection_id'> & { outcome: 'connected' | 'reconnected' } }> {
  const { tenant_id, store } = context.tenant
  const { flow, connector, answer, account, user_id } = consent
  const { connector: name, version } = connector.record
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const target = await findTarget(context, consent)
    if (target.kind === 'none') return target.failure
    const { connection_id, generation, vault } = target
    const outcome = generation === null ? 'connected' : 'reconnected'
    const detail = { connector: name, account: account.account, scope: answer.scope }
    const stored = await store.connectAccount({
      ...{ tenant_id, connection_id, connector: name, connector_version: version, user_id, generation },
      ...{ ...account, data_key: vault.data_key, answer: vault.seal(answer, (generation ?? 0) + 1) },
      event: outboundEvent(context, `connection.${outcome}`, `user:${flow.user_id}`, {
        user_id,
        connection_id,
        detail,
      }),
    })
    if (stored === 'refused') return { outcome: 'failed', reason: 'connector_changed' }
    if (stored === 'connected') {
      await noteConnectorWorks(context, connector.record)
      return { done: { outcome, connection_id } }
    }
  }
  return { outcome: 'failed', reason: 'busy' }
}

type Target =
  | {
      readonly kind: 'found'
      readonly connection_id: string
      readonly generation: number | null
      readonly vault: Vault
    }
  | { readonly kind: 'none'; readonly failure: FlowFailure }

async function findTarget(context: OutboundContext, { flow, account, user_id }: Consent): Promise<Target> {
  const { tenant_id, store, keys } = context.tenant
  const asked = { tenant_id, user_id, connector: flow.connector }
  const same =
    account.account === null ? null : await store.findConnectionOfAccount({ ...asked, account: account.account })
  const id = flow.connection_id ?? same
  if (id === null) {
    const connection_id = newId(context.clock())
    return { kind: 'found', connection_id, generation: null, vault: newVault(keys, connection_id) }
  }
  const found = (await store.loadConnection({ tenant_id, connection_id: id }))?.connection
  if (!found?.data_key || found.state === 'disconnected') {
    return { kind: 'none', failure: { outcome: 'failed', reason: 'disconnected' } }
  }
  // Tokens of another account would give whoever uses this connection another person's data.
  const other = found.account !== null && found.account !== account.account
  if (other || (same !== null && same !== id)) return { kind: 'none', failure: { outcome: 'other_account' } }
  return { kind: 'found', connection_id: id, generation: found.generation, vault: openVault(keys, id, found.data_key) }
}
