import { equalBytes, hmac } from '../../crypto/hash.ts'
import type { TenantKeys } from '../../crypto/tenant_keys.ts'

const WINDOW_MS = 120_000
const BODY = 8
const TAG = 16

/**
 * The nonce of this moment (RFC 9449 section 8). It follows from a tenant key and the time, so that every replica gives
 * and takes the same ones, and none is stored.
 */
export function currentNonce(keys: TenantKeys, now: number): string {
  return formatNonce(keys, keys.kid, windowOf(now))!
}

/** Whether a nonce was given out within the last minutes; one window ahead is a replica whose clock is. */
export function isRecentNonce(keys: TenantKeys, nonce: string, now: number): boolean {
  const bytes = Buffer.from(nonce, 'base64url')
  if (bytes.length !== BODY + TAG || bytes.toString('base64url') !== nonce) return false
  const window = bytes.readUInt32BE(4)
  if (Math.abs(window - windowOf(now)) > 1) return false
  const ours = formatNonce(keys, bytes.readUInt32BE(0), window)
  return ours !== null && equalBytes(Buffer.from(ours), Buffer.from(nonce))
}

function windowOf(now: number): number {
  return Math.floor(now / WINDOW_MS)
}

function formatNonce(keys: TenantKeys, kid: number, window: number): string | null {
  const key = keys.derive('dpop_nonce', kid)
  if (!key) return null
  const body = Buffer.alloc(BODY)
  body.writeUInt32BE(kid, 0)
  body.writeUInt32BE(window, 4)
  return Buffer.concat([body, hmac(key, body).subarray(0, TAG)]).toString('base64url')
}
