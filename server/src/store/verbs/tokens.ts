import type { ClientRecord, NewEvent, TenantState } from '../records.ts'
import { NOW, type Run, read, sql, together, write } from '../sql.ts'
import { readClient, readTenantState } from './authority.ts'
import { eventStatement } from './events.ts'
import { revocationStatement } from './revocations.ts'

/** Adds up tokens issued since the last count; written behind, at most a second late. */
export const countTokensIssued = write(
  function* (args: { tenant_id: string; client_id: string; count: number }): Run<void> {
    yield* sql`
      update clients set tokens_issued = tokens_issued + ${args.count}, last_used_at = ${NOW}
      where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}`
  },
  { key: (args) => `${args.tenant_id}/${args.client_id}` },
)

/** Marks a single access token as revoked until it would have ended anyway. */
export const revokeAccessToken = write(
  function* (args: { tenant_id: string; jti: string; expires_at: number; event: NewEvent }): Run<void> {
    const [known] = yield* sql<{ jti: string }>`
      select jti from revoked_tokens where tenant_id = ${args.tenant_id} and jti = ${args.jti}`
    if (known) return
    const { tenant_id, jti, expires_at, event } = args
    const denied = sql`
      insert into revoked_tokens (tenant_id, jti, expires_at) values (${tenant_id}, ${jti}, ${expires_at})
      on conflict do nothing`
    yield* together([
      denied,
      revocationStatement(event, { kind: 'jti', value: jti, expires_at }),
      eventStatement(event),
    ])
  },
  { key: (args) => `${args.tenant_id}/${args.jti}`, repeatable: true },
)

/** What decides whether an access token lives: everything it names, and who asks, in one query. */
export interface TokenAuthority {
  readonly now: number
  readonly tenant: TenantState
  /** The client that asks. */
  readonly client: ClientRecord | null
  readonly token_client: {
    readonly epoch: number
    readonly disabled_at: number | null
    readonly metadata: string
    readonly trusted: number
  } | null
  readonly user: {
    readonly epoch: number
    readonly disabled_at: number | null
    readonly roles: string
    readonly username: string
  } | null
  readonly session: { readonly epoch: number; readonly ended_at: number | null; readonly expires_at: number } | null
  readonly grant: {
    readonly client_id: string
    readonly auth_time: number
    readonly acr: string | null
    readonly user_id: string
    readonly scope: string
    readonly resource: string
    readonly connections: string | null
    readonly claims: string | null
    readonly authorization_details: string | null
    readonly role: string | null
    readonly offline: number
    readonly expires_at: number
    readonly revoked_at: number | null
  } | null
  /** The tokens that it was exchanged from: the client of each, and whether it was revoked by itself. */
  readonly forebears: readonly {
    readonly client: { readonly epoch: number; readonly disabled_at: number | null } | null
    readonly denied: boolean
  }[]
  readonly denied: boolean
}

/** A token that another one was exchanged from. */
interface Named {
  readonly client_id: string
  readonly jti: string
}

/** Reads what decides about a token whose claims name these rows; absent parts are named by the empty string. */
export const loadTokenAuthority = read(function* (args: {
  tenant_id: string
  client_id: string
  token_client_id: string
  user_id: string
  grant_id: string
  jti: string
  forebears?: readonly Named[]
}): Run<TokenAuthority | null> {
  const [row] = yield* sql<Record<string, unknown>>`
    select ${NOW} as now, t.tenant_id, t.epoch as t_epoch, t.config_version, t.disabled_at as t_disabled_at,
      c.client_id as c_client_id, c.client_name, c.metadata, c.source, c.trusted, c.client_secret_hash,
      c.former_client_secret_hash, c.former_client_secret_expires_at, c.client_secret_expires_at, c.epoch as c_epoch, c.disabled_at as c_disabled_at,
      tc.epoch as tc_epoch, tc.disabled_at as tc_disabled_at, tc.metadata as tc_metadata, tc.trusted as tc_trusted,
      u.epoch as u_epoch, u.disabled_at as u_disabled_at, u.roles, u.username,
      s.epoch as s_epoch, s.ended_at as s_ended_at, coalesce(s.ends_at, s.expires_at) as s_expires_at,
      g.client_id as g_client_id, g.auth_time, g.acr,
      g.user_id as g_user_id, g.scope, g.resource, g.connections, g.claims as g_claims,
      g.authorization_details as g_authorization_details, g.role, g.offline, g.expires_at, g.revoked_at,
      r.jti as r_jti
    from tenants t
    left join clients c on c.tenant_id = t.tenant_id and c.client_id = ${args.client_id}
    left join clients tc on tc.tenant_id = t.tenant_id and tc.client_id = ${args.token_client_id}
    left join grants g on g.tenant_id = t.tenant_id and g.grant_id = ${args.grant_id}
    left join users u on u.tenant_id = t.tenant_id and u.user_id = coalesce(g.user_id, ${args.user_id})
    left join sessions s on s.tenant_id = t.tenant_id and s.session_id = g.session_id
    left join revoked_tokens r on r.tenant_id = t.tenant_id and r.jti = ${args.jti}
    where t.tenant_id = ${args.tenant_id}`
  if (!row) return null
  const forebears = yield* together((args.forebears ?? []).map((named) => readForebear(args.tenant_id, named)))
  return {
    now: row['now'] as number,
    tenant: readTenantState(row),
    client: readClient(row),
    token_client:
      row['tc_epoch'] === null
        ? null
        : {
            epoch: row['tc_epoch'] as number,
            disabled_at: row['tc_disabled_at'] as number | null,
            metadata: row['tc_metadata'] as string,
            trusted: row['tc_trusted'] as number,
          },
    user:
      row['u_epoch'] === null
        ? null
        : {
            epoch: row['u_epoch'] as number,
            disabled_at: row['u_disabled_at'] as number | null,
            roles: row['roles'] as string,
            username: row['username'] as string,
          },
    session:
      row['s_epoch'] === null
        ? null
        : {
            epoch: row['s_epoch'] as number,
            ended_at: row['s_ended_at'] as number | null,
            expires_at: row['s_expires_at'] as number,
          },
    grant:
      row['g_user_id'] === null
        ? null
        : {
            client_id: row['g_client_id'] as string,
            auth_time: row['auth_time'] as number,
            acr: row['acr'] as string | null,
            user_id: row['g_user_id'] as string,
            scope: row['scope'] as string,
            resource: row['resource'] as string,
            connections: row['connections'] as string | null,
            claims: row['g_claims'] as string | null,
            authorization_details: row['g_authorization_details'] as string | null,
            role: row['role'] as string | null,
            offline: row['offline'] as number,
            expires_at: row['expires_at'] as number,
            revoked_at: row['revoked_at'] as number | null,
          },
    forebears: forebears.map(([found]) => ({
      client: found?.epoch == null ? null : { epoch: found.epoch, disabled_at: found.disabled_at },
      denied: found?.jti != null,
    })),
    denied: row['r_jti'] !== null,
  }
})

function readForebear(tenant_id: string, { client_id, jti }: Named) {
  return sql<{ epoch: number | null; disabled_at: number | null; jti: string | null }>`
    select c.epoch, c.disabled_at, r.jti from tenants t
    left join clients c on c.tenant_id = t.tenant_id and c.client_id = ${client_id}
    left join revoked_tokens r on r.tenant_id = t.tenant_id and r.jti = ${jti}
    where t.tenant_id = ${tenant_id}`
}
