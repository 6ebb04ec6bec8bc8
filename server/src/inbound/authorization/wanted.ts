import {
  type AuthorizationRequest,
  type AuthorizationTarget,
  readAuthorizationTarget,
} from '../../oauth/authorization_request.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import { mayRedirect, type ProfileRules } from '../../oauth/profile.ts'
import { decideResources } from '../../oauth/resource.ts'
import { decideScope } from '../../oauth/scope.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { InboundContext } from '../context.ts'
import { defaultScopes, knownResources, type Rights, rightsOf, scopeRules, scopesOfResources } from '../rights.ts'
import { readConnectionWishes, type WishedConnector } from './connections.ts'

/** An authorization request that was read, and whom it is from. */
export interface Asking {
  readonly params: Params
  readonly client: Client
  readonly request: AuthorizationRequest
  readonly configuration: Configuration
}

/** What a request wants to use, whoever will sign in. */
export interface Wanted {
  readonly resource: readonly string[]
  readonly connectors: readonly WishedConnector[]
}

/** What a request wants to use; what nobody could give it is refused before anybody is asked to sign in for nothing. */
export async function readWanted(context: InboundContext, asking: Asking): Promise<Wanted> {
  const { tenant } = context
  const { client, request, configuration } = asking
  const { issuer } = tenant
  const resource = decideResources({
    requested: request.resource,
    registered: knownResources(issuer, configuration),
    default_resource: client.default_resource,
    issuer,
  })
  const connectors = await readConnectionWishes(context, asking.params, resource)
  decideWantedScope(context, asking, resource, rightsOf(configuration, client, null))
  return { resource, connectors }
}

/** The scopes of a request that somebody with these rights may give away. */
export function decideWantedScope(
  context: InboundContext,
  { request, configuration }: Asking,
  resource: readonly string[],
  rights: Rights,
): string[] {
  return decideScope({
    requested: request.scope,
    resource_defaults: defaultScopes(configuration, resource),
    ...scopeRules(rights),
    known_scopes: scopesOfResources(context.tenant.issuer, configuration, resource),
  })
}

/** Where the answer may go, by the registration of the client and the rules that it stands under. */
export function requireTarget(params: Params, client: Client | undefined, profile: ProfileRules): AuthorizationTarget {
  const target = readAuthorizationTarget(params, client)
  if (mayRedirect(client!, target.redirect_uri, profile)) return target
  throw new OAuthError(
    'invalid_request',
    "Parameter redirect_uri is over plain http, which the client's profile refuses",
  )
}
