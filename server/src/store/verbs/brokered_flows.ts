import { equalBytes } from '../../crypto/hash.ts'
import type { NewEvent } from '../records.ts'
import { NOW, type Run, sql, write } from '../sql.ts'
import type { ConnectFlowRecord, FlowRefusal } from './connect_flows.ts'
import { insertEvent } from './events.ts'
import { type Proof, recordProofs } from './proofs.ts'

/** What a broker's message names: a flow of its own, and the message itself, which counts once. */
interface BrokerArgs {
  readonly tenant_id: string
  readonly state_hash: Uint8Array
  readonly broker: string
  readonly proof: Proof
}

const flowKey = (args: { tenant_id: string; state_hash: Uint8Array }) =>
  `${args.tenant_id}/${Buffer.from(args.state_hash).toString('hex')}`

/** Opens a flow for its broker, once: what it is then given is not given again. Null when there is none to open. */
export const openBrokeredFlow = write(
  function* (
    args: BrokerArgs & { event: NewEvent },
  ): Run<Pick<ConnectFlowRecord, 'connector' | 'connector_version' | 'sealed' | 'expires_at'> | null> {
    const [opened] = yield* sql<ConnectFlowRecord>`
      update connect_flows set opened_at = ${NOW}
      where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and broker = ${args.broker}
        and opened_at is null and used_at is null and expires_at > ${NOW}
      returning connector, connector_version, sealed, expires_at`
    if (!opened) return null
    yield* recordProofs(args.tenant_id, [args.proof])
    yield* insertEvent(args.event)
    return opened
  },
  { key: flowKey },
)

/** Whether an opened flow still waits for what its broker brings. */
export const checkBrokeredFlow = write(
  function* (args: BrokerArgs): Run<boolean> {
    const [waits] = yield* sql<{ broker: string }>`
      select broker from connect_flows
      where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and broker = ${args.broker}
        and opened_at is not null and delivered is null and used_at is null and expires_at > ${NOW}`
    // What concerns no flow leaves nothing behind: strangers can make a broker ask.
    if (waits) yield* recordProofs(args.tenant_id, [args.proof])
    return waits !== undefined
  },
  { key: flowKey },
)

/** Keeps what a broker brings for a flow: one thing; the same again, by whichever way, is no other. */
export const deliverBrokeredFlow = write(
  function* (
    args: Omit<BrokerArgs, 'proof'> & { delivered: string; receipt_hash: Uint8Array; event: NewEvent },
  ): Run<boolean> {
    const { tenant_id, state_hash, broker, delivered } = args
    const [kept] = yield* sql<{ broker: string }>`
      update connect_flows set delivered = ${delivered}, receipt_hash = ${args.receipt_hash}
      where tenant_id = ${tenant_id} and state_hash = ${state_hash} and broker = ${broker} and opened_at is not null
        and used_at is null and expires_at > ${NOW} and (delivered is null or delivered = ${delivered})
        and (receipt_hash is null or receipt_hash = ${args.receipt_hash})
      returning broker`
    if (kept) yield* insertEvent(args.event)
    return kept !== undefined
  },
  { key: flowKey },
)

/** A flow with what its broker brought. */
export interface DeliveredFlow extends ConnectFlowRecord {
  readonly broker: string
  readonly delivered: string
}

/**
 * Takes up a flow that a broker has delivered, once: by the browser and the user that started it, at its connector, and
 * with the receipt that the broker gave to the browser that came back from the provider. Any other try changes nothing.
 */
export const takeDeliveredFlow = write(function* (args: {
  tenant_id: string
  state_hash: Uint8Array
  connector: string
  user_id: string
  browser_hash: Uint8Array
  receipt_hash: Uint8Array
}): Run<DeliveredFlow | FlowRefusal> {
  const [taken] = yield* sql<DeliveredFlow>`
    update connect_flows set used_at = ${NOW}
    where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and connector = ${args.connector}
      and user_id = ${args.user_id} and browser_hash = ${args.browser_hash} and receipt_hash = ${args.receipt_hash}
      and delivered is not null and used_at is null and expires_at > ${NOW}
    returning connector, connector_version, user_id, connection_id, browser_hash, sealed, created_at, expires_at,
      broker, delivered`
  if (taken) return taken
  const [flow] = yield* sql<DeliveredFlow & { used_at: number | null; receipt_hash: Uint8Array | null }>`
    select connector, user_id, browser_hash, used_at, receipt_hash from connect_flows
    where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash}`
  if (!flow) return 'unknown'
  if (!equalBytes(flow.browser_hash, args.browser_hash)) return 'other_browser'
  if (flow.user_id !== args.user_id) return 'other_user'
  if (flow.connector !== args.connector) return 'other_connector'
  if (flow.used_at !== null) return 'used'
  return equalBytes(flow.receipt_hash, args.receipt_hash) ? 'expired' : 'other_browser'
})
