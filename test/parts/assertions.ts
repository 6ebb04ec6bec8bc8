import { createSecretKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Platform } from './platform.ts'

/** Key pairs for each kind of signature that others make for us; made once, they are costly. */
export const PAIRS = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: generateKeyPairSync('ed25519'),
  /** Of the same kind as the first: somebody else's. */
  other: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
} as const

/** The key pair that signs by an algorithm. */
export function pairFor(alg: string) {
  if (alg === 'ES256') return PAIRS.ES256
  return alg === 'PS256' || alg === 'RS256' ? PAIRS.PS256 : PAIRS.EdDSA
}

/** The public half of a key as a member of a key set. */
export function publicJwk(key: KeyObject, kid: string): Record<string, unknown> {
  return { ...key.export({ format: 'jwk' }), kid }
}

/** The key set that holds the public half of each pair but somebody else's. */
export const JWKS = {
  keys: (['ES256', 'PS256', 'EdDSA'] as const).map((name) => publicJwk(PAIRS[name].publicKey, name)),
}

/** The key id under which JWKS has the key of an algorithm. */
export function kidFor(alg: string): string {
  return alg === 'RS256' ? 'PS256' : alg === 'Ed25519' ? 'EdDSA' : alg
}

/** What to change of an assertion that would be good; an undefined claim is left out. */
export interface AssertionChange {
  readonly alg?: string
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  readonly key?: KeyObject
}

/** Signs an assertion of a client, good but for what is changed. */
export function signAssertion(
  p: Pick<Platform, 'issuer' | 'now'>,
  client_id: string,
  change: AssertionChange = {},
): Promise<string> {
  const { alg = 'ES256' } = change
  const at = Math.floor(p.now() / 1000)
  const claims = {
    ...{ iss: client_id, sub: client_id, aud: p.issuer, exp: at + 60, iat: at, jti: randomUUID() },
    ...change.claims,
  }
  return new SignJWT(claims)
    .setProtectedHeader({ alg, kid: kidFor(alg), ...change.header })
    .sign(change.key ?? pairFor(alg).privateKey)
}

/** Signs an assertion of a client by its secret (client_secret_jwt). */
export function signBySecret(p: Pick<Platform, 'issuer' | 'now'>, client_id: string, client_secret: string) {
  const key = createSecretKey(Buffer.from(client_secret))
  return signAssertion(p, client_id, { alg: 'HS256', header: { kid: undefined }, key })
}

/** The parameters that carry an assertion of a client (RFC 7523 section 2.2). */
export function asAssertion(client_assertion: string): Record<string, string> {
  return {
    client_assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  }
}
