import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const READ = '2026-11-22'
const DOCS = 'https://github.com/gitlabhq/gitlabhq/blob/master/doc/api/oauth2.md'

/** GitLab, at gitlab.com or on a server of one's own: a refresh names the redirect URI again. */
export const gitlab: Provider = {
  provider: 'gitlab',
  name: 'GitLab',
  placeholders: {
    base_url: { label: 'Address of GitLab', form: 'base_url', default: 'https://gitlab.com' },
  },
  fields: {
    issuer: unverified('{base_url}'),
    jwks_uri: unverified('{base_url}/oauth/discovery/keys'),
    authorization_endpoint: verified('{base_url}/oauth/authorize', DOCS, READ),
    token_endpoint: verified('{base_url}/oauth/token', DOCS, READ),
    device_authorization_endpoint: verified('{base_url}/oauth/authorize_device', DOCS, READ),
    revocation_endpoint: verified('{base_url}/oauth/revoke', DOCS, READ),
    userinfo_endpoint: verified('{base_url}/api/v4/user', DOCS, READ),
    token_endpoint_auth_method: verified('client_secret_post', DOCS, READ),
    pkce: verified('supported', DOCS, READ),
    scope_separator: verified(' ', DOCS, READ),
    refresh_sends: verified(['redirect_uri'], DOCS, READ),
    access_token_seconds: verified(7_200, DOCS, READ),
    refresh_token_life: unverified('unknown'),
    refresh_token_rotation: verified('always', DOCS, READ),
    refresh_token_replay: verified('refused', `${DOCS}: a refresh ends the old access and refresh tokens`, READ),
    api_base_url: verified('{base_url}/api/v4', DOCS, READ),
    account: unverified({ from: 'userinfo', id: ['id'], name: ['username', 'email'], of: 'person' }),
    notes: secondary(
      'Releases of the past have left expires_in out of the token answer. The device grant is there from 17.1 on.',
      `https://gitlab.com/gitlab-org/gitlab/-/issues/360729; ${DOCS}`,
    ),
  },
}
