import type { ClientRecord, GrantAuthority, GrantRecord, TenantState, UserRecord } from '../records.ts'
import { NOW, pickColumns, type Run, read, sql } from '../sql.ts'

type Row = Record<string, unknown>

/** Tenant, asking client, and the grant with its own client, user and session, in one query; null without the tenant. */
export const loadGrantAuthority = read(function* (args: {
  tenant_id: string
  client_id: string
  grant_id: string
}): Run<GrantAuthority | null> {
  const [row] = yield* sql<Row>`
    select ${NOW} as now, t.tenant_id, t.epoch as t_epoch, t.config_version, t.disabled_at as t_disabled_at,
      c.client_id as c_client_id, c.client_name, c.metadata, c.source, c.trusted, c.client_secret_hash,
      c.former_client_secret_hash, c.former_client_secret_expires_at, c.client_secret_expires_at, c.epoch as c_epoch, c.disabled_at as c_disabled_at,
      gc.epoch as gc_epoch, gc.disabled_at as gc_disabled_at,
      g.grant_id, g.client_id, g.user_id, g.session_id, g.scope, g.resource, g.authorization_details, g.connections,
      g.claims as g_claims, g.role, g.nonce, g.auth_time, g.acr, g.amr, g.tenant_epoch, g.client_epoch, g.user_epoch, g.session_epoch, g.offline,
      g.code_hash, g.code_expires_at, g.code_redeemed_at, g.code_failures, g.code_challenge, g.redirect_uri, g.cnf,
      g.refresh_generation, g.refresh_hash, g.refresh_previous_hash, g.refresh_kid, g.refresh_rotated_at, g.restored_at,
      g.created_at, g.idle_expires_at, g.expires_at, g.revoked_at,
      u.user_id as u_user_id, u.username, u.name, u.email, u.email_verified, u.claims, u.roles, u.epoch as u_epoch,
      u.disabled_at as u_disabled_at, u.updated_at as u_updated_at,
      s.epoch as s_epoch, s.ended_at as s_ended_at, coalesce(s.ends_at, s.expires_at) as s_expires_at,
      coalesce(s.sid, s.session_id) as s_sid
    from tenants t
    left join clients c on c.tenant_id = t.tenant_id and c.client_id = ${args.client_id}
    left join grants g on g.tenant_id = t.tenant_id and g.grant_id = ${args.grant_id}
    left join clients gc on gc.tenant_id = t.tenant_id and gc.client_id = g.client_id
    left join users u on u.tenant_id = t.tenant_id and u.user_id = g.user_id
    left join sessions s on s.tenant_id = t.tenant_id and s.session_id = g.session_id
    where t.tenant_id = ${args.tenant_id}`
  if (!row) return null
  return {
    now: row['now'] as number,
    tenant: readTenantState(row),
    client: readClient(row),
    grant: row['grant_id'] === null ? null : readGrant(row),
    grant_client:
      row['gc_epoch'] === null
        ? null
        : { epoch: row['gc_epoch'] as number, disabled_at: row['gc_disabled_at'] as number | null },
    user: readUser(row),
    session:
      row['s_epoch'] === null
        ? null
        : {
            sid: row['s_sid'] as string,
            epoch: row['s_epoch'] as number,
            ended_at: row['s_ended_at'] as number | null,
            expires_at: row['s_expires_at'] as number,
          },
  }
})

/** The tenant's part of a joined row. */
export function readTenantState(row: Row): TenantState {
  return {
    tenant_id: row['tenant_id'] as string,
    epoch: row['t_epoch'] as number,
    config_version: row['config_version'] as number,
    disabled_at: row['t_disabled_at'] as number | null,
  }
}

/** The client's part of a joined row, or null when there is no such client. */
export function readClient(row: Row): ClientRecord | null {
  if (row['c_client_id'] === null) return null
  return {
    client_id: row['c_client_id'] as string,
    client_name: row['client_name'] as string,
    metadata: row['metadata'] as string,
    source: row['source'] as string,
    trusted: row['trusted'] as number,
    client_secret_hash: row['client_secret_hash'] as Uint8Array | null,
    former_client_secret_hash: row['former_client_secret_hash'] as Uint8Array | null,
    former_client_secret_expires_at: row['former_client_secret_expires_at'] as number | null,
    client_secret_expires_at: row['client_secret_expires_at'] as number | null,
    epoch: row['c_epoch'] as number,
    disabled_at: row['c_disabled_at'] as number | null,
  }
}

/** The user's part of a joined row, or null when there is none. */
export function readUser(row: Row): UserRecord | null {
  if (row['u_user_id'] === null) return null
  return {
    user_id: row['u_user_id'] as string,
    username: row['username'] as string,
    name: row['name'] as string | null,
    email: row['email'] as string | null,
    email_verified: row['email_verified'] as number,
    claims: row['claims'] as string,
    roles: row['roles'] as string,
    epoch: row['u_epoch'] as number,
    disabled_at: row['u_disabled_at'] as number | null,
    updated_at: row['u_updated_at'] as number,
  }
}

// biome-ignore format: one group to a line
const GRANT_COLUMNS: readonly (keyof GrantRecord)[] = [
  'grant_id', 'client_id', 'user_id', 'session_id', 'scope', 'resource', 'authorization_details', 'connections', 'role',
  'nonce', 'auth_time', 'acr', 'amr', 'tenant_epoch', 'client_epoch', 'user_epoch', 'session_epoch', 'offline',
  'code_hash', 'code_expires_at', 'code_redeemed_at', 'code_failures', 'code_challenge', 'redirect_uri', 'cnf',
  'refresh_generation', 'refresh_hash', 'refresh_previous_hash', 'refresh_kid', 'refresh_rotated_at', 'restored_at',
  'created_at', 'idle_expires_at', 'expires_at', 'revoked_at',
]

// `claims` is a column of users as well.
function readGrant(row: Row): GrantRecord {
  return { ...pickColumns<GrantRecord>(row, GRANT_COLUMNS), claims: row['g_claims'] as string | null }
}
