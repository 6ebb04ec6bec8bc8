import { OAuthError } from '../errors.ts'

/** A public key of a client (RFC 7517 section 4), reduced to the members this server looks at. */
export interface PublicJwk {
  kty: 'EC' | 'RSA' | 'OKP'
  kid?: string
  use?: string
  alg?: string
  crv?: string
  x?: string
  y?: string
  n?: string
  e?: string
}

/** A set of public keys (RFC 7517 section 5). */
export interface PublicJwks {
  keys: PublicJwk[]
}

const MOST_KEYS = 20
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const TEXT_MEMBERS = ['kid', 'use', 'alg', 'crv', 'x', 'y', 'n', 'e'] as const
const NEEDED_MEMBERS = { EC: ['crv', 'x', 'y'], RSA: ['n', 'e'], OKP: ['crv', 'x'] } as const
const CURVES = { EC: ['P-256', 'P-384', 'P-521'], RSA: [], OKP: ['Ed25519'] } as const
// 2048 bits in base64url.
const SHORTEST_MODULUS = 342

/**
 * Reads the `jwks` member of client metadata (RFC 7591 section 2). Private and symmetric keys, RSA keys under 2048
 * bits, unknown curves and repeated key ids are refused; members that point elsewhere (x5u, jku) are dropped.
 */
export function readJwks(value: unknown): PublicJwks {
  if (!isObject(value) || !Array.isArray(value['keys'])) throw refusal('must be an object with a list of keys')
  if (value['keys'].length === 0 || value['keys'].length > MOST_KEYS) throw refusal('must have 1 to 20 keys')
  const keys = value['keys'].map(readJwk)
  const kids = keys.flatMap((key) => key.kid ?? [])
  if (new Set(kids).size !== kids.length) throw refusal('must not have the same kid twice')
  if (keys.length > 1 && kids.length < keys.length) throw refusal('must have a kid in each of its keys')
  return { keys }
}

function readJwk(value: unknown): PublicJwk {
  if (!isObject(value)) throw refusal('must have only objects as keys')
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(value, name))) {
    throw refusal('must have public keys only: a private or symmetric key was sent')
  }
  const kty = value['kty']
  if (kty !== 'EC' && kty !== 'RSA' && kty !== 'OKP') throw refusal('may have keys of kty EC, RSA and OKP only')
  const jwk: PublicJwk = { kty }
  for (const name of TEXT_MEMBERS) {
    const text = value[name]
    if (text === undefined || text === null) continue
    if (typeof text !== 'string' || text.length > 2048) throw refusal(`has a key whose ${name} is not a short string`)
    jwk[name] = text
  }
  for (const name of NEEDED_MEMBERS[kty]) {
    if (!/^[A-Za-z0-9_-]+$/.test(jwk[name] ?? '')) throw refusal(`has a key of kty ${kty} without a proper ${name}`)
  }
  if (kty === 'RSA' && (jwk.n ?? '').length < SHORTEST_MODULUS) throw refusal('has an RSA key shorter than 2048 bits')
  if (kty !== 'RSA' && !(CURVES[kty] as readonly string[]).includes(jwk.crv ?? '')) {
    throw refusal('may have the curves P-256, P-384, P-521 and Ed25519 only')
  }
  if (jwk.use !== undefined && jwk.use !== 'sig' && jwk.use !== 'enc') throw refusal('may have use sig or enc only')
  return jwk
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refusal(what: string): OAuthError {
  return new OAuthError('invalid_client_metadata', `Member jwks ${what}`)
}
