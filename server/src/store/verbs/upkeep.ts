import { type Run, read, sql } from '../sql.ts'

/** Whether events of a tenant wait for the sealer: a read, so that a server at rest writes nothing. */
export const hasUnsealedEvents = read(function* (args: { tenant_id: string }): Run<boolean> {
  const [event] = yield* sql<{ event_id: string }>`
    select event_id from events where tenant_id = ${args.tenant_id} and sequence is null limit 1`
  return event !== undefined
})
