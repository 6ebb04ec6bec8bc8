import type { NewEvent } from '../records.ts'
import { int, NOW, type Run, read, sql, write } from '../sql.ts'
import { connectionKey, type UpkeepPlan } from './connections.ts'
import { insertEvent } from './events.ts'

/** A connection that upkeep is to look at, and since when; 0 says that it was never planned. */
export interface DueConnection {
  readonly connection_id: string
  readonly connector: string
  readonly upkeep_at: number
}

/** The connections whose turn has come, or comes within `ahead_ms`, the longest waiting first; `after` one reads on. */
export const listDueConnections = read(function* (args: {
  tenant_id: string
  ahead_ms: number
  after: Pick<DueConnection, 'connection_id' | 'upkeep_at'> | null
  most: number
}): Run<DueConnection[]> {
  const { upkeep_at, connection_id } = args.after ?? { upkeep_at: -1, connection_id: '' }
  return yield* sql<DueConnection>`
    select connection_id, connector, upkeep_at from connections
    where tenant_id = ${args.tenant_id} and upkeep_at <= ${NOW} + cast(${args.ahead_ms} as bigint)
      and (upkeep_at, connection_id) > (cast(${upkeep_at} as bigint), ${connection_id})
    order by upkeep_at, connection_id limit ${args.most}`
})

/**
 * Takes a due connection, which comes up again after `hold_ms` if this process dies over it. Null when another process
 * took it, or something happened to it.
 */
export const claimDueConnection = write(
  function* (args: {
    tenant_id: string
    connection_id: string
    upkeep_at: number
    hold_ms: number
  }): Run<number | null> {
    const [claimed] = yield* sql<{ upkeep_at: number }>`
      update connections set upkeep_at = ${NOW} + cast(${args.hold_ms} as bigint)
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and upkeep_at = ${args.upkeep_at}
      returning upkeep_at`
    return claimed?.upkeep_at ?? null
  },
  { key: connectionKey },
)

/** Plans what upkeep does next about a connection that was claimed; false when something happened to it meanwhile. */
export const planConnection = write(
  function* (args: {
    tenant_id: string
    connection_id: string
    claimed_at: number
    plan: UpkeepPlan
    /** Written when the plan is; for an owner who is told of the end. */
    event: NewEvent | null
  }): Run<boolean> {
    const { plan } = args
    const [planned] = yield* sql<{ connection_id: string }>`
      update connections set upkeep_at = ${int(plan.upkeep_at)}, keep_at = ${int(plan.keep_at)},
        warn_at = ${int(plan.warn_at)}, warned_at = ${int(plan.warned_at)}
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and upkeep_at = ${args.claimed_at}
      returning connection_id`
    if (planned && args.event) yield* insertEvent(args.event)
    return planned !== undefined
  },
  { key: connectionKey },
)
