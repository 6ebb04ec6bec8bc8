import { constants, createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'

/** A key of a client that proves by DPoP that it has it. */
export interface DpopKey {
  readonly alg: string
  readonly privateKey: KeyObject
  /** The public half, in the members of its thumbprint. */
  readonly jwk: Readonly<Record<string, string>>
  /** The thumbprint (RFC 7638). */
  readonly jkt: string
}

const MEMBERS = { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] } as const

/** Makes a key for an algorithm. */
export function makeDpopKey(alg = 'ES256', more: { modulusLength?: number; publicExponent?: number } = {}): DpopKey {
  const { privateKey, publicKey } = generate(alg, more)
  const exported = publicKey.export({ format: 'jwk' }) as Record<string, string>
  const members = MEMBERS[exported['kty'] as keyof typeof MEMBERS]
  const jwk = Object.fromEntries(members.map((name) => [name, exported[name]!]))
  const jkt = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url')
  return { alg, privateKey, jwk, jkt }
}

function generate(alg: string, { modulusLength = 2048, publicExponent = 65_537 }) {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (alg === 'ES384') return generateKeyPairSync('ec', { namedCurve: 'P-384' })
  if (alg === 'EdDSA' || alg === 'Ed25519') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength, publicExponent })
}

/** What a proof is to say; an undefined member is left out, and so is one of the header. */
export interface ProofContent {
  readonly claims: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  /** Who signs in fact; the key itself unless told otherwise. */
  readonly signer?: DpopKey
}

/** Makes a DPoP proof (RFC 9449 section 4.2), or what somebody would pass off as one. */
export function makeProof(key: DpopKey, { claims, header = {}, signer = key }: ProofContent): string {
  const head = encode({ typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...header })
  const input = `${head}.${encode({ jti: randomUUID(), ...claims })}`
  return `${input}.${signBytes(signer, input).toString('base64url')}`
}

/** The `ath` of an access token. */
export function hashOfToken(access_token: string): string {
  return createHash('sha256').update(access_token).digest('base64url')
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function signBytes({ alg, privateKey: key }: DpopKey, input: string): Buffer {
  const bytes = Buffer.from(input)
  if (alg === 'EdDSA' || alg === 'Ed25519') return sign(null, bytes, key)
  if (alg === 'PS256') return sign('sha256', bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
  if (alg.startsWith('ES')) return sign(`sha${alg.slice(2)}`, bytes, { key, dsaEncoding: 'ieee-p1363' })
  return sign('sha256', bytes, key)
}
