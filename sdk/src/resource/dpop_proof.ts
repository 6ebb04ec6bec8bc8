import { base64url, calculateJwkThumbprint, compactVerify, importJWK, type JWK } from 'jose'
import { OAuthError } from '../oauth_error.ts'
import { decodeJson, isCanonical, splitJws } from './compact_jws.ts'
import { isObject } from './fetch_json.ts'
import { RecentMap } from './recent_map.ts'
import { isSameTarget } from './target_url.ts'

/** Algorithms that proofs can be signed with (RFC 9449 section 11.6); Ed25519 is the name that RFC 9864 gives to EdDSA. */
export const DPOP_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'PS256'] as const

/** An algorithm of the list above. */
export type DpopAlgorithm = (typeof DPOP_ALGORITHMS)[number]

/** What a proof is held against (RFC 9449 section 4.3). */
export interface ExpectedProof {
  readonly method: string
  /** The public URL of the request. */
  readonly url: string
  /** The `ath` of the access token. */
  readonly ath: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly algorithms: readonly DpopAlgorithm[]
}

/** A proof whose claims fit the request; nobody has looked at its signature yet. */
export interface UnverifiedProof {
  readonly dpop: string
  readonly alg: DpopAlgorithm
  readonly jwk: JWK
  readonly jti: string
  readonly nonce: unknown
}

/** Longest time that a proof is good for: its age, and how far ahead of ours its clock may be. */
export const LONGEST_LIFE_MS = 70_000

const LONGEST_AGE_SECONDS = 60
const LONGEST_AHEAD_SECONDS = 10
const LONGEST_PROOF = 16_384
const LONGEST_JTI = 256
const RSA_BYTES = { least: 256, most: 1024 }

/** Reads a DPoP header and holds what it says against the request (RFC 9449 sections 4.2 and 4.3). */
export function readProof(dpop: string | null, expected: ExpectedProof): UnverifiedProof {
  if (dpop === null) throw new OAuthError('invalid_dpop_proof', 'The request has no DPoP header')
  if (dpop.length > LONGEST_PROOF) throw invalid('is longer than 16 kB')
  // Two DPoP fields arrive joined by a comma (RFC 9110 section 5.3), which is no character of a proof.
  const parts = splitJws(dpop)
  const header = parts && decodeJson(parts[0])
  const claims = parts && decodeJson(parts[1])
  if (header === undefined || claims === undefined || !isCanonical(parts![2])) throw invalid('is not one signed JWT')
  const { alg, jwk } = checkHeader(header, expected.algorithms)
  const { jti, nonce } = checkClaims(claims, expected)
  return { dpop, alg, jwk, jti, nonce }
}

function checkHeader(header: Record<string, unknown>, algorithms: readonly DpopAlgorithm[]) {
  const { typ, crit, b64 } = header
  if (typeof typ !== 'string' || !/^(application\/)?dpop\+jwt$/i.test(typ)) throw invalid('must have typ dpop+jwt')
  const alg = algorithms.find((algorithm) => algorithm === header.alg)
  if (alg === undefined) throw invalid(`must have alg ${algorithms.join(', ')}`)
  if (crit !== undefined || b64 !== undefined) throw invalid('must not use a JWS extension')
  const jwk = readPublicKey(header.jwk, alg)
  if (jwk === undefined) throw invalid('must have the public key for its alg as jwk')
  return { alg, jwk }
}

/** The members that make the key, which are those of its thumbprint (RFC 7638 section 3.2); private keys are refused. */
function readPublicKey(jwk: unknown, alg: DpopAlgorithm): JWK | undefined {
  if (!isObject(jwk) || ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].some((name) => name in jwk)) return undefined
  const { kty, crv, x, y, n, e } = jwk
  const isText = (...values: unknown[]) => values.every((value) => typeof value === 'string' && value.length <= 2048)
  if (alg === 'ES256') return kty === 'EC' && crv === 'P-256' && isText(x, y) ? ({ kty, crv, x, y } as JWK) : undefined
  if (alg === 'PS256') return kty === 'RSA' && isText(n, e) && isSafeRsa(n, e) ? ({ kty, n, e } as JWK) : undefined
  return kty === 'OKP' && crv === 'Ed25519' && isText(x) ? ({ kty, crv, x } as JWK) : undefined
}

// Below 2048 bits it can be broken, above 8192 or with a long exponent one verification costs so much that it is an attack.
function isSafeRsa(n: unknown, e: unknown): boolean {
  try {
    const bytes = base64url.decode(n as string).length
    return bytes >= RSA_BYTES.least && bytes <= RSA_BYTES.most && base64url.decode(e as string).length <= 4
  } catch {
    return false
  }
}

function checkClaims(claims: Record<string, unknown>, expected: ExpectedProof): { jti: string; nonce: unknown } {
  const { htm, htu, iat, nbf, jti, ath, nonce } = claims
  const now = expected.now / 1000
  if (htm !== expected.method) throw invalid(`must have htm ${expected.method}`)
  if (typeof htu !== 'string' || !isSameTarget(htu, expected.url))
    throw invalid('must have the URL of the request as htu')
  if (!Number.isFinite(iat)) throw invalid('must have an iat')
  const latest = Math.max(iat as number, nbf === undefined ? 0 : Number(nbf))
  if (!(latest <= now + LONGEST_AHEAD_SECONDS)) throw invalid('is from the future')
  if ((iat as number) < now - LONGEST_AGE_SECONDS) throw invalid('has an iat that is over a minute ago')
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) {
    throw invalid(`must have a jti of 1 to ${LONGEST_JTI} characters`)
  }
  if (ath !== expected.ath) throw invalid('must have the hash of the access token as ath')
  return { jti, nonce }
}

/** Verifies proofs; the keys of the clients seen last are kept, because a client has one for as long as its tokens. */
export class ProofVerifier {
  readonly #keys = new RecentMap<{ readonly key: Awaited<ReturnType<typeof importJWK>>; readonly jkt: string }>(1000)

  /** The thumbprint of the key that signed (RFC 9449 section 6.1). */
  async verify({ dpop, alg, jwk }: UnverifiedProof): Promise<string> {
    try {
      const { key, jkt } = await this.#findKey(alg, jwk)
      await compactVerify(dpop, key, { algorithms: [alg] })
      return jkt
    } catch (cause) {
      throw invalid('has a signature that does not verify', cause)
    }
  }

  async #findKey(alg: DpopAlgorithm, jwk: JWK) {
    const name = `${alg} ${JSON.stringify(jwk)}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const imported = { key: await importJWK(jwk, alg), jkt: await calculateJwkThumbprint(jwk) }
    this.#keys.set(name, imported)
    return imported
  }
}

function invalid(what: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_dpop_proof', `The DPoP proof ${what}`, { cause })
}
