import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const NANGO = 'Nango providers.yaml@2f4c0af'
const INTEGRATION = 'https://docs.snowflake.com/en/sql-reference/sql/create-security-integration-oauth-snowflake'
const SINGLE_USE = 'https://docs.snowflake.com/user-guide/single-use-refresh-tokens'

/** Snowflake: one host per account; whether refresh tokens come, rotate and how long they live are settings. */
export const snowflake: Provider = {
  provider: 'snowflake',
  name: 'Snowflake',
  placeholders: {
    account: { label: 'Host of the account', form: 'host', suffixes: ['.snowflakecomputing.com'] },
  },
  fields: {
    authorization_endpoint: unverified('https://{account}/oauth/authorize', NANGO),
    token_endpoint: unverified('https://{account}/oauth/token-request', NANGO),
    token_endpoint_auth_method: unverified('client_secret_basic', NANGO),
    pkce: unverified('supported'),
    scope_separator: unverified(' '),
    access_token_seconds: verified(null, `${INTEGRATION}: the setting OAUTH_ACCESS_TOKEN_VALIDITY`),
    refresh_token_seconds: verified(7_776_000, `${SINGLE_USE}: unless set otherwise`, '2026-11-22'),
    refresh_token_life: verified('setting', SINGLE_USE, '2026-11-22'),
    refresh_token_rotation: verified('setting', SINGLE_USE, '2026-11-22'),
    refresh_token_replay: verified('ends_grant', `${SINGLE_USE}: where they are good once`, '2026-11-22'),
    account: unverified({ from: 'extra', id: ['username'], name: ['username'], of: 'person' }),
    api_base_url: unverified('https://{account}'),
    reads_by_method: verified(
      false,
      'https://docs.snowflake.com/en/developer-guide/sql-api/reference: each statement is a POST',
      '2026-11-22',
    ),
    notes: verified(
      'Refresh tokens come only where the security integration has OAUTH_ISSUE_REFRESH_TOKENS. They are good once where the integration says so, or the token request does by enable_single_use_refresh_tokens.',
      `${INTEGRATION}; ${SINGLE_USE}`,
    ),
  },
}
