import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_ERROR_RESPONSE, STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const REFRESH = 'https://dev.twitch.tv/docs/authentication/refresh-tokens/'
const REVOKE = 'https://dev.twitch.tv/docs/authentication/revoke-tokens'
const VALIDATE = 'https://dev.twitch.tv/docs/authentication/validate-tokens'
const HEXDOCS = 'https://hexdocs.pm/hello_twitch_api, quoting the vendor'

/** Twitch: the scope of an answer is a list, and an error is a sentence. */
export const twitch: Provider = {
  provider: 'twitch',
  name: 'Twitch',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated(
      'https://id.twitch.tv/oauth2/authorize',
      'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; arctic@3.7.0; @better-auth/core@1.7.25',
    ),
    token_endpoint: verified('https://id.twitch.tv/oauth2/token', REFRESH, '2026-11-22'),
    token_endpoint_auth_method: secondary('client_secret_post', '@auth/core@0.41.3'),
    pkce: corroborated('refused', 'arctic@3.7.0; @better-auth/core@1.7.25'),
    scope_separator: secondary(' ', 'simov/grant config/oauth.json@500ab20'),
    error_response: secondary(
      {
        ...STANDARD_ERROR_RESPONSE,
        error: ['message'],
        error_description: ['message'],
        meanings: { 'Invalid refresh token': 'invalid_grant', 'Invalid grant': 'invalid_grant' },
      },
      `https://github.com/twitchdev/issues/issues/1037 and 1042; ${REVOKE} has the same members`,
    ),
    access_token_seconds: secondary(14_124, `${HEXDOCS}: about 4 hours`),
    refresh_token_rotation: secondary('sometimes', HEXDOCS),
    revocation_endpoint: verified('https://id.twitch.tv/oauth2/revoke', REVOKE, '2026-11-22'),
    revocation_request: verified(
      { ...STANDARD_REVOCATION_REQUEST, parameter: 'token', body: 'form', authorization: 'client' },
      REVOKE,
      '2026-11-22',
    ),
    revocation_endpoint_auth_method: verified('none', `${REVOKE}: the client_id alone`, '2026-11-22'),
    api_base_url: unverified('https://api.twitch.tv'),
    api_headers: secondary(
      { 'Client-Id': '{client_id}' },
      'https://riptutorial.com/twitch/topic/760/calling-twitch-apis: required of every call',
    ),
    notes: verified(
      'An application must have its tokens validated when it starts and every hour. The vendor prefers a refresh after a 401 to one by the clock.',
      `${VALIDATE}; ${REFRESH}`,
      '2026-11-22',
    ),
  },
}
