import { secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const READ = '2026-11-22'
const LIBRARY = 'https://github.com/googleapis/google-auth-library-nodejs/blob/main/src/auth/oauth2client.ts'
const WEB_SERVER = 'https://github.com/googleapis/google-api-php-client/blob/main/docs/oauth-web.md'
const OPENID = 'https://developers.google.com/identity/openid-connect/reference'
const LIFE = 'docs.gitguardian.com google_oauth2_refresh_token; Nango common-issues.mdx'

/** Google: a refresh token comes on the first consent only, unless consent is asked for again. */
export const google: Provider = {
  provider: 'google',
  name: 'Google',
  placeholders: {},
  registration: secondary(
    'https://console.cloud.google.com/',
    'flowmate.gitbook.io/flowmate-documentation/connectors/google/google-authentication-app',
  ),
  fields: {
    issuer: verified('https://accounts.google.com', OPENID, READ),
    discovery: verified('oidc', OPENID, READ),
    authorization_endpoint: verified('https://accounts.google.com/o/oauth2/v2/auth', LIBRARY, READ),
    token_endpoint: verified('https://oauth2.googleapis.com/token', LIBRARY, READ),
    revocation_endpoint: verified('https://oauth2.googleapis.com/revoke', LIBRARY, READ),
    token_endpoint_auth_method: verified('client_secret_post', LIBRARY, READ),
    // Service accounts: the client_id is the account's e-mail address; it acts for itself unless a subject is named.
    assertion_grant: secondary(
      {
        ...{ audience: 'https://oauth2.googleapis.com/token', scope: 'claim' },
        ...{ subject: 'optional', client: 'anonymous' },
      },
      'googleapis.dev/python/google-auth google.oauth2.service_account; elekram/google-jwt-sa',
    ),
    pkce: verified('supported', LIBRARY, READ),
    scope_separator: verified(' ', WEB_SERVER, READ),
    offline_params: verified({ access_type: 'offline', prompt: 'consent' }, WEB_SERVER, READ),
    access_token_seconds: secondary(3_600, 'rdrr.io/github/dakota1063/dddd, quoting the vendor'),
    refresh_token_rotation: secondary('never', 'stackoverflow.com/questions/8953983; usefulangle.com/post/51'),
    refresh_token_replay: secondary('accepted', 'stackoverflow.com/questions/8953983'),
    refresh_token_life: secondary('idle', LIFE),
    refresh_token_seconds: secondary(15_552_000, 'docs.gitguardian.com google_oauth2_refresh_token'),
    api_hosts: unverified(['www.googleapis.com']),
    default_scope: verified('openid', 'OpenID Connect Core 1.0 section 3.1.2.1'),
    account: verified(
      { from: 'id_token', id: ['sub'], name: ['email', 'name'], of: 'person' },
      'OpenID Connect Core 1.0 section 5.1',
    ),
    notes: secondary(
      'A refresh token lives 7 days while the application is in testing. A cap per user and client drops the oldest ones in silence.',
      LIFE,
    ),
  },
}
