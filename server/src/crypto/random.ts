import { randomFillSync } from 'node:crypto'

// One system call fills many secrets; a slice is handed out once and wiped from the pool.
const POOL_SIZE = 8192
const pool = Buffer.allocUnsafeSlow(POOL_SIZE)
let used = POOL_SIZE

/** Bytes from the system's CSPRNG. */
export function randomBytes(size: number): Buffer {
  if (size > POOL_SIZE) return randomFillSync(Buffer.allocUnsafeSlow(size))
  if (used + size > POOL_SIZE) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = Buffer.from(pool.subarray(used, used + size))
  pool.fill(0, used, used + size)
  used += size
  return bytes
}

/** A 256-bit secret as base64url, behind a prefix that secret scanners recognise. */
export function randomSecret(prefix = ''): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** Letters of an alphabet of at most 256, each as likely as any other. */
export function randomLetters(alphabet: string, length: number): string {
  // A byte beyond the last whole alphabet would favour its first letters.
  const fair = 256 - (256 % alphabet.length)
  let letters = ''
  while (letters.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < fair && letters.length < length) letters += alphabet[byte % alphabet.length]
    }
  }
  return letters
}

/** An identifier that sorts by time: UUID version 7 (RFC 9562 section 5.7). Never a secret. */
export function newId(now: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(now, 0, 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return idFromBytes(bytes)
}

/** The 16 bytes of an identifier, or null when the text is not one. */
export function idToBytes(id: string): Buffer | null {
  return ID.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : null
}

/** The identifier that 16 bytes stand for. */
export function idFromBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
