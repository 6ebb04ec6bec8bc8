import { newId } from '../../crypto/random.ts'
import { buildTokenResponse } from '../../oauth/token_response.ts'
import type { GrantAuthority, GrantRecord } from '../../store/records.ts'
import type { TokenRequest } from '../authorization/grant_type.ts'
import { keptBinding } from '../client_authentication/sender_constraint.ts'
import type { InboundContext } from '../context.ts'
import { formatRefreshToken, newRefreshSecret } from '../tokens/refresh_tokens.ts'
import { endInBrowser, getsRefreshToken, idleEnd, prepareTokens } from './tokens_of_grant.ts'

/** Prepares the first tokens of a grant: what is to be committed, and the answer once it is. */
export async function prepareFirstTokens(
  context: InboundContext,
  { params, client, authority, configuration, cnf, proofs, request }: TokenRequest<GrantAuthority>,
  found: GrantRecord,
) {
  const { tenant_id, keys } = context.tenant
  const { now } = authority
  const expires_at = endInBrowser(request, client, configuration, found)
  const grant = expires_at === undefined ? found : { ...found, expires_at }
  const prepared = await prepareTokens(context, { params, client, authority, configuration, grant, cnf }, true)
  const { token, ...more } = prepared
  const { grant_id } = grant
  const secret = getsRefreshToken(client, grant.offline === 1) ? newRefreshSecret() : null
  const refresh_token = secret ? formatRefreshToken(keys, { grant_id, generation: 1, secret }) : undefined
  return {
    redemption: {
      tenant_id,
      grant_id,
      attempt_id: newId(now),
      refresh: secret && { hash: keys.hashSecret(secret), kid: keys.kid },
      idle_expires_at: secret ? idleEnd(configuration, grant, now) : null,
      expires_at,
      ...keptBinding(client, cnf),
      proofs: proofs.list(),
    },
    response: buildTokenResponse({ ...token, ...more, refresh_token }),
  }
}
