import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const APPLICATIONS = 'https://developers.typeform.com/get-started/applications'
const SCOPES = 'https://typeform.com/developers/get-started/scopes'
const ISSUE = 'https://github.com/Typeform/js-api-client/issues/53'

/** Typeform: a refresh token comes with the scope offline. */
export const typeform: Provider = {
  provider: 'typeform',
  name: 'Typeform',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://api.typeform.com/oauth/authorize', APPLICATIONS, '2026-11-22'),
    token_endpoint: verified('https://api.typeform.com/oauth/token', APPLICATIONS, '2026-11-22'),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: unverified('refused', 'Nango providers.yaml@2f4c0af'),
    scope_separator: verified(' ', SCOPES),
    offline_scope: verified('offline', SCOPES),
    access_token_seconds: secondary(604_800, `${ISSUE}: unless the developer chooses another life`),
    api_base_url: unverified('https://api.typeform.com'),
    notes: secondary(
      'A contributor of the vendor once called expires_in a point in time, not a number of seconds. Accounts of another region may have another host.',
      ISSUE,
    ),
  },
}
