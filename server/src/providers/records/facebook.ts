import { corroborated, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_ERROR_RESPONSE, STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const LONG_LIVED = 'https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived'

/** Facebook: there is no refresh token; an access token that still lives is exchanged for a longer one. */
export const facebook: Provider = {
  provider: 'facebook',
  name: 'Facebook',
  placeholders: {
    api_version: { label: 'Version of the Graph API, such as v25.0', form: 'segment', default: 'v25.0' },
  },
  fields: {
    authorization_endpoint: corroborated(
      'https://www.facebook.com/{api_version}/dialog/oauth',
      'Nango providers.yaml@2f4c0af; arctic@3.7.0; @auth/core@0.41.3; @better-auth/core@1.7.25',
    ),
    token_endpoint: verified('https://graph.facebook.com/{api_version}/oauth/access_token', LONG_LIVED, '2026-11-22'),
    token_endpoint_auth_method: verified('client_secret_post', `${LONG_LIVED}: in the query`, '2026-11-22'),
    token_request: verified('query', LONG_LIVED, '2026-11-22'),
    scope_separator: unverified(','),
    refresh_grant: verified(
      { grant_type: 'fb_exchange_token', token_param: 'fb_exchange_token', sends: 'access_token' },
      LONG_LIVED,
      '2026-11-22',
    ),
    steps: verified(
      [
        {
          name: 'long_lived',
          when: 'after_exchange',
          method: 'GET',
          url: 'https://graph.facebook.com/{api_version}/oauth/access_token',
          authorization: 'client',
          params: { grant_type: 'fb_exchange_token', fb_exchange_token: '{access_token}' },
          body: 'query',
          replaces_token: true,
          choice: null,
          keep: {},
        },
      ],
      `${LONG_LIVED}: what the login brings lives an hour or two`,
      '2026-11-22',
    ),
    error_response: verified(
      {
        ...STANDARD_ERROR_RESPONSE,
        error: ['error.code', 'error.type'],
        error_description: ['error.message'],
        meanings: {
          1: 'unknown',
          2: 'unknown',
          4: 'throttled',
          17: 'throttled',
          102: 'invalid_grant',
          190: 'invalid_grant',
        },
      },
      'https://developers.facebook.com/docs/graph-api/guides/error-handling',
      '2026-11-22',
    ),
    access_token_seconds: verified(
      null,
      `${LONG_LIVED}: hours at first, about 60 days once exchanged; the answer says it`,
      '2026-11-22',
    ),
    refresh_token_rotation: verified('no_refresh_token', LONG_LIVED, '2026-11-22'),
    revocation_endpoint: unverified('https://graph.facebook.com/{api_version}/me/permissions'),
    revocation_request: unverified({ ...STANDARD_REVOCATION_REQUEST, method: 'DELETE', authorization: 'bearer' }),
    revocation_ends: unverified('client_of_user'),
    api_base_url: unverified('https://graph.facebook.com/{api_version}'),
    reads_by_method: corroborated(
      false,
      'scripts in public repositories that post by GET graph.facebook.com/me/feed?method=post',
    ),
    notes: verified(
      'A token that has expired cannot be exchanged: then the person has to sign in again.',
      LONG_LIVED,
      '2026-11-22',
    ),
  },
}
