import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { randomBytes } from './random.ts'

/** Where a sealed value stands: bound into the ciphertext, so that it opens nowhere else. */
export interface SealContext {
  readonly tenant_id: string
  readonly table: string
  readonly row: string
  readonly column: string
  readonly version: number
}

/** Refused to open: wrong key, wrong place or altered bytes. The three look the same on purpose. */
export class SealError extends Error {
  constructor(message = 'a sealed value does not open') {
    super(message)
    this.name = 'SealError'
  }
}

const FORMAT = 1
const NONCE = 12
const TAG = 16
const HEADER = 1 + 4 + NONCE

/** Seals bytes with AES-256-GCM: format, key id, random nonce, ciphertext, tag. */
export function seal(key: KeyObject, kid: number, plaintext: Uint8Array | string, context: SealContext): Buffer {
  const header = Buffer.concat([sealedHeader(kid), randomBytes(NONCE)])
  const cipher = createCipheriv('aes-256-gcm', key, header.subarray(5))
  cipher.setAAD(boundTo(context, kid))
  const body = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
  return Buffer.concat([header, body, cipher.final(), cipher.getAuthTag()])
}

/** How every value begins that is sealed under a key: its format and the key id. */
export function sealedHeader(kid: number): Buffer {
  const header = Buffer.alloc(5)
  header[0] = FORMAT
  header.writeUInt32BE(kid, 1)
  return header
}

/** The key id that a sealed value names. */
export function sealedKid(sealed: Uint8Array): number {
  if (sealed.length < HEADER + TAG || sealed[0] !== FORMAT) throw new SealError()
  return Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length).readUInt32BE(1)
}

/** Opens what `seal` made for the same place; throws SealError otherwise. */
export function open(key: KeyObject, sealed: Uint8Array, context: SealContext): Buffer {
  const kid = sealedKid(sealed)
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(5, HEADER), { authTagLength: TAG })
    cipher.setAAD(boundTo(context, kid))
    cipher.setAuthTag(sealed.subarray(sealed.length - TAG))
    return Buffer.concat([cipher.update(sealed.subarray(HEADER, sealed.length - TAG)), cipher.final()])
  } catch {
    throw new SealError()
  }
}

/** A subkey for one purpose (HKDF-SHA-256, RFC 5869). */
export function deriveKey(key: KeyObject, purpose: string, salt: Uint8Array = EMPTY): KeyObject {
  return createSecretKey(deriveBytes(key, purpose, salt))
}

/** Bytes of a subkey (HKDF-SHA-256, RFC 5869). */
export function deriveBytes(key: KeyObject, purpose: string | Uint8Array, salt: Uint8Array = EMPTY): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, purpose, 32))
}

const EMPTY = new Uint8Array(0)

// JSON of an array separates the members without any character that one of them could forge.
function boundTo(context: SealContext, kid: number): Buffer {
  const { tenant_id, table, row, column, version } = context
  return Buffer.from(JSON.stringify([tenant_id, table, row, column, version, kid]))
}
