import type { TokenOutcome, Tokens } from '../../relying/outcome.ts'
import type { Option } from '../../relying/steps.ts'
import type { ConnectFlowRecord } from '../../store/verbs/connect_flows.ts'
import { arrangeAnswer } from '../connections/answer.ts'
import type { Connector } from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'
import type { ProviderAnswer } from '../vault/vault.ts'
import type { FoundAccount } from './account.ts'
import { choose, offerChoice } from './choose.ts'
import type { ConnectFinished, FlowFailure } from './connect_outcome.ts'
import type { ForWhom } from './for_whom.ts'
import { isExpectedAccount } from './session_flow.ts'
import type { FlowMemory } from './start_connect.ts'
import { storeConsent } from './store_consent.ts'
import { takeBackRefused } from './unchosen.ts'

/** A flow that was taken up, on its way into the store. */
export interface TakenFlow extends ForWhom {
  readonly flow: ConnectFlowRecord & { readonly state_hash: Uint8Array }
  readonly connector: Connector
  readonly params: URLSearchParams
  readonly memory: FlowMemory
  /** What a redirect broker redeemed the code for. */
  readonly exchanged?: TokenOutcome | null
  readonly ended: Pick<ConnectFinished, 'provider_name' | 'return_to' | 'session_id'>
  failure(failed: FlowFailure): ConnectFinished
}

/** What a consent brought, and what it may be for where that is the person's to choose. */
export interface ConsentBrought {
  readonly answer: ProviderAnswer
  readonly account: FoundAccount
  readonly options: readonly Option[] | null
}

/**
 * Ends a flow, by whichever way it went: what came is of the account that was expected, and is stored or chosen for first.
 * What is not kept is taken back at the provider.
 */
export async function concludeConsent(
  context: OutboundContext,
  taken: TakenFlow,
  brought: ConsentBrought,
): Promise<ConnectFinished> {
  const kept = await keepConsent(context, taken, brought)
  if (!('failed' in kept)) return kept
  const { answer, account } = brought
  // The connection that works may rest on the same consent.
  if (kept.failed.outcome === 'already_connected') return taken.failure(kept.failed)
  await takeBackRefused(context, taken.connector.record, answer.tokens, account.account, taken.flow)
  return taken.failure(kept.failed)
}

/** Ends a flow that brought tokens of which nothing can come: they are taken back before it is known whose they are. */
export async function dropTokens(
  context: OutboundContext,
  taken: TakenFlow,
  tokens: Tokens,
  failed: FlowFailure,
  proof_key = taken.memory.proof_key,
): Promise<ConnectFinished> {
  const { connector, flow, memory } = taken
  const bound_to = { scope: memory.scope, proof_key }
  const came = arrangeAnswer(connector.provider, tokens, context.clock(), bound_to)
  await takeBackRefused(context, connector.record, came.tokens, null, flow)
  return taken.failure(failed)
}

async function keepConsent(
  context: OutboundContext,
  { flow, connector, owner, session, ended, memory }: TakenFlow,
  { answer, account: found, options }: ConsentBrought,
): Promise<ConnectFinished | { readonly failed: FlowFailure }> {
  if (!isExpectedAccount(session?.expected_account ?? null, found)) {
    return { failed: { outcome: 'other_account', reason: 'unexpected_account' } }
  }
  const { verified_email: _, ...account } = found
  const consent = { flow, connector, answer, account, owner, session, terms: memory.terms }
  if (options !== null && options.length !== 1) {
    if (options.length === 0) return { failed: { outcome: 'failed', reason: 'nothing_to_choose' } }
    const choice = await offerChoice(context, consent, options, memory.return_to)
    if (!choice) return { failed: { outcome: 'failed', reason: 'connector_changed' } }
    return { ...ended, outcome: 'choose', account_name: account.account_name, choice }
  }
  const chosen = options === null ? consent : choose(consent, options[0]!)
  const stored = await storeConsent(context, chosen)
  if ('outcome' in stored) return { failed: stored }
  return { ...ended, ...stored.done, account_name: chosen.account.account_name }
}
