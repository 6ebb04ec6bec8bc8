import { readAgreementKey } from '../../crypto/agreement_keys.ts'
import { equalBytes, sha256 } from '../../crypto/hash.ts'
import { openSealed } from '../../crypto/jwe.ts'
import { SealError } from '../../crypto/seal.ts'
import { BROKER_DELIVERY_TYP } from '../../oauth/broker.ts'
import { readDelivery } from '../../relying/brokered.ts'
import { nameProvider, openConnector } from '../connectors/connector.ts'
import { connectUrl, type OutboundContext } from '../context.ts'
import type { ConnectFinished, FlowFailure } from './connect_outcome.ts'
import { finishFlow, tellRefusal } from './finish_connect.ts'
import { findForWhom } from './for_whom.ts'
import { isSessionFlow } from './session_flow.ts'
import { type FlowMemory, flowPlace } from './start_connect.ts'

/** What a browser brings back from a redirect broker. */
export interface BrokeredFinish {
  readonly connector: string
  readonly flow: string
  /** Given by the broker to the browser that came back from the provider, and to no other. */
  readonly receipt: string
  readonly browser_secret: string | undefined
  /** The signed-in user, whom only flows of connect sessions may do without. */
  readonly user_id: string | null
}

/**
 * Ends a consent flow that went through a redirect broker. Nothing that a broker delivers is looked at before the
 * browser and the user that started are here with the receipt: so who consented is who started.
 */
export async function finishBrokered(context: OutboundContext, finish: BrokeredFinish): Promise<ConnectFinished> {
  const { tenant_id, store, keys, issuer } = context.tenant
  const { connector: name, user_id } = finish
  const base = { provider_name: name, return_to: `${new URL(issuer).pathname.replace(/\/$/, '')}/account` }
  const record = await store.findConnector({ tenant_id, connector: name })
  if (!record) return { ...base, outcome: 'failed', reason: 'unknown_connector' }
  const provider_name = nameProvider(context, record)
  const state_hash = keys.hashSecret(finish.flow)
  const flow = await store.takeDeliveredFlow({
    ...{ tenant_id, state_hash, connector: name },
    user_id: isSessionFlow(finish.flow) ? '' : (user_id ?? ''),
    browser_hash: keys.hashSecret(finish.browser_secret ?? ''),
    receipt_hash: keys.hashSecret(sha256(finish.receipt).toString('base64url')),
  })
  if (typeof flow === 'string') {
    await tellRefusal(context, { ...finish, state: finish.flow, reason: flow })
    const outcome = flow === 'other_browser' || flow === 'other_user' ? 'other_browser' : 'failed'
    return { ...base, provider_name, retry_url: connectUrl(context, name), outcome, reason: flow }
  }
  const memory = JSON.parse(keys.open(flow.sealed, flowPlace(state_hash)).toString()) as FlowMemory
  const { return_to, session_id } = memory
  const ended = { provider_name, return_to, ...(session_id !== undefined && { session_id }) }
  const retry_url = connectUrl(context, name, flow.connection_id ?? undefined)
  const failure = (failed: FlowFailure): ConnectFinished => ({ ...ended, retry_url, ...failed })
  const forWhom = await findForWhom(context, memory.session_id, user_id)
  if (!forWhom) return failure({ outcome: 'failed', reason: 'session_over' })
  if (record.version !== flow.connector_version || record.disabled_at !== null) {
    return failure({ outcome: 'failed', reason: 'connector_changed' })
  }
  const delivery = openDelivery(context, memory.through!, flow.delivered)
  if (!delivery) return failure({ outcome: 'failed', reason: 'delivery' })
  const connector = openConnector(context, record)
  return finishFlow(context, {
    flow: { ...flow, state_hash },
    connector,
    memory,
    ...forWhom,
    ended,
    failure,
    ...delivery,
  })
}

function openDelivery(context: OutboundContext, through: NonNullable<FlowMemory['through']>, delivered: string) {
  try {
    const key = readAgreementKey(Buffer.from(through.seed, 'base64url'))
    const delivery = readDelivery(openSealed(key, BROKER_DELIVERY_TYP, delivered))
    const [state = '', ...more] = delivery.params.getAll('state')
    if (more.length > 0 || !equalBytes(Buffer.from(state), Buffer.from(through.state))) throw new Error('another state')
    return delivery
  } catch (cause) {
    const error = cause instanceof SealError ? cause : new Error('A broker delivered what cannot be read', { cause })
    context.report('the delivery of a redirect broker was rejected', error)
    return null
  }
}
