import { readClientCredentials } from '../../oauth/client_credentials.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { requireParam } from '../../oauth/params.ts'
import { authenticateClient } from '../client_authentication/authenticate_client.ts'
import type { DirectRequest } from '../client_authentication/direct_request.ts'
import { refuseReplays } from '../client_authentication/proofs.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { isKeyTrusted, openAccessToken } from './access_tokens.ts'
import { deleteShownToken, isPermanentToken } from './permanent_tokens.ts'
import { openRefreshToken } from './refresh_tokens.ts'

/**
 * Revocation (RFC 7009): a refresh token ends its grant and with it every access token of the grant; an access token
 * ends alone. What is unknown is fine; what belongs to another client is refused and stays as it was. A permanent token
 * belongs to no client, and ends by whoever holds it.
 */
export async function revoke(context: InboundContext, request: DirectRequest): Promise<void> {
  const { tenant } = context
  const { tenant_id, store } = tenant
  const { params, authorization } = request
  const { token: shown = '' } = params.values
  // It is no client's, so nobody has to be one to end it.
  if (isPermanentToken(shown)) return deleteShownToken(tenant, shown)
  const credentials = readClientCredentials({ authorization, params, realm: tenant.issuer })
  const token = requireParam(params, 'token')
  const refresh = await openRefreshToken(tenant, token)
  const client_id = credentials.client_id
  const authority = await store.loadGrantAuthority({ tenant_id, client_id, grant_id: refresh?.grant_id ?? '' })
  const { client, proofs } = await authenticateClient(context, request, credentials, authority)
  await refuseReplays(tenant.issuer, () => proofs.accept(context))
  const actor = `client:${client.client_id}`
  if (refresh) {
    const grant = authority?.grant
    if (!grant) return
    if (grant.client_id !== client.client_id) throw notYours()
    const about = {
      client_id,
      user_id: grant.user_id,
      grant_id: grant.grant_id,
      detail: { reason: 'revoked_by_client' },
    }
    await store.revokeGrant({
      tenant_id,
      grant_id: grant.grant_id,
      reason: 'revoked_by_client',
      event: event(tenant, 'grant.revoked', actor, about),
    })
    return
  }
  const opened = await openAccessToken(context, token)
  if (!opened || !isKeyTrusted(opened, await tenant.configuration(authority!.tenant.config_version))) return
  const { claims } = opened
  if (claims.exp * 1000 <= authority!.now) return
  if (claims.client_id !== client.client_id) throw notYours()
  await store.revokeAccessToken({
    tenant_id,
    jti: claims.jti,
    expires_at: claims.exp * 1000,
    event: event(tenant, 'access_token.revoked', actor, {
      client_id,
      grant_id: claims.grant_id ?? null,
      detail: { jti: claims.jti },
    }),
  })
}

function notYours(): OAuthError {
  return new OAuthError('invalid_request', 'The token was issued to another client')
}
