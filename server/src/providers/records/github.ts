import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_ERROR_RESPONSE, STANDARD_REVOCATION_REQUEST, STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const READ = '2026-11-22'
const DOCS = 'https://github.com/github/docs/blob/main'
const AUTHORIZE = `${DOCS}/content/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps.md`
const REFRESH = `${DOCS}/content/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens.md`
const ANSWER = `${DOCS}/data/reusables/apps/user-access-token-response-parameters.md`
const ERRORS = `${DOCS}/content/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors.md`
const REVOKE = 'https://github.com/octokit/plugin-rest-endpoint-methods.js/blob/main/docs/apps/deleteToken.md'

/** GitHub, as an OAuth App or with user tokens of a GitHub App: errors come with status 200. */
export const github: Provider = {
  provider: 'github',
  name: 'GitHub',
  placeholders: {},
  registration: secondary('https://github.com/settings/applications/new', 'Bhacaz/gh-signet README'),
  fields: {
    authorization_endpoint: verified('https://github.com/login/oauth/authorize', AUTHORIZE, READ),
    token_endpoint: verified('https://github.com/login/oauth/access_token', AUTHORIZE, READ),
    device_authorization_endpoint: verified('https://github.com/login/device/code', AUTHORIZE, READ),
    userinfo_endpoint: verified('https://api.github.com/user', AUTHORIZE, READ),
    token_endpoint_auth_method: verified('client_secret_post', REFRESH, READ),
    pkce: verified(
      'supported',
      'https://github.blog/changelog/2025-07-14-pkce-support-for-oauth-and-github-app-authentication',
      READ,
    ),
    scope_separator: verified(' ', AUTHORIZE, READ),
    token_response: verified(
      {
        ...STANDARD_TOKEN_RESPONSE,
        scope: { path: 'scope', separator: ',' },
        refresh_token_expires: { path: 'refresh_token_expires_in', form: 'seconds', zero: 'expired' },
      },
      `${AUTHORIZE}; ${ANSWER}`,
      READ,
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
    ),
    access_token_seconds: verified(null, `${ANSWER}: no expires_in where tokens do not expire, else 28800`, READ),
    refresh_token_seconds: verified(15_811_200, ANSWER, READ),
    refresh_token_life: verified('idle', `${REFRESH}: each use brings a new one`, READ),
    refresh_token_rotation: verified('always', REFRESH, READ),
    refresh_token_replay: verified(
      'refused',
      `${REFRESH}: the old refresh and access tokens stop working at once`,
      READ,
    ),
    revocation_endpoint: verified('https://api.github.com/applications/{client_id}/token', REVOKE, READ),
    revocation_request: verified(
      {
        ...STANDARD_REVOCATION_REQUEST,
        method: 'DELETE',
        parameter: 'access_token',
        body: 'json',
        authorization: 'client',
      },
      REVOKE,
      READ,
    ),
    revocation_endpoint_auth_method: verified('client_secret_basic', REVOKE, READ),
    revocation_ends: verified('token', REVOKE, READ),
    api_base_url: verified(
      'https://api.github.com',
      'https://github.com/octokit/endpoint.js/blob/main/src/defaults.ts',
      READ,
    ),
    account: unverified({ from: 'userinfo', id: ['id'], name: ['login', 'email'], of: 'person' }),
    notes: verified(
      'Whether tokens expire is a setting of the application: on for GitHub Apps unless opted out. Tokens of GitHub Apps have permissions instead of scopes.',
      `${REFRESH}; ${ANSWER}`,
      READ,
    ),
  },
}
