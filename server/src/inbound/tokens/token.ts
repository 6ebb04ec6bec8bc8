import { readClientCredentials } from '../../oauth/client_credentials.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { requireParam } from '../../oauth/params.ts'
import { requireProfile, rulesOf } from '../../oauth/profile.ts'
import type { TokenResponse } from '../../oauth/token_response.ts'
import type { GrantType } from '../authorization/grant_type.ts'
import { authenticateClient, requireGrantType } from '../client_authentication/authenticate_client.ts'
import type { DirectRequest } from '../client_authentication/direct_request.ts'
import { Proofs, refuseReplays } from '../client_authentication/proofs.ts'
import { readConfirmation } from '../client_authentication/sender_constraint.ts'
import type { InboundContext } from '../context.ts'

/** The token endpoint (RFC 6749 section 3.2): one grant type of the list issues tokens to an authenticated client. */
export async function issueTokens(
  context: InboundContext,
  grant_types: readonly GrantType[],
  request: DirectRequest,
): Promise<TokenResponse> {
  const { tenant } = context
  const { params, authorization } = request
  const wanted = requireParam(params, 'grant_type')
  const grantType = grant_types.find(({ grant_type }) => grant_type === wanted)
  if (!grantType) throw new OAuthError('unsupported_grant_type', 'Parameter grant_type names one that is not supported')
  const proven = (await grantType.authenticate?.(context, request)) ?? null
  const credentials = proven ? null : readClientCredentials({ authorization, params, realm: tenant.issuer })
  const client_id = proven?.client_id ?? credentials?.client_id ?? ''
  const authority = await grantType.load(context, params, client_id)
  if (!authority || authority.tenant.disabled_at !== null) {
    throw new OAuthError('temporarily_unavailable', 'This server is switched off')
  }
  const { client, proofs } = credentials
    ? await authenticateClient(context, request, credentials, authority)
    : { client: proven!, proofs: new Proofs() }
  requireGrantType(client, wanted)
  const cnf = readConfirmation(context, request, { client, now: authority.now, proofs })
  const configuration = await tenant.configuration(authority.tenant.config_version)
  requireProfile(client, rulesOf(client, configuration.settings), wanted)
  return refuseReplays(tenant.issuer, async () => {
    const asked = { params, client, authority, configuration, request, cnf, proofs }
    const response = await grantType.issue(context, asked)
    await proofs.accept(context)
    return response
  })
}
