import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { isSignedBy } from './jwt.ts'
import { importPublicKey, type Jwk, readPublicJwk } from './public_key.ts'
import type { Algorithm } from './signing_keys.ts'
import { parseUniqueJson } from './unique_json.ts'

/** The algorithms by which others sign for us (RFC 8725 section 3.1); `Ed25519` is what RFC 9864 calls EdDSA there. */
export const FOREIGN_ALGORITHMS = ['ES256', 'PS256', 'EdDSA', 'Ed25519', 'RS256'] as const

/** An algorithm that a profile may allow. HS256 is for client_secret_jwt alone and never beside another. */
export type ForeignAlgorithm = (typeof FOREIGN_ALGORITHMS)[number] | 'HS256'

/** What one input takes for a JWT (RFC 8725 sections 3.1 and 3.11): each kind of JWT has a profile of its own. */
export interface JwtProfile {
  /** The values of `typ` it takes, without `application/` and in lower case; null is a JWT that has none. */
  readonly typ: readonly (string | null)[]
  readonly alg: readonly ForeignAlgorithm[]
  /** True where the JWT brings its own key along (RFC 9449 section 4.2); elsewhere such a header is refused. */
  readonly embedded_jwk?: boolean
}

/** The claims of a JWT, as they were sent. */
export type Claims = Readonly<Record<string, unknown>>

/** A JWT that fits its profile. Nobody has looked at its signature. */
export interface UnverifiedJwt {
  readonly alg: ForeignAlgorithm
  readonly kid: string | null
  /** The key it brought along; null in every profile that does not ask for one. */
  readonly jwk: Jwk | null
  /** For finding the key alone: who it says it is from. */
  readonly unverified: Claims
  readonly input: Buffer
  readonly signature: Buffer
}

/** Why a JWT is refused, as a word that code can branch on; `unknown_key` may be a key that is newer than our copy. */
export class JwtError extends Error {
  readonly code: 'malformed' | 'unknown_key' | 'wrong_signature' | 'wrong_claims'

  constructor(code: JwtError['code'], message: string) {
    super(message)
    this.name = 'JwtError'
    this.code = code
  }
}

const LONGEST = 16_384
const LONGEST_KID = 256
// Each would let the JWT choose its key, or its meaning (RFC 8725 sections 3.9 and 3.10, RFC 7515 section 4.1.11).
const FORBIDDEN = ['jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc']

/** Reads a compact JWS (RFC 7515 section 3.1) by a profile; throws a JwtError that says what is wrong with it. */
export function readForeignJwt(token: string, profile: JwtProfile): UnverifiedJwt {
  if (token.length > LONGEST) throw malformed('is longer than 16 kB')
  const parts = token.split('.')
  if (parts.length !== 3) throw malformed('is not three parts with dots between')
  const header = readPart(parts[0]!, 'header')
  const { alg, kid = null } = header
  if (!(profile.alg as readonly unknown[]).includes(alg)) throw malformed(`must have alg ${profile.alg.join(', ')}`)
  if (!profile.typ.includes(readTyp(header['typ']))) throw malformed(`must have typ ${listTypes(profile)}`)
  const forbidden = [...FORBIDDEN, ...(profile.embedded_jwk ? [] : ['jwk'])].find((name) => Object.hasOwn(header, name))
  if (forbidden !== undefined) throw malformed(`must not have ${forbidden} in its header`)
  if (kid !== null && (typeof kid !== 'string' || kid.length > LONGEST_KID)) throw malformed('has a kid we cannot read')
  const jwk = profile.embedded_jwk ? readPublicJwk(header['jwk']) : null
  if (profile.embedded_jwk && !jwk) throw malformed('must have a public key as jwk in its header')
  return {
    alg: alg as ForeignAlgorithm,
    kid,
    jwk,
    unverified: readPart(parts[1]!, 'payload'),
    input: Buffer.from(`${parts[0]}.${parts[1]}`),
    signature: decode(parts[2]!, 'signature'),
  }
}

/**
 * The claims, once one key of a set is known to have signed them. The key must be the one that `kid` names, or the
 * only one that fits (OpenID Connect Core section 10.1), and be made for the algorithm.
 */
export function verifyForeignJwt(jwt: UnverifiedJwt, keys: readonly Jwk[]): Claims {
  const [jwk, ...more] = keys.filter((key) => isFor(key, jwt))
  if (!jwk) throw new JwtError('unknown_key', 'is signed with a key that is not registered')
  if (more.length > 0) throw new JwtError('unknown_key', 'must name one of several keys by its kid')
  const publicKey = importPublicKey(jwk)
  if (!publicKey) throw new JwtError('unknown_key', 'is signed with a key that is too weak or cannot be read')
  const { alg, input, signature } = jwt
  if (alg === 'HS256' || !isSignedBy({ alg: SCHEME_OF[alg], publicKey }, input, signature)) throw wrongSignature()
  return jwt.unverified
}

/** The claims, once a shared secret is known to have signed them (RFC 7518 section 3.2). */
export function verifyForeignMac(jwt: UnverifiedJwt, secrets: readonly KeyObject[]): Claims {
  const fits = (secret: KeyObject) => {
    const mac = createHmac('sha256', secret).update(jwt.input).digest()
    return mac.length === jwt.signature.length && timingSafeEqual(mac, jwt.signature)
  }
  if (jwt.alg !== 'HS256' || !secrets.some(fits)) throw wrongSignature()
  return jwt.unverified
}

const SCHEME_OF: Readonly<Record<Exclude<ForeignAlgorithm, 'HS256'>, Algorithm>> = {
  ES256: 'ES256',
  PS256: 'PS256',
  EdDSA: 'EdDSA',
  Ed25519: 'EdDSA',
  RS256: 'RS256',
}

// The kind of key decides, never the header alone (RFC 8725 section 3.1, CVE-2026-22818).
function isFor(key: Jwk, { alg, kid }: UnverifiedJwt): boolean {
  if (key.use === 'enc' || (kid !== null && key.kid !== undefined && key.kid !== kid)) return false
  if (alg === 'EdDSA' || alg === 'Ed25519') {
    return key.kty === 'OKP' && key.crv === 'Ed25519' && [undefined, 'EdDSA', 'Ed25519'].includes(key.alg)
  }
  if (key.alg !== undefined && key.alg !== alg) return false
  if (alg === 'ES256') return key.kty === 'EC' && key.crv === 'P-256'
  return (alg === 'PS256' || alg === 'RS256') && key.kty === 'RSA'
}

function readPart(part: string, what: string): Claims {
  let value: unknown
  try {
    value = parseUniqueJson(UTF8.decode(decode(part, what)))
  } catch (error) {
    if (error instanceof JwtError) throw error
    throw malformed(`has a ${what} that is not JSON with each member once`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`has no object as ${what}`)
  return value as Claims
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

// Re-encoding refuses every second spelling of the same bytes (RFC 7515 section 2).
function decode(part: string, what: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  if (part === '' || bytes.toString('base64url') !== part) throw malformed(`has a ${what} that is not base64url`)
  return bytes
}

function readTyp(typ: unknown): string | null {
  if (typ === undefined) return null
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : ''
}

function listTypes({ typ }: JwtProfile): string {
  return typ.map((value) => value ?? 'absent').join(' or ')
}

function malformed(what: string): JwtError {
  return new JwtError('malformed', what)
}

function wrongSignature(): JwtError {
  return new JwtError('wrong_signature', 'has a signature that does not verify')
}
