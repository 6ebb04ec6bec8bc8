import type { LivingToken } from '../../inbound/tokens/access_tokens.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ConnectionOwner } from '../../store/verbs/connections.ts'

/** The platform that asks, in its own name: what belongs to its users is for nobody in whose name it acts. */
export function platformOf({ claims }: Pick<LivingToken, 'claims'>): string {
  if (claims.grant_id === undefined) return claims.client_id
  throw new OAuthError('insufficient_scope', 'This is for platforms, in their own name')
}

/** Whether a connection is of a user of the platform that asks. */
export function isOfPlatform({ client_id }: ConnectionOwner, { claims }: Pick<LivingToken, 'claims'>): boolean {
  return client_id !== null && claims.client_id === client_id && claims.grant_id === undefined
}

/**
 * Whether a program may use a connection: those of our users by the scope for all of them, those of a platform's users by
 * that platform alone.
 */
export function isOpenTo(
  connection: ConnectionOwner,
  token: Pick<LivingToken, 'claims' | 'scope'>,
  scope_for_all: string,
): boolean {
  return connection.client_id === null ? token.scope.includes(scope_for_all) : isOfPlatform(connection, token)
}
