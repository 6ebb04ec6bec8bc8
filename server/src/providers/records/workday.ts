import { corroborated, secondary, unverified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const NANGO = 'Nango providers.yaml@2f4c0af'
const UNIFIED = 'https://docs.unified.to/skills/workday-oauth-app'
const SUFFIXES = ['.workday.com', '.myworkday.com']

/** Workday: every customer registers a client of their own. */
export const workday: Provider = {
  provider: 'workday',
  name: 'Workday',
  placeholders: {
    auth_host: { label: 'Host of the sign-in page', form: 'host', suffixes: SUFFIXES },
    host: { label: 'Host of the services', form: 'host', suffixes: SUFFIXES },
    tenant: { label: 'Tenant', form: 'segment' },
  },
  fields: {
    authorization_endpoint: unverified('https://{auth_host}/{tenant}/authorize', NANGO),
    token_endpoint: corroborated(
      'https://{host}/ccx/oauth2/{tenant}/token',
      `${NANGO}; https://nango.dev/docs/api-integrations/workday-refresh-token/connect; help.merge.dev 9891389`,
    ),
    token_endpoint_auth_method: unverified('client_secret_basic', NANGO),
    client_per_connection: secondary(true, UNIFIED),
    scope_parameter: unverified(null, 'functional areas are chosen at the API client'),
    refresh_token_life: secondary('setting', 'https://www.ibm.com/docs/en/ace-ipaas (Workday)'),
    refresh_token_rotation: unverified('unknown', 'the refresh token is thought to stay the same'),
    api_base_url: unverified('https://{host}'),
    notes: secondary(
      'Refresh tokens live for ever or for a number of days, by a setting of the API client (Non-Expiring Refresh Tokens).',
      'https://www.ibm.com/docs/en/ace-ipaas (Workday)',
    ),
  },
}
