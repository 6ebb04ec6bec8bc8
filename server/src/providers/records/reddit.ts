import { corroborated, secondary, unverified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES = 'Nango providers.yaml@2f4c0af; arctic@3.7.0; @better-auth/core@1.7.25'
const ANNOUNCEMENT = 'r/redditdev kvzaot, an announcement of January 2021, on a mirror'

/** Reddit: a refresh token comes only where a permanent grant was asked for. */
export const reddit: Provider = {
  provider: 'reddit',
  name: 'Reddit',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated('https://www.reddit.com/api/v1/authorize', CATALOGUES),
    token_endpoint: corroborated('https://www.reddit.com/api/v1/access_token', CATALOGUES),
    token_endpoint_auth_method: corroborated('client_secret_basic', 'Nango providers.yaml@2f4c0af; educative.io'),
    pkce: unverified('refused', 'no source says that it is taken'),
    scope_separator: unverified(' ', 'a comma is thought to do as well'),
    offline_params: corroborated(
      { duration: 'permanent' },
      'Nango providers.yaml@2f4c0af; https://python-social-auth.readthedocs.io/en/latest/backends/reddit.html',
    ),
    access_token_seconds: secondary(3_600, 'powershellgallery PSRAW; educative.io has 24 hours'),
    refresh_token_life: unverified('unknown', `powershellgallery PSRAW: until revoked; ${ANNOUNCEMENT}: one year`),
    refresh_token_rotation: secondary('always', ANNOUNCEMENT),
    refresh_token_replay: unverified('unknown', `${ANNOUNCEMENT}: used ones still worked then, and were to be refused`),
    revocation_endpoint: unverified('https://www.reddit.com/api/v1/revoke_token'),
    api_base_url: unverified('https://oauth.reddit.com'),
    notes: unverified('Calls need a User-Agent that describes the application.'),
  },
}
