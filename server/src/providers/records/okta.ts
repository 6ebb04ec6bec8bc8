import { verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const READ = '2026-11-22'
const DOCS = 'https://github.com/okta/okta-developer-docs/blob/master/packages/@okta/vuepress-site/docs'
const SERVERS = `${DOCS}/concepts/auth-servers/index.md`
const REFRESH = `${DOCS}/guides/refresh-tokens/main/index.md`
const REVOKE = `${DOCS}/guides/revoke-tokens/main/index.md`

/** Okta: one issuer per authorization server, whose metadata names the endpoints. */
export const okta: Provider = {
  provider: 'okta',
  name: 'Okta',
  placeholders: {
    issuer: {
      label: 'Issuer: https://acme.okta.com, or https://acme.okta.com/oauth2/default for an own authorization server',
      form: 'base_url',
      suffixes: ['.okta.com', '.oktapreview.com', '.okta-emea.com', '.okta-gov.com', '.okta.mil'],
    },
  },
  fields: {
    issuer: verified('{issuer}', SERVERS, READ),
    discovery: verified('oidc', SERVERS, READ),
    token_endpoint_auth_method: verified('client_secret_basic', REFRESH, READ),
    pkce: verified('supported', REFRESH, READ),
    scope_separator: verified(' ', REFRESH, READ),
    offline_scope: verified('offline_access', REFRESH, READ),
    refresh_token_life: verified('setting', `${REFRESH}: unlimited unless set, but 7 days when not used`, READ),
    refresh_token_rotation: verified('setting', REFRESH, READ),
    refresh_token_replay: verified('ends_grant', `${REFRESH}, with rotation switched on and the grace over`, READ),
    revocation_ends: verified('grant', `${REVOKE}: a refresh token takes its access token with it`, READ),
    default_scope: verified('openid', 'OpenID Connect Core 1.0 section 3.1.2.1'),
    account: verified(
      { from: 'id_token', id: ['sub'], name: ['email', 'preferred_username', 'name'], of: 'person' },
      'OpenID Connect Core 1.0 section 5.1',
    ),
    notes: verified(
      'With rotation switched on, the refresh token before stays good for 0 to 60 seconds, 30 unless set. An Okta that is reached under a domain of its own is connected as an OpenID provider.',
      REFRESH,
      READ,
    ),
  },
}
