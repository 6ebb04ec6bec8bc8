import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, text, write } from '../sql.ts'
import { type ConnectFlowRecord, type FlowRefusal, flowKey, type OfFlow, refuseFlow } from './connect_flows.ts'
import type { ConnectionOwner } from './connections.ts'
import { holdConnector } from './connectors.ts'
import { insertEvent } from './events.ts'

// So long whoever took up a consent may take to store what it brings.
const STORED_WITHIN_MS = 60_000

/**
 * Keeps what a consent brought until the person has chosen what it is for. False when the connector is no longer as it was
 * read: from here on it neither moves nor goes before this was taken back.
 */
export const offerChoice = write(function* (args: {
  tenant_id: string
  state_hash: Uint8Array
  flow: Omit<ConnectFlowRecord, 'created_at' | 'expires_at'>
  lifetime_ms: number
  event: NewEvent
}): Run<boolean> {
  const { tenant_id, flow } = args
  if (!(yield* holdConnector(tenant_id, flow.connector, flow.connector_version))) return false
  yield* sql`
    insert into connect_flows (tenant_id, state_hash, connector, connector_version, user_id, connection_id, browser_hash,
      sealed, holds_tokens, created_at, expires_at)
    values (${tenant_id}, ${args.state_hash}, ${flow.connector}, ${flow.connector_version}, ${flow.user_id},
      ${text(flow.connection_id)}, ${flow.browser_hash}, ${flow.sealed}, 1, ${NOW},
      ${NOW} + cast(${args.lifetime_ms} as bigint))`
  yield* insertEvent(args.event)
  return true
})

/** A choice that is still to be made, for the browser and user that were offered it. It is made by `connectAccount`. */
export const findChoice = read(function* (args: OfFlow): Run<ConnectFlowRecord | FlowRefusal> {
  const [found] = yield* sql<ConnectFlowRecord>`
    select connector, connector_version, user_id, connection_id, browser_hash, sealed, created_at, expires_at
    from connect_flows
    where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and connector = ${args.connector}
      and user_id = ${args.user_id} and browser_hash = ${args.browser_hash} and holds_tokens = 1 and used_at is null
      and expires_at > ${NOW}`
  return found ?? (yield* refuseFlow(args))
})

/** Holds a choice that is still to be made; no other write gets at it before the end of this transaction. */
export function* holdChoice(tenant_id: string, state_hash: Uint8Array): Run<boolean> {
  const [held] = yield* sql<{ connector: string }>`
    update connect_flows set used_at = null
    where tenant_id = ${tenant_id} and state_hash = ${state_hash} and holds_tokens = 1 and used_at is null
      and expires_at > ${NOW}
    returning connector`
  return held !== undefined
}

/** Makes a choice that is held. */
export function* makeChoice(tenant_id: string, state_hash: Uint8Array): Run<void> {
  yield* sql`
    update connect_flows set used_at = ${NOW} where tenant_id = ${tenant_id} and state_hash = ${state_hash}`
}

/** Ends the time to choose at a connector for everybody. */
export const lapseChoices = write(function* (args: { tenant_id: string; connector: string }): Run<void> {
  yield* sql`
    update connect_flows set expires_at = ${NOW}
    where tenant_id = ${args.tenant_id} and connector = ${args.connector} and holds_tokens = 1 and used_at is null
      and expires_at > ${NOW}`
})

/** A choice that nobody has made in time, with what it keeps. */
export type LapsedChoice = Pick<
  ConnectFlowRecord,
  'connector' | 'user_id' | 'browser_hash' | 'sealed' | 'expires_at'
> & {
  readonly state_hash: Uint8Array
}

