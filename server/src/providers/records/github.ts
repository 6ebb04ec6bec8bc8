import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_ERROR_RESPONSE, STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const CATALOGUES =
  'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; arctic@3.7.0; @better-auth/core@1.7.25'
const REFRESH =
  'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens'
const ERRORS =
  'https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors'

/** GitHub, as an OAuth App or with user tokens of a GitHub App: errors come with status 200. */
export const github: Provider = {
  provider: 'github',
  name: 'GitHub',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated('https://github.com/login/oauth/authorize', CATALOGUES),
    token_endpoint: verified('https://github.com/login/oauth/access_token', REFRESH),
    userinfo_endpoint: unverified('https://api.github.com/user'),
    token_endpoint_auth_method: verified('client_secret_post', REFRESH),
    pkce: secondary('supported', '@better-auth/core@1.7.25'),
    scope_separator: unverified(' '),
    token_response: secondary(
      { ...STANDARD_TOKEN_RESPONSE, scope: { path: 'scope', separator: ',' } },
      'PrefectHQ/fastmcp#2587: tokens of OAuth Apps carry neither expires_in nor refresh_token',
    ),
    error_response: secondary(
      {
        ...STANDARD_ERROR_RESPONSE,
        within_200: 'error_member',
        meanings: {
          incorrect_client_credentials: 'invalid_client',
          bad_verification_code: 'invalid_grant',
          bad_refresh_token: 'invalid_grant',
          redirect_uri_mismatch: 'invalid_request',
        },
      },
      `${ERRORS} lists all but bad_refresh_token: for that https://github.com/orgs/community/discussions/24745`,
      '2026-11-21',
    ),
    refresh_token_seconds: verified(15_811_200, REFRESH),
    refresh_token_life: unverified('fixed'),
    refresh_token_rotation: verified('always', REFRESH),
    refresh_token_replay: verified('refused', `${REFRESH}: the old refresh and access tokens stop working at once`),
    revocation_endpoint: unverified('https://api.github.com/applications/{client_id}/token'),
    revocation_request: unverified(
      { method: 'DELETE', token: 'access_token', parameter: 'access_token', body: 'json', authorization: 'client' },
      `${REFRESH} names the endpoint; its host and Basic credentials are from general knowledge`,
    ),
    revocation_endpoint_auth_method: unverified('client_secret_basic'),
    api_base_url: unverified('https://api.github.com'),
    account: unverified({ from: 'userinfo', id: 'id', name: ['login', 'email'] }),
    notes: verified(
      'Whether tokens expire is a setting of the application: on for GitHub Apps unless opted out.',
      REFRESH,
    ),
  },
}
