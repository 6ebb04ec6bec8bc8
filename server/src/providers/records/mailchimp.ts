import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'
import { STANDARD_TOKEN_RESPONSE } from '../quirks.ts'

const GUIDE = 'https://developer.mailchimp.com/documentation/mailchimp/guides/how-to-use-oauth2/'
const UNIFIED = 'https://docs.unified.to/skills/mailchimp-oauth-app'

/** Mailchimp: tokens never expire, and another call tells in which data centre the account is. */
export const mailchimp: Provider = {
  provider: 'mailchimp',
  name: 'Mailchimp',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://login.mailchimp.com/oauth2/authorize', GUIDE, '2026-11-22'),
    token_endpoint: verified('https://login.mailchimp.com/oauth2/token', GUIDE, '2026-11-22'),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: unverified('refused', 'no source says that it is taken'),
    scope_parameter: secondary(null, `${UNIFIED}: there are no scopes`),
    token_response: secondary(
      {
        ...STANDARD_TOKEN_RESPONSE,
        token_type_optional: true,
        expires: { path: 'expires_in', form: 'seconds', zero: 'never' },
      },
      'requests/requests-oauthlib#169: expires_in is 0 and scope is null; of token_type nothing is said',
    ),
    access_token_seconds: verified(null, GUIDE, '2026-11-22'),
    refresh_token_rotation: verified('no_refresh_token', GUIDE, '2026-11-22'),
    steps: corroborated(
      [
        {
          name: 'data_centre',
          when: 'after_exchange',
          method: 'GET',
          url: 'https://login.mailchimp.com/oauth2/metadata',
          authorization: 'bearer',
          params: {},
          body: 'query',
          replaces_token: false,
          choice: null,
          keep: {
            dc: 'dc',
            api_endpoint: 'api_endpoint',
            login_id: 'login.login_id',
            login_email: 'login.login_email',
          },
        },
      ],
      `@auth/core@0.41.3; ${UNIFIED}; ${GUIDE} names the address`,
    ),
    learned: unverified([
      { name: 'api_base_url', from: 'extra', path: 'api_endpoint', form: 'url', suffixes: ['.api.mailchimp.com'] },
    ]),
    account: unverified({ from: 'extra', id: ['login_id'], name: ['login_email'], of: 'person' }),
  },
}
