import { OAuthError } from '../oauth_error.ts'
import type { Requirements } from './access.ts'

/** Attributes of a Bearer challenge: RFC 6750 section 3, RFC 9728 section 5.1, RFC 9470 section 3. */
export interface Challenge {
  readonly realm?: string | undefined
  readonly resource_metadata?: string | undefined
  readonly error?: string | undefined
  readonly error_description?: string | undefined
  readonly scope?: string | undefined
  readonly acr_values?: string | undefined
  readonly max_age?: string | undefined
}

/** The value of a WWW-Authenticate header; every attribute is a quoted-string (RFC 9110 sections 5.6.4 and 11.6.1). */
export function formatChallenge(challenge: Challenge): string {
  const attributes: string[] = []
  for (const [name, value] of Object.entries(challenge) as [string, string | undefined][]) {
    if (value !== undefined) attributes.push(`${name}=${quote(value)}`)
  }
  return attributes.length === 0 ? 'Bearer' : `Bearer ${attributes.join(', ')}`
}

/**
 * A refusal with the challenge that belongs to it. Without credentials in the request there is no error information,
 * but the scope that the route needs, so that a client asks for it at once (RFC 6750 section 3). A refusal that no
 * other token would lift (503) carries no challenge.
 */
export function addChallenge(
  refusal: OAuthError,
  { realm, resource_metadata }: Pick<Challenge, 'realm' | 'resource_metadata'>,
  { scope, acr_values, max_age }: Requirements,
): OAuthError {
  const { error, error_description } = refusal
  if (error === 'temporarily_unavailable') return refusal
  const challenge = formatChallenge({
    realm,
    resource_metadata,
    ...(error === undefined ? { scope } : { error, error_description }),
    ...(error === 'insufficient_scope' ? { scope } : {}),
    ...(error === 'insufficient_user_authentication' ? { acr_values, max_age: max_age?.toString() } : {}),
  })
  const headers = { ...refusal.headers, 'www-authenticate': challenge }
  return new OAuthError(error, error_description, { cause: refusal.cause, headers })
}

function quote(value: string): string {
  // Line ends and other controls could start a header of an attacker's choice; what is not ASCII no client can read.
  return `"${value.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
