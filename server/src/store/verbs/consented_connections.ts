import { type Run, read, sql } from '../sql.ts'

/** A connection that is ready, and the generation that its latest consent brought. */
export interface ConsentedConnection {
  readonly connection_id: string
  readonly consented_generation: number
}

/** The ready connections of a user through one connector, oldest first. */
export const listConsentedConnections = read(function* (args: {
  tenant_id: string
  user_id: string
  connector: string
}): Run<ConsentedConnection[]> {
  return yield* sql<ConsentedConnection>`
    select connection_id, consented_generation from connections
    where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and connector = ${args.connector}
      and state = 'ready'
    order by connection_id limit 500`
})
