import { equalBytes } from '../../crypto/hash.ts'
import type { NewEvent } from '../records.ts'
import { int, NOW, type Run, sql, text, write } from '../sql.ts'
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
    /** How far apart the provider is asked whether the person has consented elsewhere. */
    poll_seconds?: number | undefined
    /** Left out where nobody is signed in: strangers fill no log. */
    event?: NewEvent
  }): Run<void> {
    const { flow } = args
    yield* sql`
      insert into connect_flows (tenant_id, state_hash, connector, connector_version, user_id, connection_id,
        browser_hash, sealed, broker, poll_seconds, poll_at, created_at, expires_at)
      values (${args.tenant_id}, ${args.state_hash}, ${flow.connector}, ${flow.connector_version}, ${flow.user_id},
        ${text(flow.connection_id)}, ${flow.browser_hash}, ${flow.sealed}, ${text(args.broker ?? null)},
        ${int(args.poll_seconds ?? null)}, ${NOW} + ${int(args.poll_seconds ?? null)} * 1000,
        ${NOW}, ${NOW} + cast(${args.lifetime_ms} as bigint))`
    if (args.event) yield* insertEvent(args.event)
  },
  { key: flowKey },
)

/** Why a flow cannot be taken up. */
export type FlowRefusal = 'unknown' | 'used' | 'expired' | 'other_browser' | 'other_user' | 'other_connector'

/**
 * Takes up a flow, once: the browser, the user and the connector must be those that started it (RFC 9700 section
 * 4.7.1). A try by anybody else changes nothing.
 */
export const takeConnectFlow = write(function* (args: OfFlow): Run<ConnectFlowRecord | FlowRefusal> {
  const [taken] = yield* sql<ConnectFlowRecord>`
    update connect_flows set used_at = ${NOW}
    where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and connector = ${args.connector}
      and user_id = ${args.user_id} and browser_hash = ${args.browser_hash} and broker is null and used_at is null
      and expires_at > ${NOW}
    returning connector, connector_version, user_id, connection_id, browser_hash, sealed, created_at, expires_at`
  return taken ?? (yield* refuseFlow(args))
})

/** A flow, and who says that it is theirs. */
export interface OfFlow {
  readonly tenant_id: string
  readonly state_hash: Uint8Array
  readonly connector: string
  readonly user_id: string
  readonly browser_hash: Uint8Array
}

/** Why a flow that was not found is none of theirs who ask. */
export function* refuseFlow(args: OfFlow): Run<FlowRefusal> {
  const [flow] = yield* sql<ConnectFlowRecord & { used_at: number | null }>`
    select connector, user_id, browser_hash, used_at from connect_flows
    where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash}`
  if (!flow) return 'unknown'
  if (!equalBytes(flow.browser_hash, args.browser_hash)) return 'other_browser'
  if (flow.user_id !== args.user_id) return 'other_user'
  if (flow.connector !== args.connector) return 'other_connector'
  return flow.used_at === null ? 'expired' : 'used'
}

/** How many refusals at one flow are told: whoever has its state fills no log with it. */
const MOST_REFUSALS = 5

/** Tells that somebody was refused at a flow; says whether it was told. */
export const refuseConnectFlow = write(
  function* (args: { tenant_id: string; state_hash: Uint8Array; event: NewEvent }): Run<boolean> {
    const [counted] = yield* sql<{ connector: string }>`
      update connect_flows set refusals = refusals + 1
      where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and refusals < ${MOST_REFUSALS}
      returning connector`
    if (counted) yield* insertEvent(args.event)
    return counted !== undefined
  },
  { key: flowKey },
)

/** A flow that waits for a consent elsewhere. */
export interface PolledFlow {
  readonly flow: ConnectFlowRecord
  readonly now: number
  readonly poll_seconds: number
  /** Whose turn it is to ask the provider, which is one caller's at a time; null is somebody else's. */
  readonly turn: number | null
}

/** Looks at a flow that waits for a consent elsewhere, without taking it up, and gives one caller in an interval its turn. */
export const pollConnectFlow = write(
  function* (
    args: OfFlow & {
      /** How long the question may take; nobody else asks before that. */
      question_ms: number
    },
  ): Run<PolledFlow | FlowRefusal> {
    const [row] = yield* sql<ConnectFlowRecord & { now: number; poll_seconds: number; poll_at: number }>`
      select ${NOW} as now, connector, connector_version, user_id, connection_id, browser_hash, sealed, created_at,
        expires_at, poll_seconds, poll_at
      from connect_flows
      where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and connector = ${args.connector}
        and user_id = ${args.user_id} and browser_hash = ${args.browser_hash} and broker is null and used_at is null
        and expires_at > ${NOW} and poll_at is not null`
    if (!row) return yield* refuseFlow(args)
    const { now, poll_seconds, poll_at, ...flow } = row
    const question_ms = Math.max(args.question_ms, poll_seconds * 1000)
    const [turn] = yield* sql<{ poll_at: number }>`
      update connect_flows set poll_at = ${NOW} + cast(${question_ms} as bigint)
      where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and used_at is null
        and poll_at = ${poll_at} and poll_at <= ${NOW}
      returning poll_at`
    return { flow, now, poll_seconds, turn: turn?.poll_at ?? null }
  },
  { key: flowKey },
)

/**
 * Ends the turn of who asked: the next may ask an interval later, which `slower_seconds` make longer for good (RFC 8628
 * section 3.5). False where the turn was over before, so that somebody else has asked since.
 */
export const endConnectFlowTurn = write(
  function* (args: { tenant_id: string; state_hash: Uint8Array; turn: number; slower_seconds: number }): Run<boolean> {
    const [ended] = yield* sql<{ connector: string }>`
      update connect_flows set poll_seconds = poll_seconds + cast(${args.slower_seconds} as bigint),
        poll_at = ${NOW} + (poll_seconds + cast(${args.slower_seconds} as bigint)) * 1000
      where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and poll_at = ${args.turn}
      returning connector`
    return ended !== undefined
  },
  { key: flowKey },
)

/** The key by which writes on one flow are kept apart in a batch. */
export function flowKey({ tenant_id, state_hash }: { tenant_id: string; state_hash: Uint8Array }): string {
  return `${tenant_id}/${Buffer.from(state_hash).toString('hex')}`
}
