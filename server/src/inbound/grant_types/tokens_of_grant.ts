import type { Confirmation } from '../../oauth/access_token.ts'
import { type Client, isConfidential } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import { decideResources } from '../../oauth/resource.ts'
import { hasLostAll, narrowScope, parseScope } from '../../oauth/scope.ts'
import { buildUserinfo } from '../../oauth/userinfo.ts'
import type { GrantAuthority, GrantRecord } from '../../store/records.ts'
import type { Configuration } from '../../store/tenant.ts'
import { readClaimsOfGrant } from '../authorization/claims_of_grant.ts'
import { narrowDetails } from '../authorization/connections.ts'
import type { DirectRequest } from '../client_authentication/direct_request.ts'
import type { InboundContext } from '../context.ts'
import { knownResources, presentScopes, rightsOf, scopesAtResources } from '../rights.ts'
import { type IssuedAccessToken, issueAccessToken } from '../tokens/access_tokens.ts'
import { type ClaimsOrder, prepareClaims } from '../tokens/custom_claims.ts'
import { issueIdToken, readUserClaims } from '../tokens/id_tokens.ts'

/** Prepares the tokens of a grant before anything is committed; the request may narrow scope and resource for the access token. */
export async function prepareTokens(
  context: InboundContext,
  request: {
    params: Params
    client: Client
    authority: GrantAuthority
    configuration: Configuration
    grant: GrantRecord
    cnf: Confirmation | null
  },
  first: boolean,
): Promise<{
  token: IssuedAccessToken
  scope: string[]
  id_token: string | undefined
  authorization_details: readonly object[] | undefined
}> {
  const { params, client, authority, configuration, grant, cnf } = request
  const { issuer } = context.tenant
  const { now, user } = authority
  const resource = decideResources({
    requested: params.resource,
    granted: JSON.parse(grant.resource) as string[],
    registered: knownResources(issuer, configuration),
    issuer,
  })
  // A code exchange takes no scope (RFC 6749 section 4.1.3); a refresh may narrow it (section 6).
  const asked = first ? undefined : parseScope(params.values['scope'] ?? '')
  const granted = scopesAtResources(narrowScope(asked, grant.scope.split(' ')), issuer, configuration, resource)
  const scope = presentScopes(granted, rightsOf(configuration, client, user, grant.role))
  if (hasLostAll(granted, scope)) throw new OAuthError('invalid_scope', 'Nothing is left of what was granted')
  const { details, narrowed } = narrowDetails(params, grant.authorization_details)
  const order = { client_id: client.client_id, user, configuration, scope, resource }
  const token = await issueAccessToken(context, {
    client,
    configuration,
    scope,
    resource,
    now,
    epochs: [grant.tenant_epoch, grant.client_epoch, grant.user_epoch, grant.session_epoch],
    cnf,
    grant,
    user,
    authorization_details: narrowed,
  })
  const id_token = scope.includes('openid')
    ? await issueIdToken(context, {
        ...{ client, configuration, grant, now, access_token: token.access_token, with_nonce: first },
        sid: authority.session?.sid ?? grant.session_id,
        about_user: await tellOfUser(context, grant, order),
      })
    : undefined
  return { token, scope, id_token, authorization_details: details }
}

/** What an ID token tells of its user: claims of the tenant's own, and those asked for by name (OpenID Connect Core section 5.5). */
async function tellOfUser(context: InboundContext, grant: GrantRecord, order: ClaimsOrder) {
  const custom = await prepareClaims(context, 'id_token', order)
  const names = readClaimsOfGrant(grant).id_token
  if (!order.user || names.length === 0) return custom
  const { sub: _, ...told } = buildUserinfo(readUserClaims(order.user), [], names)
  return { ...custom, ...told }
}

/** Whether a grant gets a refresh token: where the client may have them, for some only with `offline_access`. */
export function getsRefreshToken(client: Client, offline: boolean): boolean {
  return client.grant_types.includes('refresh_token') && (offline || client.offline_refresh_only !== true)
}

/**
 * The end of a grant whose tokens are where any script of a page might read them: a public client's, asked for by a
 * browser (RFC 10017 section 6.3). Undefined where nothing is to be shortened.
 */
export function endInBrowser(
  { from_browser }: Pick<DirectRequest, 'from_browser'>,
  client: Client,
  { settings }: Configuration,
  grant: GrantRecord,
): number | undefined {
  if (!from_browser || isConfidential(client)) return undefined
  const latest = grant.created_at + settings.browser_refresh_lifetime_seconds * 1000
  return latest < grant.expires_at ? latest : undefined
}

/** When a refresh token that nobody uses is over; never later than its grant. */
export function idleEnd(configuration: Configuration, grant: GrantRecord, now: number): number {
  return Math.min(now + configuration.settings.refresh_idle_seconds * 1000, grant.expires_at)
}
