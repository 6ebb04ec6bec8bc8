import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const AUTHENTICATION = 'https://clickup.com/api/readme_documentation/v2.0/getting_started/authentication/'

/** ClickUp: no scopes, the person picks workspaces; tokens do not expire. */
export const clickup: Provider = {
  provider: 'clickup',
  name: 'ClickUp',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://app.clickup.com/api', AUTHENTICATION),
    token_endpoint: verified('https://api.clickup.com/api/v2/oauth/token', AUTHENTICATION),
    token_endpoint_auth_method: unverified('client_secret_post', 'the query is thought to do as well'),
    pkce: unverified('refused', 'no source says that it is taken'),
    scope_parameter: verified(null, AUTHENTICATION),
    token_response: unverified(
      { ...STANDARD_TOKEN_RESPONSE, token_type_optional: true },
      'without expires_in; of token_type nothing is said',
    ),
    access_token_seconds: secondary(null, 'skills.sh clickup-security-basics: they never expire'),
    refresh_token_rotation: unverified('no_refresh_token'),
    api_base_url: unverified('https://api.clickup.com'),
  },
}
