import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Signer } from '../../server/src/crypto/signer.ts'
import type { Algorithm } from '../../server/src/crypto/signing_keys.ts'

/** A signer as a KMS is one: keys of its own, answers that take a turn, ECDSA in DER; and it can fail. */
export interface RemoteSigner extends Signer {
  /** What it does when it is asked for a signature. */
  mood: 'good' | 'down' | 'silent' | 'foreign' | 'cut'
  readonly signed: { readonly key: string; readonly text: string }[]
}

const MAKE: Readonly<Record<Algorithm, () => { publicKey: KeyObject; privateKey: KeyObject }>> = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 3072 }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 3072 }),
}

/** Starts one, in this process. */
export function createRemoteSigner(make = MAKE): RemoteSigner {
  const keys = new Map<string, KeyObject>()
  const signer: RemoteSigner = {
    mood: 'good',
    signed: [],
    async createKey(alg) {
      const { publicKey, privateKey } = make[alg]()
      const key = `projects/p/keys/${keys.size}`
      keys.set(key, privateKey)
      return { key, public_jwk: { ...publicKey.export({ format: 'jwk' }), alg: 'as the KMS calls it' } }
    },
    async sign(key, alg, input) {
      await new Promise(setImmediate)
      signer.signed.push({ key, text: input.toString() })
      if (signer.mood === 'down') throw new Error('503 at kms.example')
      if (signer.mood === 'silent') return new Promise(() => {})
      const signing = signer.mood === 'foreign' ? MAKE[alg]().privateKey : keys.get(key)!
      const padding = alg === 'PS256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}
      const signature = sign(alg === 'EdDSA' ? null : 'sha256', input, { key: signing, ...padding })
      return signer.mood === 'cut' ? signature.subarray(0, 20) : signature
    },
  }
  return signer
}
