import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST, STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const CATALOGUES = 'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20'
const OBTAIN = 'https://developer.squareup.com/reference/square/o-auth/obtain-token'
const ANSWER = 'https://developer.squareup.com/reference/square/objects/ObtainTokenResponse'
const LIFE = 'https://developer.squareup.com/docs/oauth-api/refresh-revoke-limit-scope'
const REVOKE = 'https://developer.squareup.com/reference/square/o-auth/revoke-token'

/** Square, in the flow with a client secret: requests are JSON, and an expiry is a date. */
export const square: Provider = {
  provider: 'square',
  name: 'Square',
  placeholders: {
    host: {
      label: 'Environment: production, or the sandbox',
      form: 'choice',
      choices: ['connect.squareup.com', 'connect.squareupsandbox.com'],
      default: 'connect.squareup.com',
    },
  },
  fields: {
    authorization_endpoint: corroborated('https://{host}/oauth2/authorize', CATALOGUES),
    token_endpoint: corroborated('https://{host}/oauth2/token', `${CATALOGUES}; ${OBTAIN}`),
    token_endpoint_auth_method: verified('client_secret_post', OBTAIN),
    token_request: verified('json', OBTAIN),
    pkce: unverified('refused', `${OBTAIN} has PKCE as another flow, without a secret, whose refresh tokens rotate`),
    scope_separator: secondary(' ', 'simov/grant config/oauth.json@500ab20'),
    authorization_params: unverified({ session: 'false' }, 'Nango providers.yaml@2f4c0af'),
    token_response: verified(
      { ...STANDARD_TOKEN_RESPONSE, expires: { path: 'expires_at', form: 'iso8601', zero: 'expired' } },
      ANSWER,
    ),
    access_token_seconds: verified(2_592_000, LIFE),
    refresh_token_life: verified('unlimited', 'https://developer.squareup.com/docs/oauth-api/overview'),
    refresh_token_rotation: verified('never', `${OBTAIN}: the code flow answers with the same one`),
    revocation_endpoint: verified('https://{host}/oauth2/revoke', REVOKE, '2026-11-22'),
    revocation_request: verified(
      {
        ...STANDARD_REVOCATION_REQUEST,
        parameter: 'access_token',
        params: { client_id: '{client_id}' },
        body: 'json',
        authorization: { secret_scheme: 'Client' },
      },
      REVOKE,
      '2026-11-22',
    ),
    revocation_ends: verified('client_of_user', REVOKE, '2026-11-22'),
    account: verified({ from: 'extra', id: ['merchant_id'], name: [], of: 'organization' }, ANSWER),
    api_base_url: unverified('https://{host}'),
    notes: verified(
      'The vendor advises to refresh every 7 days or sooner; short_lived in the token request makes tokens of 24 hours.',
      LIFE,
    ),
  },
}
