import { corroborated, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const HOW_TO = 'https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users'
const ROTATION = 'https://developer.calendly.com/docs/authentication/refresh-token-rotation-guide'

/** Calendly: a refresh token is good once. */
export const calendly: Provider = {
  provider: 'calendly',
  name: 'Calendly',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://auth.calendly.com/oauth/authorize', HOW_TO, '2026-11-22'),
    token_endpoint: corroborated(
      'https://auth.calendly.com/oauth/token',
      `Nango providers.yaml@2f4c0af; ${ROTATION} names the path`,
    ),
    revocation_endpoint: verified(
      'https://auth.calendly.com/oauth/revoke',
      'https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-revoke.md',
    ),
    token_endpoint_auth_method: verified(
      'client_secret_basic',
      'https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-refresh-token.md: for web clients',
      '2026-11-22',
    ),
    pkce: unverified('supported', 'for native applications'),
    scope_separator: unverified(' '),
    access_token_seconds: verified(7_200, HOW_TO, '2026-11-22'),
    refresh_token_life: verified('unlimited', `${HOW_TO}: until used`, '2026-11-22'),
    refresh_token_rotation: verified('always', ROTATION, '2026-11-22'),
    refresh_token_replay: verified(
      'refused',
      `${ROTATION}; before, one stayed good until its access token was used`,
      '2026-11-22',
    ),
    account: verified(
      { from: 'extra', id: ['owner'], name: [], of: 'person' },
      'https://developer.calendly.com/how-to-find-the-organization-or-user-uri',
      '2026-11-22',
    ),
    api_base_url: unverified('https://api.calendly.com'),
    notes: verified(
      'Its metadata (RFC 8414) is at https://calendly.com/.well-known/oauth-authorization-server.',
      'https://developer.calendly.com',
    ),
  },
}
