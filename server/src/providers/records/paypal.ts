import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

/** PayPal, live or in its sandbox. */
export const paypal: Provider = {
  provider: 'paypal',
  name: 'PayPal',
  placeholders: {
    domain: {
      label: 'Environment: paypal.com, or its sandbox',
      form: 'choice',
      choices: ['paypal.com', 'sandbox.paypal.com'],
      default: 'paypal.com',
    },
  },
  fields: {
    authorization_endpoint: corroborated(
      'https://www.{domain}/signin/authorize',
      'Nango providers.yaml@2f4c0af; @better-auth/core@1.7.25',
    ),
    token_endpoint: corroborated(
      'https://api-m.{domain}/v1/oauth2/token',
      '@better-auth/core@1.7.25; https://developer.paypal.com/api/rest/authentication/ for the sandbox',
    ),
    token_endpoint_auth_method: verified(
      'client_secret_basic',
      'https://developer.paypal.com/api/rest/authentication/',
      '2026-11-22',
    ),
    pkce: unverified('supported', '@better-auth/core@1.7.25'),
    scope_separator: secondary(' ', 'simov/grant config/oauth.json@500ab20'),
    api_base_url: unverified('https://api-m.{domain}'),
    notes: unverified('The token answer has two members more, nonce and app_id.'),
  },
}
