import type { ClaimsRequest } from '../../oauth/claims_request.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { scopeOfClaim } from '../../oauth/userinfo.ts'

/** The claims that a grant gives by their names, beside those of its scopes: as its row keeps them. */
export interface ClaimsOfGrant {
  readonly userinfo: readonly string[]
  readonly id_token: readonly string[]
}

const NONE: ClaimsOfGrant = { userinfo: [], id_token: [] }

/**
 * The scopes that stand for the claims asked for by name (OpenID Connect Core section 5.5), as the user is asked for
 * them. A claim whose scope the client may not have is left out, as one that nobody has.
 */
export function scopesOfClaims(claims: ClaimsRequest | undefined, client: Pick<Client, 'scope'>): string[] {
  if (claims === undefined) return []
  const allowed = client.scope.split(' ')
  const scopes = [...Object.keys(claims.userinfo), ...Object.keys(claims.id_token)].flatMap(
    (name) => scopeOfClaim(name) ?? [],
  )
  return [...new Set(scopes)].filter((scope) => allowed.includes(scope))
}

/** The claims asked for by name whose scopes were allowed, for the grant's row; null where there are none. */
export function grantClaims(claims: ClaimsRequest | undefined, allowed: readonly string[]): string | null {
  if (claims === undefined) return null
  const names = (wishes: object) =>
    Object.keys(wishes).filter((name) => {
      const scope = scopeOfClaim(name)
      return scope !== undefined && allowed.includes(scope)
    })
  const granted: ClaimsOfGrant = { userinfo: names(claims.userinfo), id_token: names(claims.id_token) }
  return granted.userinfo.length + granted.id_token.length > 0 ? JSON.stringify(granted) : null
}

/** The claims that a grant gives by their names. */
export function readClaimsOfGrant({ claims }: { readonly claims: string | null }): ClaimsOfGrant {
  return claims === null ? NONE : (JSON.parse(claims) as ClaimsOfGrant)
}
