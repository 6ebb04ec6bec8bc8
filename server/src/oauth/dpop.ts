import { LRUCache } from 'lru-cache'
import { type Claims, JwtError, type JwtProfile, readForeignJwt, verifyForeignJwt } from '../crypto/foreign_jwt.ts'
import { sha256 } from '../crypto/hash.ts'
import { type Jwk, thumbprint } from '../crypto/public_key.ts'
import { OAuthError } from './errors.ts'
import { checkBegun, readTime } from './jwt_claims.ts'

/** The algorithms by which proofs may be signed (RFC 9449 section 11.6): RS256 is not for what is new (RFC 8017 section 8). */
export const DPOP_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'PS256'] as const

/** What a proof is held against (RFC 9449 section 4.3). */
export interface DpopExpectation {
  /** The method of the request that it came with. */
  readonly method: string
  /** The URL of that request as its sender knows it; its query does not count. */
  readonly url: string
  readonly now: number
  /** The access token that it came with, at a protected resource. */
  readonly access_token?: string | undefined
  readonly nonce: NonceRule
}

/** What is asked of a proof's nonce (RFC 9449 section 8). */
export interface NonceRule {
  /** Whether a proof must have one. One that it has is looked at in any case. */
  readonly required: boolean
  /** The one to use from now on, which a refusal for want of a nonce tells. */
  readonly current: string
  isRecent(nonce: string): boolean
}

/** A proof that holds: the key that its sender has, and what it is remembered by. */
export interface DpopProof {
  /** The thumbprint of the key (RFC 9449 section 6.1). */
  readonly jkt: string
  readonly id_hash: Uint8Array
  /** From when on its age refuses it. */
  readonly expires_at: number
}

const PROFILE: JwtProfile = { typ: ['dpop+jwt'], alg: DPOP_ALGORITHMS, embedded_jwk: true }
const LONGEST_AGE_MS = 60_000
const LONGEST_JTI = 256
const LONGEST_URI = 8192

/**
 * Reads and checks the DPoP header of a request (RFC 9449 sections 4.1 and 4.3), its signature last, because that is
 * what costs. Whether it was seen before is for the store to say.
 */
export function readDpopProof(dpop: string, expected: DpopExpectation): DpopProof {
  // Several headers arrive joined by commas (RFC 9110 section 5.3), which no JWT has.
  if (dpop.includes(',')) throw invalid('must come alone: the request has several')
  try {
    const jwt = readForeignJwt(dpop.trim(), PROFILE)
    const { jwk, jkt } = internKey(jwt.jwk!)
    const { jti, iat } = checkClaims(jwt.unverified, expected)
    verifyForeignJwt(jwt, [jwk])
    const id_hash = sha256(`${jkt}.${jti}`)
    return { jkt, id_hash, expires_at: Math.ceil(iat * 1000) + LONGEST_AGE_MS + 1 }
  } catch (error) {
    if (error instanceof JwtError) throw invalid(error.message, error)
    throw error
  }
}

function checkClaims(claims: Claims, expected: DpopExpectation): { jti: string; iat: number } {
  const { htm, htu, jti, ath, nonce } = claims
  if (htm !== expected.method) throw invalid(`must have htm ${expected.method}`)
  if (typeof htu !== 'string' || !isSameTarget(htu, expected.url))
    throw invalid('must have the URL of the request as htu')
  const iat = readTime(claims, 'iat')
  if (iat === null) throw invalid('must have an iat')
  checkBegun(claims, expected.now)
  if (iat * 1000 < expected.now - LONGEST_AGE_MS) throw invalid('has an iat that is over a minute ago')
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) {
    throw invalid(`must have a jti of 1 to ${LONGEST_JTI} characters`)
  }
  if (expected.access_token !== undefined && ath !== hashAccessToken(expected.access_token)) {
    throw invalid('must have the hash of the access token as ath')
  }
  checkNonce(nonce, expected.nonce)
  return { jti, iat }
}

/** The `ath` of an access token (RFC 9449 section 4.2). */
export function hashAccessToken(access_token: string): string {
  return sha256(access_token).toString('base64url')
}

function checkNonce(nonce: unknown, rule: NonceRule): void {
  if (nonce === undefined && !rule.required) return
  if (typeof nonce === 'string' && rule.isRecent(nonce)) return
  const what = nonce === undefined ? 'must have' : 'has an old or foreign nonce instead of'
  throw new OAuthError('use_dpop_nonce', `The DPoP proof ${what} the nonce of the DPoP-Nonce header`, {
    headers: { 'DPoP-Nonce': rule.current },
  })
}

// A client signs with one key for as long as its tokens live: its thumbprint and its import are worth keeping.
const keys = new LRUCache<string, { readonly jwk: Jwk; readonly jkt: string }>({ max: 5000 })

function internKey(jwk: Jwk): { jwk: Jwk; jkt: string } {
  const text = JSON.stringify(jwk)
  let known = keys.get(text)
  if (!known) {
    known = { jwk, jkt: thumbprint(jwk) }
    keys.set(text, known)
  }
  return known
}

/** Whether two URLs name the same target, query and fragment aside (RFC 9449 section 4.3). */
export function isSameTarget(htu: string, url: string): boolean {
  if (htu === url) return true
  const target = normalizeTarget(htu)
  return target !== null && target === normalizeTarget(url)
}

// The characters of RFC 3986 alone: what else a parser would forgive, such as a backslash, two of them may read differently.
const HTTP_URI = /^https?:\/\/(?![/?#])(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/i
const UNRESERVED = /[A-Za-z0-9\-._~]/

/** The normal form of an http URL without query and fragment (RFC 3986 sections 6.2.2 and 6.2.3); null when it is none. */
export function normalizeTarget(uri: string): string | null {
  if (uri.length > LONGEST_URI || !HTTP_URI.test(uri) || !URL.canParse(uri)) return null
  const { origin, pathname, username, password } = new URL(uri)
  if (username !== '' || password !== '') return null
  const path = pathname.replace(/%[0-9A-Fa-f]{2}/g, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return UNRESERVED.test(character) ? character : escaped.toUpperCase()
  })
  return origin + path
}

/** The value of a `jkt`: a SHA-256 thumbprint in base64url (RFC 9449 sections 6.1 and 10). */
export function isThumbprint(text: string): boolean {
  return /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text)
}

function invalid(what: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_dpop_proof', `The DPoP proof ${what}`, cause === undefined ? {} : { cause })
}
