import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES = 'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20'
const OBTAIN = 'https://developers.docusign.com/platform/auth/reference/obtain-access-token'
const OMNIAUTH = 'Jetbuilt/omniauth-docusign README'

/** Docusign: each account of a user has a base of its own, which the userinfo endpoint tells. */
export const docusign: Provider = {
  provider: 'docusign',
  name: 'Docusign',
  placeholders: {
    account_host: {
      label: 'Account server: for production, or for developers',
      form: 'choice',
      choices: ['account.docusign.com', 'account-d.docusign.com'],
      default: 'account.docusign.com',
    },
  },
  fields: {
    authorization_endpoint: corroborated('https://{account_host}/oauth/auth', CATALOGUES),
    token_endpoint: corroborated(
      'https://{account_host}/oauth/token',
      `${CATALOGUES}; https://developers.docusign.com/platform/auth/reference names both hosts`,
    ),
    userinfo_endpoint: secondary('https://{account_host}/oauth/userinfo', OMNIAUTH),
    token_endpoint_auth_method: verified('client_secret_basic', OBTAIN, '2026-11-22'),
    scope_separator: unverified(' '),
    access_token_seconds: unverified(28_800),
    refresh_token_seconds: secondary(2_592_000, 'docs.cortezaproject.org docusign: about 30 days'),
    refresh_token_rotation: verified('always', OBTAIN, '2026-11-22'),
    steps: secondary(
      [
        {
          name: 'accounts',
          when: 'after_exchange',
          method: 'GET',
          url: 'https://{account_host}/oauth/userinfo',
          authorization: 'bearer',
          params: {},
          body: 'query',
          replaces_token: false,
          choice: { list: 'accounts', id: 'account_id', name: ['account_name'] },
          keep: { account_id: 'account_id', base_uri: 'base_uri' },
        },
      ],
      `${OMNIAUTH}: base_uri of an account`,
    ),
    learned: unverified([
      { name: 'api_base_url', from: 'extra', path: 'base_uri', form: 'url', suffixes: ['.docusign.net'] },
    ]),
    account: unverified({ from: 'userinfo', id: ['sub'], name: ['email', 'name'], of: 'person' }),
    notes: secondary(
      'The scope extended gives refresh tokens a longer life.',
      'docs.cortezaproject.org docusign; SCOPE_EXTENDED of the gem docusign_esign 7.0.0',
    ),
  },
}
