import { corroborated, secondary, unverified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST, STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

/** Garmin Connect, with OAuth 2. */
export const garmin: Provider = {
  provider: 'garmin',
  name: 'Garmin Connect',
  placeholders: {},
  fields: {
    authorization_endpoint: unverified('https://connect.garmin.com/oauth2Confirm', 'Nango providers.yaml@2f4c0af'),
    token_endpoint: corroborated(
      'https://diauth.garmin.com/di-oauth2-service/oauth/token',
      'Nango providers.yaml@2f4c0af; powershellgallery GCCare',
    ),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: secondary('required', 'https://nango.dev/docs/api-integrations/garmin-oauth2'),
    scope_parameter: unverified(null),
    token_response: unverified({
      ...STANDARD_TOKEN_RESPONSE,
      refresh_token_expires: { path: 'refresh_token_expires_in', form: 'seconds', zero: 'expired' },
    }),
    access_token_seconds: unverified(86_400),
    refresh_token_seconds: unverified(7_776_000),
    refresh_token_rotation: unverified('unknown', 'every refresh is thought to bring a new one'),
    revocation_endpoint: unverified('https://apis.garmin.com/wellness-api/rest/user/registration'),
    revocation_request: unverified({ ...STANDARD_REVOCATION_REQUEST, method: 'DELETE', authorization: 'bearer' }),
    api_base_url: unverified('https://apis.garmin.com'),
    notes: secondary(
      'Older applications have OAuth 1.0a, which ends on 2026-12-31; an endpoint exchanges their tokens for those of OAuth 2.',
      'RADAR-base/RADAR-Rest-Source-Auth#313, quoting the vendor',
    ),
  },
}
