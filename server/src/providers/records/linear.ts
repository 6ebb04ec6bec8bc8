import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const READ = '2026-11-22'
const DOCS = 'https://linear.app/developers/oauth-2-0-authentication'

/** Linear: scopes are divided by commas, and every application has refresh tokens. */
export const linear: Provider = {
  provider: 'linear',
  name: 'Linear',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://linear.app/oauth/authorize', DOCS, READ),
    token_endpoint: corroborated(
      'https://api.linear.app/oauth/token',
      'Nango providers.yaml@2f4c0af; arctic@3.7.0; @better-auth/core@1.7.25',
    ),
    revocation_endpoint: secondary('https://api.linear.app/oauth/revoke', `${DOCS}, as cited in a hook of Nango`),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: verified('supported', DOCS, READ),
    scope_separator: verified(',', DOCS, READ),
    token_response: unverified({ ...STANDARD_TOKEN_RESPONSE, scope: { path: 'scope', separator: ',' } }),
    access_token_seconds: unverified(86_400),
    refresh_token_life: unverified('unknown'),
    refresh_token_rotation: unverified('always'),
    refresh_token_replay: unverified('unknown'),
    api_base_url: unverified('https://api.linear.app'),
    userinfo_endpoint: unverified('https://api.linear.app/graphql'),
    userinfo_request: unverified({ method: 'POST', json: { query: '{viewer{id name email}}' } }),
    account: unverified({
      from: 'userinfo',
      id: ['data.viewer.id'],
      name: ['data.viewer.email', 'data.viewer.name'],
      of: 'person',
    }),
    reads_by_method: verified(false, 'https://linear.app/developers/graphql: each query is a POST', '2026-11-22'),
    notes: verified(
      'The authorization parameter actor chooses whether changes are made in the name of the user or of the application. With prompt=consent a user may connect several workspaces.',
      DOCS,
      READ,
    ),
  },
}
