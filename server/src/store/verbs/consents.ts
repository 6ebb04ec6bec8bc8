import { type Run, read, sql } from '../sql.ts'

/** What a user has allowed a client, as it is remembered. */
export interface ListedConsent {
  readonly client_id: string
  readonly client_name: string
  readonly scope: string
  readonly created_at: number
  readonly updated_at: number
}

/** What a user has allowed clients. */
export const listConsentsOfUser = read(function* (args: { tenant_id: string; user_id: string }): Run<ListedConsent[]> {
  return yield* sql<ListedConsent>`
    select k.client_id, c.client_name, k.scope, k.created_at, k.updated_at
    from consents k join clients c on c.tenant_id = k.tenant_id and c.client_id = k.client_id
    where k.tenant_id = ${args.tenant_id} and k.user_id = ${args.user_id}
    order by k.client_id limit 500`
})

/** What a user has allowed one client, or null. */
export const findConsent = read(function* (args: {
  tenant_id: string
  user_id: string
  client_id: string
}): Run<{ scope: string } | null> {
  const [consent] = yield* sql<{ scope: string }>`
    select scope from consents
    where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and client_id = ${args.client_id}`
  return consent ?? null
})
