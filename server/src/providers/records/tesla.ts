import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const THIRD_PARTY = 'https://developer.tesla.com/docs/fleet-api/authentication/third-party-tokens'
const BUSINESS = 'https://developer.tesla.com/docs/fleet-api/authentication/third-party-business-tokens'

/** Tesla Fleet API: one API in each region, which the token request names as its audience. */
export const tesla: Provider = {
  provider: 'tesla',
  name: 'Tesla Fleet API',
  placeholders: {
    api_host: {
      label: 'Host of the API, by region',
      form: 'choice',
      choices: [
        'fleet-api.prd.na.vn.cloud.tesla.com',
        'fleet-api.prd.eu.vn.cloud.tesla.com',
        'fleet-api.prd.cn.vn.cloud.tesla.cn',
      ],
    },
  },
  fields: {
    authorization_endpoint: verified('https://auth.tesla.com/oauth2/v3/authorize', THIRD_PARTY, '2026-11-22'),
    token_endpoint: verified(
      'https://fleet-auth.prd.vn.cloud.tesla.com/oauth2/v3/token',
      `${THIRD_PARTY}, which had auth.tesla.com before; ${BUSINESS}`,
      '2026-11-22',
    ),
    token_endpoint_auth_method: verified('client_secret_post', THIRD_PARTY),
    scope_separator: verified(' ', THIRD_PARTY, '2026-11-22'),
    offline_scope: verified('offline_access', `${THIRD_PARTY}: with openid`, '2026-11-22'),
    default_scope: unverified('openid', `${THIRD_PARTY} wants it beside offline_access`),
    token_params: unverified({ audience: 'https://{api_host}' }),
    access_token_seconds: unverified(28_800),
    refresh_token_seconds: verified(7_689_600, `${THIRD_PARTY}: 3 months, here the shortest`),
    refresh_token_rotation: verified('always', THIRD_PARTY),
    refresh_token_replay: verified('refused', `${THIRD_PARTY}: good once`),
    api_base_url: unverified('https://{api_host}', 'https://developer.tessie.com/reference/access-tesla-fleet-api'),
    notes: verified(
      'A token for a business comes by client_credentials with a code from the console of Tesla for Business.',
      BUSINESS,
      '2026-11-22',
    ),
  },
}
