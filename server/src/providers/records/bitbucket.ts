import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const OAUTH = 'https://confluence.atlassian.com/bitbucket/oauth-endpoint-300220600.html'
const UNIFIED = 'https://docs.unified.to/skills/bitbucket-oauth-app'

/** Bitbucket Cloud, which has endpoints of its own and not those of Atlassian. */
export const bitbucket: Provider = {
  provider: 'bitbucket',
  name: 'Bitbucket Cloud',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://bitbucket.org/site/oauth2/authorize', OAUTH, '2026-11-22'),
    token_endpoint: verified('https://bitbucket.org/site/oauth2/access_token', OAUTH, '2026-11-22'),
    token_endpoint_auth_method: verified('client_secret_basic', OAUTH, '2026-11-22'),
    pkce: unverified('refused', 'no source says that it is taken'),
    scope_parameter: secondary(null, `${UNIFIED}: chosen at the consumer`),
    token_response: secondary(
      { ...STANDARD_TOKEN_RESPONSE, scope: { path: 'scopes', separator: ' ' } },
      'gist.github.com/droidMakk/583cfe96d7f6f8a7e239764bf6f353ab',
    ),
    access_token_seconds: secondary(7_200, UNIFIED),
    api_base_url: unverified('https://api.bitbucket.org'),
    notes: verified(
      'There is a grant of its own, by a JWT of Bitbucket; the one by passwords was removed.',
      OAUTH,
      '2026-11-22',
    ),
  },
}
