import type { Forebear } from '../oauth/access_token.ts'
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
  /** Its client, or that of the first token that it was exchanged from: the one whose grant it is. */
  readonly grant_client_id: string
  readonly exchanged_from: readonly Forebear[]
  /** The role that was picked where its grant has none. */
  readonly one_role?: string | undefined
}

/** Why a token died with one that it was exchanged for, or null. */
function whyForebearIsDead({ forebears }: TokenAuthority, { exchanged_from }: TokenBirth): string | null {
  for (const [i, [, epoch]] of exchanged_from.entries()) {
    const forebear = forebears[i]
    if (!forebear || forebear.denied) return 'what it was exchanged for is revoked'
    if (!isOn(forebear.client, epoch)) return 'client of what it was exchanged for disabled since'
  }
  return null
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
  if (grant.client_id !== birth.grant_client_id) return 'grant of another client'
  const forebear_dead = whyForebearIsDead(authority, birth)
  if (forebear_dead !== null) return forebear_dead
  if (grant.revoked_at !== null) return 'grant revoked'
  if (grant.expires_at <= now) return 'grant expired'
  if (hasLostRole(authority.user, grant.role ?? birth.one_role ?? null)) return 'role taken away'
  if (!grant.offline && !isSessionOn(authority.session, session_epoch, now)) return 'session ended'
  return null
}
