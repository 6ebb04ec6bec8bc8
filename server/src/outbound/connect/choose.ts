import { randomSecret } from '../../crypto/random.ts'
import type { Option } from '../../relying/steps.ts'
import type { ChosenTerms } from '../connections/connection_end.ts'
import { nameProvider, openConnector } from '../connectors/connector.ts'
import { connectUrl, type OutboundContext, outboundEvent } from '../context.ts'
import type { ProviderAnswer } from '../vault/vault.ts'
import type { Account } from './account.ts'
import type { Choice, ConnectFinished } from './connect_outcome.ts'
import { findForWhom } from './for_whom.ts'
import { isSessionFlow, newSessionFlow } from './session_flow.ts'
import { FLOW_SECONDS, flowPlace } from './start_connect.ts'
import { type Consent, storeConsent } from './store_consent.ts'

/** What a consent keeps sealed until the person has chosen. */
export interface ChoiceMemory {
  readonly answer: ProviderAnswer
  readonly account: Account
  readonly options: readonly Option[]
  readonly return_to: string
  readonly session_id?: string
  readonly terms?: ChosenTerms | undefined
}

// Of another form than the state of a connect flow, which it can never be taken for.
const CHOICE = /^sp_c[ch]_[\w-]{43}$/

/** A consent for what was chosen: it is known by the account and the choice together. */
export function choose<T extends Pick<Consent, 'answer' | 'account'>>(consent: T, option: Option): T {
  const { answer, account } = consent
  const { tokens } = answer
  return {
    ...consent,
    answer: { ...answer, tokens: { ...tokens, extra: { ...tokens.extra, ...option.kept } } },
    account: {
      // What was chosen is a site or a company: without an account it is all that there is.
      of: account.account === null ? 'organization' : account.of,
      account: account.account === null ? option.id : `${account.account} ${option.id}`,
      account_name: account.account_name === null ? option.name : `${account.account_name}, ${option.name}`,
    },
  }
}

/** Keeps a consent sealed, for its user and browser, until the person has chosen what it is for; null when that cannot be. */
export async function offerChoice(
  context: OutboundContext,
  { flow, answer, account, owner, session, terms }: Consent,
  options: readonly Option[],
  return_to: string,
): Promise<Choice | null> {
  const { tenant_id, store, keys } = context.tenant
  const choice = session ? newSessionFlow('choice') : randomSecret('sp_ch_')
  const state_hash = keys.hashSecret(choice)
  const { connector, connector_version, connection_id, browser_hash, user_id } = flow
  const memory: ChoiceMemory = {
    answer,
    account,
    options,
    return_to,
    terms,
    ...(session && { session_id: session.session_id }),
  }
  const sealed = keys.seal(JSON.stringify(memory), flowPlace(state_hash))
  const offered = await store.offerChoice({
    ...{ tenant_id, state_hash, lifetime_ms: FLOW_SECONDS * 1000 },
    flow: { connector, connector_version, user_id, connection_id, browser_hash, sealed },
    event: outboundEvent(context, 'connect.choice_offered', user_id === '' ? 'system' : `user:${user_id}`, {
      user_id: owner.user_id,
      connection_id,
      detail: { connector, account: account.account },
    }),
  })
  return offered ? { choice, options } : null
}

/** Opens what a consent keeps. */
export function openChoice(
  { tenant }: OutboundContext,
  { sealed, state_hash }: { readonly sealed: Uint8Array; readonly state_hash: Uint8Array },
): ChoiceMemory {
  return JSON.parse(tenant.keys.open(sealed, flowPlace(state_hash)).toString()) as ChoiceMemory
}

/**
 * Ends a consent flow with what the person chose: once, by the user and in the browser that were offered the choice. It is
 * made in the step that stores the connection; until then it can be made again, and what it keeps is not lost.
 */
export async function finishChoice(
  context: OutboundContext,
  finish: {
    readonly connector: string
    readonly choice: string
    readonly option: string
    readonly browser_secret: string | undefined
    /** The signed-in user, whom only flows of connect sessions may do without. */
    readonly user_id: string | null
  },
): Promise<ConnectFinished> {
  const { tenant_id, store, keys, issuer } = context.tenant
  const { connector: name, user_id, choice } = finish
  const base = { provider_name: name, return_to: `${new URL(issuer).pathname.replace(/\/$/, '')}/account` }
  const record = await store.findConnector({ tenant_id, connector: name })
  if (!record) return { ...base, outcome: 'failed', reason: 'unknown_connector' }
  const provider_name = nameProvider(context, record)
  const state_hash = keys.hashSecret(choice)
  const browser_hash = keys.hashSecret(finish.browser_secret ?? '')
  const bound_to = isSessionFlow(choice) ? '' : (user_id ?? '')
  const flow = CHOICE.test(choice)
    ? await store.findChoice({ tenant_id, state_hash, connector: name, user_id: bound_to, browser_hash })
    : 'unknown'
  const retry_url = connectUrl(context, name)
  if (typeof flow === 'string') {
    const outcome = flow === 'other_browser' || flow === 'other_user' ? 'other_browser' : 'failed'
    return { ...base, provider_name, retry_url, outcome, reason: flow }
  }
  const memory = openChoice(context, { ...flow, state_hash })
  const { return_to, session_id } = memory
  const ended = { provider_name, return_to, ...(session_id !== undefined && { session_id }) }
  const forWhom = await findForWhom(context, memory.session_id, user_id)
  if (!forWhom) return { ...ended, retry_url, outcome: 'failed', reason: 'session_over' }
  const option = memory.options.find(({ id }) => id === finish.option)
  if (!option || record.disabled_at !== null) {
    return { ...ended, retry_url, outcome: 'failed', reason: option ? 'connector_changed' : 'unknown_option' }
  }
  // However it was changed since, it sends tokens where it sent them: while somebody has to choose it does not move.
  const connector = openConnector(context, record)
  const consent = choose({ ...memory, flow, choice_hash: state_hash, connector, ...forWhom }, option)
  const stored = await storeConsent(context, consent)
  if ('outcome' in stored) return { ...ended, retry_url, ...stored }
  return { ...ended, ...stored.done, account_name: consent.account.account_name }
}
