import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  type KeyPairKeyObjectResult,
} from 'node:crypto'
import { promisify } from 'node:util'
import { sha256 } from './hash.ts'

/** The algorithms that tokens are signed with (RFC 7518 section 3.1, RFC 8037 section 3.1); nothing symmetric, never none. */
export const ALGORITHMS = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const

/** One of ALGORITHMS. */
export type Algorithm = (typeof ALGORITHMS)[number]

/** A key that signs for a tenant, by one algorithm alone; `kid` is the RFC 7638 thumbprint of its public half. */
export type SigningKey = OwnSigningKey | HeldSigningKey

/** One of this process's own. */
export interface OwnSigningKey {
  readonly kid: string
  readonly alg: Algorithm
  readonly privateKey: KeyObject
}

/** One whose private half a signer holds. */
export interface HeldSigningKey extends VerifyingKey {
  readonly kid: string
  sign(input: Buffer): Promise<Uint8Array>
}

/** A key that verifies, by one algorithm alone (RFC 8725 section 3.1). */
export interface VerifyingKey {
  readonly alg: Algorithm
  readonly publicKey: KeyObject
}

/** A key pair just made: the public JWK for JWKS and the private key as PKCS#8. */
export interface NewSigningKey {
  readonly kid: string
  readonly alg: Algorithm
  readonly public_jwk: JsonWebKey
  readonly pkcs8: Buffer
}

const generate = promisify(generateKeyPair) as (
  type: string,
  options: object,
) => Promise<Pick<KeyPairKeyObjectResult, 'publicKey' | 'privateKey'>>

const RSA = { type: 'rsa', options: { modulusLength: 3072, publicExponent: 0x10001 }, members: ['e', 'kty', 'n'] }

// Members in the order of RFC 7638 section 3.2, which hashes exactly these.
const KINDS: Readonly<Record<Algorithm, { type: string; options: object; members: readonly string[] }>> = {
  ES256: { type: 'ec', options: { namedCurve: 'P-256' }, members: ['crv', 'kty', 'x', 'y'] },
  EdDSA: { type: 'ed25519', options: {}, members: ['crv', 'kty', 'x'] },
  PS256: RSA,
  RS256: RSA,
}

/** Makes a key pair away from the main thread: finding primes takes longer than a request may wait. */
export async function newSigningKey(alg: Algorithm = 'ES256'): Promise<NewSigningKey> {
  const { type, options } = KINDS[alg]
  const { publicKey, privateKey } = await generate(type, options)
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  return { ...describeKey(alg, publicKey.export({ format: 'jwk' })), pkcs8 }
}

/** The name and the JWK of a public key, without whatever else came with it. */
export function describeKey(alg: Algorithm, jwk: JsonWebKey): Omit<NewSigningKey, 'pkcs8'> {
  const public_members = Object.fromEntries(KINDS[alg].members.map((name) => [name, jwk[name]]))
  const kid = sha256(JSON.stringify(public_members)).toString('base64url')
  return { kid, alg, public_jwk: { ...public_members, kid, alg, use: 'sig' } }
}

/** Reads a private key from PKCS#8. */
export function readSigningKey(kid: string, alg: Algorithm, pkcs8: Buffer): OwnSigningKey {
  return { kid, alg, privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }) }
}

/** Reads a public key of JWKS. */
export function readVerifyingKey(alg: Algorithm, public_jwk: JsonWebKey): VerifyingKey {
  return { alg, publicKey: createPublicKey({ key: public_jwk, format: 'jwk' }) }
}

/** Whether a text names one of ALGORITHMS. */
export function isAlgorithm(alg: string): alg is Algorithm {
  return (ALGORITHMS as readonly string[]).includes(alg)
}
