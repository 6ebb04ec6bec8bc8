import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const READ = '2026-11-22'
const FAQ = 'https://developer.xero.com/faq/oauth2'
const CLIENT = 'https://github.com/XeroAPI/xero-node/blob/master/src/XeroClient.ts'

/** Xero: a refresh token that was used may be sent again for 30 minutes. */
export const xero: Provider = {
  provider: 'xero',
  name: 'Xero',
  placeholders: {},
  fields: {
    issuer: verified('https://identity.xero.com', CLIENT, READ),
    discovery: verified('oidc', CLIENT, READ),
    authorization_endpoint: corroborated(
      'https://login.xero.com/identity/connect/authorize',
      'Nango providers.yaml@2f4c0af; gist channeladam/5d4d88d44a9853d00537318a8d2b47fd',
    ),
    token_endpoint: verified('https://identity.xero.com/connect/token', CLIENT, READ),
    revocation_endpoint: unverified('https://identity.xero.com/connect/revocation'),
    token_endpoint_auth_method: verified('client_secret_basic', CLIENT, READ),
    pkce: verified('supported', `${FAQ}: for applications without a secret`, READ),
    scope_separator: verified(' ', CLIENT, READ),
    offline_scope: secondary('offline_access', 'gist channeladam/5d4d88d44a9853d00537318a8d2b47fd'),
    access_token_seconds: verified(1_800, FAQ, READ),
    refresh_token_seconds: verified(5_184_000, FAQ, READ),
    refresh_token_life: verified('idle', FAQ, READ),
    refresh_token_rotation: verified('always', FAQ, READ),
    refresh_token_replay: verified('within_grace', FAQ, READ),
    replay_grace_seconds: verified(1_800, FAQ, READ),
    api_base_url: verified('https://api.xero.com', CLIENT, READ),
    steps: verified(
      [
        {
          name: 'organizations',
          when: 'after_exchange',
          method: 'GET',
          url: 'https://api.xero.com/connections',
          authorization: 'bearer',
          params: {},
          body: 'query',
          replaces_token: false,
          choice: { list: '', id: 'tenantId', name: ['tenantName'] },
          keep: { tenant_id: 'tenantId' },
        },
      ],
      `${CLIENT}; https://raw.githubusercontent.com/XeroAPI/Xero-OpenAPI/master/xero-identity.yaml`,
      READ,
    ),
    api_headers: verified({ 'Xero-Tenant-Id': '{tenant_id}' }, CLIENT, READ),
    default_scope: verified('openid', 'OpenID Connect Core 1.0 section 3.1.2.1'),
    account: verified(
      { from: 'id_token', id: ['sub'], name: ['email', 'preferred_username'], of: 'person' },
      CLIENT,
      READ,
    ),
    notes: verified(
      'One consent may reach several organizations, and calls name one in the header Xero-Tenant-Id. At most 50 redirect URIs are taken per application.',
      `${CLIENT}; ${FAQ}`,
    ),
  },
}
