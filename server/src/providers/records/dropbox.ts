import { corroborated, secondary, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const READ = '2026-11-22'
const PYTHON = 'https://github.com/dropbox/dropbox-sdk-python/blob/main/dropbox/oauth.py'
const SPEC = 'https://github.com/dropbox/dropbox-api-spec/blob/main/auth.stone'
const HOSTS = 'https://github.com/dropbox/dropbox-sdk-js/blob/main/src/utils.js'
const OFFLINE = 'https://dropbox.tech/developers/using-oauth-2-0-with-offline-access'
const FOREVER = 'kunalvarma05/dropbox-php-sdk#200'

/** Dropbox: a refresh token comes only with offline access, and the access token revokes itself. */
export const dropbox: Provider = {
  provider: 'dropbox',
  name: 'Dropbox',
  placeholders: {},
  registration: secondary('https://www.dropbox.com/developers/apps', 'SteveSimonson/architect-sync discussion 3'),
  fields: {
    authorization_endpoint: verified('https://www.dropbox.com/oauth2/authorize', PYTHON, READ),
    token_endpoint: corroborated(
      'https://api.dropboxapi.com/oauth2/token',
      'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; arctic@3.7.0; @auth/core@0.41.3',
    ),
    revocation_endpoint: verified('https://api.dropboxapi.com/2/auth/token/revoke', `${SPEC}; ${HOSTS}`, READ),
    revocation_request: verified({ ...STANDARD_REVOCATION_REQUEST, authorization: 'bearer' }, SPEC, READ),
    revocation_ends: verified('token', SPEC, READ),
    token_endpoint_auth_method: verified('client_secret_post', PYTHON, READ),
    pkce: corroborated('supported', `@better-auth/core@1.7.25; ${PYTHON} sends either a verifier or the secret`),
    scope_separator: verified(' ', PYTHON, READ),
    offline_params: verified({ token_access_type: 'offline' }, `${OFFLINE}; ${PYTHON}`, READ),
    access_token_seconds: secondary(14_400, 'remotestorage/remotestorage.js#1267'),
    refresh_token_rotation: secondary('never', FOREVER),
    refresh_token_replay: secondary('accepted', FOREVER),
    refresh_token_life: secondary('unlimited', FOREVER),
    api_base_url: verified('https://api.dropboxapi.com/2', HOSTS, READ),
    account: verified({ from: 'extra', id: ['account_id', 'team_id'], name: [], of: 'organization' }, PYTHON, READ),
    reads_by_method: verified(
      false,
      'https://dropbox.tech/developers/a-preview-of-the-new-dropbox-api-v2: what returns data is a POST as well',
      '2026-11-22',
    ),
    notes: verified('An application that is linked to a whole team is told a team_id and no account_id.', PYTHON, READ),
  },
}
