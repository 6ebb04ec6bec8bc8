import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const AUTHENTICATION = 'https://docs.gusto.com/embedded-payroll/v2023-04-01/docs/authentication'
const REFRESH = 'https://docs.gusto.com/embedded-payroll/v2022-11-01/reference/refresh-access-token'

/** Gusto: a refresh names the redirect URI, and the old refresh token ends when the new access token is used. */
export const gusto: Provider = {
  provider: 'gusto',
  name: 'Gusto',
  placeholders: {
    api_host: {
      label: 'Environment: production, or for demonstrations',
      form: 'choice',
      choices: ['api.gusto.com', 'api.gusto-demo.com'],
      default: 'api.gusto.com',
    },
  },
  fields: {
    authorization_endpoint: unverified('https://{api_host}/oauth/authorize', 'Nango providers.yaml@2f4c0af'),
    token_endpoint: verified('https://{api_host}/oauth/token', REFRESH, '2026-11-22'),
    token_endpoint_auth_method: unverified('client_secret_post'),
    scope_separator: unverified(' '),
    refresh_sends: verified(['redirect_uri'], AUTHENTICATION),
    access_token_seconds: verified(7_200, AUTHENTICATION),
    refresh_token_rotation: verified('always', REFRESH, '2026-11-22'),
    refresh_token_replay: verified('until_successor_used', REFRESH, '2026-11-22'),
    api_base_url: unverified('https://{api_host}'),
    notes: verified(
      'A token is for one company, which the person picks; the answer names it in company_uuid.',
      `${AUTHENTICATION}; https://docs.gusto.com/app-integrations/docs/oauth2`,
    ),
  },
}
