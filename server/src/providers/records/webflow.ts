import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const OAUTH = 'https://developers.webflow.com/oauth'

/** Webflow: no refresh tokens. */
export const webflow: Provider = {
  provider: 'webflow',
  name: 'Webflow',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://webflow.com/oauth/authorize', OAUTH),
    token_endpoint: verified('https://api.webflow.com/oauth/access_token', OAUTH),
    introspection_endpoint: verified(
      'https://api.webflow.com/v2/token/introspect',
      'https://developers.webflow.com/data/reference/token/introspect.md',
      '2026-11-22',
    ),
    introspection_request: verified(
      { method: 'GET', parameter: null, body: 'query', authorization: 'bearer' },
      'https://developers.webflow.com/data/reference/token/introspect.md',
      '2026-11-22',
    ),
    account: unverified({ from: 'introspection', id: ['authorization.id'], name: [], of: 'organization' }),
    token_endpoint_auth_method: verified('client_secret_post', OAUTH),
    pkce: unverified('refused', 'no source says that it is taken'),
    scope_separator: unverified(' '),
    access_token_seconds: unverified(null, 'without expires_in; a token in use is thought not to expire'),
    refresh_token_rotation: unverified('no_refresh_token'),
    api_base_url: unverified('https://api.webflow.com'),
    notes: verified(
      'Tokens can be revoked by a call that this record does not describe.',
      'https://developers.webflow.com/reference/authentication',
      '2026-11-22',
    ),
  },
}
