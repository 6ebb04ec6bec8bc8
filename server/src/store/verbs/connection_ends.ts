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

/** Connections whose chosen end has come, and that nobody has disconnected yet, the longest over first. */
export const listOverdueConnections = read(function* (args: { tenant_id: string }): Run<string[]> {
  const rows = yield* sql<{ connection_id: string }>`
    select connection_id from connections
    where tenant_id = ${args.tenant_id} and ends_at <= ${NOW} and state <> 'disconnected'
    order by ends_at limit 100`
  return rows.map(({ connection_id }) => connection_id)
})
