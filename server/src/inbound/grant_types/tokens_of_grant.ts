import type { Confirmation } from '../../oauth/access_token.ts'
import type { Client } from '../../oauth/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import { decideResources } from '../../oauth/resource.ts'
import { narrowScope, parseScope } from '../../oauth/scope.ts'
import type { GrantAuthority, GrantRecord } from '../../store/records.ts'
import type { Configuration } from '../../store/tenant.ts'
import { type IssuedAccessToken, issueAccessToken } from '../access_tokens.ts'
import type { InboundContext } from '../context.ts'
import { issueIdToken } from '../id_tokens.ts'
import { knownResources, presentScopes, rightsOf, scopesAtResources } from '../rights.ts'

/** Prepares the tokens of a grant before anything is committed; the request may narrow scope and resource for the access token. */
export function prepareTokens(
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
): {
  token: IssuedAccessToken
  scope: string[]
  id_token: string | undefined
  authorization_details: readonly object[] | undefined
} {
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
  if (scope.length === 0) throw new OAuthError('invalid_scope', 'Nothing is left of what was granted')
  const token = issueAccessToken(context, {
    client,
    configuration,
    scope,
    resource,
    now,
    epochs: [grant.tenant_epoch, grant.client_epoch, grant.user_epoch, grant.session_epoch],
    cnf,
    grant,
    user,
  })
  const id_token = scope.includes('openid')
    ? issueIdToken(context, {
        ...{ client, configuration, grant, now, access_token: token.access_token, with_nonce: first },
        sid: authority.session?.sid ?? grant.session_id,
      })
    : undefined
  const details = grant.authorization_details
  const authorization_details = details === null ? undefined : (JSON.parse(details) as object[])
  return { token, scope, id_token, authorization_details }
}

/** When a refresh token that nobody uses is over; never later than its grant. */
export function idleEnd(configuration: Configuration, grant: GrantRecord, now: number): number {
  return Math.min(now + configuration.settings.refresh_idle_seconds * 1000, grant.expires_at)
}
