import type { JsonWebKey } from 'node:crypto'
import { askSigner } from './jwt.ts'
import {
  type Algorithm,
  describeKey,
  type HeldSigningKey,
  readVerifyingKey,
  type VerifyingKey,
} from './signing_keys.ts'

/** What holds private keys outside of this process, such as a KMS or an HSM: it makes them and signs, and gives none away. */
export interface Signer {
  /** Makes a key pair. `key` is the signer's own name of it, and all that is kept here. */
  createKey(alg: Algorithm): Promise<{ readonly key: string; readonly public_jwk: JsonWebKey }>
  /** Signs bytes, which it hashes itself (RFC 7518 section 3.1); ECDSA as DER, or as section 3.4 has it. */
  sign(key: string, alg: Algorithm, input: Buffer): Promise<Uint8Array>
}

// It stands where a private key would, sealed like one: no PKCS#8 begins so.
const HANDLE = 'signer:'

/** The signer's name of a key out of what is kept of it; null for a private key. */
export function readHandle(kept: Buffer): string | null {
  const text = kept.toString()
  return text.startsWith(HANDLE) ? text.slice(HANDLE.length) : null
}

/** A key that a signer holds. Without that signer nothing is signed by it, and it can be rotated to one of our own. */
export function holdKey(
  { key, ...described }: VerifyingKey & { readonly kid: string; readonly key: string },
  signer: Signer | undefined,
): HeldSigningKey {
  const sign = async (input: Buffer) => {
    if (signer) return signer.sign(key, described.alg, input)
    throw new Error(`key ${described.kid} is held by a signer, and this server was started without one`)
  }
  return { ...described, sign }
}

// What the key's own library calls the curve of ES256.
const P256 = 'prime256v1'

/** Lets a signer make a key, and sign by it once: one that cannot is never published. */
export async function makeHeldKey(signer: Signer, alg: Algorithm) {
  const { key, public_jwk } = await signer.createKey(alg)
  const described = describeKey(alg, public_jwk)
  const verifying = readVerifyingKey(alg, described.public_jwk)
  const { modulusLength = 3072, namedCurve = P256 } = verifying.publicKey.asymmetricKeyDetails ?? {}
  if (namedCurve !== P256) throw new Error(`the signer made a key on ${namedCurve}, which is none of ${alg}`)
  if (modulusLength < 3072) throw new Error(`the signer made an RSA key of ${modulusLength} bits`)
  await askSigner(holdKey({ key, kid: described.kid, ...verifying }, signer), Buffer.from('Is this your key?'))
  return { ...described, handle: Buffer.from(HANDLE + key) }
}
