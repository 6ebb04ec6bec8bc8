import { type Claims, JwtError, type UnverifiedJwt, verifyForeignJwt } from '../crypto/foreign_jwt.ts'
import type { Jwk } from '../crypto/public_key.ts'
import type { InboundContext } from './context.ts'

/** Where somebody's keys are: given to us, or published by their owner (RFC 7591 section 2). Never named by a JWT. */
export interface KeySource {
  readonly jwks?: { readonly keys: readonly Jwk[] }
  readonly jwks_uri?: string
}

/** The claims of a JWT, once a key of its signer is known to have signed it; a key we have not seen is asked for once. */
export async function verifyBySource(
  { remote_keys }: InboundContext,
  jwt: UnverifiedJwt,
  { jwks, jwks_uri }: KeySource,
): Promise<Claims> {
  if (jwks) return verifyForeignJwt(jwt, jwks.keys)
  if (jwks_uri === undefined) throw new JwtError('unknown_key', 'is signed by somebody whose keys are not registered')
  try {
    return verifyForeignJwt(jwt, await remote_keys.find(jwks_uri))
  } catch (error) {
    if (!(error instanceof JwtError) || error.code !== 'unknown_key') throw error
    const newer = await remote_keys.findNewer(jwks_uri)
    if (!newer) throw error
    return verifyForeignJwt(jwt, newer)
  }
}
