import { corroborated, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const READ = '2026-11-22'
const LIBRARY = 'https://github.com/Shopify/shopify-app-js/blob/main/packages/apps/shopify-api/lib'
const OAUTH = `${LIBRARY}/auth/oauth/oauth.ts`
const SESSION = `${LIBRARY}/auth/oauth/create-session.ts`
const EXPIRING = 'https://shopify.dev/docs/apps/build/security/credentials-and-data/use-expiring-offline-access-tokens'
const RESILIENT = 'https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens'

/** Shopify, with expiring offline tokens: every shop is a server of its own. */
export const shopify: Provider = {
  provider: 'shopify',
  name: 'Shopify',
  placeholders: {
    shop: { label: 'Shop: the name before .myshopify.com', form: 'label' },
  },
  fields: {
    authorization_endpoint: verified('https://{shop}.myshopify.com/admin/oauth/authorize', OAUTH, READ),
    token_endpoint: verified('https://{shop}.myshopify.com/admin/oauth/access_token', OAUTH, READ),
    token_endpoint_auth_method: verified('client_secret_post', OAUTH, READ),
    token_request: verified('json', OAUTH, READ),
    token_params: corroborated({ expiring: '1' }, 'Nango providers.yaml@2f4c0af; Shopify/shopify-app-php#12'),
    pkce: unverified('refused'),
    scope_separator: verified(',', `${LIBRARY}/auth/scopes/index.ts`, READ),
    token_response: verified(
      {
        ...STANDARD_TOKEN_RESPONSE,
        token_type_optional: true,
        scope: { path: 'scope', separator: ',' },
        refresh_token_expires: { path: 'refresh_token_expires_in', form: 'seconds', zero: 'expired' },
      },
      `${SESSION}; ${LIBRARY}/auth/oauth/types.ts`,
      READ,
    ),
    access_token_seconds: verified(null, `${SESSION}: expires_in comes where tokens expire, 3600`, READ),
    refresh_token_seconds: verified(7_776_000, RESILIENT),
    refresh_token_life: unverified('idle'),
    refresh_token_rotation: verified('always', EXPIRING, READ),
    refresh_token_replay: verified('until_successor_used', RESILIENT, READ),
    callback_signature: verified(
      { parameter: 'hmac', algorithm: 'hmac_sha256_hex' },
      `${LIBRARY}/utils/hmac-validator.ts`,
      READ,
    ),
    api_base_url: verified('https://{shop}.myshopify.com', OAUTH, READ),
    authorization_header: verified('X-Shopify-Access-Token', `${LIBRARY}/types.ts`, READ),
    authorization_scheme: verified(null, `${LIBRARY}/types.ts`, READ),
    starts_at_provider: unverified(true, 'installations start in the App Store'),
    notes: verified('From 2027-01-01 public applications must use tokens that expire.', EXPIRING, READ),
  },
}
