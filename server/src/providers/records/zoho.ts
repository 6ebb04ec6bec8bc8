import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_ERROR_RESPONSE, STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const REFRESHING = 'https://www.zoho.com/contracts/api/getting-started/refreshing-access-tokens.html'
const LOCATION = 'https://zoho.com/commerce/api/identify-user-location.html'
const MULTI_DC = 'https://www.zoho.com/accounts/protocol/oauth/multi-dc/client-authorization.html'
const ACCOUNTS_SERVERS = [
  'accounts.zoho.com',
  'accounts.zoho.eu',
  'accounts.zoho.in',
  'accounts.zoho.com.au',
  'accounts.zoho.jp',
  'accounts.zoho.com.cn',
  'accounts.zoho.sa',
  'accounts.zohocloud.ca',
]
const API_SUFFIXES = [
  '.zohoapis.com',
  '.zohoapis.eu',
  '.zohoapis.in',
  '.zohoapis.com.au',
  '.zohoapis.jp',
  '.zohoapis.com.cn',
  '.zohoapis.sa',
  '.zohoapis.ca',
]

/** Zoho: every data centre has an accounts server and an API; the callback and the answer tell which. */
export const zoho: Provider = {
  provider: 'zoho',
  name: 'Zoho',
  placeholders: {
    accounts_server: {
      label: 'Accounts server of the data centre',
      form: 'choice',
      choices: ACCOUNTS_SERVERS,
      default: 'accounts.zoho.com',
    },
  },
  fields: {
    authorization_endpoint: verified('https://{accounts_server}/oauth/v2/auth', LOCATION, '2026-11-22'),
    token_endpoint: verified('https://{accounts_server}/oauth/v2/token', REFRESHING, '2026-11-22'),
    token_endpoint_auth_method: verified(
      'client_secret_post',
      'https://www.zoho.com/workerly/developer-guide/access-refresh.html',
      '2026-11-22',
    ),
    pkce: unverified('refused', 'no source says that it is taken'),
    scope_separator: verified(
      ',',
      'https://www.manageengine.com/analytics-plus/cloud-help/api/authentication/generating-token.html',
    ),
    offline_params: verified({ access_type: 'offline', prompt: 'consent' }, LOCATION, '2026-11-22'),
    error_response: secondary(
      {
        ...STANDARD_ERROR_RESPONSE,
        within_200: 'error_member',
        meanings: { invalid_code: 'invalid_grant', 'Access Denied': 'throttled' },
      },
      'Weble/ZohoBooksApi#84: invalid_code with status 200; public clients wait on Access Denied, the answer to too many requests',
    ),
    access_token_seconds: verified(3_600, REFRESHING, '2026-11-22'),
    refresh_token_life: verified('unlimited', 'https://www.zoho.com/pdfeditor/help/api/oauth-step4.html'),
    refresh_token_rotation: verified('never', REFRESHING, '2026-11-22'),
    revocation_endpoint: verified('https://{accounts_server}/oauth/v2/token/revoke', REFRESHING, '2026-11-22'),
    revocation_request: verified(
      { ...STANDARD_REVOCATION_REQUEST, token: 'refresh_token', parameter: 'token', body: 'form' },
      REFRESHING,
      '2026-11-22',
    ),
    learned: verified(
      [
        { name: 'api_base_url', from: 'extra', path: 'api_domain', form: 'url', suffixes: API_SUFFIXES },
        {
          name: 'accounts_server',
          from: 'callback',
          path: 'accounts-server',
          form: 'host',
          suffixes: ACCOUNTS_SERVERS,
        },
      ],
      `${REFRESHING}; ${MULTI_DC}`,
      '2026-11-22',
    ),
    authorization_scheme: verified('Zoho-oauthtoken', 'https://www.zoho.com; PipedreamHQ/pipedream#15602'),
    notes: verified(
      'A user has at most 20 refresh tokens, the next one deletes the first, and each gives at most 10 access tokens in 10 minutes.',
      `https://www.zoho.com/pdfeditor/help/api/oauth-step4.html; https://zoho.com/accounts/protocol/oauth/token-limits.html`,
      '2026-11-22',
    ),
  },
}
