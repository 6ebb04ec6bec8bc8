import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const READ = '2026-11-22'
const CLIENT = 'https://github.com/linkedin-developers/linkedin-api-js-client/blob/master/lib'
const REFRESH = 'https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens'
const EXPLORER = 'https://logto.io/oauth-providers-explorer/linkedin'

/** LinkedIn: a refresh token lives a year from consent, and only approved partners get one. */
export const linkedin: Provider = {
  provider: 'linkedin',
  name: 'LinkedIn',
  placeholders: {},
  fields: {
    issuer: secondary('https://www.linkedin.com/oauth', EXPLORER),
    jwks_uri: secondary('https://www.linkedin.com/oauth/openid/jwks', EXPLORER),
    authorization_endpoint: verified(
      'https://www.linkedin.com/oauth/v2/authorization',
      `${CLIENT}/utils/oauth-utils.ts`,
      READ,
    ),
    token_endpoint: verified('https://www.linkedin.com/oauth/v2/accessToken', `${CLIENT}/auth.ts`, READ),
    introspection_endpoint: verified('https://www.linkedin.com/oauth/v2/introspectToken', `${CLIENT}/auth.ts`, READ),
    userinfo_endpoint: secondary('https://api.linkedin.com/v2/userinfo', EXPLORER),
    token_endpoint_auth_method: verified('client_secret_post', `${CLIENT}/auth.ts`, READ),
    pkce: corroborated('refused', 'Nango providers.yaml@2f4c0af; arctic@3.7.0'),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    token_response: verified(
      {
        ...STANDARD_TOKEN_RESPONSE,
        token_type_optional: true,
        scope: { path: 'scope', separator: ',' },
        refresh_token_expires: { path: 'refresh_token_expires_in', form: 'seconds', zero: 'expired' },
      },
      `${CLIENT}/auth.ts`,
      READ,
    ),
    id_token_nonce: unverified(false, 'none is said to come back'),
    access_token_seconds: verified(5_184_000, REFRESH, READ),
    refresh_token_seconds: verified(31_536_000, REFRESH, READ),
    refresh_token_life: verified('fixed', REFRESH, READ),
    refresh_token_rotation: verified('never', REFRESH, READ),
    refresh_token_replay: unverified('unknown'),
    api_base_url: verified('https://api.linkedin.com', `${CLIENT}/utils/constants.ts`, READ),
    account: secondary({ from: 'userinfo', id: ['sub'], name: ['email', 'name'], of: 'person' }, '@auth/core@0.18.0'),
    notes: verified(
      'Only approved partners of the Marketing Developer Platform get refresh tokens. The versioned API wants the header LinkedIn-Version.',
      `${REFRESH}; ${CLIENT}/utils/constants.ts`,
      READ,
    ),
  },
}
