import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { sha256 } from './hash.ts'
import { signUnder } from './jwt.ts'
import { describeKey, newSigningKey, type OwnSigningKey, readSigningKey } from './signing_keys.ts'

/** A key that proves whose a token is (RFC 9449): it signs under its public half, and is known by its thumbprint. */
export interface ProofKey {
  readonly key: OwnSigningKey
  readonly public_jwk: JsonWebKey
  /** RFC 7638: `jkt`. */
  readonly thumbprint: string
}

const ALGORITHM = 'ES256'

/** Makes a key, as text to be sealed. */
export async function newProofKey(): Promise<string> {
  return (await newSigningKey(ALGORITHM)).pkcs8.toString('base64url')
}

/** Reads a key that was sealed as text. */
export function readProofKey(text: string): ProofKey {
  const key = readSigningKey('', ALGORITHM, Buffer.from(text, 'base64url'))
  const { kid: thumbprint, public_jwk } = describeKey(
    ALGORITHM,
    createPublicKey(key.privateKey).export({ format: 'jwk' }),
  )
  const { kty, crv, x, y } = public_jwk
  return { key, public_jwk: { kty, crv, x, y } as JsonWebKey, thumbprint }
}

/** Signs a proof of the key for one request (RFC 9449 section 4.2); with a token, for its use (`ath`). */
export function signProof({ key, public_jwk }: ProofKey, claims: object, access_token?: string): string {
  const ath = access_token === undefined ? {} : { ath: sha256(access_token).toString('base64url') }
  return signUnder({ typ: 'dpop+jwt', alg: ALGORITHM, jwk: public_jwk }, key, { ...claims, ...ath })
}
