import { createHmac, hash, type KeyObject, timingSafeEqual } from 'node:crypto'

/** SHA-256 of text or bytes. */
export function sha256(data: string | Uint8Array): Buffer {
  return hash('sha256', data, 'buffer')
}

/** A hash of the SHA-2 family, for where the algorithm follows from data. */
export function digest(algorithm: 'sha256' | 'sha384' | 'sha512', data: string | Uint8Array): Buffer {
  return hash(algorithm, data, 'buffer')
}

/** HMAC-SHA-256 (RFC 2104). The key is a KeyObject: raw bytes would be imported again at each call. */
export function hmac(key: KeyObject, ...parts: (string | Uint8Array)[]): Buffer {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

/** HMAC-SHA-256 of what does not come at once. */
export function startHmac(key: KeyObject): { add(part: string | Uint8Array): void; end(): Buffer } {
  const mac = createHmac('sha256', key)
  return { add: (part) => void mac.update(part), end: () => mac.digest() }
}

/** Whether two byte strings are equal, in time that depends on their length alone. */
export function equalBytes(a: Uint8Array | null | undefined, b: Uint8Array | null | undefined): boolean {
  return a != null && b != null && a.length === b.length && timingSafeEqual(a, b)
}
