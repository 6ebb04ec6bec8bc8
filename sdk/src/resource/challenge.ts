import { OAuthError } from '../oauth_error.ts'
import type { Requirements } from './access.ts'
import type { Scheme } from './presented_token.ts'

/** Attributes of a challenge: RFC 6750 section 3, RFC 9728 section 5.1, RFC 9470 section 3, RFC 9449 section 7.1. */
export interface Challenge {
  readonly realm?: string | undefined
  readonly resource_metadata?: string | undefined
  readonly error?: string | undefined
  readonly error_description?: string | undefined
  readonly scope?: string | undefined
  readonly acr_values?: string | undefined
  readonly max_age?: string | undefined
  readonly algs?: string | undefined
}

/** What a resource says of itself in each of its challenges. */
export interface Challenger extends Pick<Challenge, 'realm' | 'resource_metadata'> {
  /** The algorithms of DPoP proofs, separated by spaces. */
  readonly algs: string
  /** The schemes that it takes tokens by. */
  readonly schemes: readonly Scheme[]
}

/** The value of a WWW-Authenticate header; every attribute is a quoted-string (RFC 9110 sections 5.6.4 and 11.6.1). */
export function formatChallenge(scheme: Scheme, challenge: Challenge): string {
  const attributes: string[] = []
  for (const [name, value] of Object.entries(challenge) as [string, string | undefined][]) {
    if (value !== undefined) attributes.push(`${name}=${quote(value)}`)
  }
  return attributes.length === 0 ? scheme : `${scheme} ${attributes.join(', ')}`
}

/**
 * A refusal with the challenge that belongs to it, of the scheme by which the token came or should have come. Without
 * credentials in the request there is no error information, but the scope that the route needs, so that a client asks
 * for it at once (RFC 6750 section 3), and a challenge for each scheme, Bearer first, since there are clients that read
 * one alone. A refusal that no other token would lift (503) carries no challenge.
 */
export function addChallenge(
  refusal: OAuthError,
  { realm, resource_metadata, algs, schemes }: Challenger,
  scheme: Scheme,
  { scope, acr_values, max_age }: Requirements,
): OAuthError {
  const { error, error_description } = refusal
  if (error === 'temporarily_unavailable') return refusal
  const challenges = (error === undefined ? schemes : [scheme]).map((one) =>
    formatChallenge(one, {
      realm,
      resource_metadata,
      ...(error === undefined ? { scope } : { error, error_description }),
      ...(error === 'insufficient_scope' ? { scope } : {}),
      ...(error === 'insufficient_user_authentication' ? { acr_values, max_age: max_age?.toString() } : {}),
      ...(one === 'DPoP' ? { algs } : {}),
    }),
  )
  const headers = { ...refusal.headers, 'www-authenticate': challenges.join(', ') }
  return new OAuthError(error, error_description, { cause: refusal.cause, headers })
}

function quote(value: string): string {
  // Line ends and other controls could start a header of an attacker's choice; what is not ASCII no client can read.
  return `"${value.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
