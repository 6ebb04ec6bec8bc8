import { digest } from '../crypto/hash.ts'

/** The claims of an ID token (OpenID Connect Core section 2), with those of the user beside them. */
export interface IdTokenClaims {
  iss: string
  sub: string
  aud: string
  azp: string
  exp: number
  iat: number
  auth_time?: number
  nonce?: string
  acr?: string
  amr?: readonly string[]
  sid?: string
  /** Read by this server alone: what it was issued under, should its client bring it back. */
  grant_id?: string
  at_hash?: string
  c_hash?: string
  [claim: string]: unknown
}

/** What an ID token is made of. Claims keep their wire form: `auth_time` is in seconds. */
export interface IdTokenInput {
  iss: string
  sub: string
  client_id: string
  now: number
  lifetime_seconds: number
  /** The signing algorithm, which decides the hash of `at_hash` and `c_hash`. */
  alg: string
  auth_time?: number | null | undefined
  nonce?: string | null | undefined
  acr?: string | null | undefined
  amr?: readonly string[] | null | undefined
  sid?: string | null | undefined
  grant_id?: string | undefined
  /** The access token, or the code, that goes out in the same answer. */
  access_token?: string | undefined
  code?: string | undefined
  /** Claims about the user; they never replace those of the token itself. */
  user?: Readonly<Record<string, unknown>> | undefined
}

/** Builds the claims of an ID token (OpenID Connect Core sections 2 and 3.1.3.6). */
export function buildIdTokenClaims(input: IdTokenInput): IdTokenClaims {
  const iat = Math.floor(input.now / 1000)
  const claims: IdTokenClaims = {
    ...input.user,
    iss: input.iss,
    sub: input.sub,
    aud: input.client_id,
    azp: input.client_id,
    exp: iat + input.lifetime_seconds,
    iat,
  }
  setOrDelete(claims, 'auth_time', input.auth_time)
  setOrDelete(claims, 'nonce', input.nonce)
  setOrDelete(claims, 'acr', input.acr)
  setOrDelete(claims, 'amr', input.amr)
  setOrDelete(claims, 'sid', input.sid)
  setOrDelete(claims, 'grant_id', input.grant_id)
  setOrDelete(
    claims,
    'at_hash',
    input.access_token === undefined ? undefined : hashLeftHalf(input.access_token, input.alg),
  )
  setOrDelete(claims, 'c_hash', input.code === undefined ? undefined : hashLeftHalf(input.code, input.alg))
  return claims
}

function setOrDelete(claims: IdTokenClaims, name: string, value: unknown): void {
  if (value !== undefined && value !== null) claims[name] = value
  // Only claims about the user can have put it there.
  else if (name in claims) delete claims[name]
}

/**
 * The left half of the hash of an access token or code, in base64url (OpenID Connect Core section 3.1.3.6). The hash
 * is the one inside the signing algorithm; Ed25519 has SHA-512 (RFC 8032 section 5.1).
 */
export function hashLeftHalf(text: string, alg: string): string {
  const whole = digest(hashOf(alg), text)
  return whole.subarray(0, whole.length / 2).toString('base64url')
}

function hashOf(alg: string): 'sha256' | 'sha384' | 'sha512' {
  if (alg.endsWith('256')) return 'sha256'
  if (alg.endsWith('384')) return 'sha384'
  if (alg.endsWith('512') || alg === 'EdDSA' || alg === 'Ed25519') return 'sha512'
  throw new TypeError(`Signing algorithm ${alg} has no known hash`)
}
