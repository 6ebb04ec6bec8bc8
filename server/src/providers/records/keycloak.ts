import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const TIMEOUTS =
  'https://github.com/keycloak/keycloak/blob/main/docs/documentation/server_admin/topics/sessions/timeouts.adoc'

/** Keycloak: one authority per realm of a server that somebody runs; lifetimes and rotation are settings of the realm. */
export const keycloak: Provider = {
  provider: 'keycloak',
  name: 'Keycloak',
  placeholders: {
    base_url: { label: 'URL of the server', form: 'base_url' },
    realm: { label: 'Realm', form: 'segment' },
  },
  fields: {
    issuer: unverified('{base_url}/realms/{realm}'),
    discovery: unverified('oidc'),
    authorization_endpoint: corroborated(
      '{base_url}/realms/{realm}/protocol/openid-connect/auth',
      'simov/grant config/oauth.json@500ab20; arctic@3.7.0',
    ),
    token_endpoint: corroborated(
      '{base_url}/realms/{realm}/protocol/openid-connect/token',
      'simov/grant config/oauth.json@500ab20; arctic@3.7.0',
    ),
    revocation_endpoint: corroborated(
      '{base_url}/realms/{realm}/protocol/openid-connect/revoke',
      'arctic@3.7.0; ivangfr/springboot-react-keycloak#15',
    ),
    token_endpoint_auth_method: unverified(
      'client_secret_basic',
      'other ways are thought to be settings of the client',
    ),
    pkce: secondary('supported', 'arctic@3.7.0'),
    scope_separator: secondary(' ', 'simov/grant config/oauth.json@500ab20'),
    offline_scope: secondary('offline_access', 'docs.gitguardian.com keycloak_refresh_token'),
    token_response: unverified(
      {
        ...STANDARD_TOKEN_RESPONSE,
        refresh_token_expires: { path: 'refresh_expires_in', form: 'seconds', zero: 'never' },
      },
      '0 is said of offline tokens',
    ),
    access_token_seconds: verified(null, `${TIMEOUTS}: a setting of the realm`, '2026-11-22'),
    refresh_token_life: verified('setting', TIMEOUTS, '2026-11-22'),
    refresh_token_rotation: verified('setting', `${TIMEOUTS}: Revoke Refresh Token`, '2026-11-22'),
    revocation_ends: verified('client_of_user', 'https://github.com/keycloak/keycloak/issues/12916'),
    default_scope: verified('openid', 'OpenID Connect Core 1.0 section 3.1.2.1'),
    account: unverified({ from: 'id_token', id: ['sub'], name: ['email', 'preferred_username', 'name'], of: 'person' }),
    notes: unverified('The answer also has session_state and not-before-policy.'),
  },
}
