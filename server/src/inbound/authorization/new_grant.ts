import type { Client } from '../../oauth/clients/client.ts'
import type { TenantState } from '../../store/records.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { NewGrant } from '../../store/verbs/grants.ts'
import type { SignedIn } from '../sessions/sessions.ts'
import type { ConnectionChoice } from './connections.ts'
import { requireRole } from './one_role.ts'

/** What a user who is signed in allows a client. */
export interface Allowed {
  readonly grant_id: string
  readonly now: number
  readonly tenant: TenantState
  readonly client: Client
  readonly client_epoch: number
  readonly signed_in: SignedIn
  readonly configuration: Configuration
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  readonly connections: readonly ConnectionChoice[]
  /** As granted (RFC 9396 section 7); null where none were asked for. */
  readonly authorization_details: readonly object[] | null
  /** The claims that were asked for by name and allowed, as the row keeps them. */
  readonly claims?: string | null
  /** The end that the user chose; the client's maximum and its tenant's hold beside it. */
  readonly ends_at?: number | null
  /** How surely the user signed in, in the words of the request. */
  readonly acr?: string
  /** The role that the user picked for a one-role client; without it, it must be clear. */
  readonly role?: string | null
}

/** What a client comes back with for the tokens of its grant: a code, or the device code it polls with. */
export type Redeemable = Pick<
  NewGrant['grant'],
  'code_hash' | 'code_expires_at' | 'code_challenge' | 'redirect_uri' | 'cnf'
>

/**
 * The row of a grant that a user allows in a session: born under the present epochs, and with `offline_access` the one
 * that outlives the session.
 */
export function describeGrant(
  allowed: Allowed,
  redeemable: Redeemable,
  nonce: string | null = null,
): NewGrant['grant'] {
  const { client, client_epoch, scope, now, tenant, connections, authorization_details } = allowed
  const { session, user } = allowed.signed_in
  const offline = isOffline(client, scope)
  return {
    grant_id: allowed.grant_id,
    client_id: client.client_id,
    user_id: user.user_id,
    session_id: session.session_id,
    scope: scope.join(' '),
    resource: JSON.stringify(allowed.resource),
    authorization_details: authorization_details && JSON.stringify(authorization_details),
    connections: connections.length > 0 ? JSON.stringify(connections) : null,
    role: allowed.role ?? requireRole(client, user),
    nonce,
    auth_time: session.auth_time,
    acr: allowed.acr ?? session.acr,
    amr: session.amr,
    tenant_epoch: tenant.epoch,
    client_epoch,
    user_epoch: user.epoch,
    session_epoch: session.epoch,
    offline: offline ? 1 : 0,
    ...redeemable,
    created_at: now,
    idle_expires_at: null,
    claims: allowed.claims ?? null,
    expires_at: Math.min(
      latestEnd(client, allowed.configuration, { offline, session, now }),
      allowed.ends_at ?? Infinity,
    ),
  }
}

/** Whether a grant outlives the session in which it was made (OpenID Connect Core section 11). */
export function isOffline(client: Client, scope: readonly string[]): boolean {
  return scope.includes('offline_access') && client.grant_types.includes('refresh_token')
}

/** When a grant is over at the latest: with its session or the tenant's longest chain of refresh tokens, and by its client's maximum. */
export function latestEnd(
  client: Client,
  { settings }: Configuration,
  { offline, session, now }: { offline: boolean; session: { readonly expires_at: number }; now: number },
): number {
  const end = offline ? now + settings.refresh_lifetime_seconds * 1000 : session.expires_at
  const { grant_lifetime_seconds } = client
  return grant_lifetime_seconds === undefined ? end : Math.min(end, now + grant_lifetime_seconds * 1000)
}
