import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_REVOCATION_REQUEST } from '../quirks.ts'

const READ = '2026-11-22'
const OAUTH = 'https://github.com/stripe/stripe-ruby/blob/master/lib/stripe/oauth.rb'
const HOSTS = 'https://github.com/stripe/stripe-ruby/blob/master/lib/stripe/stripe_configuration.rb'
const TYPES = 'https://github.com/stripe/stripe-node/blob/master/types/OAuth.d.ts'

/** Stripe Connect: the client secret is the platform's secret key, and an access token lives until it is revoked. */
export const stripe: Provider = {
  provider: 'stripe',
  name: 'Stripe',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://connect.stripe.com/oauth/authorize', `${OAUTH}; ${HOSTS}`, READ),
    token_endpoint: verified('https://connect.stripe.com/oauth/token', `${OAUTH}; ${HOSTS}`, READ),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: verified('refused', `${TYPES} lists no such parameter`, READ),
    access_token_seconds: verified(null, `${TYPES}: does not expire`, READ),
    refresh_token_life: unverified('unknown'),
    refresh_token_rotation: unverified('never'),
    refresh_token_replay: unverified('unknown'),
    revocation_endpoint: verified('https://connect.stripe.com/oauth/deauthorize', `${OAUTH}; ${HOSTS}`, READ),
    revocation_request: verified(
      {
        ...STANDARD_REVOCATION_REQUEST,
        token: null,
        params: { client_id: '{client_id}' },
        kept_params: { stripe_user_id: 'stripe_user_id' },
        body: 'form',
        authorization: { secret_scheme: 'Bearer' },
      },
      `${OAUTH}; ${TYPES}: deauthorize names the account, and the secret key asks`,
      READ,
    ),
    revocation_ends: unverified('client_of_user'),
    api_base_url: verified('https://api.stripe.com', HOSTS, READ),
    account: verified({ from: 'extra', id: ['stripe_user_id'], name: [], of: 'organization' }, TYPES, READ),
    notes: verified(
      'The scope is read_only or read_write, and read_only where none is asked for. Stripe Apps have an OAuth flow of their own, which this record does not describe.',
      `${TYPES}; https://docs.stripe.com/stripe-apps/api-authentication/oauth`,
      READ,
    ),
  },
}
