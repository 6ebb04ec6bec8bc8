import { OAuthError } from '../../oauth/errors.ts'
import { buildUserinfo } from '../../oauth/userinfo.ts'
import { readClaimsOfGrant } from '../authorization/claims_of_grant.ts'
import { readMetadata } from '../clients/client_record.ts'
import type { InboundContext } from '../context.ts'
import { subjectOf } from '../subjects.ts'
import { prepareClaims } from './custom_claims.ts'
import { readUserClaims } from './id_tokens.ts'
import { type ResourceRequest, requireAccessToken } from './require_access_token.ts'

/** The userinfo endpoint (OpenID Connect Core section 5.3). */
export async function describeUser(
  context: InboundContext,
  request: ResourceRequest,
): Promise<Record<string, unknown>> {
  const { tenant } = context
  const audience = [tenant.issuer]
  const living = await requireAccessToken(context, request, { audience, scope: ['openid'] })
  const { claims, scope, authority, configuration, user_id } = living
  const user = user_id === null ? null : await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id })
  if (!user) throw new OAuthError('invalid_token', 'The user of the access token is gone')
  const { client_id } = claims
  const order = { client_id, user, configuration, scope, resource: [claims.aud].flat() }
  const custom = await prepareClaims(context, 'userinfo', order)
  const names = readClaimsOfGrant(authority.grant ?? { claims: null }).userinfo
  const { token_client } = authority
  const client = token_client && { ...readMetadata(token_client.metadata), client_id }
  const sub = client ? subjectOf(tenant, client, user.user_id) : user.user_id
  return { ...custom, ...buildUserinfo({ ...readUserClaims(user), sub }, scope, names) }
}
