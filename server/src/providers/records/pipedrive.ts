import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const AUTHORIZATION = 'https://pipedrive.readme.io/docs/marketplace-oauth-authorization'
const WITHONE = 'https://withone.ai/knowledge/pipedrive'

/** Pipedrive: the answer tells where the API of the company is. */
export const pipedrive: Provider = {
  provider: 'pipedrive',
  name: 'Pipedrive',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://oauth.pipedrive.com/oauth/authorize', AUTHORIZATION, '2026-11-22'),
    token_endpoint: corroborated(
      'https://oauth.pipedrive.com/oauth/token',
      'Nango providers.yaml@2f4c0af; @auth/core@0.41.3',
    ),
    revocation_endpoint: unverified('https://oauth.pipedrive.com/oauth/revoke'),
    token_endpoint_auth_method: secondary(
      'client_secret_basic',
      'aprovanlabs.github.io, a mirror of the API reference',
    ),
    pkce: unverified('refused', 'Nango providers.yaml@2f4c0af'),
    scope_parameter: verified(null, AUTHORIZATION, '2026-11-22'),
    access_token_seconds: secondary(3_600, WITHONE),
    refresh_token_seconds: secondary(5_184_000, WITHONE),
    refresh_token_life: secondary('idle', WITHONE),
    refresh_token_rotation: unverified('unknown', 'the refresh token is thought to stay the same'),
    learned: secondary(
      [
        {
          name: 'api_base_url',
          from: 'extra',
          path: 'api_domain',
          form: 'url',
          suffixes: ['.pipedrive.com'],
        },
      ],
      WITHONE,
    ),
    starts_at_provider: verified(true, `${AUTHORIZATION}: in the Marketplace`, '2026-11-22'),
  },
}
