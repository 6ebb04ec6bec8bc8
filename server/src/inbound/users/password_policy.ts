import { OAuthError } from '../../oauth/errors.ts'
import type { Settings } from '../../store/settings.ts'
import { ADMINISTRATOR } from '../tenants.ts'
import { isCommonPassword } from './frequent_passwords.ts'

/** The most characters that a password may have; all of them count. */
export const LONGEST_PASSWORD = 1024

/** The fewest characters that a password may have for whoever holds these roles. */
export function shortestPassword(
  settings: Pick<Settings, 'password_min_length' | 'password_min_length_administrators'>,
  roles: readonly string[],
): number {
  const { password_min_length, password_min_length_administrators } = settings
  if (!roles.includes(ADMINISTRATOR)) return password_min_length
  return Math.max(password_min_length, password_min_length_administrators)
}

/** Characters as people count them, in the form in which passwords are hashed. */
export function passwordLength(password: string): number {
  return [...password.normalize('NFC')].length
}

/** Whether a password is longer than any that was taken. */
export function isPasswordTooLong(password: string): boolean {
  return passwordLength(password) > LONGEST_PASSWORD
}

/** Whose password it is to be, and what the tenant asks of it. */
export interface PasswordOwner {
  readonly shortest: number
  readonly username: string
  readonly email: string | null | undefined
  readonly tenant_name: string
}

/** What is wrong with a new password. */
export type PasswordFault = 'too_short' | 'too_long' | 'common'

/**
 * Judges a new password: too short or too long, one that many people have, or the user's or the tenant's own name;
 * nothing else is asked of it, no kinds of characters and no change after a time (ASVS 6.2.1 to 6.2.12).
 */
export function findPasswordFault(password: string, owner: PasswordOwner): PasswordFault | null {
  if (isPasswordTooLong(password)) return 'too_long'
  if (passwordLength(password) < owner.shortest) return 'too_short'
  const names = [owner.username, owner.email?.split('@')[0], owner.email, owner.tenant_name]
  return isCommonPassword(
    password,
    names.filter((name) => typeof name === 'string'),
  )
    ? 'common'
    : null
}

/** The same as a refusal, for whoever describes users. */
export function checkNewPassword(password: string, owner: PasswordOwner): void {
  const fault = findPasswordFault(password, owner)
  if (fault === null) return
  const what =
    fault === 'common'
      ? 'is one that is guessed first: take one that nobody else has'
      : `must have ${owner.shortest} to ${LONGEST_PASSWORD} characters`
  throw new OAuthError('invalid_request', `password ${what}`)
}
