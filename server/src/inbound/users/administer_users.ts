import { newId } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { UserRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'
import { ADMINISTRATOR } from '../tenants.ts'
import { checkPasswordOf, type PasswordRules, prepareUser, type UserDescription } from './prepare_user.ts'

/** Why somebody is neither disabled nor deleted, and stays an administrator. */
export const LAST_ADMINISTRATOR = 'The user is the last administrator who can sign in'

/** Refuses what `createUser` or `updateUser` would refuse, without hashing anything. */
export async function checkUser(description: UserDescription, rules: PasswordRules): Promise<void> {
  checkPasswordOf(description, rules)
  await prepareUser('', { ...description, password: undefined })
}

/** Makes a user; answers the user_id, or null when the username is taken. */
export async function createUser(
  tenant: Tenant,
  description: UserDescription,
  args: { actor: string; user_id?: string | undefined },
): Promise<string | null> {
  const { tenant_id, store } = tenant
  const user_id = args.user_id ?? newId(tenant.clock())
  // A user must never be taken for a client (RFC 9700 section 4.15).
  if (await store.findClient({ tenant_id, client_id: user_id })) {
    throw new OAuthError('invalid_request', 'user_id is the client_id of a client')
  }
  const user = await prepareUser(user_id, description, await tenant.currentConfiguration())
  const detail = { username: user.username, roles: description.roles ?? [] }
  const made = event(tenant, 'user.created', args.actor, { user_id, detail })
  return (await store.createUser({ tenant_id, user, event: made })) ? user_id : null
}

/** What is changed of a user; null takes away what there is. */
export interface UserChange extends Omit<UserDescription, 'username' | 'name' | 'email'> {
  readonly name?: string | null | undefined
  readonly email?: string | null | undefined
}

/**
 * Changes what a description names of a user, and leaves the rest; false when the user is gone, or, where only what was
 * `seen` may be changed, is no longer as it was. With `one_stays` the last administrator stays one: nobody could make
 * another; an operator with a platform file can.
 */
export async function updateUser(
  tenant: Tenant,
  present: UserRecord,
  description: UserChange,
  args: { actor: string; changed: readonly string[]; seen?: true; one_stays?: true },
): Promise<boolean> {
  const { tenant_id, store } = tenant
  const { user_id, username } = present
  const email = changedText(description.email, present.email)
  // Nobody has shown that a new address is theirs.
  const still_verified = present.email_verified === 1 && email === (present.email ?? undefined)
  const wanted = {
    username,
    name: changedText(description.name, present.name),
    email,
    email_verified: description.email_verified ?? still_verified,
    roles: description.roles ?? (JSON.parse(present.roles) as string[]),
    claims: description.claims ?? (JSON.parse(present.claims) as Record<string, unknown>),
    password: description.password,
  }
  const user = await prepareUser(user_id, wanted, await tenant.currentConfiguration())
  const changed = event(tenant, 'user.updated', args.actor, { user_id, detail: { changed: args.changed } })
  const outcome = await store.updateUser({
    ...{ tenant_id, user, ...(args.seen && { seen: present }) },
    ...(args.one_stays && { indispensable_role: ADMINISTRATOR }),
    event: changed,
  })
  if (outcome === 'last') throw new OAuthError('access_denied', LAST_ADMINISTRATOR, { status: 409 })
  return outcome
}

function changedText(wanted: string | null | undefined, present: string | null): string | undefined {
  return (wanted === undefined ? present : wanted) ?? undefined
}

/** Whether somebody acts on the account by which they are here. */
export function isOwnAccount(actor: string, user_id: string): boolean {
  return actor === `user:${user_id}`
}

/**
 * Disables or enables a user; false when they already are, or are not there. Nobody disables themselves, nor the last
 * administrator: nobody could enable them again.
 */
export async function setUserDisabled(
  tenant: Tenant,
  user_id: string,
  args: { readonly disabled: boolean; readonly actor: string },
): Promise<boolean> {
  const { disabled, actor } = args
  if (disabled && isOwnAccount(actor, user_id)) {
    throw new OAuthError('access_denied', 'Nobody disables the account by which they are here', { status: 403 })
  }
  const changed = event(tenant, disabled ? 'user.disabled' : 'user.enabled', actor, { user_id })
  const change = { tenant_id: tenant.tenant_id, user_id, disabled, indispensable_role: ADMINISTRATOR, event: changed }
  const outcome = await tenant.store.setUserDisabled(change)
  if (outcome === 'last') throw new OAuthError('access_denied', LAST_ADMINISTRATOR, { status: 409 })
  return outcome
}

/** Signs a user out everywhere (ASVS 7.4.5); says how many sessions that ended. */
export function endSessionsOfUser(tenant: Tenant, user_id: string, actor: string): Promise<number> {
  const ended = event(tenant, 'session.ended', actor, { user_id, detail: { all: true } })
  return tenant.store.endOtherSessions({ tenant_id: tenant.tenant_id, user_id, kept_session_id: '', event: ended })
}

/** Ends one session of a user; false when it is none of theirs, or over. */
export function endSessionOfUser(
  tenant: Tenant,
  args: { readonly user_id: string; readonly session_id: string; readonly actor: string },
): Promise<boolean> {
  const { user_id, session_id, actor } = args
  const ended = event(tenant, 'session.ended', actor, { user_id, detail: { session_id } })
  return tenant.store.endSessionOfUser({ tenant_id: tenant.tenant_id, user_id, session_id, event: ended })
}
