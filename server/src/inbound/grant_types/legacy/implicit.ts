import { newId } from '../../../crypto/random.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { formatScope } from '../../../oauth/scope.ts'
import type { GrantType } from '../../authorization/grant_type.ts'
import { commitGrant, toAllowed } from '../../authorization/grants.ts'
import { describeGrant } from '../../authorization/new_grant.ts'
import { issueAccessToken } from '../../tokens/access_tokens.ts'
import { requireLegacyGrants } from './allowed.ts'

// What stands in an address can be read by more than the client: it must be worth little, soon (RFC 9700 section 2.1.2).
const LONGEST_LIFETIME_MS = 3_600_000
const NO_CODE = { code_hash: null, code_expires_at: null, code_challenge: null }

/**
 * The implicit grant (RFC 6749 section 4.2): the authorization endpoint answers with an access token in the fragment,
 * cut to the client's configuration and the user's role as any other, and never a refresh token.
 */
export const implicit: GrantType = {
  grant_type: 'implicit',
  legacy: true,

  load(context, _params, client_id) {
    return context.tenant.store.loadClientAuthority({ tenant_id: context.tenant.tenant_id, client_id })
  },

  async issue() {
    throw new OAuthError('unsupported_grant_type', 'The implicit grant is for the authorization endpoint')
  },

  response: {
    response_type: 'token',

    check(client, configuration, { response_mode }) {
      requireLegacyGrants(client, configuration, 'implicit')
      if (response_mode === 'fragment') return
      throw new OAuthError('invalid_request', 'Parameter response_mode must be fragment for response_type token')
    },

    async respond(context, asked) {
      const { client, configuration, authority, request, resource } = asked
      const { session, user } = asked.signed_in
      const { now } = authority
      const scope = asked.scope.filter((name) => name !== 'offline_access' && name !== 'openid')
      if (scope.length === 0) throw new OAuthError('invalid_scope', 'Nothing of parameter scope is for an access token')
      const approval = { ...asked, scope }
      const described = describeGrant(toAllowed(approval, newId(now)), {
        ...NO_CODE,
        redirect_uri: request.redirect_uri,
      })
      // Nothing can be fetched with the grant later: it ends with its only token.
      const grant = {
        ...described,
        role: described.role ?? null,
        expires_at: Math.min(session.expires_at, now + LONGEST_LIFETIME_MS),
      }
      const epochs = [grant.tenant_epoch, grant.client_epoch, grant.user_epoch, grant.session_epoch] as const
      const token = await issueAccessToken(context, {
        client,
        configuration,
        scope,
        resource,
        now,
        epochs,
        cnf: null,
        grant,
        user,
      })
      const ends = { ...grant, expires_at: now + token.expires_in * 1000 }
      await commitGrant(context, approval, ends, { grant_type: 'implicit', legacy: true })
      return { ...token, scope: formatScope(scope) }
    },
  },
}
