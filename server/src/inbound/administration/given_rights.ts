import { OAuthError } from '../../oauth/errors.ts'
import type { Configuration } from '../../store/tenant.ts'
import { ADMINISTRATOR, API_SCOPES } from '../tenants.ts'

/**
 * Refuses a program that gives scopes of this server's own API which its token lacks, or that changes who has them: who
 * may write could else make themselves a client, or an administrator, that may do everything. `what` names the part of
 * the request, or the thing, that has them.
 */
export function requireHeld(held: readonly string[], scopes: Iterable<string>, what: string): void {
  const lacks = [...new Set(scopes)].filter((scope) => Object.hasOwn(API_SCOPES, scope) && !held.includes(scope))
  if (lacks.length === 0) return
  const text = `${what} has ${lacks.join(' ')}: that is given or changed only by an access token that has it too`
  throw new OAuthError('insufficient_scope', text)
}

/**
 * The scopes that whoever holds some roles can come by. An administrator's are all of this API, whatever the role has at
 * the moment: the console gives them back.
 */
export function scopesOfRoles({ roles }: Pick<Configuration, 'roles'>, names: readonly string[]): string[] {
  const given = names.flatMap((name) => roles.get(name) ?? [])
  return names.includes(ADMINISTRATOR) ? [...given, ...Object.keys(API_SCOPES)] : given
}

/** Refuses a program that decides who signs users in: whoever does can be any of them, administrators too. */
export function requireHeldOfSignIn(held: readonly string[]): void {
  requireHeld(held, Object.keys(API_SCOPES), 'Whoever signs users in')
}

/** The single scopes of a text of them. */
export function listScopes(scope: string | undefined): string[] {
  return (scope ?? '').split(/\s+/)
}
