import { idFromBytes, idToBytes, randomBytes } from '../../crypto/random.ts'
import type { TenantKeys } from '../../crypto/tenant_keys.ts'

const PREFIX = 'sp_ac_'
const SIZE = 16 + 32

/** A new authorization code (RFC 6749 section 4.1.2): the grant it belongs to and a 256-bit secret. */
export function newCode(keys: TenantKeys, grant_id: string): { code: string; code_hash: Buffer } {
  const secret = randomBytes(32)
  const code = PREFIX + Buffer.concat([idToBytes(grant_id)!, secret]).toString('base64url')
  return { code, code_hash: keys.hashSecret(secret) }
}

/** Reads a code into the grant it names and the hash of its secret; null when it is not one of ours. */
export function readCode(keys: TenantKeys, code: string): { grant_id: string; code_hash: Buffer } | null {
  if (!code.startsWith(PREFIX)) return null
  const text = code.slice(PREFIX.length)
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== SIZE || bytes.toString('base64url') !== text) return null
  return { grant_id: idFromBytes(bytes), code_hash: keys.hashSecret(bytes.subarray(16)) }
}
