import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES =
  'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; arctic@3.7.0; @better-auth/core@1.7.25'
const REFRESH = 'https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens'

/** Spotify: a refresh token ends six months after the consent, however often it is used. */
export const spotify: Provider = {
  provider: 'spotify',
  name: 'Spotify',
  placeholders: {},
  registration: secondary(
    'https://developer.spotify.com/dashboard',
    'developer.spotify.com/documentation/web-api/concepts/apps names the Dashboard; rigellute/spotify-tui#9 its address',
  ),
  fields: {
    authorization_endpoint: corroborated('https://accounts.spotify.com/authorize', CATALOGUES),
    token_endpoint: verified('https://accounts.spotify.com/api/token', REFRESH, '2026-11-22'),
    token_endpoint_auth_method: secondary('client_secret_basic', 'educative.io Spotify course'),
    pkce: corroborated('supported', 'arctic@3.7.0; @better-auth/core@1.7.25'),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    access_token_seconds: verified(3_600, REFRESH, '2026-11-22'),
    refresh_token_seconds: verified(15_638_400, `${REFRESH}: 6 months, here the shortest`, '2026-11-22'),
    refresh_token_life: verified('fixed', REFRESH, '2026-11-22'),
    refresh_token_rotation: unverified('unknown', 'a new one is thought to come with some refreshes only'),
    revocation_endpoint: unverified(null, 'none is known'),
    api_base_url: unverified('https://api.spotify.com'),
    notes: verified(
      'Refresh tokens of before end 6 months after the consent too, since 2026-07-20.',
      'https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration',
    ),
  },
}
