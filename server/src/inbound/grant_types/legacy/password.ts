import { newId } from '../../../crypto/random.ts'
import type { Client } from '../../../oauth/clients/client.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { type Params, requireParam } from '../../../oauth/params.ts'
import { decideResources } from '../../../oauth/resource.ts'
import { decideScope, parseScope } from '../../../oauth/scope.ts'
import { buildTokenResponse } from '../../../oauth/token_response.ts'
import type { UserRecord } from '../../../store/records.ts'
import type { Configuration } from '../../../store/tenant.ts'
import type { GrantType, Loaded } from '../../authorization/grant_type.ts'
import { requireRole } from '../../authorization/one_role.ts'
import type { DirectRequest } from '../../client_authentication/direct_request.ts'
import type { InboundContext } from '../../context.ts'
import { event } from '../../event.ts'
import { defaultScopes, rightsOf, rolesAtWork, scopeRules, scopesOfResources } from '../../rights.ts'
import { issueAccessToken } from '../../tokens/access_tokens.ts'
import { formatRefreshToken, newRefreshSecret } from '../../tokens/refresh_tokens.ts'
import { checkLogin } from '../../users/check_login.ts'
import { getsRefreshToken } from '../tokens_of_grant.ts'
import { requireLegacyGrants } from './allowed.ts'
import { authenticateByToken } from './client_token.ts'

const NO_CODE = { code_hash: null, code_expires_at: null, code_challenge: null, redirect_uri: null, nonce: null }

/**
 * The resource owner password grant (RFC 6749 section 4.3). The client is authenticated before the user's password is
 * looked at, which then passes the same door as on the sign-in page: one count of guesses, one refusal.
 */
export const password: GrantType = {
  grant_type: 'password',
  legacy: true,
  authenticate: authenticateByToken,

  load(context, _params, client_id) {
    return context.tenant.store.loadClientAuthority({ tenant_id: context.tenant.tenant_id, client_id })
  },

  async issue(context, asked) {
    const { tenant } = context
    const { client, configuration, authority, params, cnf, proofs } = asked
    const { now } = authority
    requireLegacyGrants(client, configuration, 'password')
    const resource = decideResources({
      requested: params.resource,
      registered: configuration.resources,
      default_resource: client.default_resource,
      issuer: tenant.issuer,
    })
    const user = await signIn(context, asked.request)
    const role = requireRole(client, user, params.values['role'])
    const scope = decidePasswordScope(tenant.issuer, { client, configuration, params, resource, user, role })
    const refreshes = getsRefreshToken(client, scope.includes('offline_access'))
    const { settings } = configuration
    const grant = {
      ...{ grant_id: newId(now), client_id: client.client_id, user_id: user.user_id, session_id: null, role },
      ...{ scope: scope.join(' '), resource: JSON.stringify(resource), authorization_details: null, connections: null },
      ...{ auth_time: now, acr: null, amr: '["pwd"]', ...birth(authority, user), ...NO_CODE, created_at: now },
      // There is no session to end with: it lives by itself.
      offline: 1,
      cnf: cnf && JSON.stringify(cnf),
      idle_expires_at: refreshes ? now + settings.refresh_idle_seconds * 1000 : null,
      expires_at: now + settings.refresh_lifetime_seconds * 1000,
    }
    const { tenant_epoch, client_epoch, user_epoch } = grant
    const epochs = [tenant_epoch, client_epoch, user_epoch, 0] as const
    const order = { client, configuration, scope, resource, now, epochs, cnf, grant, user }
    const token = await issueAccessToken(context, order)
    const secret = refreshes ? newRefreshSecret() : null
    await tenant.store.approveGrant({
      tenant_id: tenant.tenant_id,
      grant: refreshes ? grant : { ...grant, expires_at: now + token.expires_in * 1000 },
      refresh: secret && { hash: tenant.keys.hashSecret(secret), kid: tenant.keys.kid },
      consent: null,
      proofs: proofs.list(),
      event: event(tenant, 'grant.created', `client:${client.client_id}`, {
        ...{ client_id: client.client_id, user_id: user.user_id, grant_id: grant.grant_id },
        detail: { grant_type: 'password', legacy: true, scope: grant.scope, resource, ...(role && { role }) },
      }),
    })
    proofs.settle()
    const refresh_token = secret
      ? formatRefreshToken(tenant.keys, { grant_id: grant.grant_id, generation: 1, secret })
      : undefined
    return buildTokenResponse({ ...token, scope, refresh_token })
  },
}

/** The user whose password it is; the refusals of a user are one and the same (RFC 6749 section 5.2). */
async function signIn(context: InboundContext, request: DirectRequest): Promise<UserRecord> {
  const { tenant } = context
  const username = requireParam(request.params, 'username')
  const result = await checkLogin(context, {
    username,
    password: requireParam(request.params, 'password'),
    address: request.address,
  })
  if (result.kind === 'busy' || result.kind === 'too_many') {
    const wait_ms = result.kind === 'busy' ? 1000 : Math.max(1000, result.until - tenant.clock())
    throw new OAuthError('temporarily_unavailable', 'Too many passwords were tried: try again later', {
      status: result.kind === 'busy' ? 503 : 429,
      headers: { 'Retry-After': String(Math.ceil(wait_ms / 1000)) },
    })
  }
  if (result.kind === 'not_enough') {
    const what = 'A password alone does not sign this user in: send them to the authorization endpoint instead'
    throw new OAuthError('invalid_grant', what, { cause: `${result.step} is missing` })
  }
  const refused = () => new OAuthError('invalid_grant', 'The username or password is wrong')
  if (result.kind !== 'signed_in') throw refused()
  const user = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id: result.user_id })
  if (!user || user.epoch !== result.epoch || user.disabled_at !== null) throw refused()
  const { password_hash: _, ...record } = user
  return record
}

/** What the user's role gives, as the client's configuration stores it; a request that names nothing gets all of that. */
function decidePasswordScope(
  issuer: string,
  asked: {
    client: Client
    configuration: Configuration
    params: Params
    resource: readonly string[]
    user: UserRecord
    role: string | null
  },
): string[] {
  const { client, configuration, params, resource, user, role } = asked
  const map = client.role_scopes ?? {}
  const stored = rolesAtWork(user, role).flatMap((name) => (Object.hasOwn(map, name) ? map[name]! : []))
  return decideScope({
    requested: parseScope(params.values['scope'] ?? ''),
    resource_defaults: [...new Set([...defaultScopes(configuration, resource), ...stored])],
    ...scopeRules(rightsOf(configuration, client, user, role)),
    known_scopes: scopesOfResources(issuer, configuration, resource),
  })
}

function birth(authority: Loaded, user: UserRecord) {
  const { tenant, client } = authority
  return { tenant_epoch: tenant.epoch, client_epoch: client!.epoch, user_epoch: user.epoch, session_epoch: 0 }
}