/** Choices that nobody has made in time, the longest over first, from after one; an empty connector means any. */
export const listLapsedChoices = read(function* (args: {
  tenant_id: string
  connector: string
  after: Pick<LapsedChoice, 'expires_at' | 'state_hash'> | null
  most: number
}): Run<LapsedChoice[]> {
  const { expires_at, state_hash } = args.after ?? { expires_at: -1, state_hash: new Uint8Array() }
  return yield* sql<LapsedChoice>`
    select state_hash, connector, user_id, browser_hash, sealed, expires_at from connect_flows
    where tenant_id = ${args.tenant_id} and holds_tokens = 1 and used_at is null and expires_at <= ${NOW}
      and (${args.connector} = '' or connector = ${args.connector})
      and (expires_at, state_hash) > (cast(${expires_at} as bigint), ${state_hash})
    order by expires_at, state_hash limit ${args.most}`
})

/** Forgets a choice that nobody has made in time, once. */
export const dropChoice = write(
  function* (args: { tenant_id: string; state_hash: Uint8Array; event: NewEvent }): Run<boolean> {
    const [dropped] = yield* sql<{ connector: string }>`
      delete from connect_flows
      where tenant_id = ${args.tenant_id} and state_hash = ${args.state_hash} and holds_tokens = 1 and used_at is null
        and expires_at <= ${NOW}
      returning connector`
    if (dropped) yield* insertEvent(args.event)
    return dropped !== undefined
  },
  { key: flowKey, repeatable: true },
)

/**
 * Whether a living connection may rest on what an account has allowed the registration of a connector: of whichever owner,
 * and through whichever connector. An account that nobody knows may be any; where an owner is named, any of theirs.
 */
export const hasConnectionOfAccount = read(function* (args: {
  tenant_id: string
  connector: string
  account: string | null
  owner?: ConnectionOwner | undefined
}): Run<boolean> {
  const { account, owner } = args
  const [found] = yield* sql<{ connection_id: string }>`
    select c.connection_id
    from connectors k
    join connectors o on o.tenant_id = k.tenant_id and o.provider = k.provider and o.client_id = k.client_id
    join connections c on c.tenant_id = o.tenant_id and c.connector = o.connector
    where k.tenant_id = ${args.tenant_id} and k.connector = ${args.connector} and c.state <> 'disconnected'
      and (c.ends_at is null or c.ends_at > ${NOW})
      and (c.account = ${text(account)} or substr(c.account, 1, length(${text(account)}) + 1) = ${text(account)} || ' '
        or ((c.account is null or ${text(account)} is null) and (cast(${owner ? 1 : 0} as bigint) = 0
          or c.user_id = ${text(owner?.user_id)}
          or (c.client_id = ${text(owner?.client_id)} and c.end_user_id = ${text(owner?.end_user_id)}))))
    limit 1`
  return found !== undefined
})

/** A flow that may still bring a connection; with what it keeps where it waits for a choice. */
export interface OtherFlow {
  readonly connector: string
  readonly state_hash: Uint8Array
  readonly sealed: Uint8Array
  readonly holds_tokens: number | null
}

/**
 * Flows through the registration of a connector that may still bring a connection: all that wait for a choice, and of those
 * on their way through the provider what this user or this browser has begun.
 */
export const listFlowsBeside = read(function* (
  args: { tenant_id: string } & Pick<LapsedChoice, 'connector' | 'user_id' | 'browser_hash'>,
): Run<OtherFlow[]> {
  return yield* sql<OtherFlow>`
    select f.connector, f.state_hash, f.sealed, f.holds_tokens
    from connectors k
    join connectors o on o.tenant_id = k.tenant_id and o.provider = k.provider and o.client_id = k.client_id
    join connect_flows f on f.tenant_id = o.tenant_id and f.connector = o.connector
    where k.tenant_id = ${args.tenant_id} and k.connector = ${args.connector}
      and ((f.holds_tokens = 1 and f.used_at is null and f.expires_at > ${NOW})
        or (f.holds_tokens is null
          and (f.used_at > ${NOW} - ${STORED_WITHIN_MS} or (f.used_at is null and f.expires_at > ${NOW}))
          and (f.browser_hash = ${args.browser_hash} or (f.user_id = ${args.user_id} and f.user_id <> ''))))
    limit 1000`
})
