import { OAuthError } from '../../oauth/errors.ts'
import { decideResources } from '../../oauth/resource.ts'
import { decideScope, IDENTITY_SCOPES, parseScope, type ScopeSet } from '../../oauth/scope.ts'
import { tokenTypeUri } from '../../oauth/token_exchange.ts'
import type { UserRecord } from '../../store/records.ts'
import type { Loaded, TokenRequest } from '../authorization/grant_type.ts'
import type { InboundContext } from '../context.ts'
import { defaultScopes, knownResources, rightsOf, scopeRules, scopesAtResources, scopesOfResources } from '../rights.ts'

/** What the new token may be for, before the request narrows it. */
export interface Reach {
  readonly user: UserRecord
  readonly role: string | null
  /** The resources that may be named. */
  readonly resources: readonly string[]
  /** Those of them at which it may have no more scopes than these, and the scopes; null leaves it to client and roles. */
  readonly consented: ScopeSet | null
  /** The scopes it has where the request names none. */
  readonly inherited: readonly string[]
}

/** The resources and scopes of the new token: those named, within its reach (CVE-2022-1245). */
export function decideTarget(
  { tenant: { issuer } }: InboundContext,
  { params, client, configuration }: TokenRequest<Loaded>,
  { user, role, resources, consented, inherited }: Reach,
): { resource: readonly string[]; scope: string[] } {
  const requested = [...params.resource, ...params.audience]
  if (resources.length === 0) {
    throw new OAuthError('invalid_target', 'This client may not get tokens for other resources by exchange')
  }
  if (requested.length === 0) {
    throw new OAuthError('invalid_target', 'Parameter resource is missing: it names what the new token is for')
  }
  const known_resources = knownResources(issuer, configuration)
  const granted = resources.filter((name) => known_resources.has(name))
  const strange = params.audience.find((name) => !granted.includes(name))
  if (strange !== undefined) {
    throw new OAuthError('invalid_target', `Audience '${strange.slice(0, 200)}' is none that this client may name`)
  }
  const resource = decideResources({ requested, granted, registered: known_resources, issuer })
  // Told before anything is used up.
  const isOpaque = (name: string) => configuration.resources.get(name)?.access_token_format === 'opaque'
  if (params.values['requested_token_type'] === tokenTypeUri('jwt') && resource.some(isOpaque)) throw notAsJwt()
  const named = parseScope(params.values['scope'] ?? '')
  const about_user = named.find((scope) => IDENTITY_SCOPES.has(scope))
  if (about_user !== undefined) {
    throw new OAuthError('invalid_scope', `Scope '${about_user}' is not for an exchanged token`)
  }
  const known = scopesOfResources(issuer, configuration, resource)
  const kept = scopesAtResources(inherited, issuer, configuration, resource).filter((name) => known.includes(name))
  const scope = decideScope({
    requested: named.length > 0 ? named : kept,
    resource_defaults: defaultScopes(configuration, resource),
    ...scopeRules({ ...rightsOf(configuration, client, user, role), ...(consented && { consented }) }),
    known_scopes: known,
  })
  return { resource, scope }
}

/** The refusal of a JWT at a resource that takes none. */
export function notAsJwt(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'Parameter requested_token_type is jwt, and the resource takes opaque tokens',
  )
}
