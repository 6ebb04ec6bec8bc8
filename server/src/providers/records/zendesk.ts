import { corroborated, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const GRANT_TYPES = 'https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/'
const EXPIRY = 'https://support.zendesk.com/hc/en-us/articles/9182123625370'
const REVOKING = 'https://developer.zendesk.com/documentation/api-basics/authentication/revoking-oauth-token'

/** Zendesk: one host per customer, and the request says how long its tokens shall live. */
export const zendesk: Provider = {
  provider: 'zendesk',
  name: 'Zendesk',
  placeholders: { subdomain: { label: 'Subdomain: what stands before .zendesk.com', form: 'label' } },
  fields: {
    authorization_endpoint: corroborated(
      'https://{subdomain}.zendesk.com/oauth/authorizations/new',
      'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; airbytehq/airbyte#7326',
    ),
    token_endpoint: verified('https://{subdomain}.zendesk.com/oauth/tokens', GRANT_TYPES, '2026-11-22'),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: verified('supported', GRANT_TYPES, '2026-11-22'),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    access_token_seconds: verified(
      null,
      `${EXPIRY}: chosen by the request; the answers of older clients name none (airbytehq/airbyte#7326)`,
      '2026-11-22',
    ),
    refresh_token_rotation: verified('always', EXPIRY, '2026-11-22'),
    refresh_token_replay: verified('refused', `${EXPIRY}: the tokens of before are deleted`, '2026-11-22'),
    revocation_endpoint: verified(
      'https://{subdomain}.zendesk.com/api/v2/oauth/tokens/current.json',
      REVOKING,
      '2026-11-22',
    ),
    revocation_request: verified(
      { ...STANDARD_REVOCATION_REQUEST, method: 'DELETE', authorization: 'bearer' },
      `${REVOKING}; customers report in support.zendesk.com/hc/en-us/community/posts/5537132288282 that it can answer 204 in vain`,
      '2026-11-22',
    ),
    api_base_url: unverified('https://{subdomain}.zendesk.com'),
    notes: verified(
      'The lifetimes are asked for in the token request, as expires_in and refresh_token_expires_in. A client belongs to one instance; one for all of them has to be asked for.',
      `${EXPIRY}; https://developer.zendesk.com/documentation/authentication/creating-and-using-oauth-tokens-with-the-api`,
      '2026-11-22',
    ),
  },
}
