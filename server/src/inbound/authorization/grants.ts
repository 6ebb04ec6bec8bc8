import { newId } from '../../crypto/random.ts'
import { acrToSay, readAcrWish } from '../../oauth/acr.ts'
import type { AuthorizationRequest } from '../../oauth/authorization_request.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import type { ProfileRules } from '../../oauth/profile.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { NewGrant } from '../../store/verbs/grants.ts'
import type { BrowserAuthority } from '../../store/verbs/sessions.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { isToldOfLogout } from '../sessions/backchannel_logout.ts'
import { newCode } from './codes.ts'
import { rememberConsent } from './consents.ts'
import { type Allowed, describeGrant } from './new_grant.ts'
import { spent } from './pushed_requests.ts'
import { noteChallenge } from './repeated_challenges.ts'

/** A request that the user allowed: what for, and whether the answer is remembered. */
export interface Approval extends Omit<Allowed, 'grant_id' | 'now' | 'tenant' | 'client_epoch' | 'acr'> {
  readonly request: AuthorizationRequest
  readonly authority: BrowserAuthority
  /** Whether the answer is remembered for the next time. */
  readonly remember: boolean
  /** The parameters as they came: a redirect URI that was not sent is not asked for at the token endpoint either. */
  readonly params?: Params
  /** What the user was asked for: the scopes, and those that stand for claims asked for by name. */
  readonly shown_scope?: readonly string[]
  /** It rests on what the user allowed before. */
  readonly by_consent?: boolean
  /** The pushed request that this answers. */
  readonly request_hash?: Uint8Array | null
  /** The rules that the client stands under. */
  readonly profile?: ProfileRules
}

/**
 * Makes the grant that a user allowed, and answers its code (RFC 6749 section 4.1.2). Refused when the user has taken
 * back, since it was read, the consent that it rests on or adds to.
 */
export async function createGrant(context: InboundContext, approval: Approval): Promise<string> {
  const { request, authority, configuration } = approval
  const { now } = authority
  const seconds = Math.min(configuration.settings.code_lifetime_seconds, approval.profile?.longest_code_seconds ?? 600)
  const grant_id = newId(now)
  const { code, code_hash } = newCode(context.tenant.keys, grant_id)
  const redeemable = {
    code_hash,
    code_expires_at: now + seconds * 1000,
    code_challenge: request.code_challenge ?? null,
    redirect_uri: approval.params ? (approval.params.values['redirect_uri'] ?? null) : request.redirect_uri,
    cnf: request.dpop_jkt === undefined ? null : JSON.stringify({ jkt: request.dpop_jkt }),
  }
  await commitGrant(context, approval, describeGrant(toAllowed(approval, grant_id), redeemable, request.nonce ?? null))
  return code
}

/** An approval as the row of its grant is made from it. */
export function toAllowed(approval: Approval, grant_id: string): Allowed {
  const { authority, request, signed_in } = approval
  const acr = acrToSay(signed_in.session.acr, readAcrWish(request.acr_values, request.claims?.id_token['acr']))
  return {
    ...approval,
    acr,
    grant_id,
    now: authority.now,
    tenant: authority.tenant,
    client_epoch: authority.client!.epoch,
  }
}

/** Makes a grant's row with the consent that is remembered and the event. */
export async function commitGrant(
  context: InboundContext,
  approval: Approval,
  grant: NewGrant['grant'],
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { tenant } = context
  const { client, authority, request } = approval
  const { user_id, grant_id, scope, role } = grant
  const outcome = await tenant.store.approveGrant({
    tenant_id: tenant.tenant_id,
    grant,
    consent: approval.remember ? remember(tenant, approval) : null,
    rests_on_consent: authority.consent !== null,
    within_consent: approval.by_consent === true,
    tells_logout: isToldOfLogout(client, scope),
    request_hash: approval.request_hash ?? null,
    warning: noteChallenge(context, client.client_id, request.code_challenge),
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
  if (outcome === 'session_ended') throw new OAuthError('login_required', 'The session has just ended')
  if (outcome === 'withdrawn') throw new OAuthError('access_denied', 'The user has just withdrawn the consent')
  if (outcome === 'spent') throw spent()
}

function remember({ issuer }: Tenant, approval: Approval) {
  const { authority, configuration, request, scope, resource, connections } = approval
  const now = { scope: approval.shown_scope ?? scope, resource, connections, redirect_uri: request.redirect_uri }
  return rememberConsent(authority.consent, { ...now, ends_at: approval.ends_at ?? null }, issuer, configuration)
}
