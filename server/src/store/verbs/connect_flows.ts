import { equalBytes } from '../../crypto/hash.ts'
import type { NewEvent } from '../records.ts'
import { NOW, type Run, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** A consent flow on its way through a provider. */
export interface ConnectFlowRecord {
  readonly connector: string
  readonly connector_version: number
  readonly user_id: string
  /** The connection to repair; null makes a new one. */
  readonly connection_id: string | null
  readonly browser_hash: Uint8Array
  readonly sealed: Uint8Array
  readonly created_at: number
  readonly expires_at: number
}

/** Starts a consent flow under the hash of its state. */
export const startConnectFlow = write(
  function* (args: {
    tenant_id: string
    state_hash: Uint8Array
    flow: Omit<ConnectFlowRecord, 'created_at' | 'expires_at'>
    lifetime_ms: number
    /** The redirect broker that it goes through; only what that one brings finishes it. */
    broker?: string | undefined
    /** Left out where nobody is signed in: strangers fill no log. */
    event?: NewEvent
  }): Run<void> {
    const { flow } = args
    yield* sql`
      insert into connect_flows (tenant_id, state_hash, connector, connector_version, user_id, connection_id,
        browser_hash, sealed, broker, created_at, expires_at)
      values (${args.tenant_id}, ${args.state_hash}, ${flow.connector}, ${flow.connector_version}, ${flow.user_id},
        ${text(flow.connection_id)}, ${flow.browser_hash}, ${flow.sealed}, ${text(args.broker ?? null)}, ${NOW}, ${NOW} + cast(${args.lifetime_ms} as bigint))`
    if (args.event) yield* insertEvent(args.event)
  },
  { key: (args) => `${args.tenant_id}/${Buffer.from(args.state_hash).toString('hex')}` },
)

/** Why a flow cannot be taken up. */
export type FlowRefusal = 'unknown' | 'used' | 'expired' | 'other_browser' | 'other_user' | 'other_connector'

/**
 * Takes up a flow, once: the browser, the user and the connector must be those that started it (RFC 9700 section
 * 4.7.1). A try by anybody else changes nothing.
 */
export const takeConnectFlow = write(function* (args: {
  tenant_id: string
  state_hash: Uint8Array
  connector: string
  user_id: string
  browser_hash: Uint8Array
}): Run<ConnectFlowRecord | FlowRefusal> {
  const [taken] = yield* sql<ConnectFlowRecord>`
    update connect_flows set used_at = ${NOW}
    where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and connector = ${args.connector}
      and user_id = ${args.user_id} and browser_hash = ${args.browser_hash} and broker is null and used_at is null
      and expires_at > ${NOW}
    returning connector, connector_version, user_id, connection_id, browser_hash, sealed, created_at, expires_at`
  if (taken) return taken
  const [flow] = yield* sql<ConnectFlowRecord & { used_at: number | null }>`
    select connector, user_id, browser_hash, used_at from connect_flows
    where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash}`
  if (!flow) return 'unknown'
  if (!equalBytes(flow.browser_hash, args.browser_hash)) return 'other_browser'
  if (flow.user_id !== args.user_id) return 'other_user'
  if (flow.connector !== args.connector) return 'other_connector'
  return flow.used_at === null ? 'expired' : 'used'
})
