import type { AccessTokenClaims } from './access_token.ts'
import { formatScope, parseScope } from './scope.ts'

/** A token as introspection looks at it: an access token, or a refresh token without audience. */
export type IntrospectedToken = Omit<AccessTokenClaims, 'aud' | 'jti' | 'ep'> & {
  aud?: AccessTokenClaims['aud'] | undefined
  jti?: string | undefined
}

/** What the grant, or the client on its own behalf, may do now. */
export interface PresentRights {
  scope: readonly string[]
  /** Left out where resources or roles cannot have changed. */
  resources?: readonly string[] | undefined
  roles?: readonly string[] | undefined
}

/** What an answer says beside the claims. */
export interface IntrospectionDetails {
  /** How the token is presented (RFC 6749 section 7.1); N_A for what is no access token (RFC 8693 section 2.2.1). */
  token_type: 'Bearer' | 'DPoP' | 'N_A'
  username?: string | undefined
  /** What of them the token may do, as granted (RFC 9396 section 9.2). */
  authorization_details?: readonly object[] | undefined
}

/** An introspection answer (RFC 7662 section 2.2). */
export type IntrospectionResponse = { active: false } | ({ active: true } & Record<string, unknown>)

/** The answer for every token that is not alive, unknown, or not the caller's to see (RFC 7662 section 2.2). */
export const INACTIVE: { readonly active: false } = Object.freeze({ active: false })

const CLAIMS = ['client_id', 'exp', 'iat', 'sub', 'iss', 'jti', 'auth_time', 'acr', 'amr', 'cnf', 'act'] as const

/**
 * The answer for a living token: its claims cut to the rights of the present (RFC 7662 section 2.2). A token that has
 * lost each scope or each resource is inactive. Our private claims stay inside.
 */
export function buildIntrospectionResponse(
  claims: IntrospectedToken,
  rights: PresentRights,
  details: IntrospectionDetails,
): IntrospectionResponse {
  const had = parseScope(claims.scope)
  const scope = keep(had, rights.scope)
  const resources = listAudience(claims.aud)
  const aud = rights.resources === undefined ? resources : keep(resources, rights.resources)
  if ((had.length > 0 && scope.length === 0) || (aud.length === 0 && resources.length > 0)) return INACTIVE
  const response: { active: true } & Record<string, unknown> = {
    active: true,
    scope: formatScope(scope),
    token_type: details.token_type,
  }
  for (const name of CLAIMS) if (claims[name] !== undefined) response[name] = claims[name]
  if (aud.length > 0) response['aud'] = aud.length === 1 ? aud[0] : aud
  if (claims.roles !== undefined) {
    response['roles'] = rights.roles === undefined ? claims.roles : keep(claims.roles, rights.roles)
  }
  if (details.username !== undefined) response['username'] = details.username
  if (details.authorization_details !== undefined) response['authorization_details'] = details.authorization_details
  return response
}

function listAudience(aud: IntrospectedToken['aud']): readonly string[] {
  if (aud === undefined) return []
  return typeof aud === 'string' ? [aud] : aud
}

function keep(values: readonly string[], present: readonly string[]): readonly string[] {
  return values.every((value) => present.includes(value)) ? values : values.filter((value) => present.includes(value))
}
