import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_ERROR_RESPONSE, STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const NANGO = 'Nango providers.yaml@2f4c0af'
const ROTATION = 'https://docs.slack.dev/authentication/using-token-rotation'
const ACCESS = 'https://docs.slack.dev/reference/methods/oauth.v2.access'

/** Slack, with the bot's token. Errors come with status 200 and `ok: false`. */
export const slack: Provider = {
  provider: 'slack',
  name: 'Slack',
  placeholders: {},
  fields: {
    authorization_endpoint: secondary(
      'https://slack.com/oauth/v2/authorize',
      `${NANGO}; https://docs.slack.dev/authentication/installing-with-oauth names the flow`,
    ),
    token_endpoint: verified('https://slack.com/api/oauth.v2.access', ACCESS, '2026-11-21'),
    token_endpoint_auth_method: verified('client_secret_basic', `${ACCESS}: Basic is preferred`, '2026-11-21'),
    pkce: secondary('refused', `${NANGO}: turned off after breakage, although ${ACCESS} lists code_verifier`),
    scope_separator: secondary(',', NANGO),
    token_response: unverified(
      {
        ...STANDARD_TOKEN_RESPONSE,
        token_types: ['bot', 'user', 'bearer'],
        scope: { path: 'scope', separator: ',' },
      },
      'slackapi/node-slack-sdk OauthV2AccessResponse.ts@46d7f08 names the members; separator and token types are not stated',
    ),
    error_response: secondary(
      {
        ...STANDARD_ERROR_RESPONSE,
        within_200: { path: 'ok', equals: false },
        meanings: {
          invalid_code: 'invalid_grant',
          invalid_refresh_token: 'invalid_grant',
          authorization_not_found: 'invalid_grant',
          token_already_exchanged: 'invalid_grant',
          bad_client_secret: 'invalid_client',
          invalid_client_id: 'invalid_client',
          ratelimited: 'throttled',
          internal_error: 'unknown',
          fatal_error: 'unknown',
          service_unavailable: 'unknown',
        },
      },
      'https://api.slack.com/methods/oauth.v2.exchange; slack_kit 1.0.0-alpha.0 on hex.pm, made from the vendor reference',
      '2026-11-21',
    ),
    access_token_seconds: unverified(null),
    refresh_token_rotation: verified('setting', ROTATION),
    refresh_token_replay: verified('refused', `${ROTATION}: the old refresh token is revoked and replaced`),
    revocation_endpoint: secondary('https://slack.com/api/auth.revoke', 'docs.gitguardian.com'),
    revocation_request: unverified({
      method: 'POST',
      token: 'access_token',
      parameter: null,
      body: 'none',
      authorization: 'bearer',
    }),
    api_base_url: unverified('https://slack.com/api'),
    account: unverified({ from: 'token_response', id: 'team.id', name: ['team.name'] }),
    notes: verified(
      'User tokens are asked for with user_scope and come nested under authed_user. Rotation is a setting of the application: without it access tokens never expire, with it they live 12 hours.',
      `https://api.slack.com/methods/oauth.v2.exchange; ${ROTATION}`,
    ),
  },
}
