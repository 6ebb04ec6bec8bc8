import { corroborated, secondary, unverified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES = 'Nango providers.yaml@2f4c0af; arctic@3.7.0; @auth/core@0.41.3; @better-auth/core@1.7.25'

/** Figma: a refresh has an endpoint of its own, and answers with an access token alone. */
export const figma: Provider = {
  provider: 'figma',
  name: 'Figma',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated('https://www.figma.com/oauth', CATALOGUES),
    token_endpoint: corroborated('https://api.figma.com/v1/oauth/token', CATALOGUES),
    refresh_endpoint: corroborated(
      'https://api.figma.com/v1/oauth/refresh',
      'Nango providers.yaml@2f4c0af; arctic@3.7.0',
    ),
    refresh_grant: unverified(
      { grant_type: null, token_param: 'refresh_token', sends: 'refresh_token' },
      'the endpoint is for nothing else',
    ),
    token_endpoint_auth_method: corroborated(
      'client_secret_basic',
      'Nango providers.yaml@2f4c0af; @better-auth/core@1.7.25',
    ),
    pkce: unverified('supported', 'catalogues differ'),
    scope_separator: unverified(',', 'Nango providers.yaml@2f4c0af'),
    access_token_seconds: unverified(7_776_000),
    refresh_token_rotation: secondary('never', 'https://arcticjs.dev/providers/figma'),
    account: corroborated(
      { from: 'extra', id: ['user_id'], name: [], of: 'person' },
      'Nango providers.yaml@2f4c0af; arctic@3.7.0',
    ),
    api_base_url: unverified('https://api.figma.com'),
    notes: secondary(
      'The token endpoint was at www.figma.com/api/oauth/token until February 2025.',
      'https://community.auth0.com/t/figma-tokenurl-migration/182728',
    ),
  },
}
