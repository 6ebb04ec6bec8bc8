import { newId } from '../crypto/random.ts'
import type { AuthorizationRequest } from '../oauth/authorization_request.ts'
import type { Client } from '../oauth/client.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Configuration } from '../store/tenant.ts'
import type { BrowserAuthority } from '../store/verbs/sessions.ts'
import { newCode } from './codes.ts'
import type { ConnectionChoice } from './connections.ts'
import { rememberConsent } from './consents.ts'
import type { InboundContext } from './context.ts'
import type { SignedIn } from './sessions.ts'
import { event } from './users.ts'

/**
 * Makes the grant that a user allowed, and answers its code (RFC 6749 section 4.1.2). Refused when the user has taken
 * back, since it was read, the consent that it rests on or adds to.
 */
export async function createGrant(
  context: InboundContext,
  args: {
    client: Client
    request: AuthorizationRequest
    authority: BrowserAuthority
    signed_in: SignedIn
    configuration: Configuration
    scope: readonly string[]
    resource: readonly string[]
    connections: readonly ConnectionChoice[]
    /** As granted (RFC 9396 section 7); null where none were asked for. */
    authorization_details: readonly object[] | null
    /** Whether the answer is remembered for the next time. */
    remember: boolean
  },
): Promise<string> {
  const { tenant } = context
  const { client, request, authority, configuration, scope } = args
  const { session, user } = args.signed_in
  const { settings } = configuration
  const { now } = authority
  const grant_id = newId(now)
  const { code, code_hash } = newCode(tenant.keys, grant_id)
  const offline = scope.includes('offline_access') && client.grant_types.includes('refresh_token')
  const resource = JSON.stringify(args.resource)
  const connections = args.connections.length > 0 ? JSON.stringify(args.connections) : null
  const outcome = await tenant.store.approveGrant({
    tenant_id: tenant.tenant_id,
    grant: {
      grant_id,
      client_id: client.client_id,
      user_id: user.user_id,
      session_id: session.session_id,
      scope: scope.join(' '),
      resource,
      authorization_details: args.authorization_details && JSON.stringify(args.authorization_details),
      connections,
      nonce: request.nonce ?? null,
      auth_time: session.auth_time,
      acr: session.acr,
      amr: session.amr,
      tenant_epoch: authority.tenant.epoch,
      client_epoch: authority.client!.epoch,
      user_epoch: user.epoch,
      session_epoch: session.epoch,
      offline: offline ? 1 : 0,
      code_hash,
      code_expires_at: now + settings.code_lifetime_seconds * 1000,
      code_challenge: request.code_challenge ?? null,
      redirect_uri: request.redirect_uri,
      created_at: now,
      idle_expires_at: null,
      expires_at: offline ? now + settings.refresh_lifetime_seconds * 1000 : session.expires_at,
    },
    consent: args.remember ? rememberConsent(authority.consent, args, tenant.issuer, configuration) : null,
    rests_on_consent: authority.consent !== null,
    event: event(tenant, 'grant.created', `user:${user.user_id}`, {
      client_id: client.client_id,
      user_id: user.user_id,
      grant_id,
      detail: {
        scope: scope.join(' '),
        resource: args.resource,
        connections: args.connections,
        trusted: client.trusted,
      },
    }),
  })
  if (outcome === 'withdrawn') throw new OAuthError('access_denied', 'The user has just withdrawn the consent')
  return code
}
