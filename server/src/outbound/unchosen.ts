import type { UnchosenFlow } from '../store/verbs/connect_flows.ts'
import { openChoice } from './choose.ts'
import { openConnector } from './connector.ts'
import { type OutboundContext, outboundEvent } from './context.ts'
import { revokeUpstream } from './disconnect.ts'

/**
 * Takes back what a consent brought of which nobody has chosen what it is for: each once, when the time to choose is
 * over. Says how many there were. What cannot be revoked dies with its row.
 */
export async function revokeUnchosen(context: OutboundContext): Promise<number> {
  const { tenant_id, store } = context.tenant
  const flows = await store.takeUnchosenFlows({ tenant_id })
  for (const flow of flows) {
    const { connector, user_id } = flow
    const revocation = await takeBack(context, flow).catch((cause: unknown) => {
      context.report(`what a choice at ${connector} was to be made of was not revoked upstream`, cause)
      return 'failed'
    })
    const event = outboundEvent(context, 'connect.choice_lapsed', 'system', {
      user_id: user_id === '' ? null : user_id,
      detail: { connector, revocation },
    })
    await store.recordEvent(event)
  }
  return flows.length
}

async function takeBack(context: OutboundContext, flow: UnchosenFlow): Promise<string> {
  const { tenant_id, store } = context.tenant
  const record = await store.findConnector({ tenant_id, connector: flow.connector })
  // What came of one server is sent to no other.
  if (record?.version !== flow.connector_version) return 'connector_changed'
  const { provider } = openConnector(context, record)
  // Where more than the token dies with it, a connection of the same person would.
  if (provider.revocation_ends !== 'token' && (await mayHaveOthers(context, flow))) return 'spared'
  return revokeUpstream(context, record, openChoice(context, flow).answer.tokens)
}

async function mayHaveOthers(
  context: OutboundContext,
  { user_id, connector }: { readonly user_id: string; readonly connector: string },
): Promise<boolean> {
  // Of whoever is no user of ours it is not known here.
  if (user_id === '') return true
  const { tenant_id, store } = context.tenant
  const connections = await store.listConnectionsOfUser({ tenant_id, user_id })
  return connections.some((one) => one.connector === connector)
}
