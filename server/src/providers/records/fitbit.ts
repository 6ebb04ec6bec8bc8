import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const REFRESH = 'https://dev.fitbit.com/build/reference/web-api/authorization/refresh-token'
const PRACTICES = 'https://dev.fitbit.com/build/reference/web-api/developer-guide/best-practices'

/** Fitbit: a refresh token is good once, and until then for ever; the same refresh sent again gets the same answer. */
export const fitbit: Provider = {
  provider: 'fitbit',
  name: 'Fitbit',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated(
      'https://www.fitbit.com/oauth2/authorize',
      'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20',
    ),
    token_endpoint: verified('https://api.fitbit.com/oauth2/token', REFRESH, '2026-11-22'),
    token_endpoint_auth_method: verified(
      'client_secret_basic',
      `${REFRESH}: for servers; an application without a secret names its client_id in the body`,
      '2026-11-22',
    ),
    pkce: verified('supported', 'https://dev.fitbit.com/build/reference/web-api/authorization/oauth2-token'),
    scope_separator: secondary(' ', 'simov/grant config/oauth.json@500ab20'),
    access_token_seconds: verified(28_800, REFRESH, '2026-11-22'),
    refresh_token_life: verified('unlimited', `${PRACTICES}: until used`, '2026-11-22'),
    refresh_token_rotation: verified('always', PRACTICES, '2026-11-22'),
    refresh_token_replay: verified(
      'within_grace',
      `${PRACTICES}: with the same answer, while the new tokens are not in use`,
      '2026-11-22',
    ),
    replay_grace_seconds: unverified(120),
    revocation_endpoint: unverified('https://api.fitbit.com/oauth2/revoke'),
    account: secondary({ from: 'extra', id: ['user_id'], name: [], of: 'person' }, 'https://rdrr.io/cran/fitbitViz'),
    api_base_url: unverified('https://api.fitbit.com'),
  },
}
