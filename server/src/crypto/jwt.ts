import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { sha256 } from './hash.ts'

/** A key that signs for a tenant; `kid` is the RFC 7638 thumbprint of its public half. */
export interface SigningKey {
  readonly kid: string
  readonly alg: 'ES256'
  readonly privateKey: KeyObject
}

/** A new P-256 key pair: the public JWK for JWKS and the private key as PKCS#8. */
export function newSigningKey(): { kid: string; alg: 'ES256'; public_jwk: JsonWebKey; pkcs8: Buffer } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  const kid = sha256(JSON.stringify({ crv, kty, x, y })).toString('base64url')
  return {
    kid,
    alg: 'ES256',
    public_jwk: { kty: kty!, crv: crv!, x: x!, y: y!, kid, alg: 'ES256', use: 'sig' },
    pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }),
  }
}

/** Reads a private key from PKCS#8. */
export function readSigningKey(kid: string, pkcs8: Buffer): SigningKey {
  return { kid, alg: 'ES256', privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }) }
}

/** Reads a public key of JWKS. */
export function readVerifyingKey(public_jwk: JsonWebKey): KeyObject {
  return createPublicKey({ key: public_jwk, format: 'jwk' })
}

/** Signs claims as a compact JWS of the given `typ` (RFC 7515, RFC 7519). */
export function signJwt(key: SigningKey, typ: string, claims: object): string {
  const input = `${encodeHeader(key, typ)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  // A bare KeyObject signs twice as fast as one with dsaEncoding; the DER answer is turned into raw here.
  return `${input}.${derToRaw(sign('sha256', Buffer.from(input), key.privateKey)).toString('base64url')}`
}

/** The claims of a compact JWS that one of our own keys signed, or null. The caller checks times and audience. */
export function verifyOwnJwt(
  token: string,
  typ: string,
  findKey: (kid: string) => KeyObject | undefined,
): Record<string, unknown> | null {
  const parts = token.split('.')
  if (parts.length !== 3) return null
  const header = parseJson(parts[0]!)
  if (header?.['alg'] !== 'ES256' || header['typ'] !== typ || typeof header['kid'] !== 'string') return null
  if ('crit' in header) return null
  const key = findKey(header['kid'])
  if (!key) return null
  const signature = Buffer.from(parts[2]!, 'base64url')
  // Re-encoding refuses a second spelling of the same signature.
  if (signature.length !== 64 || signature.toString('base64url') !== parts[2]) return null
  const der = rawToDer(signature)
  if (!verify('sha256', Buffer.from(`${parts[0]}.${parts[1]}`), key, der)) return null
  return parseJson(parts[1]!)
}

/** The key id that a compact JWS names, unverified; null when it has none. */
export function readKid(token: string): string | null {
  const end = token.indexOf('.')
  const kid = end < 0 ? null : parseJson(token.slice(0, end))?.['kid']
  return typeof kid === 'string' ? kid : null
}

const headers = new WeakMap<SigningKey, Map<string, string>>()

function encodeHeader(key: SigningKey, typ: string): string {
  let byType = headers.get(key)
  if (!byType) {
    byType = new Map()
    headers.set(key, byType)
  }
  let header = byType.get(typ)
  if (!header) {
    header = Buffer.from(JSON.stringify({ alg: key.alg, typ, kid: key.kid })).toString('base64url')
    byType.set(typ, header)
  }
  return header
}

function parseJson(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

// ECDSA-Sig-Value (RFC 3279 section 2.2.3) to the fixed 64 bytes of JWS (RFC 7518 section 3.4).
function derToRaw(der: Buffer): Buffer {
  const raw = Buffer.alloc(64)
  const rLength = der[3]!
  copyInteger(der, 4, rLength, raw, 32)
  copyInteger(der, 6 + rLength, der[5 + rLength]!, raw, 64)
  return raw
}

function copyInteger(der: Buffer, start: number, length: number, raw: Buffer, end: number): void {
  const leadingZero = length === 33 ? 1 : 0
  der.copy(raw, end - length + leadingZero, start + leadingZero, start + length)
}

function rawToDer(raw: Buffer): Buffer {
  const r = derInteger(raw.subarray(0, 32))
  const s = derInteger(raw.subarray(32))
  return Buffer.concat([Buffer.from([0x30, r.length + s.length]), r, s])
}

function derInteger(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const pad = bytes[start]! >= 0x80 ? [0] : []
  return Buffer.concat([Buffer.from([0x02, bytes.length - start + pad.length, ...pad]), bytes.subarray(start)])
}
