import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES = 'simov/grant config/oauth.json@500ab20; arctic@3.7.0; @better-auth/core@1.7.25'
const FORUM = 'https://developer.apple.com/forums/thread/123909'
const GIST = 'gist.github.com/kdisneur/58d5459c1bad998f5c53120171bd8af6'

/** Sign in with Apple: the client secret is a JWT that the connector's key signs. */
export const apple: Provider = {
  provider: 'apple',
  name: 'Apple',
  placeholders: {},
  fields: {
    issuer: unverified('https://appleid.apple.com'),
    discovery: unverified('oidc'),
    authorization_endpoint: corroborated('https://appleid.apple.com/auth/authorize', CATALOGUES),
    token_endpoint: corroborated('https://appleid.apple.com/auth/token', CATALOGUES),
    revocation_endpoint: verified(
      'https://appleid.apple.com/auth/revoke',
      'https://developer.apple.com/documentation/signinwithapplerestapi/revoke-tokens',
    ),
    token_endpoint_auth_method: secondary('client_secret_post', GIST),
    client_secret_form: secondary('signed_jwt', GIST),
    response_mode: unverified('form_post', 'wanted where scopes are asked for'),
    scope_separator: secondary(' ', 'simov/grant config/oauth.json@500ab20'),
    access_token_seconds: secondary(3_600, FORUM),
    refresh_token_rotation: secondary('never', `${FORUM}; https://developer.apple.com/forums/thread/656845`),
    default_scope: verified('openid', 'OpenID Connect Core 1.0 section 3.1.2.1'),
    account: unverified({ from: 'id_token', id: ['sub'], name: ['email'], of: 'person' }),
    notes: secondary(
      'The secret is an ES256 JWT in the name of a team, by a key of that team, for 180 days at most; the name of a person comes in the first callback alone. Apple may slow down who refreshes more than once a day.',
      `${GIST}; https://developer.apple.com/forums/thread/720198, quoting the vendor`,
    ),
  },
}
