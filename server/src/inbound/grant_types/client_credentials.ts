import { OAuthError } from '../../oauth/errors.ts'
import { decideResources } from '../../oauth/resource.ts'
import { decideScope, IDENTITY_SCOPES, parseScope } from '../../oauth/scope.ts'
import { buildTokenResponse } from '../../oauth/token_response.ts'
import { issueAccessToken } from '../access_tokens.ts'
import { defaultScopes, scopesOfResources } from '../rights.ts'
import type { GrantType } from './grant_type.ts'

/** A client on its own behalf (RFC 6749 section 4.4): never a refresh token, nothing is written. */
export const client_credentials: GrantType = {
  grant_type: 'client_credentials',

  load(context, _params, client_id) {
    return context.tenant.store.loadClientAuthority({ tenant_id: context.tenant.tenant_id, client_id })
  },

  async issue(context, { params, client, authority, configuration }) {
    if (client.token_endpoint_auth_method === 'none') {
      throw new OAuthError('unauthorized_client', 'A public client cannot act on its own behalf')
    }
    const { issuer } = context.tenant
    const resource = decideResources({
      requested: params.resource,
      registered: configuration.resources,
      default_resource: client.default_resource,
      issuer,
    })
    const requested = parseScope(params.values['scope'] ?? '')
    const about_user = requested.find((scope) => IDENTITY_SCOPES.has(scope))
    if (about_user !== undefined) {
      throw new OAuthError('invalid_scope', `Scope '${about_user}' needs a user, and client_credentials has none`)
    }
    const scope = decideScope({
      requested,
      client_scope: client.scope.split(' '),
      resource_defaults: defaultScopes(configuration, resource),
      role_scopes: null,
      known_scopes: scopesOfResources(issuer, configuration, resource),
    })
    const epochs = [authority.tenant.epoch, authority.client!.epoch, 0, 0] as const
    const token = issueAccessToken(context, {
      client,
      configuration,
      scope,
      resource,
      now: authority.now,
      epochs,
      grant: null,
      user: null,
    })
    return buildTokenResponse({ ...token, scope })
  },
}
