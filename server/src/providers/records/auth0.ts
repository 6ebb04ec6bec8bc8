import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES = 'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; arctic@3.7.0'
const ROTATION = 'https://auth0.com/docs/tokens/guides/configure-refresh-token-rotation'
const EXPIRATION = 'https://auth0.com/docs/tokens/refresh-tokens/configure-refresh-token-expiration'

/** Auth0: one authority per tenant, and most of what matters to a refresh is a setting of the application. */
export const auth0: Provider = {
  provider: 'auth0',
  name: 'Auth0',
  placeholders: { domain: { label: 'Domain of the tenant', form: 'host', suffixes: ['.auth0.com'] } },
  fields: {
    issuer: unverified('https://{domain}/'),
    discovery: unverified('oidc'),
    authorization_endpoint: corroborated('https://{domain}/authorize', CATALOGUES),
    token_endpoint: corroborated('https://{domain}/oauth/token', CATALOGUES),
    revocation_endpoint: secondary('https://{domain}/oauth/revoke', 'arctic@3.7.0'),
    token_endpoint_auth_method: unverified(
      'client_secret_post',
      'Basic, private_key_jwt and mTLS are thought to do too',
    ),
    pkce: secondary('supported', 'arctic@3.7.0'),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    authorization_params: unverified({}, 'a connector names the API that it is for in the parameter audience'),
    offline_scope: unverified('offline_access'),
    access_token_seconds: unverified(null, 'a setting of each API'),
    refresh_token_life: verified('setting', EXPIRATION, '2026-11-22'),
    refresh_token_rotation: verified('setting', ROTATION, '2026-11-22'),
    refresh_token_replay: verified(
      'ends_grant',
      'https://community.auth0.com/t/failed-token-exchange-occurs-when-reusing-an-older-refresh-token-within-reuse-interval/189795: the whole family, unless it is the one before in the overlap period',
      '2026-11-22',
    ),
    default_scope: verified('openid', 'OpenID Connect Core 1.0 section 3.1.2.1'),
    account: unverified({ from: 'id_token', id: ['sub'], name: ['email', 'name'], of: 'person' }),
    notes: verified(
      'Rotation has an overlap period, a setting of the application that is 0 at first, in which the token before the present one is still taken.',
      `${ROTATION}; node-auth0 ClientRefreshTokenConfiguration.leeway`,
      '2026-11-22',
    ),
  },
}
