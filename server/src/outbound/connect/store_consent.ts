import { newId } from '../../crypto/random.ts'
import type { ConnectFlowRecord } from '../../store/verbs/connect_flows.ts'
import type { ConnectSessionRecord } from '../../store/verbs/connect_sessions.ts'
import type { FinishedSession } from '../../store/verbs/finished_sessions.ts'
import { boundLifetime, type ChosenTerms } from '../connections/connection_end.ts'
import { commitEnd } from '../connections/disconnect.ts'
import { planAnswer } from '../connections/upkeep_plan.ts'
import type { Connector } from '../connectors/connector.ts'
import { noteConnectorWorks } from '../connectors/connector_error.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'
import { newVault, openVault, type ProviderAnswer, type Vault } from '../vault/vault.ts'
import type { Account } from './account.ts'
import type { ConnectFinished, FlowFailure } from './connect_outcome.ts'
import type { ForWhom } from './for_whom.ts'
import {
  awaitsConfirmation,
  CONFIRMED_WITHIN_MS,
  confirmationPlace,
  newConfirmation,
  SEEN_WITHIN_MS,
} from './session_flow.ts'

const MOST_TRIES = 4

/** What a consent brought, on its way into the store. */
export interface Consent extends ForWhom {
  readonly flow: ConnectFlowRecord
  readonly connector: Connector
  readonly answer: ProviderAnswer
  readonly account: Account
  /** The choice that it rests on, which is made with it. */
  readonly choice_hash?: Uint8Array
  readonly terms?: ChosenTerms | undefined
}

/** Stores what a consent brought: into the connection it was to repair, the one this account has already, or a new one. */
export async function storeConsent(
  context: OutboundContext,
  consent: Consent,
): Promise<FlowFailure | { done: Pick<ConnectFinished, 'connection_id'> & { outcome: 'connected' | 'reconnected' } }> {
  const { tenant_id, store } = context.tenant
  const { connector, account, owner, session } = consent
  const answer = planAnswer(connector.provider, consent.answer, null, context.random)
  const { connector: name, version } = connector.record
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const target = await findTarget(context, consent)
    if (target.kind === 'none') return target.failure
    const { connection_id, generation, vault } = target
    const outcome = generation === null ? 'connected' : 'reconnected'
    const { session_id, end_user_id } = { session_id: session?.session_id, ...owner }
    const detail = { connector: name, account: account.account, scope: answer.scope, session_id, end_user_id }
    const actor = owner.user_id === null ? `client:${owner.client_id}` : `user:${owner.user_id}`
    const stored = await store.connectAccount({
      ...{ tenant_id, connection_id, connector: name, connector_version: version, ...owner, generation },
      ...termsOf(consent, target.ends_at),
      ...{ account: account.account, account_name: account.account_name },
      ...{ data_key: vault.data_key, answer: vault.seal(answer, (generation ?? 0) + 1) },
      session: session ? finishedSession(context, session, account) : undefined,
      choice_hash: consent.choice_hash,
      event: outboundEvent(context, `connection.${target.pends ? 'pending' : outcome}`, actor, {
        ...{ user_id: owner.user_id, client_id: owner.client_id, connection_id, detail },
      }),
    })
    if (stored === 'spent') return { outcome: 'failed', reason: 'used' }
    if (stored === 'refused') return { outcome: 'failed', reason: session ? 'session_over' : 'connector_changed' }
    if (stored === 'connected') {
      await noteConnectorWorks(context, connector.record)
      return { done: { outcome, connection_id } }
    }
  }
  return { outcome: 'failed', reason: 'busy' }
}

// What was to end goes on to that end, unless another was chosen.
function termsOf({ connector, terms }: Consent, ends_at: number | null) {
  const chosen = terms?.lifetime_seconds ?? null
  const lifetime_ms = chosen === null && ends_at !== null ? null : boundLifetime(connector.settings, chosen)
  return { lifetime_ms, redirect_uri: terms?.redirect_uri ?? null }
}

function finishedSession({ tenant }: OutboundContext, session: ConnectSessionRecord, { of }: Account): FinishedSession {
  const { session_id } = session
  const tells_person = of === 'person'
  if (!awaitsConfirmation(session)) return { session_id, sealed_code: null, confirm_ms: null, tells_person }
  const sealed_code = tenant.keys.seal(newConfirmation(), confirmationPlace(session_id))
  const confirm_ms = session.invitation === 1 ? SEEN_WITHIN_MS : CONFIRMED_WITHIN_MS
  return { session_id, sealed_code, confirm_ms, tells_person }
}

type Target =
  | {
      readonly kind: 'found'
      readonly connection_id: string
      readonly generation: number | null
      readonly ends_at: number | null
      readonly vault: Vault
      /** It gives no tokens before the platform has confirmed whose it is. */
      readonly pends: boolean
    }
  | { readonly kind: 'none'; readonly failure: FlowFailure }

async function findTarget(context: OutboundContext, { flow, account, owner, session }: Consent): Promise<Target> {
  const { tenant_id, store } = context.tenant
  const asked = { tenant_id, ...owner, connector: flow.connector }
  const waits = session !== null && awaitsConfirmation(session)
  const same =
    account.account === null ? null : await store.findConnectionOfAccount({ ...asked, account: account.account })
  const id = flow.connection_id ?? same
  const found = id === null ? undefined : (await store.loadConnection({ tenant_id, connection_id: id }))?.connection
  // One whose end has come, and that nobody has disconnected yet: it stays ended, and this one is new.
  const is_over = flow.connection_id === null && found?.state === 'disconnected'
  // The provider is told of that end when this one is stored: before, what came just now might die with it.
  if (is_over) await commitEnd(context, found, { actor: 'system', reason: 'ended' })
  if (id === null || is_over) {
    const connection_id = newId(context.clock())
    return {
      kind: 'found',
      connection_id,
      generation: null,
      ends_at: null,
      vault: await newVault(context, connection_id),
      pends: waits,
    }
  }
  if (!found?.data_key || found.state === 'disconnected') {
    return { kind: 'none', failure: { outcome: 'failed', reason: 'disconnected' } }
  }
  // Tokens of another account would give whoever uses this connection another person's data.
  const other = found.account !== null && found.account !== account.account
  if (other || (same !== null && same !== id)) return { kind: 'none', failure: { outcome: 'other_account' } }
  // Everybody in an organization has its account, and what is not known may be anybody's.
  const tells_nobody = found.account === null || account.of !== 'person'
  // It would be lost by a consent that nobody confirms, so that whoever wants another one ends it first.
  if (waits && tells_nobody && found.state === 'ready')
    return { kind: 'none', failure: { outcome: 'already_connected' } }
  const vault = await openVault(context, id, found.data_key)
  return {
    kind: 'found',
    connection_id: id,
    generation: found.generation,
    ends_at: found.ends_at,
    vault,
    pends: waits && (found.state === 'pending' || tells_nobody),
  }
}
