import { domainToASCII } from 'node:url'
import { hashPassword } from '../../crypto/password.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { DEFAULT_SETTINGS } from '../../store/settings.ts'
import type { SavedUser } from '../../store/verbs/users.ts'
import { checkNewPassword, shortestPassword } from './password_policy.ts'

/** A username as it is compared: without case, in one Unicode form. */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').toLowerCase().trim()
}

/** The most characters of a username. */
export const LONGEST_USERNAME = 200

// Neither quotes, brackets, comments and encoded words nor what is invisible: software on the way reads these in ways of
// its own, and a letter about one address would go to another (RFC 5321 section 4.1.2 advises against quotes, too).
const EMAIL = /^(?!.*\p{DI})[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]{1,64}@[\p{L}\p{M}\p{N}.-]{1,189}$/u

/** Whether a text is an e-mail address, in the one spelling that every server on the way reads alike. */
export function isEmail(text: string): boolean {
  const domain = text.slice(text.lastIndexOf('@') + 1)
  if (!EMAIL.test(text) || text.includes('=?') || text.normalize('NFKC') !== text) return false
  return !domain.endsWith('.') && domainToASCII(domain) !== ''
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
  if (usernameKey(username) === '' || username.length > LONGEST_USERNAME)
    throw refuse('username must have 1 to 200 characters')
  if (/\p{Cc}/u.test(username)) throw refuse('username must not have control characters')
  if (name !== undefined && name.length > 200) throw refuse('name must have at most 200 characters')
  if (email !== undefined && !isEmail(email)) throw refuse('email is not an address')
  if (password !== undefined) checkPasswordOf(description)
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

/** Refuses the password of a description by the rules that hold without a tenant's own. */
export function checkPasswordOf({ password, username, email, roles = [] }: UserDescription): void {
  if (password === undefined) return
  checkNewPassword(password, { shortest: shortestPassword(DEFAULT_SETTINGS, roles), username, email, tenant_name: '' })
}
