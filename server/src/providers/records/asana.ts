import { corroborated, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const OAUTH = 'https://developers.asana.com/docs/oauth'

/** Asana. */
export const asana: Provider = {
  provider: 'asana',
  name: 'Asana',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://app.asana.com/-/oauth_authorize', OAUTH, '2026-11-22'),
    token_endpoint: verified('https://app.asana.com/-/oauth_token', OAUTH, '2026-11-22'),
    revocation_endpoint: verified('https://app.asana.com/-/oauth_revoke', OAUTH, '2026-11-22'),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: unverified('supported'),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    access_token_seconds: unverified(3_600),
    refresh_token_rotation: unverified('unknown', 'the refresh token is thought to stay the same'),
    api_base_url: unverified('https://app.asana.com/api/1.0'),
    notes: unverified('The token answer describes the user in its member data.'),
  },
}
