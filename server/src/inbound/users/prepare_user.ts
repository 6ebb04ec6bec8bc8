import { domainToASCII } from 'node:url'
import { hashPassword } from '../../crypto/password.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../store/settings.ts'
import type { Configuration } from '../../store/tenant.ts'
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

// A name that a stranger chooses must not look like somebody else's (RFC 8265 section 3.3 has none of these either).
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u

/** Refuses a username that nobody of the tenant has chosen, where it could pass for somebody else's. */
export function checkChosenUsername(username: string, email_verified: boolean): void {
  // Else somebody could take the name that the owner of an address types when they ask for a new password.
  if (!email_verified && usernameKey(username).includes('@')) {
    throw new OAuthError('invalid_request', 'username must not have an @ in it')
  }
  if (INVISIBLE.test(username)) throw new OAuthError('invalid_request', 'username must not have invisible characters')
}

/** What a tenant asks of passwords. */
export type PasswordRules = Pick<Configuration, 'name'> & {
  readonly settings: Pick<Settings, 'password_min_length' | 'password_min_length_administrators'>
}

/** The rules that hold before a tenant has its own. */
const USUAL_RULES: PasswordRules = { settings: DEFAULT_SETTINGS, name: '' }

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
export async function prepareUser(
  user_id: string,
  description: UserDescription,
  rules: PasswordRules = USUAL_RULES,
): Promise<SavedUser> {
  const { username, name, email, password } = description
  const refuse = (text: string) => new OAuthError('invalid_request', text)
  if (usernameKey(username) === '' || username.length > LONGEST_USERNAME)
    throw refuse('username must have 1 to 200 characters')
  if (/\p{Cc}/u.test(username)) throw refuse('username must not have control characters')
  if (name !== undefined && name.length > 200) throw refuse('name must have at most 200 characters')
  if (email !== undefined && !isEmail(email)) throw refuse('email is not an address')
  if (password !== undefined) checkPasswordOf(description, rules)
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

/** Refuses the password of a description by the rules of the tenant. */
export function checkPasswordOf(
  { password, username, email, roles = [] }: UserDescription,
  { settings, name: tenant_name }: PasswordRules,
): void {
  if (password === undefined) return
  checkNewPassword(password, { shortest: shortestPassword(settings, roles), username, email, tenant_name })
}
