import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { sha256 } from './hash.ts'
import { randomBytes } from './random.ts'
import type { OwnSigningKey } from './signing_keys.ts'

/** A key that others seal to (X25519); `kid` is the RFC 7638 thumbprint of its public half. */
export interface AgreementKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly public_jwk: OkpJwk & { readonly kid: string; readonly alg: string; readonly use: string }
}

// PKCS#8 up to the 32 bytes themselves (RFC 8410 section 7).
const X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The X25519 key that 32 bytes are. */
export function readAgreementKey(seed: Uint8Array): AgreementKey {
  const { privateKey, jwk, kid } = readSeed(X25519, 'X25519', seed)
  return { kid, privateKey, public_jwk: { ...jwk, kid, alg: 'ECDH-ES', use: 'enc' } }
}

/** Makes the 32 bytes of such a key. */
export function newAgreementSeed(): Buffer {
  return randomBytes(32)
}

/** The Ed25519 key that 32 bytes are, for a signer that keeps no key but these bytes. */
export function readSeededSigningKey(seed: Uint8Array): OwnSigningKey & Pick<AgreementKey, 'public_jwk'> {
  const { privateKey, jwk, kid } = readSeed(ED25519, 'Ed25519', seed)
  return { kid, alg: 'EdDSA', privateKey, public_jwk: { ...jwk, kid, alg: 'EdDSA', use: 'sig' } }
}

/** A public key on one of the two curves (RFC 8037 section 2), by its required members alone. */
export interface OkpJwk {
  readonly kty: string
  readonly crv: string
  readonly x: string
}

/** Reads a public key on one of the two curves, with its RFC 7638 thumbprint; null for anything else. */
export function readOkpJwk(given: unknown, curve: 'X25519' | 'Ed25519'): { kid: string; jwk: OkpJwk } | null {
  const { kty, crv, x } = (given ?? {}) as JsonWebKey
  if (kty !== 'OKP' || crv !== curve || typeof x !== 'string' || !/^[\w-]{43}$/.test(x)) return null
  return { kid: sha256(JSON.stringify({ crv, kty, x })).toString('base64url'), jwk: { kty, crv, x } }
}

function readSeed(prefix: Buffer, curve: 'X25519' | 'Ed25519', seed: Uint8Array) {
  if (seed.length !== 32) throw new Error('the seed of a key must be 32 bytes')
  const privateKey = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' })
  const { kid, jwk } = readOkpJwk(createPublicKey(privateKey).export({ format: 'jwk' }), curve)!
  return { kid, jwk, privateKey }
}
