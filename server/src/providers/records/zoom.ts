import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const READ = '2026-11-22'
const FLOWS = 'https://github.com/zoom/skills/blob/main/skills/oauth/concepts/oauth-flows.md'
const LIFE = 'https://github.com/zoom/skills/blob/main/skills/oauth/concepts/token-lifecycle.md'

/** Zoom, as an application that acts for a user: each consent ends the tokens of the one before. */
export const zoom: Provider = {
  provider: 'zoom',
  name: 'Zoom',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://zoom.us/oauth/authorize', FLOWS, READ),
    token_endpoint: verified('https://zoom.us/oauth/token', FLOWS, READ),
    device_authorization_endpoint: verified('https://zoom.us/oauth/devicecode', FLOWS, READ),
    revocation_endpoint: verified('https://zoom.us/oauth/revoke', LIFE, READ),
    revocation_request: verified(
      { ...STANDARD_REVOCATION_REQUEST, parameter: 'token', body: 'form', authorization: 'client' },
      LIFE,
      READ,
    ),
    revocation_ends: verified('grant', `${LIFE}: the refresh token dies with the access token`, READ),
    token_endpoint_auth_method: verified('client_secret_basic', FLOWS, READ),
    pkce: corroborated('supported', 'arctic@3.7.0; @better-auth/core@1.7.25'),
    scope_separator: unverified(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af has a comma'),
    access_token_seconds: verified(3_600, LIFE, READ),
    refresh_token_seconds: secondary(7_776_000, `${LIFE}: about 90 days is common, and may change`),
    refresh_token_life: unverified('idle'),
    refresh_token_rotation: verified('always', LIFE, READ),
    refresh_token_replay: verified('refused', `${LIFE}: the old refresh token becomes invalid`, READ),
    api_base_url: unverified('https://api.zoom.us/v2'),
    starts_at_provider: unverified(true, 'installations may start in the Marketplace'),
    notes: verified(
      'When a user authorizes the application again, all earlier tokens of that user end. Server-to-server applications use the grant account_credentials with an account_id and get no refresh token.',
      `${LIFE}; ${FLOWS}`,
      READ,
    ),
  },
}
