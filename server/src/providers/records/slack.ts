import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_ERROR_RESPONSE, STANDARD_REVOCATION_REQUEST, STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const READ = '2026-11-22'
const ACCESS = 'https://docs.slack.dev/reference/methods/oauth.v2.access'
const ROTATION = 'https://docs.slack.dev/authentication/using-token-rotation'
const PKCE = 'https://docs.slack.dev/authentication/using-pkce'
const REVOKE = 'https://api.slack.com/methods/auth.revoke'
const TEST = 'https://api.slack.com/methods/auth.test'
const INSTALL = 'https://github.com/slackapi/node-slack-sdk/blob/main/packages/oauth/src/install-provider.ts'
const AUTHORIZE =
  'https://github.com/slackapi/python-slack-sdk/blob/main/slack_sdk/oauth/authorize_url_generator/__init__.py'

/** Slack, with the bot's token. Errors come with status 200 and `ok: false`. */
export const slack: Provider = {
  provider: 'slack',
  name: 'Slack',
  placeholders: {},
  registration: verified('https://api.slack.com/apps/new', 'https://www.npmjs.com/package/@slack/oauth', '2026-11-22'),
  fields: {
    authorization_endpoint: verified('https://slack.com/oauth/v2/authorize', AUTHORIZE, READ),
    token_endpoint: verified('https://slack.com/api/oauth.v2.access', ACCESS, READ),
    token_endpoint_auth_method: verified('client_secret_basic', `${ACCESS}: Basic is preferred`, READ),
    pkce: verified(
      'refused',
      `${PKCE}: only after a setting that cannot be undone and makes the application a public client`,
      READ,
    ),
    scope_separator: verified(',', AUTHORIZE, READ),
    token_response: verified(
      {
        ...STANDARD_TOKEN_RESPONSE,
        token_types: ['bot', 'user', 'bearer'],
        scope: { path: 'scope', separator: ',' },
      },
      INSTALL,
      READ,
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
          token_revoked: 'invalid_grant',
          token_expired: 'invalid_grant',
          account_inactive: 'invalid_grant',
          bad_client_secret: 'invalid_client',
          invalid_client_id: 'invalid_client',
          ratelimited: 'throttled',
          internal_error: 'unknown',
          fatal_error: 'unknown',
          service_unavailable: 'unknown',
        },
      },
      'https://api.slack.com/methods/oauth.v2.exchange; slack_kit 1.0.0-alpha.0 on hex.pm, made from the vendor reference',
    ),
    access_token_seconds: verified(null, `${ROTATION}: never without rotation, else the answer tells`, READ),
    refresh_token_rotation: verified('setting', ROTATION, READ),
    refresh_token_replay: verified('refused', `${ROTATION}: the old refresh token is revoked and replaced`, READ),
    refresh_token_life: verified('unlimited', `${PKCE}: 30 days for applications with PKCE, else without end`, READ),
    introspection_endpoint: secondary('https://slack.com/api/auth.test', `${TEST}; slackr 3.3.1 on CRAN`),
    introspection_request: secondary(
      { method: 'POST', parameter: null, body: 'form', authorization: 'bearer' },
      `${TEST}; hexdocs.pm/slack Slack.Web.Auth, made from the vendor reference`,
    ),
    revocation_endpoint: verified('https://slack.com/api/auth.revoke', REVOKE, READ),
    revocation_request: verified({ ...STANDARD_REVOCATION_REQUEST, authorization: 'bearer' }, REVOKE, READ),
    revocation_ends: verified('token', `${REVOKE}: the bot also leaves its channels`, READ),
    api_base_url: verified('https://slack.com/api', ACCESS, READ),
    account: verified(
      { from: 'extra', id: ['team.id', 'enterprise.id'], name: ['team.name', 'enterprise.name'], of: 'organization' },
      INSTALL,
      READ,
    ),
    starts_at_provider: unverified(true, 'installations may start in the App Directory'),
    reads_by_method: verified(false, 'https://docs.slack.dev/apis/web-api: any method by GET or POST', '2026-11-22'),
    notes: verified(
      'User tokens are asked for with user_scope and come nested under authed_user. Rotation is a setting of the application: without it access tokens never expire, with it they live 12 hours. An installation for a whole organization names no team but an enterprise.',
      `${INSTALL}; ${ROTATION}`,
      READ,
    ),
  },
}
