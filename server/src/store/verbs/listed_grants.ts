import { NOW, type Run, read, sql, together } from '../sql.ts'

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

/** Which grants are meant; an empty client or user means any. */
interface GrantFilter {
  readonly tenant_id: string
  readonly client_id: string
  readonly user_id: string
}

/** Grants by id, those that ended included, from after a cursor. */
export const pageGrants = read(function* (
  args: GrantFilter & { after_grant_id: string; most: number },
): Run<FoundGrant[]> {
  const { tenant_id, client_id, user_id, after_grant_id: after, most } = args
  const found = yield* user_id !== ''
    ? sql<GrantId>`
        select grant_id from grants where tenant_id = ${tenant_id} and user_id = ${user_id}
          and (${client_id} = '' or client_id = ${client_id}) and grant_id > ${after} and code_redeemed_at is not null
        order by grant_id limit ${most}`
    : client_id !== ''
      ? sql<GrantId>`
          select grant_id from grants where tenant_id = ${tenant_id} and client_id = ${client_id}
            and grant_id > ${after} and code_redeemed_at is not null
          order by grant_id limit ${most}`
      : sql<GrantId>`
          select grant_id from grants where tenant_id = ${tenant_id} and grant_id > ${after}
            and code_redeemed_at is not null
          order by grant_id limit ${most}`
  return yield* grantsOf(tenant_id, found)
})

/** The same, the newest first, from before a cursor. */
export const pageLatestGrants = read(function* (
  args: GrantFilter & { before_grant_id: string; most: number },
): Run<FoundGrant[]> {
  const { tenant_id, client_id, user_id, before_grant_id: before, most } = args
  const found = yield* user_id !== ''
    ? sql<GrantId>`
        select grant_id from grants where tenant_id = ${tenant_id} and user_id = ${user_id}
          and (${client_id} = '' or client_id = ${client_id}) and grant_id < ${before} and code_redeemed_at is not null
        order by grant_id desc limit ${most}`
    : client_id !== ''
      ? sql<GrantId>`
          select grant_id from grants where tenant_id = ${tenant_id} and client_id = ${client_id}
            and grant_id < ${before} and code_redeemed_at is not null
          order by grant_id desc limit ${most}`
      : sql<GrantId>`
          select grant_id from grants where tenant_id = ${tenant_id} and grant_id < ${before}
            and code_redeemed_at is not null
          order by grant_id desc limit ${most}`
  return yield* grantsOf(tenant_id, found)
})

/** One grant, living or not, or null. */
export const findGrant = read(function* (args: { tenant_id: string; grant_id: string }): Run<FoundGrant | null> {
  const [grant] = yield* oneGrant(args.tenant_id, args.grant_id)
  return grant ?? null
})

type GrantId = { readonly grant_id: string }

// One by one, each by its keys: as one join a planner without statistics begins with the users, and reads all of them.
function* grantsOf(tenant_id: string, found: readonly GrantId[]): Run<FoundGrant[]> {
  return (yield* together(found.map(({ grant_id }) => oneGrant(tenant_id, grant_id)))).flat()
}

function oneGrant(tenant_id: string, grant_id: string) {
  return sql<FoundGrant>`
    select g.grant_id, g.client_id, c.client_name, g.user_id, u.username, g.scope, g.resource, g.role, g.connections,
      g.created_at, g.last_used_at, g.expires_at, g.revoked_at, g.revoked_reason
    from grants g join clients c on c.tenant_id = g.tenant_id and c.client_id = g.client_id
    join users u on u.tenant_id = g.tenant_id and u.user_id = g.user_id
    where g.tenant_id = ${tenant_id} and g.grant_id = ${grant_id} and g.code_redeemed_at is not null`
}

// There is no grant without its client: they are joined to what was found, and no planner may begin with them.

/** The living grants of a user that a refresh token stands for. */
export const listRefreshableGrants = read(function* (args: { tenant_id: string; user_id: string }): Run<ListedGrant[]> {
  return yield* sql<ListedGrant>`
    select g.grant_id, g.client_id, c.client_name, c.metadata, g.scope, g.connections, g.created_at, g.last_used_at,
      g.expires_at
    from grants g left join clients c on c.tenant_id = g.tenant_id and c.client_id = g.client_id
    where g.tenant_id = ${args.tenant_id} and g.user_id = ${args.user_id} and g.revoked_at is null
      and g.expires_at > ${NOW} and g.refresh_hash is not null
    order by g.grant_id desc limit 500`
})

/** The living grants of a user. */
export const listGrantsOfUser = read(function* (args: { tenant_id: string; user_id: string }): Run<ListedGrant[]> {
  return yield* sql<ListedGrant>`
    select g.grant_id, g.client_id, c.client_name, c.metadata, g.scope, g.connections, g.created_at, g.last_used_at,
      g.expires_at
    from grants g left join clients c on c.tenant_id = g.tenant_id and c.client_id = g.client_id
    where g.tenant_id = ${args.tenant_id} and g.user_id = ${args.user_id} and g.revoked_at is null
      and g.expires_at > ${NOW} and g.code_redeemed_at is not null
    order by g.grant_id desc limit 500`
})
