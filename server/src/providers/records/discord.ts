import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const READ = '2026-11-22'
const DOCS = 'https://github.com/discord/discord-api-docs/blob/main/developers/topics/oauth2.mdx'

/** Discord: whichever token is revoked, all tokens of that consent end. */
export const discord: Provider = {
  provider: 'discord',
  name: 'Discord',
  placeholders: {},
  registration: secondary(
    'https://discord.com/developers/applications',
    'www.dynamic.xyz/docs/platform/social-providers/discord.md; www.mintlify.com/ayushsharma74/oauth-init/providers/discord',
  ),
  fields: {
    authorization_endpoint: verified('https://discord.com/oauth2/authorize', DOCS, READ),
    token_endpoint: verified('https://discord.com/api/oauth2/token', DOCS, READ),
    revocation_endpoint: verified('https://discord.com/api/oauth2/token/revoke', DOCS, READ),
    revocation_ends: verified('grant', DOCS, READ),
    userinfo_endpoint: verified('https://discord.com/api/v10/users/@me', DOCS, READ),
    token_endpoint_auth_method: verified('client_secret_basic', DOCS, READ),
    token_request: verified('form', `${DOCS}: nothing else is taken`, READ),
    pkce: secondary('supported', 'arctic@3.7.0'),
    scope_separator: verified(' ', DOCS, READ),
    access_token_seconds: verified(604_800, DOCS, READ),
    refresh_token_life: unverified('unknown'),
    refresh_token_rotation: unverified('unknown'),
    refresh_token_replay: unverified('unknown'),
    api_base_url: verified('https://discord.com/api/v10', DOCS, READ),
    account: verified({ from: 'userinfo', id: ['id'], name: ['global_name', 'username'], of: 'person' }, DOCS, READ),
    notes: verified(
      'The account is known where the scope identify was granted. With prompt none a user who has authorized the same scopes before is not asked again.',
      DOCS,
      READ,
    ),
  },
}
