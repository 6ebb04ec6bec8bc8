import { base64url, type CryptoKey, importJWK } from 'jose'
import { isObject } from './fetch_json.ts'

/** Signature algorithms that can be accepted: asymmetric ones alone (RFC 8725 sections 3.1 and 3.2). */
export const ALGORITHMS = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const

/** An algorithm of the list above. */
export type Algorithm = (typeof ALGORITHMS)[number]

/** A public key with the one algorithm that it may verify. */
interface VerificationKey {
  readonly kid: string | undefined
  readonly alg: Algorithm
  readonly key: CryptoKey
}

/** The usable public keys of one JWK Set (RFC 7517 section 5). */
export type KeySet = readonly VerificationKey[]

const MOST_KEYS = 100
const SHORTEST_RSA_BYTES = 256

/**
 * Reads a JWK Set. Keys that are not for verifying with an accepted algorithm are left out (RFC 7517 section 5). The
 * key decides its algorithm, not the token: a key without `alg` is pinned to one (RFC 8725 section 3.1).
 */
export async function readKeySet(jwks: Record<string, unknown>): Promise<KeySet> {
  if (!Array.isArray(jwks.keys)) throw new TypeError('The JWK Set has no array of keys')
  if (jwks.keys.length > MOST_KEYS) throw new RangeError(`The JWK Set holds more than ${MOST_KEYS} keys`)
  const keys = await Promise.all(jwks.keys.map(readKey))
  return keys.filter((key) => key !== undefined)
}

/** The one key that fits a token's header; undefined when none does, 'ambiguous' when several do. */
export function findKey(keys: KeySet, alg: string, kid: string | undefined): CryptoKey | 'ambiguous' | undefined {
  const fitting = keys.filter((key) => key.alg === alg && (kid === undefined || key.kid === kid))
  return fitting.length > 1 ? 'ambiguous' : fitting[0]?.key
}

async function readKey(jwk: unknown): Promise<VerificationKey | undefined> {
  if (!isObject(jwk)) return undefined
  const { kid, use, key_ops } = jwk
  if (use !== undefined && use !== 'sig') return undefined
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes('verify'))) return undefined
  const alg = algorithmOf(jwk)
  if (alg === undefined) return undefined
  // Public members alone: a JWK Set has no say in how its keys are used here.
  const { kty, crv, x, y, n, e } = jwk as Record<string, string>
  const members =
    kty === 'RSA' ? { kty, n: n!, e: e! } : kty === 'EC' ? { kty, crv: crv!, x: x!, y: y! } : { kty, crv, x }
  try {
    if (kty === 'RSA' && base64url.decode(n!).length < SHORTEST_RSA_BYTES) return undefined
    const key = (await importJWK(members as Record<string, string>, alg)) as CryptoKey
    return { kid: typeof kid === 'string' ? kid : undefined, alg, key }
  } catch {
    return undefined
  }
}

function algorithmOf({ kty, crv, alg }: Record<string, unknown>): Algorithm | undefined {
  if (kty === 'EC' && crv === 'P-256' && (alg === undefined || alg === 'ES256')) return 'ES256'
  if (kty === 'OKP' && crv === 'Ed25519' && (alg === undefined || alg === 'EdDSA' || alg === 'Ed25519')) return 'EdDSA'
  if (kty === 'RSA' && (alg === undefined || alg === 'RS256')) return 'RS256'
  if (kty === 'RSA' && alg === 'PS256') return 'PS256'
  return undefined
}
