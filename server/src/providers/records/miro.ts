import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const REFRESH = 'https://developers.miro.com/reference/get-new-access-token-using-refresh-token'
const OAUTH = 'https://developers.miro.com/reference/oauth-20-authorization-v2'
const REVOKE = 'https://developers.miro.com/v1.0/reference/revoke-token'

/** Miro: whether tokens expire is chosen for each application. */
export const miro: Provider = {
  provider: 'miro',
  name: 'Miro',
  placeholders: {},
  fields: {
    authorization_endpoint: verified(
      'https://miro.com/oauth/authorize',
      'https://developers.miro.com/docs/getting-started-with-oauth',
      '2026-11-22',
    ),
    token_endpoint: verified('https://api.miro.com/v1/oauth/token', REFRESH, '2026-11-22'),
    token_endpoint_auth_method: verified(
      'client_secret_post',
      `${REFRESH}: what is beside the credentials may stand in the query`,
      '2026-11-22',
    ),
    pkce: unverified('refused', 'no source says that it is taken'),
    scope_parameter: unverified(null, 'chosen in the settings of the application'),
    access_token_seconds: verified(3_600, `${REFRESH}: where they expire`, '2026-11-22'),
    refresh_token_seconds: verified(5_184_000, REFRESH, '2026-11-22'),
    refresh_token_rotation: verified('always', OAUTH),
    refresh_token_replay: verified('refused', `${OAUTH}: the tokens of before end`),
    revocation_endpoint: verified('https://api.miro.com/v1/oauth/revoke', REVOKE, '2026-11-22'),
    revocation_request: unverified({ ...STANDARD_REVOCATION_REQUEST, parameter: 'access_token' }),
    revocation_ends: verified('grant', REVOKE, '2026-11-22'),
    api_base_url: unverified('https://api.miro.com'),
    notes: verified(
      'That tokens expire is chosen when an application is made, and cannot be changed. The answer names the team in team_id.',
      `${OAUTH}; ${REFRESH}`,
    ),
  },
}
