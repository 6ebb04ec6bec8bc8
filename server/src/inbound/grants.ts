import { newId } from '../crypto/random.ts'
import type { AuthorizationRequest } from '../oauth/authorization_request.ts'
import type { Client } from '../oauth/client.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Configuration } from '../store/tenant.ts'
import type { NewGrant } from '../store/verbs/grants.ts'
import type { BrowserAuthority } from '../store/verbs/sessions.ts'
import { newCode } from './codes.ts'
import type { ConnectionChoice } from './connections.ts'
import { rememberConsent } from './consents.ts'
import type { InboundContext } from './context.ts'
import { type Allowed, describeGrant } from './new_grant.ts'
import type { SignedIn } from './sessions.ts'
import { event } from './users.ts'

/** A request that the user allowed: what for, and whether the answer is remembered. */
export interface Approval {
  readonly client: Client
  readonly request: AuthorizationRequest
  readonly authority: BrowserAuthority
  readonly signed_in: SignedIn
  readonly configuration: Configuration
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  readonly connections: readonly ConnectionChoice[]
  /** As granted (RFC 9396 section 7); null where none were asked for. */
  readonly authorization_details: readonly object[] | null
  /** The one role in which the client acts, or null. */
  readonly role?: string | null
  /** Whether the answer is remembered for the next time. */
  readonly remember: boolean
}

/**
 * Makes the grant that a user allowed, and answers its code (RFC 6749 section 4.1.2). Refused when the user has taken
 * back, since it was read, the consent that it rests on or adds to.
 */
export async function createGrant(context: InboundContext, approval: Approval): Promise<string> {
  const { request, authority, configuration } = approval
  const { now } = authority
  const grant_id = newId(now)
  const { code, code_hash } = newCode(context.tenant.keys, grant_id)
  const redeemable = {
    code_hash,
    code_expires_at: now + configuration.settings.code_lifetime_seconds * 1000,
    code_challenge: request.code_challenge ?? null,
    redirect_uri: request.redirect_uri,
    cnf: request.dpop_jkt === undefined ? null : JSON.stringify({ jkt: request.dpop_jkt }),
  }
  await commitGrant(context, approval, describeGrant(toAllowed(approval, grant_id), redeemable, request.nonce ?? null))
  return code
}

/** An approval as the row of its grant is made from it. */
export function toAllowed(approval: Approval, grant_id: string): Allowed {
  const { authority } = approval
  return { ...approval, grant_id, now: authority.now, tenant: authority.tenant, client_epoch: authority.client!.epoch }
}

/** Makes a grant's row with the consent that is remembered and the event. */
export async function commitGrant(
  { tenant }: InboundContext,
  approval: Approval,
  grant: NewGrant['grant'],
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { client, authority, configuration } = approval
  const { user_id, grant_id, scope, role } = grant
  const outcome = await tenant.store.approveGrant({
    tenant_id: tenant.tenant_id,
    grant,
    consent: approval.remember ? rememberConsent(authority.consent, approval, tenant.issuer, configuration) : null,
    rests_on_consent: authority.consent !== null,
    event: event(tenant, 'grant.created', `user:${user_id}`, {
      ...{ client_id: client.client_id, user_id, grant_id },
      detail: {
        scope,
        resource: approval.resource,
        connections: approval.connections,
        ...(role && { role }),
        trusted: client.trusted,
        ...more,
      },
    }),
  })
  if (outcome === 'withdrawn') throw new OAuthError('access_denied', 'The user has just withdrawn the consent')
}
