import { corroborated, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const READ = '2026-11-22'
const GUIDE = 'https://github.com/box/developer.box.com/blob/main/content/guides/authentication/oauth2/without-sdk.md'
const TOKEN = 'https://developer.box.com/reference/post-oauth2-token--refresh'
const REFRESH = 'https://developer.box.com/guides/authentication/tokens/refresh'
const REVOKE = 'https://developer.box.com/guides/authentication/access-tokens/revoke'

/** Box: a refresh token serves once, within 60 days. */
export const box: Provider = {
  provider: 'box',
  name: 'Box',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://account.box.com/api/oauth2/authorize', GUIDE, READ),
    token_endpoint: verified('https://api.box.com/oauth2/token', TOKEN, READ),
    revocation_endpoint: verified('https://api.box.com/oauth2/revoke', REVOKE, READ),
    userinfo_endpoint: unverified('https://api.box.com/2.0/users/me'),
    token_endpoint_auth_method: verified('client_secret_post', TOKEN, READ),
    pkce: unverified('refused', 'arctic@3.7.0; the vendor documents none'),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    access_token_seconds: verified(
      3_600,
      'https://developer.box.com/guides/authentication/tokens/access-tokens/',
      READ,
    ),
    refresh_token_seconds: verified(5_184_000, REFRESH, READ),
    refresh_token_life: verified('idle', `${REFRESH}: each use brings a new one`, READ),
    refresh_token_rotation: verified('always', REFRESH, READ),
    refresh_token_replay: verified('refused', `${REFRESH}: valid for one use`, READ),
    api_base_url: unverified('https://api.box.com/2.0'),
    account: unverified({ from: 'userinfo', id: ['id'], name: ['login', 'name'], of: 'person' }),
    notes: verified(
      'With Box Verified Enterprises the authorization page may be at ent.box.com. Server authentication by JWT or client credentials brings no refresh token.',
      `${GUIDE}; https://developer.box.com/guides/authentication/tokens/access-tokens/`,
      READ,
    ),
  },
}
