import { createHmac, createSecretKey } from 'node:crypto'
import { equalBytes } from './hash.ts'
import { randomBytes } from './random.ts'

/** Seconds of one step: what authenticator apps expect (RFC 6238 section 4.1). */
export const TOTP_PERIOD_SECONDS = 30

/** Digits of a code. */
export const TOTP_DIGITS = 6

/** A new seed, as long as the output of HMAC-SHA-1 (RFC 4226 section 4, R6). */
export function newTotpSeed(): Buffer {
  return randomBytes(20)
}

/** The code of one counter value (RFC 4226 section 5.3). */
export function hotp(seed: Uint8Array, counter: number, digits = TOTP_DIGITS): string {
  const text = Buffer.alloc(8)
  text.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac('sha1', createSecretKey(seed)).update(text).digest()
  const offset = mac[19]! & 0xf
  const truncated = mac.readUInt32BE(offset) & 0x7fff_ffff
  return String(truncated % 10 ** digits).padStart(digits, '0')
}

/** The step in which a moment lies (RFC 6238 section 4.2). */
export function totpStep(now: number): number {
  return Math.floor(now / (TOTP_PERIOD_SECONDS * 1000))
}

// One step of delay on either side, for the way of the code and for clocks (RFC 6238 section 5.2).
const WINDOW = [0, -1, 1]

/**
 * The step whose code was given, or null. Steps up to `last_step` are spent: no code is taken twice (RFC 6238
 * section 5.2). Every step of the window is computed, so that the time taken says nothing about which one matched.
 */
export function matchTotp(seed: Uint8Array, code: string, now: number, last_step: number): number | null {
  const present = totpStep(now)
  const given = Buffer.from(code)
  const matches = WINDOW.map((shift) => present + shift).filter((step) =>
    equalBytes(Buffer.from(hotp(seed, step)), given),
  )
  return matches.find((step) => step > last_step) ?? null
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Bytes as base32 without padding (RFC 4648 section 6), as authenticator apps read a seed. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let value = 0
  let bits = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(value >>> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return bits > 0 ? text + BASE32[(value << (5 - bits)) & 31] : text
}
