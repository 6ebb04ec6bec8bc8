import { type ProofKey, signProof } from '../crypto/proof_key.ts'
import { randomSecret } from '../crypto/random.ts'
import type { RelyingContext } from './context.ts'
import { readJsonObject } from './read_json.ts'

const LONGEST_NONCE = 512

// A scheme, or a parameter whose value is a token or a quoted string (RFC 9110 section 11).
const PART = /([\w!#$%&'*+.^`|~-]+)(?:[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[\w!#$%&'*+.^`|~-]+))?/g

/** A proof of the key for one request (RFC 9449 section 4.2), with the nonce that its server wants, if it has told one. */
export function proveKey(
  { clock, nonces }: Pick<RelyingContext, 'clock' | 'nonces'>,
  key: ProofKey,
  request: { readonly method: string; readonly url: string | URL; readonly access_token?: string | undefined },
): string {
  const { origin, pathname } = new URL(request.url)
  const nonce = nonces.get(origin)
  const claims = {
    ...{ jti: randomSecret(), htm: request.method, htu: origin + pathname, iat: Math.floor(clock() / 1000) },
    ...(nonce !== undefined && { nonce }),
  }
  return signProof(key, claims, request.access_token)
}

/** Keeps the nonce that a server wants in the proofs that follow (RFC 9449 section 8.2). */
export function noteNonce({ nonces }: Pick<RelyingContext, 'nonces'>, url: string | URL, { headers }: Response): void {
  const nonce = headers.get('dpop-nonce')
  // RFC 9449 section 8.1: the characters of a nonce.
  if (nonce && nonce.length <= LONGEST_NONCE && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(nonce)) {
    nonces.set(new URL(url).origin, nonce)
  }
}

/** Whether an authorization server has only told the nonce that it wants, and done nothing else (RFC 9449 section 8). */
export async function isNonceAnswer(response: Response): Promise<boolean> {
  if (response.status !== 400 || !response.headers.has('dpop-nonce')) return false
  try {
    return readJsonObject(await response.clone().text())['error'] === 'use_dpop_nonce'
  } catch {
    return false
  }
}

/** The same of an API (RFC 9449 section 9). */
export function isNonceChallenge({ status, headers }: Response): boolean {
  if (status !== 401 || !headers.has('dpop-nonce')) return false
  let scheme = ''
  for (const [, name = '', value] of (headers.get('www-authenticate') ?? '').matchAll(PART)) {
    if (value === undefined) scheme = name.toLowerCase()
    else if (scheme === 'dpop' && name.toLowerCase() === 'error' && unquote(value) === 'use_dpop_nonce') return true
  }
  return false
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
}
