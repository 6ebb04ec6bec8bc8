import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CODE = 'https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code'
const ROTATION = 'elizaOS/eliza#20027'

/** X: PKCE is required, of confidential clients too. */
export const xTwitter: Provider = {
  provider: 'x-twitter',
  name: 'X (Twitter)',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated(
      'https://x.com/i/oauth2/authorize',
      'Nango providers.yaml@2f4c0af; @auth/core@0.41.3; @better-auth/core@1.7.25',
    ),
    token_endpoint: verified('https://api.x.com/2/oauth2/token', CODE, '2026-11-22'),
    token_endpoint_auth_method: verified(
      'client_secret_basic',
      'https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token: for confidential clients',
      '2026-11-22',
    ),
    pkce: verified('required', CODE),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    offline_scope: verified('offline.access', CODE, '2026-11-22'),
    access_token_seconds: verified(7_200, CODE, '2026-11-22'),
    refresh_token_rotation: secondary('always', ROTATION),
    refresh_token_replay: secondary('refused', `${ROTATION}: good once`),
    revocation_endpoint: unverified('https://api.x.com/2/oauth2/revoke', 'arctic@3.7.0'),
    api_base_url: unverified('https://api.x.com'),
  },
}
