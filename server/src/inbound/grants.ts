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
import { describeGrant } from './new_grant.ts'
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
    /** The one role in which the client acts, or null. */
    role?: string | null
    /** Whether the answer is remembered for the next time. */
    remember: boolean
  },
): Promise<string> {
  const { tenant } = context
  const { client, request, authority, configuration, scope } = args
  const { user } = args.signed_in
  const { now } = authority
  const grant_id = newId(now)
  const { code, code_hash } = newCode(tenant.keys, grant_id)
  const allowed = { ...args, grant_id, now, tenant: authority.tenant, client_epoch: authority.client!.epoch }
  const redeemable = {
    code_hash,
    code_expires_at: now + configuration.settings.code_lifetime_seconds * 1000,
    code_challenge: request.code_challenge ?? null,
    redirect_uri: request.redirect_uri,
  }
  const outcome = await tenant.store.approveGrant({
    tenant_id: tenant.tenant_id,
    grant: describeGrant(allowed, redeemable, request.nonce ?? null),
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
        ...(args.role && { role: args.role }),
        trusted: client.trusted,
      },
    }),
  })
  if (outcome === 'withdrawn') throw new OAuthError('access_denied', 'The user has just withdrawn the consent')
  return code
}
