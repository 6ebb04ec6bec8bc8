import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const REQUEST =
  'https://www.servicenow.com/docs/r/zurich/platform-security/authentication/r_OAuthAPIRequestParameters.html'
const TOKENS = 'https://www.servicenow.com/docs/r/zurich/platform-security/authentication/t_ManageTokens.html'
const REVOKE =
  'https://raw.githubusercontent.com/ServiceNow/ServiceNowDocs/australia/markdown/platform-security/authentication/t_RevokeOAuthToken.md'

/** ServiceNow: one host per instance; a refresh answers with an access token alone. */
export const servicenow: Provider = {
  provider: 'servicenow',
  name: 'ServiceNow',
  placeholders: {
    instance: { label: 'Host of the instance', form: 'host', suffixes: ['.service-now.com'] },
  },
  fields: {
    authorization_endpoint: unverified('https://{instance}/oauth_auth.do', 'Nango providers.yaml@2f4c0af'),
    token_endpoint: verified('https://{instance}/oauth_token.do', REQUEST),
    token_endpoint_auth_method: verified('client_secret_post', REQUEST, '2026-11-22'),
    scope_separator: unverified(' '),
    access_token_seconds: verified(1_800, `${TOKENS}: unless set otherwise`, '2026-11-22'),
    refresh_token_seconds: verified(8_640_000, `${TOKENS}: unless set otherwise`, '2026-11-22'),
    refresh_token_life: verified('setting', TOKENS, '2026-11-22'),
    refresh_token_rotation: verified('never', REQUEST, '2026-11-22'),
    revocation_endpoint: verified('https://{instance}/oauth_revoke_token.do', REVOKE, '2026-11-22'),
    revocation_request: verified(
      { ...STANDARD_REVOCATION_REQUEST, method: 'GET', token: 'refresh_token', parameter: 'token' },
      REVOKE,
      '2026-11-22',
    ),
    api_base_url: unverified('https://{instance}'),
    notes: verified(
      'While an access token lives, a token request is answered with that same one. Only a form is taken as the body.',
      `${REQUEST}; https://support.servicenow.com KB0791140`,
    ),
  },
}
