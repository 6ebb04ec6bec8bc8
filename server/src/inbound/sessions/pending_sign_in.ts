import { equalBytes, sha256 } from '../../crypto/hash.ts'
import { TokenSealer } from '../../crypto/sealed_token.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { UserWithPassword } from '../../store/verbs/users.ts'
import { browserOf } from '../interactions.ts'

/** A sign-in of which one factor was right, and by which methods (RFC 8176); none where another server vouched. */
export interface PendingSignIn {
  readonly user: UserWithPassword
  readonly amr: readonly string[]
}

/** How long a person may take from the password to the second factor. */
export const PENDING_MS = 10 * 60_000

// A kind of its own: it opens nowhere else, and nothing else opens as one.
const steps = new TokenSealer('pending_sign_in', '')

/**
 * A sign-in whose password was right and whose second factor is still to come: sealed, for a cookie of the one browser.
 * It is no session and opens no page but that of the second factor; the session begins after it, under an id that nobody
 * has seen before (ASVS 7.2.4, CVE-2024-28197).
 */
export function sealPending(tenant: Tenant, { user, amr }: PendingSignIn, browser: string): string {
  const { user_id, epoch } = user
  const password = fingerprintOf(user).toString('base64url')
  return steps.seal(tenant.keys, { user_id, epoch, password, amr, browser: browserOf(browser), at: tenant.clock() })
}

/** The user of a pending sign-in, read anew; null when it is over: too old, of another browser, or of before a change. */
export async function openPending(
  tenant: Tenant,
  sealed: string | undefined,
  browser: string,
): Promise<PendingSignIn | null> {
  const claims = sealed === undefined ? null : steps.open(tenant.keys, sealed)
  if (!claims || claims['browser'] !== browserOf(browser)) return null
  if (tenant.clock() - (claims['at'] as number) > PENDING_MS) return null
  const { tenant_id, store } = tenant
  const user = await store.findUser({ tenant_id, user_id: claims['user_id'] as string })
  if (!user || user.disabled_at !== null || user.epoch !== claims['epoch']) return null
  if (!equalBytes(fingerprintOf(user), Buffer.from(claims['password'] as string, 'base64url'))) return null
  return { user, amr: claims['amr'] as string[] }
}

// A password that was changed since is no longer the one that was given.
function fingerprintOf({ password_hash }: UserWithPassword): Buffer {
  return sha256(password_hash ?? '').subarray(0, 16)
}
