import { equalBytes, hmac } from '../../crypto/hash.ts'
import { idFromBytes, idToBytes, randomBytes } from '../../crypto/random.ts'
import { deriveBytes } from '../../crypto/seal.ts'
import type { TenantKeys } from '../../crypto/tenant_keys.ts'
import type { GrantRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'

const PREFIX = 'sp_rt_'
const TAG = 16
const BODY = 4 + 16 + 4 + 32
const SIZE = BODY + TAG

/** A refresh token, read: which grant, which generation, and its secret. */
export interface RefreshToken {
  readonly grant_id: string
  readonly generation: number
  readonly secret: Buffer
}

/** The secret of a grant's first refresh token. */
export function newRefreshSecret(): Buffer {
  return randomBytes(32)
}

/**
 * The secret after this one. It follows from the secret, the grant and one tenant key, so every replica derives the
 * same successor for a retry, and a copy of the database derives none. Null when the key is gone.
 */
export function deriveSuccessor(keys: TenantKeys, token: RefreshToken, kid: number): Buffer | null {
  const key = keys.derive('refresh_ratchet', kid)
  if (!key) return null
  const info = Buffer.concat([Buffer.from('refresh_token/'), idToBytes(token.grant_id)!, uint32(token.generation + 1)])
  return deriveBytes(key, info, token.secret)
}

/**
 * Writes a refresh token: key id, grant, generation, secret, and the tag that proves it was ours. A retry names the key
 * of the rotation that it repeats, so that its answer is the same letter for letter.
 */
export function formatRefreshToken(keys: TenantKeys, token: RefreshToken, kid = keys.kid): string {
  const body = Buffer.concat([uint32(kid), idToBytes(token.grant_id)!, uint32(token.generation), token.secret])
  return PREFIX + Buffer.concat([body, tagOf(keys, kid, body)!]).toString('base64url')
}

/** Reads a refresh token; null when its form is wrong or its tag is not ours. */
export function readRefreshToken(keys: TenantKeys, text: string): RefreshToken | null {
  if (!text.startsWith(PREFIX)) return null
  const encoded = text.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.length !== SIZE || bytes.toString('base64url') !== encoded) return null
  const body = bytes.subarray(0, BODY)
  const tag = tagOf(keys, body.readUInt32BE(0), body)
  if (!tag || !equalBytes(tag, bytes.subarray(BODY))) return null
  return {
    grant_id: idFromBytes(body.subarray(4, 20)),
    generation: body.readUInt32BE(20),
    secret: Buffer.from(body.subarray(24)),
  }
}

/** Reads a refresh token, also one that another replica wrote with a key that came a moment ago. */
export async function openRefreshToken(tenant: Tenant, text: string): Promise<RefreshToken | null> {
  if (!text.startsWith(PREFIX)) return null
  const head = Buffer.from(text.slice(PREFIX.length, PREFIX.length + 6), 'base64url')
  await tenant.learnKey(head.length === 4 ? head.readUInt32BE(0) : null)
  return readRefreshToken(tenant.keys, text)
}

/** What presenting a refresh token means (design of the ratchet). */
export type RefreshVerdict =
  /** The newest one: rotate. */
  | 'rotate'
  /** The one before, its successor unused: answer with the same successor. */
  | 'retry'
  /** Genuine and older than a retry may be: the grant must end. */
  | 'reused'
  /** Genuine and newer than a grant that came out of a backup: it goes on from there. */
  | 'newer'
  /** Not a token of this grant as it stands: refuse and change nothing. */
  | 'unknown'

/** Decides what a genuine token of the right client means; bearer public clients may retry only within the window. */
export function judgeRefreshToken(
  token: RefreshToken,
  grant: GrantRecord,
  hash: Uint8Array,
  options: { now: number; bearer_public: boolean; retry_ms: number },
): RefreshVerdict {
  const newest = grant.refresh_generation
  if (token.generation === newest) return equalBytes(hash, grant.refresh_hash) ? 'rotate' : 'unknown'
  // Of a grant that nobody restored no token is newer than its row, and of a bearer any thief could have the newest.
  const may_be_newer = grant.restored_at !== null && !options.bearer_public && newest > 0
  if (token.generation > newest && may_be_newer) return 'newer'
  if (token.generation > newest || newest === 0) return 'unknown'
  if (token.generation < newest - 1) return 'reused'
  if (!equalBytes(hash, grant.refresh_previous_hash)) return 'unknown'
  const late = options.now - (grant.refresh_rotated_at ?? 0) > options.retry_ms
  return options.bearer_public && late ? 'reused' : 'retry'
}

function tagOf(keys: TenantKeys, kid: number, body: Buffer): Buffer | null {
  const key = keys.derive('refresh_tag', kid)
  return key && hmac(key, body).subarray(0, TAG)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}
