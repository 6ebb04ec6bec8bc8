import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const MIGRATING = 'https://developer.monday.com/apps/docs/migrating-to-the-new-oauth-flow'
const UNIFIED = 'https://docs.unified.to/skills/monday-oauth-app'

/** monday.com, in its older flow. */
export const monday: Provider = {
  provider: 'monday',
  name: 'monday.com',
  placeholders: {},
  fields: {
    authorization_endpoint: unverified('https://auth.monday.com/oauth2/authorize', 'Nango providers.yaml@2f4c0af'),
    token_endpoint: unverified('https://auth.monday.com/oauth2/token', 'Nango providers.yaml@2f4c0af'),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: secondary('supported', `${UNIFIED}: in the newer flow`),
    scope_separator: unverified(' '),
    access_token_seconds: verified(null, `${MIGRATING}: the older flow's never expire`, '2026-11-22'),
    api_base_url: unverified('https://api.monday.com'),
    reads_by_method: verified(
      false,
      'https://developer.monday.com/api-reference/docs/getting-started: each query is a POST',
      '2026-11-22',
    ),
    notes: secondary(
      'An administrator has to install the app first. The newer flow, switched on for each version of an app, has tokens that expire, refresh tokens, revocation and another token endpoint.',
      `${UNIFIED}; ${MIGRATING}`,
    ),
  },
}
