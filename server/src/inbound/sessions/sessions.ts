import { equalBytes } from '../../crypto/hash.ts'
import { idFromBytes, idToBytes, newId, randomBytes } from '../../crypto/random.ts'
import { acrOf } from '../../oauth/acr.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { SessionRecord, UserRecord } from '../../store/records.ts'
import type { Settings } from '../../store/settings.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { SpentFactor } from '../../store/verbs/factors.ts'
import type { BrowserAuthority } from '../../store/verbs/sessions.ts'
import { event } from '../event.ts'
import { isOn } from '../liveness.ts'
import { meetsPolicy } from '../users/factors.ts'

const TOUCH_AFTER_MS = 60_000

/** A session cookie, read: which session, and the hash of its secret. */
export interface SessionToken {
  readonly session_id: string
  readonly secret_hash: Buffer
}

/** Reads a session cookie; null when it is not one of ours. */
export function readSessionToken(tenant: Tenant, cookie: string | undefined): SessionToken | null {
  if (!cookie) return null
  const bytes = Buffer.from(cookie, 'base64url')
  if (bytes.length !== 48 || bytes.toString('base64url') !== cookie) return null
  return { session_id: idFromBytes(bytes), secret_hash: tenant.keys.hashSecret(bytes.subarray(16)) }
}

/** A living session with its user. */
export interface SignedIn {
  readonly session: SessionRecord
  readonly user: UserRecord
}

/**
 * The living session that a browser proved to hold, or null (ASVS 7.2.1, 7.3.1, 7.3.2, 7.4.1). One that began with fewer
 * factors than the tenant now asks of this user is none: whatever the way in was (ASVS 6.3.4).
 */
export function judgeSession(
  authority: BrowserAuthority,
  token: SessionToken | null,
  settings: Settings,
): SignedIn | null {
  const { session, user, tenant, now } = authority
  if (!token || !session || !user) return null
  if (!equalBytes(session.secret_hash, token.secret_hash)) return null
  if (session.ended_at !== null || session.ends_at <= now) return null
  if (session.last_seen_at + idleMs(settings.session_idle_seconds) <= now) return null
  if (!meetsPolicy(settings, user, session.acr)) return null
  return isOn(tenant, session.tenant_epoch) && isOn(user, session.user_epoch) ? { session, user } : null
}

/** Whose session a browser proved to hold that is no more: it gives them nothing, and says who they were; or null. */
export function findFormerUser({ session }: BrowserAuthority, token: SessionToken | null): string | null {
  return token && session && equalBytes(session.secret_hash, token.secret_hash) ? session.user_id : null
}

// The last use may have gone unnoted.
function idleMs(session_idle_seconds: number): number {
  return session_idle_seconds * 1000 + TOUCH_AFTER_MS
}

/** Notes the use of a session, at most once a minute. */
export async function touchSession(
  tenant: Tenant,
  { session }: SignedIn,
  now: number,
  session_idle_seconds: number,
): Promise<void> {
  if (session.last_seen_at + TOUCH_AFTER_MS > now) return
  await tenant.store.touchSession({
    tenant_id: tenant.tenant_id,
    session_id: session.session_id,
    idle_ms: idleMs(session_idle_seconds),
  })
}

/** A session that has just begun: the cookie's value, and its end. */
export interface StartedSession {
  readonly cookie: string
  readonly expires_at: number
  readonly session_id: string
}

/** Who has just proved who they are, by which methods (RFC 8176), and in which browser. */
export interface Proved {
  readonly user_id: string
  readonly user_epoch: number
  readonly amr: readonly string[]
  /** When, where it was elsewhere and before; seconds. */
  readonly auth_time?: number | undefined
  readonly former: SignedIn | null
  readonly user_agent: string | null
}

/** Starts a session for a user who has just proved who they are; answers the cookie's value and its end. */
export async function startSession(tenant: Tenant, proved: Proved): Promise<StartedSession> {
  return (await startSessionBy(tenant, proved, null))!
}

/** The same by a factor that is spent with it; null when it was spent in the meantime. */
export async function startSessionBy(
  tenant: Tenant,
  args: Proved,
  factor: SpentFactor | null,
): Promise<StartedSession | null> {
  const state = await tenant.store.loadTenantState({ tenant_id: tenant.tenant_id })
  if (!state) throw new Error(`tenant ${tenant.tenant_id} is gone`)
  // A session of that time would live again with the tenant.
  if (state.disabled_at !== null) throw new OAuthError('temporarily_unavailable', 'Sign-in is switched off here')
  const { settings } = await tenant.configuration(state.config_version)
  const secret = randomBytes(32)
  const session_id = newId(state.now)
  const expires_at = state.now + settings.session_lifetime_seconds * 1000
  const started = await tenant.store.startSession({
    tenant_id: tenant.tenant_id,
    factor,
    session: {
      session_id,
      user_id: args.user_id,
      secret_hash: tenant.keys.hashSecret(secret),
      auth_time: Math.min(state.now, (args.auth_time ?? Number.POSITIVE_INFINITY) * 1000),
      acr: acrOf(args.amr),
      amr: JSON.stringify(args.amr),
      user_agent: args.user_agent?.slice(0, 200) ?? null,
      epoch: 0,
      tenant_epoch: state.epoch,
      user_epoch: args.user_epoch,
      created_at: state.now,
      ends_at: Math.min(state.now + idleMs(settings.session_idle_seconds), expires_at),
      expires_at,
    },
    former_session_id: args.former?.session.session_id ?? null,
    event: event(tenant, 'session.started', `user:${args.user_id}`, {
      user_id: args.user_id,
      detail: { amr: args.amr, ...(factor && { factor: factor.kind }) },
    }),
  })
  if (started === 'spent') return null
  return { cookie: Buffer.concat([idToBytes(session_id)!, secret]).toString('base64url'), expires_at, session_id }
}

/** Ends a session: what hangs on it is over. */
export async function endSession(tenant: Tenant, signed_in: SignedIn): Promise<void> {
  const { user_id, session_id } = signed_in.session
  await tenant.store.endSession({
    tenant_id: tenant.tenant_id,
    session_id,
    event: event(tenant, 'session.ended', `user:${user_id}`, { user_id, detail: { session_id } }),
  })
}
