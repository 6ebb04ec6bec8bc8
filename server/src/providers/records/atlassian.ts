import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const READ = '2026-11-22'
const GUIDE = 'https://developer.atlassian.com/cloud/oauth/getting-started/implementing-oauth-3lo'
const REFRESH = 'https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens'
const STAFF = 'https://community.developer.atlassian.com/t/refresh-token-expire-after-36000-seconds/60806/2'
const LEEWAY =
  'https://community.developer.atlassian.com/t/superseded-31-january-2022-action-required-deprecating-persistent-refresh-tokens/50348/60'

/** Atlassian Cloud (3LO): one consent for sites that are then named by their cloud id in the path of the API. */
export const atlassian: Provider = {
  provider: 'atlassian',
  name: 'Atlassian',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://auth.atlassian.com/authorize', GUIDE, READ),
    token_endpoint: verified('https://auth.atlassian.com/oauth/token', `${STAFF} (staff)`, READ),
    userinfo_endpoint: unverified('https://api.atlassian.com/me'),
    token_endpoint_auth_method: verified('client_secret_post', REFRESH, READ),
    pkce: unverified('supported'),
    authorization_params: corroborated(
      { audience: 'api.atlassian.com', prompt: 'consent' },
      `Nango providers.yaml@2f4c0af; https://nango.dev/docs/api-integrations/jira; ${GUIDE} names no audience`,
    ),
    scope_separator: verified(' ', GUIDE, READ),
    offline_scope: verified('offline_access', REFRESH, READ),
    access_token_seconds: verified(3_600, `${STAFF} (staff)`, READ),
    refresh_token_seconds: verified(7_776_000, `${STAFF} (staff)`, READ),
    refresh_token_life: verified('idle', `${STAFF} (staff)`, READ),
    refresh_token_rotation: verified('always', REFRESH, READ),
    refresh_token_replay: secondary(
      'within_grace',
      `${LEEWAY} (staff); https://workos.com/blog/refresh-token-behavior-across-fourteen-providers`,
    ),
    replay_grace_seconds: secondary(600, `${LEEWAY} (staff)`),
    revocation_request: secondary(null, 'docs.gitguardian.com atlassian_auth_key: the user removes the application'),
    api_base_url: secondary('https://api.atlassian.com', 'https://docs.unified.to/skills/atlassian-cloud-oauth'),
    refresh_token_max_seconds: verified(31_536_000, `${STAFF} (staff)`, READ),
    steps: verified(
      [
        {
          name: 'sites',
          when: 'after_exchange',
          method: 'GET',
          url: 'https://api.atlassian.com/oauth/token/accessible-resources',
          authorization: 'bearer',
          params: {},
          body: 'query',
          replaces_token: false,
          choice: { list: '', id: 'id', name: ['name', 'url'] },
          keep: { cloud_id: 'id', site_url: 'url' },
        },
      ],
      'https://developer.atlassian.com/cloud/oauth/getting-started/making-calls-to-api/',
      READ,
    ),
    account: secondary(
      { from: 'userinfo', id: ['account_id'], name: ['email', 'name'], of: 'person' },
      'https://v2.lucia-auth.com/oauth/providers/atlassian/: with the scope read:me',
    ),
    notes: secondary(
      'An application has one callback URL, and a change of scopes needs a new consent.',
      'https://docs.unified.to/skills/atlassian-cloud-oauth',
    ),
  },
}
