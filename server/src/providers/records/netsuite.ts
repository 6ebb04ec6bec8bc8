import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const HELP = 'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help'
const REFRESH = `${HELP}/section_160855594402.html`
const REVOKE = `${HELP}/section_161071224088.html`

/** NetSuite: one host per account. */
export const netsuite: Provider = {
  provider: 'netsuite',
  name: 'NetSuite',
  placeholders: {
    account_id: { label: 'Account ID as in the URLs: lower case, with - in place of _', form: 'label' },
  },
  fields: {
    authorization_endpoint: corroborated(
      'https://{account_id}.app.netsuite.com/app/login/oauth2/authorize.nl',
      'Nango providers.yaml@2f4c0af; @auth/core@0.41.3',
    ),
    token_endpoint: verified(
      'https://{account_id}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token',
      REFRESH,
      '2026-11-22',
    ),
    token_endpoint_auth_method: verified('client_secret_basic', REFRESH, '2026-11-22'),
    pkce: verified('supported', `${HELP}/section_160855590788.html`, '2026-11-22'),
    scope_separator: verified(' ', 'https://docs.oracle.com connector example: restlets and rest_webservices'),
    access_token_seconds: verified(3_600, `${HELP}/article_0907013045.html`, '2026-11-22'),
    refresh_token_seconds: secondary(604_800, 'https://docs.unified.to/skills/netsuite-oauth-app'),
    refresh_token_rotation: unverified('unknown', 'public clients are thought to get a new one each time'),
    revocation_endpoint: verified(
      'https://{account_id}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/revoke',
      REVOKE,
      '2026-11-22',
    ),
    revocation_ends: verified('grant', REVOKE, '2026-11-22'),
    learned: secondary(
      [
        { name: 'company', from: 'callback', path: 'company', form: 'text', suffixes: [] },
        { name: 'entity', from: 'callback', path: 'entity', form: 'text', suffixes: [] },
        { name: 'role', from: 'callback', path: 'role', form: 'text', suffixes: [] },
      ],
      'https://docs.oracle.com cgnsc guide',
    ),
    api_base_url: unverified('https://{account_id}.suitetalk.api.netsuite.com'),
  },
}
