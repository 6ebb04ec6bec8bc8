import type { Signer } from '../crypto/signer.ts'

const TO_SIGN_MS = 3_000
const TO_MAKE_MS = 30_000

/** A signer that answers in time, or has failed: who asked for a token must not wait for a KMS that is down. */
export function limitSigner(signer: Signer): Signer {
  return {
    createKey: (alg) => inTime(signer.createKey(alg), TO_MAKE_MS),
    sign: (key, alg, input) => inTime(signer.sign(key, alg, input), TO_SIGN_MS),
  }
}

async function inTime<Result>(work: Promise<Result>, ms: number): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer of the signer in ${ms} ms`)), ms)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
