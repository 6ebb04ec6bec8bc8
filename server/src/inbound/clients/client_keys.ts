import { createPrivateKey, type JsonWebKey } from 'node:crypto'
import { newSigningKey } from '../../crypto/signing_keys.ts'

/** A key pair just made for a client that signs: the set to register, and the private key, which is handed over and not kept. */
export interface NewClientKey {
  readonly jwks: { readonly keys: readonly JsonWebKey[] }
  readonly private_jwk: JsonWebKey
}

/** Makes a key pair for a client of private_key_jwt (OpenID Connect Core section 9; RFC 9700 section 2.5 prefers it). */
export async function makeClientKey(): Promise<NewClientKey> {
  const { public_jwk, pkcs8 } = await newSigningKey('ES256')
  const { d } = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
  return { jwks: { keys: [public_jwk] }, private_jwk: { ...public_jwk, d: d! } }
}
