import { equalBytes, sha256 } from '../crypto/hash.ts'
import { OAuthError } from './errors.ts'
import type { Params } from './params.ts'

/** A code challenge by the only method this server takes (RFC 7636 section 4.3, OAuth 2.1 section 4.1.1). */
export interface CodeChallenge {
  code_challenge: string
  code_challenge_method: 'S256'
}

// SHA-256 in base64url without padding is 43 characters.
const CODE_CHALLENGE = /^[A-Za-z0-9_-]{43}$/
const CODE_VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/

/**
 * The code challenge of an authorization request (RFC 7636 section 4.3). `plain`, which is also what a missing method
 * means, is refused. Undefined only where PKCE is not required and none of its parameters is there.
 */
export function readCodeChallenge(params: Params, options: { required: boolean }): CodeChallenge | undefined {
  const { code_challenge, code_challenge_method } = params.values
  if (code_challenge === undefined) {
    if (options.required || code_challenge_method !== undefined) {
      throw new OAuthError(
        'invalid_request',
        'Parameter code_challenge is missing: this client must use PKCE with S256',
      )
    }
    return undefined
  }
  if (code_challenge_method !== 'S256') {
    throw new OAuthError('invalid_request', 'Parameter code_challenge_method must be S256')
  }
  if (!CODE_CHALLENGE.test(code_challenge)) {
    throw new OAuthError('invalid_request', 'Parameter code_challenge must be 43 characters of base64url')
  }
  return { code_challenge, code_challenge_method }
}

/** What a code verifier turned out to be. */
export type CodeVerifierResult = 'ok' | 'missing' | 'unexpected' | 'malformed' | 'mismatch'

/**
 * Compares the verifier of a token request with the challenge its code was issued under (RFC 7636 section 4.6), in
 * constant time. A verifier without a challenge is refused as well as the reverse (RFC 9700 section 4.8.2).
 */
export function checkCodeVerifier(
  code_verifier: string | undefined,
  code_challenge: string | null | undefined,
): CodeVerifierResult {
  if (code_challenge === undefined || code_challenge === null) return code_verifier === undefined ? 'ok' : 'unexpected'
  if (code_verifier === undefined) return 'missing'
  if (!CODE_VERIFIER.test(code_verifier)) return 'malformed'
  const expected = Buffer.from(code_challenge, 'latin1')
  const actual = Buffer.from(hashCodeVerifier(code_verifier), 'latin1')
  return equalBytes(expected, actual) ? 'ok' : 'mismatch'
}

/** The S256 challenge of a verifier (RFC 7636 section 4.2). */
export function hashCodeVerifier(code_verifier: string): string {
  return sha256(code_verifier).toString('base64url')
}

/** The refusal that a result other than `ok` stands for (RFC 7636 section 4.6). */
export function codeVerifierError(result: Exclude<CodeVerifierResult, 'ok'>): OAuthError {
  switch (result) {
    case 'missing':
      return new OAuthError(
        'invalid_grant',
        'Parameter code_verifier is missing: the code was issued with a code_challenge',
      )
    case 'unexpected':
      return new OAuthError('invalid_grant', 'Parameter code_verifier is given, but the code has no code_challenge')
    case 'malformed':
      return new OAuthError('invalid_grant', 'Parameter code_verifier must be 43 to 128 letters, digits or . _ ~ -')
    case 'mismatch':
      return new OAuthError('invalid_grant', 'Parameter code_verifier does not match the code_challenge')
  }
}
