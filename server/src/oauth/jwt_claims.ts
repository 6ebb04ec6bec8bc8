import { type Claims, JwtError } from '../crypto/foreign_jwt.ts'

/** What an assertion must say (RFC 7523 section 3, as RFC 10070 has its audience). */
export interface AssertionRules {
  readonly now: number
  readonly iss: string
  /** The one audience, as a string: neither a list nor the URL of an endpoint (RFC 10070, FAPI 2.0 section 5.3.2.1). */
  readonly aud: string
  /** How far ahead it may end. */
  readonly longest_seconds: number
}

/** The claims that every assertion has. */
export interface AssertionClaims extends Claims {
  readonly iss: string
  readonly sub: string
  readonly exp: number
  readonly jti: string
}

/** How far the clock of whoever signs may be ahead of ours (FAPI 2.0 section 5.3.2.1 asks for at least 10 s, at most 60 s). */
export const CLOCK_TOLERANCE_SECONDS = 10

const LONGEST_JTI = 256
// A client_id may be a URL.
const LONGEST_SUB = 2048
// Half a character is none, and a control character no part of a name.
const SUBJECT = /^[^\p{Cc}\p{Cs}]+$/u

/** Checks what an assertion says of itself; throws a JwtError that names the claim. */
export function checkAssertionClaims(claims: Claims, rules: AssertionRules): AssertionClaims {
  const { iss, sub, aud, jti } = claims
  if (iss !== rules.iss) throw wrong('must have the iss that its key belongs to')
  if (typeof sub !== 'string' || sub.length > LONGEST_SUB || !SUBJECT.test(sub)) throw wrong('must have a sub')
  if (aud !== rules.aud) throw wrong(`must have aud ${rules.aud}, as a string and alone`)
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) throw wrong('must have a jti')
  const exp = readTime(claims, 'exp')
  if (exp === null) throw wrong('must have an exp')
  if (exp * 1000 <= rules.now) throw wrong('is expired')
  const latest = rules.now + (rules.longest_seconds + CLOCK_TOLERANCE_SECONDS) * 1000
  if (exp * 1000 > latest) throw wrong(`must end within ${rules.longest_seconds} s`)
  checkBegun(claims, rules.now)
  return claims as AssertionClaims
}

/** Refuses a JWT whose iat or nbf lies ahead by more than clocks differ (FAPI 2.0 section 5.3.2.1). */
export function checkBegun(claims: Claims, now: number): void {
  for (const name of ['iat', 'nbf']) {
    const time = readTime(claims, name)
    if (time !== null && time * 1000 > now + CLOCK_TOLERANCE_SECONDS * 1000) throw wrong(`has an ${name} in the future`)
  }
}

/** A NumericDate in seconds (RFC 7519 section 2), or null when it is not there. */
export function readTime(claims: Claims, name: string): number | null {
  const time = claims[name]
  if (time === undefined) return null
  if (typeof time !== 'number' || !(time >= 0 && time < 2 ** 40)) throw wrong(`has an ${name} that is not a time`)
  return time
}

function wrong(what: string): JwtError {
  return new JwtError('wrong_claims', what)
}
