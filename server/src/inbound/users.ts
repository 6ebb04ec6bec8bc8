import { hashPassword, PasswordQueueFull, verifyPassword } from '../crypto/password.ts'
import { newId } from '../crypto/random.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { NewEvent } from '../store/records.ts'
import type { Tenant } from '../store/tenant.ts'
import type { SavedUser } from '../store/verbs/users.ts'

const SHORTEST_PASSWORD = 8
const LONGEST_PASSWORD = 1024
const GUESSES = { most: 10, window_ms: 10 * 60_000 }

/** A username as it is compared: without case, in one Unicode form. */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').toLowerCase().trim()
}

/** A user as an administrator or the setup page describes one. */
export interface UserDescription {
  readonly username: string
  readonly name?: string | undefined
  readonly email?: string | undefined
  readonly email_verified?: boolean | undefined
  readonly roles?: readonly string[] | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  readonly password?: string | undefined
}

/** Checks a description and prepares the row of a user; refusals name the member. */
export async function prepareUser(user_id: string, description: UserDescription): Promise<SavedUser> {
  const { username, name, email, password } = description
  const refuse = (text: string) => new OAuthError('invalid_request', text)
  if (usernameKey(username) === '' || username.length > 200) throw refuse('username must have 1 to 200 characters')
  if (/\p{Cc}/u.test(username)) throw refuse('username must not have control characters')
  if (name !== undefined && name.length > 200) throw refuse('name must have at most 200 characters')
  if (email !== undefined && !/^[^\s@]{1,64}@[^\s@]{1,189}$/.test(email)) throw refuse('email is not an address')
  if (password !== undefined) checkPassword(password)
  return {
    user_id,
    username_key: usernameKey(username),
    username,
    name: name ?? null,
    email: email ?? null,
    email_verified: description.email_verified ?? false,
    claims: JSON.stringify(description.claims ?? {}),
    roles: JSON.stringify(description.roles ?? []),
    password_hash: password === undefined ? null : await hashPassword(password),
  }
}

/** Refuses passwords that are too short or too long; nothing else is asked of them (ASVS 6.2.1, 6.2.5). */
export function checkPassword(password: string): void {
  const length = [...password.normalize('NFC')].length
  if (length < SHORTEST_PASSWORD || length > LONGEST_PASSWORD) {
    throw new OAuthError('invalid_request', `password must have ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters`)
  }
}

/** What a try to sign in came to. */
export type LoginResult =
  | { readonly kind: 'signed_in'; readonly user_id: string; readonly epoch: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'too_many'; readonly until: number }
  | { readonly kind: 'busy' }

// As many as the queue of password hashes takes: who must be sent away is sent away before anything is counted.
const MOST_AT_ONCE = 64
let at_once = 0

/**
 * Checks a username and password. The guess is counted before it is checked, an unknown user costs the same work, and
 * the answer is one and the same for unknown, wrong and disabled (ASVS 6.3.1, 6.3.8).
 */
export async function checkLogin(tenant: Tenant, username: string, password: string): Promise<LoginResult> {
  if (at_once >= MOST_AT_ONCE) return { kind: 'busy' }
  at_once++
  try {
    return await checkGuess(tenant, username, password)
  } catch (error) {
    if (error instanceof PasswordQueueFull) return { kind: 'busy' }
    throw error
  } finally {
    at_once--
  }
}

async function checkGuess(tenant: Tenant, username: string, password: string): Promise<LoginResult> {
  const username_key = usernameKey(username).slice(0, 200)
  const { tenant_id, store } = tenant
  const subject = `password/${tenant.keys.hashSecret(username_key).toString('base64url')}`
  const guess = await store.reserveGuess({ tenant_id, subject, ...GUESSES })
  if (guess.refused_until > 0) return { kind: 'too_many', until: guess.refused_until }
  const user = username_key.includes('\0') ? null : await store.findUserByUsername({ tenant_id, username_key })
  const matches = await verifyPassword(user?.password_hash ?? null, password.slice(0, LONGEST_PASSWORD + 1))
  if (!user || !matches || user.disabled_at !== null) {
    await store.recordEvent(event(tenant, 'login.refused', 'anonymous', { user_id: user?.user_id ?? null }))
    return { kind: 'refused' }
  }
  await store.forgetGuesses({ tenant_id, subject })
  return { kind: 'signed_in', user_id: user.user_id, epoch: user.epoch }
}

/** An audit event of a tenant, with its id and time. */
export function event(
  tenant: Tenant,
  type: string,
  actor: string,
  about: Partial<Omit<NewEvent, 'tenant_id' | 'event_id' | 'at' | 'type' | 'actor'>> = {},
): NewEvent {
  const at = tenant.clock()
  return { tenant_id: tenant.tenant_id, event_id: newId(at), at, type, actor, ...about }
}
