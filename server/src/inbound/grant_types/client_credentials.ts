import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { decideResources } from '../../oauth/resource.ts'
import { decideScope, IDENTITY_SCOPES, parseScope } from '../../oauth/scope.ts'
import { buildTokenResponse } from '../../oauth/token_response.ts'
import type { UserRecord } from '../../store/records.ts'
import type { GrantType } from '../authorization/grant_type.ts'
import type { InboundContext } from '../context.ts'
import { defaultScopes, findServiceRole, rightsOf, scopeRules, scopesOfResources } from '../rights.ts'
import { issueAccessToken } from '../tokens/access_tokens.ts'

/**
 * A client on its own behalf (RFC 6749 section 4.4), or as the one user and role that it is bound to: never a refresh
 * token, nothing is written.
 */
export const client_credentials: GrantType = {
  grant_type: 'client_credentials',

  load(context, _params, client_id) {
    return context.tenant.store.loadClientAuthority({ tenant_id: context.tenant.tenant_id, client_id })
  },

  async issue(context, { params, client, authority, configuration, cnf }) {
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
    const account = await findServiceUser(context, client)
    const scope = decideScope({
      requested,
      resource_defaults: defaultScopes(configuration, resource),
      ...scopeRules(rightsOf(configuration, client, account?.user ?? null, account?.role)),
      known_scopes: scopesOfResources(issuer, configuration, resource),
    })
    const epochs = [authority.tenant.epoch, authority.client!.epoch, account?.user.epoch ?? 0, 0] as const
    const token = await issueAccessToken(context, {
      client,
      configuration,
      scope,
      resource,
      now: authority.now,
      epochs,
      cnf,
      grant: null,
      user: account?.user ?? null,
      ...(account && { role: account.role }),
    })
    return buildTokenResponse({ ...token, scope })
  },
}

/** The user and role that the client is bound to, or null; a user who is disabled or has lost the role ends it. */
async function findServiceUser(
  { tenant }: InboundContext,
  client: Client,
): Promise<{ user: UserRecord; role: string } | null> {
  const account = client.service_account
  if (account === undefined) return null
  const user = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id: account.user_id })
  const role = findServiceRole(client, user, account.user_id)
  if (user && user.disabled_at === null && role !== undefined) return { user, role }
  const cause = user ? 'its user is disabled or has lost the role' : 'its user is gone'
  throw new OAuthError('unauthorized_client', 'The service account of this client is switched off', { cause })
}
