import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CREATE = 'https://developers.notion.com/reference/create-a-token'
const REFRESH = 'https://developers.notion.com/reference/refresh-a-token'

/** Notion: token requests are JSON, and there is no scope parameter. */
export const notion: Provider = {
  provider: 'notion',
  name: 'Notion',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated(
      'https://api.notion.com/v1/oauth/authorize',
      'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; arctic@3.7.0; @better-auth/core@1.7.25',
    ),
    token_endpoint: verified('https://api.notion.com/v1/oauth/token', REFRESH),
    token_endpoint_auth_method: verified('client_secret_basic', CREATE),
    token_request: verified('json', CREATE),
    pkce: corroborated('refused', 'arctic@3.7.0; @better-auth/core@1.7.25'),
    scope_parameter: secondary(null, 'https://nango.dev/docs/api-integrations/notion'),
    authorization_params: unverified({ owner: 'user' }, 'Nango providers.yaml@2f4c0af'),
    access_token_seconds: verified(null, `${CREATE}: the documented answer has no expires_in`),
    refresh_token_rotation: verified('always', REFRESH),
    refresh_token_replay: secondary(
      'ends_grant',
      'https://developers.notion.com/guides/mcp/build-mcp-client as quoted in can1357/oh-my-pi#5081',
    ),
    revocation_endpoint: verified(
      'https://api.notion.com/v1/oauth/revoke',
      'https://developers.notion.com/reference/revoke-token',
    ),
    api_base_url: unverified('https://api.notion.com'),
    account: unverified({ from: 'token_response', id: 'bot_id', name: ['workspace_name'] }),
    notes: secondary(
      'Older documents of third parties still say that tokens never expire and that there is no refresh token.',
      'https://nango.dev/docs/api-integrations/notion',
    ),
  },
}
