import { readClientCredentials } from '../../oauth/client_credentials.ts'
import { type Client, PAIRWISE } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { buildIntrospectionResponse, INACTIVE, type IntrospectionResponse } from '../../oauth/introspection.ts'
import { requireParam } from '../../oauth/params.ts'
import { hasLostAll } from '../../oauth/scope.ts'
import { tokenType } from '../../oauth/sender_constraint.ts'
import type { GrantAuthority } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { authenticateClient } from '../client_authentication/authenticate_client.ts'
import type { DirectRequest } from '../client_authentication/direct_request.ts'
import { refuseReplays } from '../client_authentication/proofs.ts'
import type { InboundContext } from '../context.ts'
import { whyGrantIsDead } from '../liveness.ts'
import { presentScopes, rightsOf } from '../rights.ts'
import { subjectAt, subjectOf } from '../subjects.ts'
import { findLivingToken, type LivingToken } from './access_tokens.ts'
import { detailsOfToken } from './connection_use.ts'
import { viewToken } from './introspection_rights.ts'
import { noteTokenUse } from './permanent_tokens.ts'
import { judgeRefreshToken, openRefreshToken, type RefreshToken } from './refresh_tokens.ts'

/** Introspection (RFC 7662) of every token we issue, for confidential clients that the token concerns. */
export async function introspect(context: InboundContext, request: DirectRequest): Promise<IntrospectionResponse> {
  const { tenant } = context
  const { params, authorization } = request
  const credentials = readClientCredentials({ authorization, params, realm: tenant.issuer })
  const client_id = credentials.client_id
  const token = requireParam(params, 'token')
  const refresh = await openRefreshToken(tenant, token)
  if (refresh) {
    const { tenant_id, store } = tenant
    const authority = await store.loadGrantAuthority({ tenant_id, client_id, grant_id: refresh.grant_id })
    const client = await requireConfidential(context, request, credentials, authority)
    return describeRefreshToken(context, client, authority!, refresh)
  }
  const { living, authority } = await findLivingToken(context, token, client_id)
  const client = await requireConfidential(context, request, credentials, authority)
  if (!living) return INACTIVE
  const view = viewToken(living, client, tenant.issuer, living.configuration)
  if (!view) return INACTIVE
  await noteTokenUse(tenant, living)
  const sub = subjectForCaller(tenant, living, view.resources, client)
  // Whoever knows users by names of its own is not told the others'.
  const username = sub.startsWith(PAIRWISE) ? undefined : living.authority.user?.username
  const roles = living.authority.user ? (JSON.parse(living.authority.user.roles) as string[]) : undefined
  const rights = roles ? { ...view, roles } : view
  return buildIntrospectionResponse({ ...living.claims, sub }, rights, {
    token_type: tokenType(living.claims.cnf),
    username,
    // A server is told of what it may use, and not of what the client or another server may.
    authorization_details: detailsOfToken(living, living.claims.client_id === client_id ? null : view.resources),
  })
}

async function requireConfidential(...asked: Parameters<typeof authenticateClient>): Promise<Client> {
  const [context] = asked
  const { client, proofs } = await authenticateClient(...asked)
  if (client.token_endpoint_auth_method === 'none') {
    throw new OAuthError('invalid_client', 'A public client may not introspect tokens')
  }
  await refuseReplays(context.tenant.issuer, () => proofs.accept(context))
  return client
}

async function describeRefreshToken(
  context: InboundContext,
  client: Client,
  authority: GrantAuthority,
  token: RefreshToken,
): Promise<IntrospectionResponse> {
  const { tenant } = context
  const { grant, user, now } = authority
  if (!grant || grant.client_id !== client.client_id || whyGrantIsDead(authority) !== null) return INACTIVE
  if (grant.idle_expires_at !== null && grant.idle_expires_at <= now) return INACTIVE
  const { settings } = await tenant.configuration(authority.tenant.config_version)
  const verdict = judgeRefreshToken(token, grant, tenant.keys.hashSecret(token.secret), {
    now,
    bearer_public: false,
    retry_ms: settings.refresh_retry_seconds * 1000,
  })
  if (verdict !== 'rotate' && verdict !== 'retry') return INACTIVE
  const configuration = await tenant.configuration(authority.tenant.config_version)
  const granted = grant.scope.split(' ')
  const scope = presentScopes(granted, rightsOf(configuration, client, user, grant.role))
  if (hasLostAll(granted, scope)) return INACTIVE
  const claims = {
    iss: tenant.issuer,
    sub: subjectOf(tenant, client, grant.user_id),
    client_id: grant.client_id,
    scope: grant.scope,
    iat: Math.floor((grant.refresh_rotated_at ?? grant.created_at) / 1000),
    exp: Math.floor((grant.idle_expires_at ?? grant.expires_at) / 1000),
  }
  return buildIntrospectionResponse(claims, { scope }, { token_type: 'N_A', username: user?.username })
}

/** The user of a token as the caller knows them: its own client by its sector, a resource by its own. */
function subjectForCaller(
  tenant: Tenant,
  { claims, user_id }: LivingToken,
  [resource]: readonly string[],
  caller: Client,
): string {
  if (user_id === null || !claims.sub.startsWith(PAIRWISE)) return claims.sub
  if (claims.client_id === caller.client_id || resource === undefined) {
    // One who got it in exchange knows the user by no other name than the token does.
    return caller.subject_type === 'pairwise' ? subjectOf(tenant, caller, user_id) : claims.sub
  }
  return subjectAt(tenant, resource, user_id)
}
