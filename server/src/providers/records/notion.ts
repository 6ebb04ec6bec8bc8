import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const READ = '2026-11-22'
const CREATE = 'https://developers.notion.com/reference/create-a-token'
const REFRESH = 'https://developers.notion.com/reference/refresh-a-token'
const REVOKE = 'https://developers.notion.com/reference/revoke-token'
const SDK = 'https://github.com/makenotion/notion-sdk-js/blob/main/src/api-endpoints/oauth.ts'

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
    token_endpoint: verified('https://api.notion.com/v1/oauth/token', REFRESH, READ),
    introspection_endpoint: verified('https://api.notion.com/v1/oauth/introspect', SDK, READ),
    revocation_endpoint: verified('https://api.notion.com/v1/oauth/revoke', REVOKE, READ),
    revocation_request: verified(
      { ...STANDARD_REVOCATION_REQUEST, parameter: 'token', body: 'json', authorization: 'client' },
      REVOKE,
      READ,
    ),
    token_endpoint_auth_method: verified('client_secret_basic', REFRESH, READ),
    token_request: verified('json', CREATE),
    pkce: corroborated('refused', 'arctic@3.7.0; @better-auth/core@1.7.25'),
    scope_parameter: secondary(null, 'https://nango.dev/docs/api-integrations/notion'),
    authorization_params: unverified({ owner: 'user' }, 'Nango providers.yaml@2f4c0af'),
    access_token_seconds: verified(null, `${CREATE}: the documented answer has no expires_in`, READ),
    refresh_token_rotation: verified('always', REFRESH, READ),
    refresh_token_replay: secondary(
      'ends_grant',
      'https://developers.notion.com/guides/mcp/build-mcp-client as quoted in can1357/oh-my-pi#5081',
    ),
    api_base_url: verified('https://api.notion.com', REFRESH, READ),
    account: verified({ from: 'extra', id: ['bot_id'], name: ['workspace_name'], of: 'organization' }, SDK, READ),
    introspection_request: verified(
      { method: 'POST', parameter: 'token', body: 'json', authorization: 'client' },
      SDK,
      READ,
    ),
    api_headers: verified(
      { 'Notion-Version': '2026-03-11' },
      `https://developers.notion.com/reference/versioning: required; ${REVOKE} too`,
      READ,
    ),
    notes: verified(
      'A person picks the pages that the integration may see while giving consent.',
      `${REVOKE}; https://developers.notion.com/reference/authorization`,
      READ,
    ),
  },
}
