import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const REFERENCE = 'https://airtable.com/developers/web/api/oauth-reference'
const NANGO_BLOG = 'https://nango.dev/blog/airtable-oauth-refresh-token-invalid-grant'

/** Airtable: PKCE is required, and every refresh ends the tokens of before. */
export const airtable: Provider = {
  provider: 'airtable',
  name: 'Airtable',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://airtable.com/oauth2/v1/authorize', REFERENCE, '2026-11-22'),
    token_endpoint: corroborated('https://airtable.com/oauth2/v1/token', `Nango providers.yaml@2f4c0af; ${NANGO_BLOG}`),
    token_endpoint_auth_method: unverified(
      'client_secret_basic',
      'Nango providers.yaml@2f4c0af: where there is a secret',
    ),
    pkce: verified('required', REFERENCE, '2026-11-22'),
    scope_separator: verified(' ', REFERENCE, '2026-11-22'),
    token_response: secondary(
      {
        ...STANDARD_TOKEN_RESPONSE,
        refresh_token_expires: { path: 'refresh_expires_in', form: 'seconds', zero: 'expired' },
      },
      'cdn.cdata.com Airtable RefreshOAuthAccessToken (RefreshExpiresIn)',
    ),
    access_token_seconds: unverified(3_600),
    refresh_token_seconds: secondary(5_184_000, NANGO_BLOG),
    refresh_token_life: secondary('idle', NANGO_BLOG),
    refresh_token_rotation: secondary('always', NANGO_BLOG),
    refresh_token_replay: secondary('refused', `${NANGO_BLOG}: the tokens of before are no longer valid`),
    api_base_url: unverified('https://api.airtable.com'),
    notes: verified(
      'Airtable revokes an integration by itself when it breaks the security rules of Airtable.',
      'https://support.airtable.com/docs/troubleshooting-oauth-integrations-in-airtable',
      '2026-11-22',
    ),
  },
}
