import { clientAuthenticationError } from '../../../oauth/client_credentials.ts'
import type { Client } from '../../../oauth/clients/client.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import type { DirectRequest } from '../../client_authentication/direct_request.ts'
import { readClientRecord } from '../../clients/client_record.ts'
import type { InboundContext } from '../../context.ts'
import { findLivingToken } from '../../tokens/access_tokens.ts'

/**
 * The client whose own access token, got by its credentials beforehand, stands for them in this request; null where the
 * Authorization header is no Bearer token. Only for clients that an administrator has configured so.
 */
export async function authenticateByToken(context: InboundContext, request: DirectRequest): Promise<Client | null> {
  const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(request.authorization ?? '')?.[1]
  if (token === undefined) return null
  const { tenant } = context
  const { client_id, client_secret, client_assertion } = request.params.values
  if (client_secret !== undefined || client_assertion !== undefined) {
    throw new OAuthError('invalid_request', 'The request authenticates its client by more than one method')
  }
  const failed = (cause: string) =>
    clientAuthenticationError(tenant.issuer, "The access token does not stand for its client's credentials", cause)
  const { living, reason } = await findLivingToken(context, token, '')
  if (!living) throw failed(reason ?? 'not living')
  const { claims } = living
  if (claims.grant_id !== undefined || claims.sub !== claims.client_id) throw failed('a token with a user')
  if (claims.cnf !== undefined) throw failed('bound to a key that a Bearer header does not prove')
  const record = await tenant.store.findClient({ tenant_id: tenant.tenant_id, client_id: claims.client_id })
  if (!record || record.disabled_at !== null) throw failed('its client is gone or disabled')
  const client = readClientRecord(record)
  if (client.bearer_authentication !== true) throw failed('its client may not')
  if (client_id !== undefined && client_id !== client.client_id) {
    throw new OAuthError('invalid_request', 'Parameter client_id differs from the client of the access token')
  }
  return client
}
