import { constants, sign, verify } from 'node:crypto'
import type { Algorithm, HeldSigningKey, OwnSigningKey, SigningKey, VerifyingKey } from './signing_keys.ts'

/** Signs claims as a compact JWS of the given `typ` (RFC 7515, RFC 7519). */
export async function signJwt(key: SigningKey, typ: string, claims: object): Promise<string> {
  const input = `${encodeHeader(key, typ)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const bytes = Buffer.from(input)
  const signature = 'privateKey' in key ? SCHEMES[key.alg].sign(bytes, key) : await askSigner(key, bytes)
  return `${input}.${signature.toString('base64url')}`
}

/** The same under a header of its own, by a key of this process. */
export function signUnder(header: object, key: OwnSigningKey, claims: object): string {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${SCHEMES[key.alg].sign(Buffer.from(input), key).toString('base64url')}`
}

/** The signature of a key that a signer holds. It is looked at: what does not verify must not go out. */
export async function askSigner(key: HeldSigningKey, input: Buffer): Promise<Buffer> {
  const given = Buffer.from(await key.sign(input))
  // Most of them answer ECDSA as DER, and some as JWS has it.
  const signature = key.alg === 'ES256' && given.length !== 64 ? derToRaw(given) : given
  if (signature === null || !isSignedBy(key, input, signature))
    throw new Error(`the signer did not sign by its key ${key.kid}`)
  return signature
}

/**
 * The claims of a compact JWS that one of our own keys signed, or null. A key verifies by its own algorithm alone,
 * whatever the header says (RFC 8725 section 3.1). The caller checks times and audience.
 */
export function verifyOwnJwt(
  token: string,
  typ: string,
  findKey: (kid: string) => VerifyingKey | undefined,
): Record<string, unknown> | null {
  const parts = token.split('.')
  if (parts.length !== 3) return null
  const header = parseJson(parts[0]!)
  if (header?.['typ'] !== typ || typeof header['kid'] !== 'string' || 'crit' in header) return null
  const key = findKey(header['kid'])
  if (!key || header['alg'] !== key.alg) return null
  const signature = Buffer.from(parts[2]!, 'base64url')
  // Re-encoding refuses a second spelling of the same signature.
  if (signature.toString('base64url') !== parts[2]) return null
  if (!isSignedBy(key, Buffer.from(`${parts[0]}.${parts[1]}`), signature)) return null
  return parseJson(parts[1]!)
}

/** Whether a signature over bytes is by a key, by its one algorithm (RFC 7515 section 5.2). */
export function isSignedBy(key: VerifyingKey, input: Buffer, signature: Buffer): boolean {
  return SCHEMES[key.alg].verify(input, key, signature)
}

/** The key id that a compact JWS names, unverified; null when it has none. */
export function readKid(token: string): string | null {
  const end = token.indexOf('.')
  const kid = end < 0 ? null : parseJson(token.slice(0, end))?.['kid']
  return typeof kid === 'string' ? kid : null
}

interface Scheme {
  sign(input: Buffer, key: OwnSigningKey): Buffer
  verify(input: Buffer, key: VerifyingKey, signature: Buffer): boolean
}

// RFC 7518 section 3.5: the salt is as long as the hash.
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }

const SCHEMES: Readonly<Record<Algorithm, Scheme>> = {
  ES256: {
    // A bare KeyObject signs twice as fast as one with dsaEncoding; the DER answer is turned into raw here.
    sign: (input, { privateKey }) => derToRaw(sign('sha256', input, privateKey))!,
    verify: (input, { publicKey }, signature) =>
      signature.length === 64 && verify('sha256', input, publicKey, rawToDer(signature)),
  },
  EdDSA: {
    sign: (input, { privateKey }) => sign(null, input, privateKey),
    verify: (input, { publicKey }, signature) => verify(null, input, publicKey, signature),
  },
  PS256: {
    sign: (input, { privateKey }) => sign('sha256', input, { key: privateKey, ...PSS }),
    verify: (input, { publicKey }, signature) => verify('sha256', input, { key: publicKey, ...PSS }, signature),
  },
  RS256: {
    sign: (input, { privateKey }) => sign('sha256', input, privateKey),
    verify: (input, { publicKey }, signature) => verify('sha256', input, publicKey, signature),
  },
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

// ECDSA-Sig-Value (RFC 3279 section 2.2.3) to the fixed 64 bytes of JWS (RFC 7518 section 3.4); null for what is none.
function derToRaw(der: Buffer): Buffer | null {
  const raw = Buffer.alloc(64)
  const rLength = der[3] ?? 0
  const sLength = der[5 + rLength] ?? 0
  if (rLength > 33 || sLength > 33 || der.length !== 6 + rLength + sLength) return null
  copyInteger(der, 4, rLength, raw, 32)
  copyInteger(der, 6 + rLength, sLength, raw, 64)
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
