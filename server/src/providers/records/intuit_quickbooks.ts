import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST, STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const READ = '2026-11-22'
const CLIENT = 'https://github.com/intuit/oauth-jsclient/blob/master/src/OAuthClient.js'
const TOKEN = 'https://github.com/intuit/oauth-jsclient/blob/master/src/access-token/Token.js'
const FAQ = 'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq'
const POLICY = 'https://blogs.a.intuit.com/2025/11/12/important-changes-to-refresh-token-policy'

/** QuickBooks Online of Intuit: the callback tells the company, and the refresh token changes from time to time. */
export const intuitQuickbooks: Provider = {
  provider: 'intuit-quickbooks',
  name: 'QuickBooks (Intuit)',
  placeholders: {
    api_host: {
      label: 'Host of the API: production or sandbox',
      form: 'choice',
      choices: ['quickbooks.api.intuit.com', 'sandbox-quickbooks.api.intuit.com'],
      default: 'quickbooks.api.intuit.com',
    },
  },
  fields: {
    issuer: verified('https://oauth.platform.intuit.com/op/v1', CLIENT, READ),
    jwks_uri: verified('https://oauth.platform.intuit.com/op/v1/jwks', CLIENT, READ),
    authorization_endpoint: verified('https://appcenter.intuit.com/connect/oauth2', CLIENT, READ),
    token_endpoint: verified('https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer', CLIENT, READ),
    revocation_endpoint: verified('https://developer.api.intuit.com/v2/oauth2/tokens/revoke', CLIENT, READ),
    revocation_request: verified(
      {
        ...STANDARD_REVOCATION_REQUEST,
        token: 'refresh_token',
        parameter: 'token',
        body: 'json',
        authorization: 'client',
      },
      CLIENT,
      READ,
    ),
    userinfo_endpoint: verified('https://accounts.platform.intuit.com/v1/openid_connect/userinfo', CLIENT, READ),
    token_endpoint_auth_method: verified('client_secret_basic', CLIENT, READ),
    pkce: secondary('refused', 'arctic@3.7.0'),
    scope_separator: verified(' ', CLIENT, READ),
    token_response: verified(
      {
        ...STANDARD_TOKEN_RESPONSE,
        refresh_token_expires: { path: 'x_refresh_token_expires_in', form: 'seconds', zero: 'expired' },
      },
      TOKEN,
      READ,
    ),
    access_token_seconds: verified(3_600, FAQ, READ),
    refresh_token_seconds: verified(8_640_000, FAQ, READ),
    refresh_token_life: verified('idle', FAQ, READ),
    refresh_token_max_seconds: verified(157_680_000, POLICY),
    refresh_token_rotation: secondary(
      'sometimes',
      'docs.devart.com dotConnect for QuickBooks; airbytehq/airbyte#49842',
    ),
    refresh_token_replay: unverified('unknown'),
    learned: verified(
      [{ name: 'realmId', from: 'callback', path: 'realmId', form: 'text', suffixes: [] }],
      CLIENT,
      READ,
    ),
    api_base_url: verified('https://{api_host}', CLIENT, READ),
    account: verified({ from: 'extra', id: ['realmId'], name: [], of: 'organization' }, CLIENT, READ),
    notes: verified(
      'Calls of the API name the company by the realmId of the callback.',
      `https://github.com/IntuitDeveloper/OAuth2-Dotnet_UsingSDK/blob/master/docs/help/Tokens.md`,
      READ,
    ),
  },
}
