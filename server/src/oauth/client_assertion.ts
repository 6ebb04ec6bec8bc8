import type { UnverifiedJwt } from '../crypto/foreign_jwt.ts'
import { type Claims, FOREIGN_ALGORITHMS, JwtError, type JwtProfile, readForeignJwt } from '../crypto/foreign_jwt.ts'
import { type AssertionClaims, checkAssertionClaims } from './jwt_claims.ts'

/** How a client signs an assertion: by a key pair (private_key_jwt), or by its secret (client_secret_jwt). */
export const CLIENT_ASSERTION_ALGORITHMS = {
  private_key_jwt: FOREIGN_ALGORITHMS,
  client_secret_jwt: ['HS256'],
} as const

/** A method by which a client signs an assertion (OpenID Connect Core section 9). */
export type AssertionMethod = keyof typeof CLIENT_ASSERTION_ALGORITHMS

/** Whether clients of this registered method sign an assertion. */
export function isAssertionMethod(method: string): method is AssertionMethod {
  return Object.hasOwn(CLIENT_ASSERTION_ALGORITHMS, method)
}

// RFC 10070 section 4 has a type of its own; clients from before it say JWT, or nothing.
const PROFILE: JwtProfile = {
  typ: ['client-authentication+jwt', 'jwt', null],
  alg: [...FOREIGN_ALGORITHMS, 'HS256'],
}

/** An assertion lives for minutes: it is made for one request, and its jti is remembered until it ends. */
export const LONGEST_CLIENT_ASSERTION_SECONDS = 300

/** Reads the assertion of a client, and which client it names; throws a JwtError. Nothing is verified here. */
export function readClientAssertion(token: string): { client_id: string; assertion: UnverifiedJwt } {
  const assertion = readForeignJwt(token, PROFILE)
  const { sub } = assertion.unverified
  // The characters of a client_id (RFC 6749 appendix A.1): what else somebody writes there reaches no query.
  if (typeof sub !== 'string' || !/^[\x20-\x7e]{1,2048}$/.test(sub)) {
    throw new JwtError('wrong_claims', 'must have the client_id as sub')
  }
  return { client_id: sub, assertion }
}

/** The registered method that an assertion is of: the algorithm tells, and the client must be registered for it. */
export function methodOfAssertion({ alg }: UnverifiedJwt): AssertionMethod {
  return alg === 'HS256' ? 'client_secret_jwt' : 'private_key_jwt'
}

/** Checks what a verified assertion says (RFC 7523 section 3, RFC 10070 section 3); throws a JwtError. */
export function checkClientAssertion(
  claims: Claims,
  rules: { readonly client_id: string; readonly issuer: string; readonly now: number },
): AssertionClaims {
  const { client_id, issuer, now } = rules
  const checked = checkAssertionClaims(claims, {
    now,
    iss: client_id,
    aud: issuer,
    longest_seconds: LONGEST_CLIENT_ASSERTION_SECONDS,
  })
  if (checked.sub !== client_id) throw new JwtError('wrong_claims', 'must have the client_id as sub')
  return checked
}
