import { OAuthError } from '../oauth/errors.ts'
import { buildUserinfo } from '../oauth/userinfo.ts'
import type { InboundContext } from './context.ts'
import { readUserClaims } from './id_tokens.ts'
import { type ResourceRequest, requireAccessToken } from './require_access_token.ts'

/** The userinfo endpoint (OpenID Connect Core section 5.3). */
export async function describeUser(
  context: InboundContext,
  request: ResourceRequest,
): Promise<Record<string, unknown>> {
  const { tenant } = context
  const audience = [tenant.issuer]
  const { claims, scope } = await requireAccessToken(context, request, { audience, scope: ['openid'] })
  const user = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id: claims.sub })
  if (!user) throw new OAuthError('invalid_token', 'The user of the access token is gone')
  return buildUserinfo(readUserClaims(user), scope)
}
