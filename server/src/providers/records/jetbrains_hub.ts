import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const REFRESH = 'https://www.jetbrains.com/help/youtrack/devportal/Refresh-Token.html.md'

/** JetBrains Hub, as of YouTrack: scopes are the IDs of services, and a refresh must name them again. */
export const jetbrainsHub: Provider = {
  provider: 'jetbrains-hub',
  name: 'JetBrains Hub',
  placeholders: { hub_url: { label: 'URL of Hub, such as https://example.youtrack.cloud/hub', form: 'base_url' } },
  fields: {
    authorization_endpoint: unverified('{hub_url}/api/rest/oauth2/auth'),
    token_endpoint: unverified(
      '{hub_url}/api/rest/oauth2/token',
      'the path is documented for https://oauth.account.jetbrains.com',
    ),
    token_endpoint_auth_method: verified(
      'client_secret_basic',
      'https://www.jetbrains.com/help/hub/OAuth-2.0-Authorization.html: the ID of the service and its secret',
    ),
    pkce: verified('supported', REFRESH, '2026-11-22'),
    scope_separator: verified(' ', 'https://jetbrains.com/help/youtrack/devportal/Refresh-Token.html', '2026-11-22'),
    offline_params: unverified({ access_type: 'offline' }),
    refresh_sends: verified(
      ['scope'],
      'https://jetbrains.com/help/youtrack/devportal/Refresh-Token.html',
      '2026-11-22',
    ),
    access_token_seconds: unverified(3_600),
    refresh_token_life: verified('setting', `${REFRESH}: since Hub 2023.1; before, they did not expire`, '2026-11-22'),
    refresh_token_rotation: unverified('unknown', 'the refresh token is thought to stay the same'),
    api_base_url: unverified('{hub_url}/api/rest'),
    notes: verified(
      'Refresh tokens come with the authorization code grant and with the one by passwords.',
      REFRESH,
      '2026-11-22',
    ),
  },
}
