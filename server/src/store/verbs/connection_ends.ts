import type { NewEvent } from '../records.ts'
import { int, NOW, type Run, read, sql, write } from '../sql.ts'
import { connectionKey } from './connections.ts'
import { insertEvent } from './events.ts'

/** Sets the end of a user's connection, from now on, or takes it away; false when it is not theirs, or over. */
export const setConnectionEnd = write(
  function* (args: {
    tenant_id: string
    connection_id: string
    user_id: string
    /** Null takes the end away. */
    lifetime_ms: number | null
    event: NewEvent
  }): Run<boolean> {
    const [changed] = yield* sql<{ connection_id: string }>`
      update connections set ends_at = ${NOW} + cast(${int(args.lifetime_ms)} as bigint), updated_at = ${args.event.at}
      where tenant_id = ${args.tenant_id} and connection_id = ${args.connection_id} and user_id = ${args.user_id}
        and state <> 'disconnected' and (ends_at is null or ends_at > ${NOW})
      returning connection_id`
    if (changed) yield* insertEvent(args.event)
    return changed !== undefined
  },
  { key: connectionKey },
)

/** A connection that is to be ended, and since when. */
export interface OverConnection {
  readonly connection_id: string
  readonly connector: string
  readonly over_at: number
}

/** What is read at once of a list of such connections, from after a place in it. */
export interface PlaceAmongOver {
  readonly after: Pick<OverConnection, 'connection_id' | 'over_at'> | null
  readonly most: number
}

const START: NonNullable<PlaceAmongOver['after']> = { over_at: -1, connection_id: '' }

/** Connections whose chosen end has come, and that nobody has disconnected yet, the longest over first. */
export const listOverdueConnections = read(function* (
  args: { tenant_id: string } & PlaceAmongOver,
): Run<OverConnection[]> {
  const { over_at, connection_id } = args.after ?? START
  return yield* sql<OverConnection>`
    select connection_id, connector, ends_at as over_at from connections
    where tenant_id = ${args.tenant_id} and ends_at <= ${NOW} and state <> 'disconnected'
      and (ends_at, connection_id) > (cast(${over_at} as bigint), ${connection_id})
    order by ends_at, connection_id limit ${args.most}`
})

/** Connections that nobody has confirmed in time, the longest over first. */
export const listUnconfirmed = read(function* (args: { tenant_id: string } & PlaceAmongOver): Run<OverConnection[]> {
  const { over_at, connection_id } = args.after ?? START
  return yield* sql<OverConnection>`
    select connection_id, connector, pending_until_at as over_at from connections
    where tenant_id = ${args.tenant_id} and state = 'pending' and pending_until_at < ${NOW}
      and (pending_until_at, connection_id) > (cast(${over_at} as bigint), ${connection_id})
    order by pending_until_at, connection_id limit ${args.most}`
})
