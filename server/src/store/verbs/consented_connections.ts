import { NOW, type Run, read, sql } from '../sql.ts'
import type { ConnectionState } from './connections.ts'

/** A connection that is not ended, and the generation that its latest consent brought. */
export interface ConsentedConnection {
  readonly connection_id: string
  readonly state: ConnectionState
  readonly consented_generation: number
}

/** The connections of a user through one connector that are not ended, oldest first: all, as what is left out would seem new. */
export const listConsentedConnections = read(function* (args: {
  tenant_id: string
  user_id: string
  connector: string
}): Run<ConsentedConnection[]> {
  return yield* sql<ConsentedConnection>`
    select connection_id, state, consented_generation from connections
    where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and connector = ${args.connector}
      and state <> 'disconnected' and (ends_at is null or ends_at > ${NOW})
    order by connection_id`
})
