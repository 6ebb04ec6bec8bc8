/** What a challenge to a client may say; names of RFC 6750 section 3, RFC 9470 section 3, RFC 9728 section 5.1. */
export interface ChallengeParams {
  realm?: string | undefined
  error?: string | undefined
  error_description?: string | undefined
  scope?: string | undefined
  acr_values?: string | undefined
  max_age?: number | undefined
  resource_metadata?: string | undefined
  /** The proof algorithms taken, in a DPoP challenge (RFC 9449 section 7.1). */
  algs?: string | undefined
  charset?: string | undefined
}

/**
 * One challenge of a WWW-Authenticate header (RFC 9110 section 11.6.1). Each value is a quoted string in which
 * nothing but printable ASCII is left, so that no value can add a parameter, a challenge or a header line.
 */
export function buildChallenge(scheme: 'Basic' | 'Bearer' | 'DPoP', params: ChallengeParams): string {
  let challenge: string = scheme
  let separator = ' '
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue
    challenge += `${separator}${name}=${quote(String(value))}`
    separator = ', '
  }
  return challenge
}

/** The challenge of an endpoint at which clients authenticate (RFC 6749 section 5.2, RFC 7617 section 2). */
export function basicChallenge(realm: string): string {
  return buildChallenge('Basic', { realm, charset: 'UTF-8' })
}

/** The challenge of a protected resource (RFC 6750 section 3). */
export function bearerChallenge(params: ChallengeParams): string {
  return buildChallenge('Bearer', params)
}

function quote(value: string): string {
  return `"${value.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
