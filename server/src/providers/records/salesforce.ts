import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const READ = '2026-11-22'
const DOCS = 'https://developer.salesforce.com/docs'
const ENDPOINTS = `${DOCS}/atlas.en-us.222.0.api_rest.meta/api/intro_understanding_oauth_endpoints.htm`
const WEB_SERVER = `${DOCS}/atlas.ja-jp.224.0.api_rest.meta/api_rest/intro_understanding_web_server_oauth_flow.htm`
const REVOKE = `${DOCS}/platform/mobile-sdk/guide/oauth-revoking-tokens.html`
const REFRESH = 'https://help.salesforce.com/apex/HTViewHelpDoc?id=xcloud.remoteaccess_oauth_refresh_token_flow_ca.htm'

/** Salesforce: the token answer names the instance where the API is, and no expiry. */
export const salesforce: Provider = {
  provider: 'salesforce',
  name: 'Salesforce',
  placeholders: {
    login_host: {
      label: 'Login host: login.salesforce.com, test.salesforce.com or My Domain',
      form: 'host',
      suffixes: ['login.salesforce.com', 'test.salesforce.com', '.my.salesforce.com', '.my.site.com'],
      default: 'login.salesforce.com',
    },
  },
  fields: {
    authorization_endpoint: verified('https://{login_host}/services/oauth2/authorize', ENDPOINTS, READ),
    token_endpoint: verified('https://{login_host}/services/oauth2/token', ENDPOINTS, READ),
    revocation_endpoint: verified('https://{login_host}/services/oauth2/revoke', ENDPOINTS, READ),
    userinfo_endpoint: unverified('https://{login_host}/services/oauth2/userinfo'),
    token_endpoint_auth_method: verified('client_secret_post', REFRESH, READ),
    // The audience of a sandbox is https://test.salesforce.com.
    assertion_grant: secondary(
      { audience: 'https://login.salesforce.com', scope: 'parameter', subject: 'required', client: 'anonymous' },
      'gyde.ai/kb/oauth-2.0-jwt-bearer-token-flow; arthurimirzian/salesforce-jwt-bearer-token-flow',
    ),
    pkce: verified('supported', `${WEB_SERVER}: code_challenge is optional, by SHA-256`, READ),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    offline_scope: verified('refresh_token', 'https://help.salesforce.com/s/articleView?id=005316711', READ),
    access_token_seconds: verified(null, `${REFRESH}: the session timeout of the application decides`, READ),
    refresh_token_life: verified('setting', 'https://help.salesforce.com connected_app_limit_idle_ttl'),
    refresh_token_rotation: verified('setting', REFRESH, READ),
    refresh_token_replay: verified('ends_grant', `${REFRESH}, with rotation switched on`, READ),
    revocation_ends: verified('grant', `${REVOKE}: a refresh token takes its access tokens with it`, READ),
    learned: corroborated(
      [
        {
          name: 'api_base_url',
          from: 'extra',
          path: 'instance_url',
          form: 'url',
          suffixes: ['.salesforce.com', '.force.com', '.salesforce.mil', '.sfcrmproducts.cn'],
        },
      ],
      'Nango providers.yaml@2f4c0af; verbb/auth 2.0.43',
    ),
    account: unverified({ from: 'userinfo', id: ['user_id'], name: ['preferred_username', 'email'], of: 'person' }),
    notes: secondary(
      'The token answer has no expires_in: an access token lives as long as the session policy of the organization says. Whether PKCE is asked for, and whether refresh tokens rotate, are settings of the application.',
      `${REFRESH}; Nango providers.yaml@2f4c0af`,
    ),
  },
}
