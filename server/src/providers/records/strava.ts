import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST, STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const AUTHENTICATION = 'https://developers.strava.com/docs/authentication'
const DRUPAL = 'https://git.drupalcode.org/project/strava/-/merge_requests/4'
const JAVADOC = 'javastrava-api 0.3.1 TokenService'

/** Strava: an expiry is a time, and people may allow less than was asked for. */
export const strava: Provider = {
  provider: 'strava',
  name: 'Strava',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated(
      'https://www.strava.com/oauth/authorize',
      'simov/grant config/oauth.json@500ab20; arctic@3.7.0',
    ),
    token_endpoint: corroborated(
      'https://www.strava.com/api/v3/oauth/token',
      'Nango providers.yaml@2f4c0af; arctic@3.7.0; @auth/core@0.41.3',
    ),
    token_endpoint_auth_method: secondary('client_secret_post', '@auth/core@0.41.3'),
    pkce: secondary('refused', 'arctic@3.7.0'),
    scope_separator: secondary(',', 'Nango providers.yaml@2f4c0af'),
    authorization_params: unverified({ approval_prompt: 'auto' }, 'Nango providers.yaml@2f4c0af'),
    token_response: verified(
      { ...STANDARD_TOKEN_RESPONSE, expires: { path: 'expires_at', form: 'epoch_seconds', zero: 'expired' } },
      AUTHENTICATION,
    ),
    callback_scope: verified(
      { parameter: 'scope', separator: ',' },
      `${AUTHENTICATION}; https://developers.strava.com/docs/oauth-updates`,
      '2026-11-22',
    ),
    account: unverified({ from: 'extra', id: ['athlete.id'], name: ['athlete.username'], of: 'person' }),
    access_token_seconds: secondary(21_600, `${DRUPAL}; iamstuartwilson/strava#40`),
    refresh_token_rotation: secondary('always', DRUPAL),
    revocation_endpoint: secondary(
      'https://www.strava.com/oauth/deauthorize',
      `${JAVADOC}; strava.github.io/api/v3/oauth lists it`,
    ),
    revocation_request: unverified({ ...STANDARD_REVOCATION_REQUEST, parameter: 'access_token', body: 'form' }),
    revocation_ends: secondary('client_of_user', JAVADOC),
    api_base_url: unverified('https://www.strava.com/api/v3'),
  },
}
