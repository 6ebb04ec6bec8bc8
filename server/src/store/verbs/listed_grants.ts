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

/** A grant as administrators see it, living or not. */
export interface FoundGrant extends Omit<ListedGrant, 'metadata'> {
  readonly user_id: string
  readonly username: string
  readonly resource: string
  readonly role: string | null
  readonly revoked_at: number | null
  readonly revoked_reason: string | null
}

/** Grants by id, those that ended included, from after a cursor; an empty client or user means any. */
export const pageGrants = read(function* (args: {
  tenant_id: string
  client_id: string
  user_id: string
  after_grant_id: string
  most: number
}): Run<FoundGrant[]> {
  const { tenant_id, client_id, user_id, after_grant_id: after, most } = args
  const by = user_id !== '' ? 'user' : client_id !== '' ? 'client' : 'all'
  // Each filter has its index; those that are not meant are given up before they look.
  return yield* sql<FoundGrant>`
    select g.grant_id, g.client_id, c.client_name, g.user_id, u.username, g.scope, g.resource, g.role, g.connections,
      g.created_at, g.last_used_at, g.expires_at, g.revoked_at, g.revoked_reason
    from (
      select grant_id from (select grant_id from grants where ${by} = 'all' and tenant_id = ${tenant_id}
        and grant_id > ${after} and code_redeemed_at is not null order by grant_id limit ${most}) a
      union all
      select grant_id from (select grant_id from grants where ${by} = 'client' and tenant_id = ${tenant_id}
        and client_id = ${client_id} and grant_id > ${after} and code_redeemed_at is not null
        order by grant_id limit ${most}) b
      union all
      select grant_id from (select grant_id from grants where ${by} = 'user' and tenant_id = ${tenant_id}
        and user_id = ${user_id} and (${client_id} = '' or client_id = ${client_id}) and grant_id > ${after}
        and code_redeemed_at is not null order by grant_id limit ${most}) d
    ) p
    join grants g on g.tenant_id = ${tenant_id} and g.grant_id = p.grant_id
    join clients c on c.tenant_id = g.tenant_id and c.client_id = g.client_id
    join users u on u.tenant_id = g.tenant_id and u.user_id = g.user_id
    order by g.grant_id`
})

/** The same, the newest first, from before a cursor. */
export const pageLatestGrants = read(function* (args: {
  tenant_id: string
  client_id: string
  user_id: string
  before_grant_id: string
  most: number
}): Run<FoundGrant[]> {
  const { tenant_id, client_id, user_id, before_grant_id: before, most } = args
  const by = user_id !== '' ? 'user' : client_id !== '' ? 'client' : 'all'
  return yield* sql<FoundGrant>`
    select g.grant_id, g.client_id, c.client_name, g.user_id, u.username, g.scope, g.resource, g.role, g.connections,
      g.created_at, g.last_used_at, g.expires_at, g.revoked_at, g.revoked_reason
    from (
      select grant_id from (select grant_id from grants where ${by} = 'all' and tenant_id = ${tenant_id}
        and grant_id < ${before} and code_redeemed_at is not null order by grant_id desc limit ${most}) a
      union all
      select grant_id from (select grant_id from grants where ${by} = 'client' and tenant_id = ${tenant_id}
        and client_id = ${client_id} and grant_id < ${before} and code_redeemed_at is not null
        order by grant_id desc limit ${most}) b
      union all
      select grant_id from (select grant_id from grants where ${by} = 'user' and tenant_id = ${tenant_id}
        and user_id = ${user_id} and (${client_id} = '' or client_id = ${client_id}) and grant_id < ${before}
        and code_redeemed_at is not null order by grant_id desc limit ${most}) d
    ) p
    join grants g on g.tenant_id = ${tenant_id} and g.grant_id = p.grant_id
    join clients c on c.tenant_id = g.tenant_id and c.client_id = g.client_id
    join users u on u.tenant_id = g.tenant_id and u.user_id = g.user_id
    order by g.grant_id desc`
})

/** One grant, living or not, or null. */
export const findGrant = read(function* (args: { tenant_id: string; grant_id: string }): Run<FoundGrant | null> {
  const [grant] = yield* sql<FoundGrant>`
    select g.grant_id, g.client_id, c.client_name, g.user_id, u.username, g.scope, g.resource, g.role, g.connections,
      g.created_at, g.last_used_at, g.expires_at, g.revoked_at, g.revoked_reason
    from grants g join clients c on c.tenant_id = g.tenant_id and c.client_id = g.client_id
    join users u on u.tenant_id = g.tenant_id and u.user_id = g.user_id
    where g.tenant_id = ${args.tenant_id} and g.grant_id = ${args.grant_id} and g.code_redeemed_at is not null`
  return grant ?? null
})

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
