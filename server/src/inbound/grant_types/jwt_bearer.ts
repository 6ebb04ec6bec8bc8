import { requireParam } from '../../oauth/params.ts'
import { decideResources } from '../../oauth/resource.ts'
import { decideScope, parseScope } from '../../oauth/scope.ts'
import { nestActor, readActor } from '../../oauth/token_exchange.ts'
import { buildTokenResponse } from '../../oauth/token_response.ts'
import type { GrantType, Loaded, TokenRequest } from '../authorization/grant_type.ts'
import { requireRole } from '../authorization/one_role.ts'
import { defaultScopes, rightsOf, scopeRules, scopesOfResources } from '../rights.ts'
import { issueAsserted, readAuthTime } from '../tokens/asserted_grant.ts'
import { type Asserted, verifyAssertion } from '../tokens/trusted_issuers.ts'

/**
 * An assertion as an authorization grant (RFC 7523 section 2.1, RFC 7521 section 4.1): somebody we trust says who the
 * user is. Never a refresh token: who wants more tokens brings another assertion.
 */
export const jwt_bearer: GrantType = {
  grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',

  load(context, _params, client_id) {
    return context.tenant.store.loadClientAuthority({ tenant_id: context.tenant.tenant_id, client_id })
  },

  async issue(context, request) {
    const { tenant } = context
    const { params, client, authority } = request
    const { now } = authority
    const assertion = requireParam(params, 'assertion')
    const { client_id } = client
    const asserted = await verifyAssertion(context, assertion, { client_id, now, parameter: 'assertion' })
    const { user, claims } = asserted
    const role = requireRole(client, user, params.values['role'])
    const { scope, resource } = decideRights(tenant.issuer, request, asserted, role)
    const token = await issueAsserted(context, request, {
      ...{ user, role, scope, resource, session: null, proof: asserted.proof },
      act: nestActor(null, readActor(claims['act'], claims.iss)),
      // When the user signed in is for the issuer to say; who says nothing has not shown that it was lately.
      signed_in: { auth_time: readAuthTime(claims['auth_time'], now), acr: null, amr: null },
      detail: { grant_type: 'jwt-bearer', issuer: claims.iss },
    })
    return buildTokenResponse({ ...token, scope })
  },
}

/** What the client may have, within what the issuer's word is good for, and what the user can give. */
function decideRights(
  issuer: string,
  { params, client, configuration }: Pick<TokenRequest<Loaded>, 'params' | 'client' | 'configuration'>,
  { rules, user }: Asserted,
  role: string | null,
): { scope: string[]; resource: readonly string[] } {
  const resource = decideResources({
    requested: params.resource,
    registered: configuration.resources,
    default_resource: client.default_resource,
    issuer,
  })
  const rights = { ...rightsOf(configuration, client, user, role), consented: parseScope(rules.scope) }
  const scope = decideScope({
    requested: parseScope(params.values['scope'] ?? ''),
    resource_defaults: defaultScopes(configuration, resource),
    ...scopeRules(rights),
    known_scopes: scopesOfResources(issuer, configuration, resource),
  })
  return { scope, resource }
}
