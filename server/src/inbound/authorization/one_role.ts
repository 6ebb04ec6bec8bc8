import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { IDENTITY_SCOPES } from '../../oauth/scope.ts'
import { presentScopes, type Rights } from '../rights.ts'

/** The roles of a user of which a one-role client gets one; null where the client acts in all that the user has. */
export function offerRoles(
  client: Pick<Client, 'one_role' | 'role_scopes'>,
  user: { readonly roles: string },
): readonly string[] | null {
  if (client.one_role !== true) return null
  const held = JSON.parse(user.roles) as string[]
  const map = client.role_scopes
  return map === undefined ? held : held.filter((role) => Object.hasOwn(map, role))
}

/** A role to pick, and what it gives of the scopes that are asked for. */
export interface OfferedRole {
  readonly role: string
  readonly scope: readonly string[]
}

/** The roles to pick from, each with what it gives; identity goes with any. */
export function describeRoles(
  offered: readonly string[] | null,
  scope: readonly string[],
  rightsIn: (role: string) => Rights,
): OfferedRole[] | null {
  if (offered === null) return null
  const given = scope.filter((name) => !IDENTITY_SCOPES.has(name))
  return offered.map((role) => ({ role, scope: presentScopes(given, rightsIn(role)) }))
}

/**
 * The role to act in: null where it is all of them, undefined where the user has several and has not picked one. A user
 * without any that this client takes cannot use it.
 */
export function pickRole(offered: readonly string[] | null, picked: string | undefined): string | null | undefined {
  if (offered === null) return null
  if (offered.length === 0) {
    throw new OAuthError('access_denied', 'The user has none of the roles in which this client may act')
  }
  return offered.length === 1 ? offered[0] : offered.find((role) => role === picked)
}

/** The role to act in where nobody can be asked: the one that is at work already, else the one picked; several are refused. */
export function requireRole(
  client: Pick<Client, 'one_role' | 'role_scopes'>,
  user: { readonly roles: string },
  picked?: string | undefined,
  at_work: string | null = null,
): string | null {
  const offered = offerRoles(client, user)
  if (offered === null) return at_work
  const role = pickRole(at_work === null ? offered : offered.filter((name) => name === at_work), picked)
  if (role !== undefined) return role
  throw new OAuthError('invalid_request', 'This client acts in one role: name one of the user with parameter role')
}
