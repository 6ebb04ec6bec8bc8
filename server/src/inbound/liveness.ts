import type { GrantAuthority } from '../store/records.ts'
import type { TokenAuthority } from '../store/verbs/tokens.ts'
import { rolesAtWork } from './rights.ts'

interface Switched {
  readonly epoch: number
  readonly disabled_at: number | null
}

interface SessionState {
  readonly epoch: number
  readonly ended_at: number | null
  readonly expires_at: number
}

/** Whether something that can be disabled is on, and still in the epoch under which the thing at hand was born. */
export function isOn(part: Switched | null, born_epoch: number): boolean {
  return part !== null && part.disabled_at === null && part.epoch === born_epoch
}

function isSessionOn(session: SessionState | null, born_epoch: number, now: number): boolean {
  return session !== null && session.ended_at === null && session.expires_at > now && session.epoch === born_epoch
}

// Who acts in one role acts in no other: without it nothing is left.
function hasLostRole(user: { readonly roles: string } | null, role: string | null): boolean {
  return role !== null && !(user && rolesAtWork(user, role).includes(role))
}

/** Why a grant does not live, or null when it does. The reason is for the log: callers answer `invalid_grant`. */
export function whyGrantIsDead(authority: GrantAuthority): string | null {
  const { grant, now } = authority
  if (!grant) return 'no such grant'
  if (grant.revoked_at !== null) return 'revoked'
  if (grant.expires_at <= now) return 'expired'
  if (!isOn(authority.tenant, grant.tenant_epoch)) return 'tenant disabled since'
  if (!isOn(authority.grant_client, grant.client_epoch)) return 'client disabled since'
  if (!isOn(authority.user, grant.user_epoch)) return 'user disabled since'
  if (hasLostRole(authority.user, grant.role)) return 'role taken away'
  if (!grant.offline && !isSessionOn(authority.session, grant.session_epoch, now)) return 'session ended'
  return null
}

/** What of an access token's claims decides whether it lives. */
export interface TokenBirth {
  readonly grant_id: string | null
  readonly sub: string | null
  /** Epochs of tenant, client, user and session when it was issued. */
  readonly epochs: readonly [number, number, number, number]
  /** The client of its grant with its epoch, where the token is another's: it was exchanged. */
  readonly grant_client?: readonly [client_id: string, epoch: number] | undefined
}

function isOfGrantClient({ grant, grant_client }: TokenAuthority, { grant_client: born }: TokenBirth): boolean {
  return born !== undefined && born[0] === grant?.client_id && isOn(grant_client, born[1])
}

/** Why an access token does not live, or null when it does; times and signature are checked before. */
export function whyTokenIsDead(authority: TokenAuthority, birth: TokenBirth): string | null {
  const [tenant_epoch, client_epoch, user_epoch, session_epoch] = birth.epochs
  if (authority.denied) return 'revoked by itself'
  if (!isOn(authority.tenant, tenant_epoch)) return 'tenant disabled since'
  if (!isOn(authority.token_client, client_epoch)) return 'client disabled since'
  if (birth.sub !== null && !isOn(authority.user, user_epoch)) return 'user disabled since'
  if (birth.grant_id === null) return null
  const { grant, now } = authority
  if (!grant) return 'grant gone'
  if (grant.user_id !== birth.sub) return 'grant of another user'
  if (authority.grant_client && !isOfGrantClient(authority, birth)) return 'client of its grant disabled since'
  if (grant.revoked_at !== null) return 'grant revoked'
  if (grant.expires_at <= now) return 'grant expired'
  if (hasLostRole(authority.user, grant.role)) return 'role taken away'
  if (!grant.offline && !isSessionOn(authority.session, session_epoch, now)) return 'session ended'
  return null
}
