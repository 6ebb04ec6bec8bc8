import { corroborated, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const QUICKSTART = 'developers.hubspot.com oauth2-quickstart'

/** HubSpot, with version 1 of its token API. */
export const hubspot: Provider = {
  provider: 'hubspot',
  name: 'HubSpot',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated(
      'https://app.hubspot.com/oauth/authorize',
      'Nango providers.yaml@2f4c0af; @auth/core@0.41.3',
    ),
    token_endpoint: verified(
      'https://api.hubapi.com/oauth/v1/token',
      'https://developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens/v1/refresh-oauth-token.md',
    ),
    token_endpoint_auth_method: verified('client_secret_post', QUICKSTART),
    pkce: verified('supported', QUICKSTART),
    scope_separator: unverified(' '),
    access_token_seconds: verified(
      1_800,
      'https://developers.hubspot.com/changelog/upcoming-expiration-of-oauth-access-tokens-is-changing',
    ),
    refresh_token_rotation: unverified('never'),
    refresh_token_replay: unverified('accepted'),
    revocation_endpoint: unverified('https://api.hubapi.com/oauth/v1/refresh-tokens/{token}'),
    revocation_request: unverified(
      { method: 'DELETE', token: 'refresh_token', parameter: null, body: 'none', authorization: 'none' },
      'https://developers.hubspot.com/docs-beta/oauth/tokens: ends the refresh token only, not the installation',
    ),
    revocation_ends: unverified('token', 'https://developers.hubspot.com/docs-beta/oauth/tokens'),
    api_base_url: unverified('https://api.hubapi.com'),
    notes: verified(
      'Version 1 of the token API is deprecated from 2027-02-16. Access tokens change in size: up to 300 characters. Optional scopes go in the authorization parameter optional_scope.',
      'https://developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens/v1/refresh-oauth-token.md; developers.hubspot.com oauth guides',
    ),
  },
}
