import { newId } from '../../crypto/random.ts'
import { requireParam } from '../../oauth/params.ts'
import { decideResources } from '../../oauth/resource.ts'
import { decideScope, parseScope } from '../../oauth/scope.ts'
import { buildTokenResponse } from '../../oauth/token_response.ts'
import { issueAccessToken } from '../access_tokens.ts'
import { requireRole } from '../one_role.ts'
import { defaultScopes, rightsOf, scopeRules, scopesOfResources } from '../rights.ts'
import { type Asserted, verifyAssertion } from '../trusted_issuers.ts'
import { event } from '../users.ts'
import type { GrantType, Loaded, TokenRequest } from './grant_type.ts'

const NOTHING_TO_REDEEM = { code_hash: null, code_expires_at: null, code_challenge: null, redirect_uri: null }

/**
 * An assertion as an authorization grant (RFC 7523 section 2.1, RFC 7521 section 4.1): somebody we trust says who the
 * user is. Never a refresh token: who wants more tokens brings another assertion.
 */
export const jwt_bearer: GrantType = {
  grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',

  load(context, _params, client_id) {
    return context.tenant.store.loadClientAuthority({ tenant_id: context.tenant.tenant_id, client_id })
  },

  async issue(context, request) {
    const { tenant } = context
    const { params, client, configuration, authority, cnf, proofs } = request
    const { now } = authority
    const assertion = requireParam(params, 'assertion')
    const { client_id } = client
    const asserted = await verifyAssertion(context, assertion, { client_id, now, parameter: 'assertion' })
    const { user, claims } = asserted
    const role = requireRole(client, user, params.values['role'])
    const { scope, resource } = decideRights(tenant.issuer, request, asserted, role)
    const grant = {
      ...{ grant_id: newId(now), client_id, user_id: user.user_id, session_id: null, role, nonce: null },
      ...{ scope: scope.join(' '), resource: JSON.stringify(resource), authorization_details: null, connections: null },
      // When the user signed in is for the issuer to say; who says nothing has not shown that it was lately.
      ...{ auth_time: readAuthTime(claims['auth_time'], now), acr: null, amr: null },
      ...{ tenant_epoch: authority.tenant.epoch, client_epoch: authority.client!.epoch },
      ...{ user_epoch: user.epoch, session_epoch: 0, offline: 1, ...NOTHING_TO_REDEEM },
      ...{ cnf: cnf && JSON.stringify(cnf), created_at: now, idle_expires_at: null, expires_at: LATEST },
    }
    const epochs = [grant.tenant_epoch, grant.client_epoch, grant.user_epoch, 0] as const
    const token = issueAccessToken(context, { client, configuration, scope, resource, now, epochs, cnf, grant, user })
    proofs.add(asserted.proof)
    await tenant.store.approveGrant({
      tenant_id: tenant.tenant_id,
      grant: { ...grant, expires_at: now + token.expires_in * 1000 },
      consent: null,
      proofs: proofs.list(),
      event: event(tenant, 'grant.created', `client:${client_id}`, {
        ...{ client_id, user_id: user.user_id, grant_id: grant.grant_id },
        detail: { grant_type: 'jwt-bearer', issuer: claims.iss, scope: grant.scope, resource, ...(role && { role }) },
      }),
    })
    proofs.settle()
    return buildTokenResponse({ ...token, scope })
  },
}

// Its token ends long before; the row then ends with it.
const LATEST = 2 ** 52

/** What the client may have, within what the issuer's word is good for, and what the user can give. */
function decideRights(
  issuer: string,
  { params, client, configuration }: Pick<TokenRequest<Loaded>, 'params' | 'client' | 'configuration'>,
  { rules, user }: Asserted,
  role: string | null,
): { scope: string[]; resource: readonly string[] } {
  const resource = decideResources({
    requested: params.resource,
    registered: configuration.resources,
    default_resource: client.default_resource,
    issuer,
  })
  const rights = { ...rightsOf(configuration, client, user, role), consented: parseScope(rules.scope) }
  const scope = decideScope({
    requested: parseScope(params.values['scope'] ?? ''),
    resource_defaults: defaultScopes(configuration, resource),
    ...scopeRules(rights),
    known_scopes: scopesOfResources(issuer, configuration, resource),
  })
  return { scope, resource }
}

function readAuthTime(auth_time: unknown, now: number): number {
  if (typeof auth_time !== 'number' || !(auth_time >= 0)) return 0
  return Math.min(Math.floor(auth_time) * 1000, now)
}
