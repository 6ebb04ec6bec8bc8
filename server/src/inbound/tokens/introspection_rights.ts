import type { AccessTokenClaims } from '../../oauth/access_token.ts'
import { IDENTITY_SCOPES } from '../../oauth/scope.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { LivingToken } from './access_tokens.ts'

/** What a caller may know of a token: its audience and its scopes, cut to the caller's resources. */
export interface IntrospectionView {
  readonly resources: readonly string[]
  readonly scope: readonly string[]
}

/**
 * What of a token is a caller's to see (RFC 7662 section 4): all of its own, and of others what they say to the
 * resources that name the caller. A token for the issuer speaks for every resource whose scopes it carries. Null is
 * nothing.
 */
export function viewToken(
  token: Pick<LivingToken, 'resource' | 'scope'> & { readonly claims: Pick<AccessTokenClaims, 'client_id'> },
  caller: { readonly client_id: string },
  issuer: string,
  configuration: Configuration,
): IntrospectionView | null {
  const { claims, resource: audience, scope } = token
  if (claims.client_id === caller.client_id) return { resources: audience, scope }
  const own = resourcesOfCaller(configuration, caller.client_id)
  if (own.length === 0) return null
  const named = own.filter((resource) => audience.includes(resource))
  const known = new Set((audience.includes(issuer) ? own : named).flatMap((name) => scopesOf(configuration, name)))
  const concerned = scope.filter((name) => known.has(name))
  const resources = named.length > 0 ? named : concerned.length > 0 ? [issuer] : []
  if (resources.length === 0) return null
  return { resources, scope: scope.filter((name) => known.has(name) || IDENTITY_SCOPES.has(name)) }
}

function scopesOf(configuration: Configuration, resource: string): string[] {
  return [...configuration.resources.get(resource)!.scopes.keys()]
}

const lists = new WeakMap<Configuration, Map<string, string[]>>()

/** The resources that a client stands for. A configuration never changes, so this is read once for each. */
export function resourcesOfCaller(configuration: Configuration, client_id: string): readonly string[] {
  let list = lists.get(configuration)
  if (!list) {
    list = new Map()
    for (const { resource, introspection_clients } of configuration.resources.values()) {
      for (const caller of new Set(introspection_clients)) {
        const known = list.get(caller)
        if (known) known.push(resource)
        else list.set(caller, [resource])
      }
    }
    lists.set(configuration, list)
  }
  return list.get(client_id) ?? []
}
