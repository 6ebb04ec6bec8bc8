import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const AUTHENTICATION =
  'https://github.com/SAP-docs/preview.developer.concur.com/blob/main/src/api-reference/authentication/apidoc.markdown'

/** SAP Concur: the answer names the data centre where the user is, for the API and for refreshes. */
export const sap: Provider = {
  provider: 'sap',
  name: 'SAP Concur',
  placeholders: {
    host: {
      label: 'Data centre of the application, such as us.api.concursolutions.com',
      form: 'host',
      suffixes: ['.api.concursolutions.com'],
      default: 'us.api.concursolutions.com',
    },
  },
  fields: {
    authorization_endpoint: verified('https://www-{host}/oauth2/v0/authorize', AUTHENTICATION, '2026-11-22'),
    token_endpoint: verified('https://{host}/oauth2/v0/token', AUTHENTICATION, '2026-11-22'),
    token_endpoint_auth_method: verified('client_secret_post', AUTHENTICATION, '2026-11-22'),
    pkce: unverified('refused', 'no source says that it is taken'),
    scope_separator: secondary(' ', 'Nango providers.yaml@2f4c0af'),
    access_token_seconds: verified(3_600, `${AUTHENTICATION}: expires_in is text there`, '2026-11-22'),
    refresh_token_seconds: verified(15_638_400, `${AUTHENTICATION}: 6 months, here the shortest`, '2026-11-22'),
    refresh_token_rotation: verified('sometimes', AUTHENTICATION, '2026-11-22'),
    learned: verified(
      [
        {
          name: 'host',
          from: 'extra',
          path: 'geolocation',
          form: 'host',
          suffixes: ['.api.concursolutions.com'],
        },
      ],
      AUTHENTICATION,
      '2026-11-22',
    ),
    api_base_url: verified('https://{host}', AUTHENTICATION, '2026-11-22'),
    revocation_endpoint: verified('https://{host}/app-mgmt/v0/connections', AUTHENTICATION, '2026-11-22'),
    revocation_request: verified(
      { ...STANDARD_REVOCATION_REQUEST, method: 'DELETE', authorization: 'bearer' },
      AUTHENTICATION,
      '2026-11-22',
    ),
    revocation_ends: verified('client_of_user', AUTHENTICATION, '2026-11-22'),
    notes: secondary(
      'A company token starts with the password grant, credtype=authtoken and a token of 24 hours. SuccessFactors is another server: its token endpoint is /oauth/token of the API server, its grant a SAML assertion.',
      'docs.axonius.com sap-concur-4; Nango providers.yaml@2f4c0af; insomnia-plugin-sfsf-samlassertion',
    ),
  },
}
