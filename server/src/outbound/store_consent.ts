import { newId } from '../crypto/random.ts'
import type { ConnectFlowRecord } from '../store/verbs/connect_flows.ts'
import type { Account } from './account.ts'
import type { ConnectFinished, FlowFailure } from './connect_outcome.ts'
import type { Connector } from './connector.ts'
import { noteConnectorWorks } from './connector_error.ts'
import { type OutboundContext, outboundEvent } from './context.ts'
import { planAnswer } from './upkeep_plan.ts'
import { newVault, openVault, type ProviderAnswer, type Vault } from './vault.ts'

const MOST_TRIES = 4

/** What a consent brought, on its way into the store. */
export interface Consent {
  readonly flow: ConnectFlowRecord
  readonly connector: Connector
  readonly answer: ProviderAnswer
  readonly account: Account
  readonly user_id: string
}

/** Stores what a consent brought: into the connection it was to repair, the one this account has already, or a new one. */
export async function storeConsent(
  context: OutboundContext,
  consent: Consent,
): Promise<FlowFailure | { done: Pick<ConnectFinished, 'connection_id'> & { outcome: 'connected' | 'reconnected' } }> {
  const { tenant_id, store } = context.tenant
  const { flow, connector, account, user_id } = consent
  const answer = planAnswer(connector.provider, consent.answer, null, context.random)
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
  const { tenant_id, store } = context.tenant
  const asked = { tenant_id, user_id, connector: flow.connector }
  const same =
    account.account === null ? null : await store.findConnectionOfAccount({ ...asked, account: account.account })
  const id = flow.connection_id ?? same
  if (id === null) {
    const connection_id = newId(context.clock())
    return { kind: 'found', connection_id, generation: null, vault: await newVault(context, connection_id) }
  }
  const found = (await store.loadConnection({ tenant_id, connection_id: id }))?.connection
  if (!found?.data_key || found.state === 'disconnected') {
    return { kind: 'none', failure: { outcome: 'failed', reason: 'disconnected' } }
  }
  // Tokens of another account would give whoever uses this connection another person's data.
  const other = found.account !== null && found.account !== account.account
  if (other || (same !== null && same !== id)) return { kind: 'none', failure: { outcome: 'other_account' } }
  const vault = await openVault(context, id, found.data_key)
  return { kind: 'found', connection_id: id, generation: found.generation, vault }
}
