import { corroborated, secondary, unverified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES =
  'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; @auth/core@0.41.3; api-evangelist/automattic'

/** WordPress.com, with its older endpoints. */
export const wordpressCom: Provider = {
  provider: 'wordpress-com',
  name: 'WordPress.com',
  placeholders: {},
  fields: {
    authorization_endpoint: corroborated('https://public-api.wordpress.com/oauth2/authorize', CATALOGUES),
    token_endpoint: corroborated('https://public-api.wordpress.com/oauth2/token', CATALOGUES),
    token_endpoint_auth_method: secondary('client_secret_post', 'api-evangelist/automattic authentication.yml'),
    scope_separator: unverified(' '),
    authorization_params: unverified({}, 'a connector may ask for one site by the parameter blog'),
    api_base_url: unverified('https://public-api.wordpress.com'),
    notes: secondary(
      'The answer names the site (blog_id, blog_url). Newer endpoints below /oauth2-1/ have PKCE, clients without a secret, revocation and access tokens of two weeks.',
      'api-evangelist/automattic authentication.yml; nobody is named for the members of the answer',
    ),
  },
}
