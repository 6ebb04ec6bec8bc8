import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_ERROR_RESPONSE, STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const READ = '2026-11-22'
const OPENAPI =
  'https://github.com/HubSpot/HubSpot-public-api-spec-collection/blob/main/PublicApiSpecs/Auth/Oauth/Rollouts/279897/2026-03/oauth.json'
const GUIDE = 'https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide'
const TOKENS = 'https://developers.hubspot.com/docs-beta/oauth/tokens'
const VERSION_1 =
  'https://developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens/v1/refresh-oauth-token.md'

/** HubSpot, with version 2026-03 of its token API. */
export const hubspot: Provider = {
  provider: 'hubspot',
  name: 'HubSpot',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://app.hubspot.com/oauth/authorize', GUIDE, READ),
    token_endpoint: verified('https://api.hubapi.com/oauth/2026-03/token', OPENAPI, READ),
    introspection_endpoint: verified('https://api.hubapi.com/oauth/2026-03/token/introspect', OPENAPI, READ),
    revocation_endpoint: verified('https://api.hubapi.com/oauth/2026-03/token/revoke', OPENAPI, READ),
    token_endpoint_auth_method: verified('client_secret_post', OPENAPI, READ),
    pkce: verified('supported', `${OPENAPI} takes code_verifier`, READ),
    scope_separator: unverified(' '),
    token_response: verified(
      { ...STANDARD_TOKEN_RESPONSE, scope: { path: 'scopes', separator: ' ' } },
      `${OPENAPI}: scopes are a list`,
      READ,
    ),
    error_response: secondary(
      {
        ...STANDARD_ERROR_RESPONSE,
        error: ['error', 'status'],
        error_description: ['error_description', 'message'],
        meanings: {
          BAD_REFRESH_TOKEN: 'invalid_grant',
          BAD_AUTH_CODE: 'invalid_grant',
          BAD_CLIENT_ID: 'invalid_client',
        },
      },
      'HGData/mk-node-hubspot#64 and airbytehq/airbyte#79592 have BAD_REFRESH_TOKEN, in version 1',
    ),
    account: unverified({ from: 'introspection', id: ['hub_id'], name: ['hub_domain', 'user'], of: 'organization' }),
    starts_at_provider: unverified(true, 'installations may start in the Marketplace'),
    access_token_seconds: verified(
      1_800,
      'https://developers.hubspot.com/docs/methods/oauth2/refresh-access-token',
      READ,
    ),
    refresh_token_rotation: unverified('never'),
    refresh_token_replay: unverified('accepted'),
    revocation_ends: verified('token', `${TOKENS}: access tokens and the installation stay`, READ),
    api_base_url: verified('https://api.hubapi.com', OPENAPI, READ),
    notes: secondary(
      'Version 1 of the token API is deprecated from 2027-02-16. Access tokens change in size: up to 300 characters. Optional scopes go in the authorization parameter optional_scope.',
      `${VERSION_1}; ${TOKENS}; ${GUIDE} writes optional_scopes`,
    ),
  },
}
