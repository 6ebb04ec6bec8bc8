import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES =
  'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; arctic@3.7.0; @better-auth/core@1.7.25'

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
    authorization_endpoint: corroborated('https://{login_host}/services/oauth2/authorize', CATALOGUES),
    token_endpoint: corroborated('https://{login_host}/services/oauth2/token', CATALOGUES),
    revocation_endpoint: secondary('https://{login_host}/services/oauth2/revoke', 'arctic@3.7.0'),
    userinfo_endpoint: unverified('https://{login_host}/services/oauth2/userinfo'),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: corroborated('supported', 'arctic@3.7.0; @auth/core@0.41.3; @better-auth/core@1.7.25'),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    offline_scope: secondary('refresh_token', 'https://auth0.com/ai/docs/connections/salesforce'),
    access_token_seconds: verified(null, 'https://developer.salesforce.com intro_understanding_refresh_token_oauth'),
    refresh_token_life: verified('setting', 'https://help.salesforce.com connected_app_limit_idle_ttl'),
    refresh_token_rotation: verified('setting', 'https://help.salesforce.com remoteaccess_oauth_refresh_token_flow'),
    refresh_token_replay: secondary('ends_grant', 'airbytehq/airbyte#80783, with rotation switched on'),
    learned: corroborated(
      [
        {
          name: 'api_base_url',
          from: 'token_response',
          path: 'instance_url',
          form: 'url',
          suffixes: ['.salesforce.com', '.force.com', '.salesforce.mil', '.sfcrmproducts.cn'],
        },
      ],
      'Nango providers.yaml@2f4c0af; verbb/auth 2.0.43',
    ),
    account: unverified({ from: 'userinfo', id: 'user_id', name: ['preferred_username', 'email'] }),
    notes: corroborated(
      'The token answer has no expires_in: an access token lives as long as the session policy of the organization says.',
      'Nango providers.yaml@2f4c0af; https://developer.salesforce.com intro_understanding_refresh_token_oauth',
    ),
  },
}
