import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const USING_OAUTH = 'https://intercom-developer-hub.readme.io/reference/using-oauth'
const STAFF =
  'https://community.intercom.com/apps-integrations-25/clarification-needed-on-intercom-oauth-access-token-and-refresh-token-for-multitenant-apps-11092 (staff)'

/** Intercom: access tokens stay good until they are revoked, and there are no refresh tokens. */
export const intercom: Provider = {
  provider: 'intercom',
  name: 'Intercom',
  placeholders: {
    api_host: {
      label: 'Host of the API, by the region of the workspace',
      form: 'choice',
      choices: ['api.intercom.io', 'api.eu.intercom.io', 'api.au.intercom.io'],
      default: 'api.intercom.io',
    },
  },
  fields: {
    authorization_endpoint: verified(
      'https://app.intercom.io/oauth',
      `${USING_OAUTH}; catalogues have app.intercom.com`,
    ),
    token_endpoint: verified('https://api.intercom.io/auth/eagle/token', USING_OAUTH),
    token_endpoint_auth_method: verified('client_secret_post', USING_OAUTH),
    pkce: unverified('refused', 'no source says that it is taken'),
    scope_parameter: secondary(
      null,
      'https://nango.dev/docs/api-integrations/intercom: chosen in the developer portal',
    ),
    access_token_seconds: verified(null, STAFF),
    refresh_token_rotation: verified('no_refresh_token', STAFF),
    api_base_url: verified('https://{api_host}', 'https://developers.intercom.com/building-apps/docs/rest-apis'),
    notes: secondary(
      'What ends a token is the call that uninstalls the app.',
      `${STAFF}; developers.intercom.com installing-uninstalling-apps, as cited by Nango`,
    ),
  },
}
