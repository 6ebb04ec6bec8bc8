import type { AccessTokenClaims } from '../oauth/access_token.ts'
import type { ConnectionOwner } from '../store/verbs/connections.ts'

/** Whether two are one owner; nobody is the owner of what has none. */
export function isSameOwner(one: ConnectionOwner, other: ConnectionOwner): boolean {
  if (one.user_id !== null || other.user_id !== null) return one.user_id === other.user_id
  return one.client_id !== null && one.client_id === other.client_id && one.end_user_id === other.end_user_id
}

/**
 * Whether a program may name a connection: those of our users by its scope alone; that of a platform's user by that
 * platform itself alone, and by nobody in whose name it acts.
 */
export function isOpenTo(
  { client_id }: ConnectionOwner,
  claims: Pick<AccessTokenClaims, 'client_id' | 'grant_id'>,
): boolean {
  return client_id === null || (claims.client_id === client_id && claims.grant_id === undefined)
}
