import { NOW, type Run, read, sql } from '../sql.ts'

/** A living grant as people see it. */
export interface ListedGrant {
  readonly grant_id: string
  readonly client_id: string
  readonly client_name: string
  /** Of the client. */
  readonly metadata: string
  readonly scope: string
  readonly connections: string | null
  readonly created_at: number
  readonly last_used_at: number | null
  readonly expires_at: number
}

/** The living grants of a user that a refresh token stands for. */
export const listRefreshableGrants = read(function* (args: { tenant_id: string; user_id: string }): Run<ListedGrant[]> {
  return yield* sql<ListedGrant>`
    select g.grant_id, g.client_id, c.client_name, c.metadata, g.scope, g.connections, g.created_at, g.last_used_at,
      g.expires_at
    from grants g join clients c on c.tenant_id = g.tenant_id and c.client_id = g.client_id
    where g.tenant_id = ${args.tenant_id} and g.user_id = ${args.user_id} and g.revoked_at is null
      and g.expires_at > ${NOW} and g.refresh_hash is not null
    order by g.grant_id desc limit 500`
})

/** The living grants of a user. */
export const listGrantsOfUser = read(function* (args: { tenant_id: string; user_id: string }): Run<ListedGrant[]> {
  return yield* sql<ListedGrant>`
    select g.grant_id, g.client_id, c.client_name, c.metadata, g.scope, g.connections, g.created_at, g.last_used_at,
      g.expires_at
    from grants g join clients c on c.tenant_id = g.tenant_id and c.client_id = g.client_id
    where g.tenant_id = ${args.tenant_id} and g.user_id = ${args.user_id} and g.revoked_at is null
      and g.expires_at > ${NOW} and g.code_redeemed_at is not null
    order by g.grant_id desc limit 500`
})
