import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const ACCESS_TOKEN = 'https://developer.amazon.com/docs/login-with-amazon/access-token.html'
const REFRESH_TOKEN = 'https://developer.amazon.com/docs/login-with-amazon/refresh-token.html'
const USE_REFRESH = 'https://developer.amazon.com/docs/amazon-data-portability/use-refresh-token.html'

/** Login with Amazon: the token endpoint has a host in each region. */
export const amazon: Provider = {
  provider: 'amazon',
  name: 'Amazon',
  placeholders: {
    api_host: {
      label: 'Host of the token endpoint: for North America, Europe or the Far East',
      form: 'choice',
      choices: ['api.amazon.com', 'api.amazon.co.uk', 'api.amazon.co.jp'],
      default: 'api.amazon.com',
    },
  },
  fields: {
    authorization_endpoint: corroborated(
      'https://www.amazon.com/ap/oa',
      'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20',
    ),
    token_endpoint: verified('https://{api_host}/auth/o2/token', USE_REFRESH, '2026-11-22'),
    token_endpoint_auth_method: verified('client_secret_post', USE_REFRESH, '2026-11-22'),
    pkce: unverified('supported'),
    scope_separator: secondary(' ', 'simov/grant config/oauth.json@500ab20'),
    access_token_seconds: verified(3_600, ACCESS_TOKEN, '2026-11-22'),
    refresh_token_life: verified('unlimited', REFRESH_TOKEN, '2026-11-22'),
    refresh_token_rotation: verified('always', ACCESS_TOKEN, '2026-11-22'),
    refresh_token_replay: unverified('unknown', `${REFRESH_TOKEN} calls them valid indefinitely`),
    api_base_url: unverified('https://{api_host}'),
    notes: verified('Tokens have up to 2,048 bytes.', `${ACCESS_TOKEN}; ${REFRESH_TOKEN}`, '2026-11-22'),
  },
}
