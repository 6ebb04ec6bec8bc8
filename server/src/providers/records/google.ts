import { corroborated, secondary, unverified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES =
  'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; arctic@3.7.0; @better-auth/core@1.7.25'

/** Google: a refresh token comes on the first consent only, unless consent is asked for again. */
export const google: Provider = {
  provider: 'google',
  name: 'Google',
  placeholders: {},
  fields: {
    issuer: unverified('https://accounts.google.com'),
    discovery: unverified('oidc'),
    authorization_endpoint: corroborated('https://accounts.google.com/o/oauth2/v2/auth', CATALOGUES),
    token_endpoint: corroborated('https://oauth2.googleapis.com/token', CATALOGUES),
    token_endpoint_auth_method: corroborated('client_secret_post', 'Nango providers.yaml@2f4c0af; library defaults'),
    pkce: corroborated('supported', 'arctic@3.7.0; @better-auth/core@1.7.25'),
    scope_separator: corroborated(' ', CATALOGUES),
    offline_params: corroborated(
      { access_type: 'offline', prompt: 'consent' },
      'Nango providers.yaml@2f4c0af; developers.google.com/identity/protocols/oauth2/web-server#offline as cited by docs.gitguardian.com',
    ),
    revocation_endpoint: corroborated('https://oauth2.googleapis.com/revoke', 'arctic@3.7.0; docs.gitguardian.com'),
    access_token_seconds: secondary(3_600, 'rdrr.io/github/dakota1063/dddd, quoting the vendor'),
    refresh_token_rotation: secondary('never', 'stackoverflow.com/questions/8953983; usefulangle.com/post/51'),
    refresh_token_replay: secondary('accepted', 'stackoverflow.com/questions/8953983'),
    refresh_token_life: secondary('idle', 'docs.gitguardian.com google_oauth2_refresh_token; Nango common-issues.mdx'),
    refresh_token_seconds: secondary(15_552_000, 'docs.gitguardian.com google_oauth2_refresh_token'),
    api_hosts: unverified(['www.googleapis.com']),
    account: unverified({ from: 'id_token', id: 'sub', name: ['email', 'name'] }),
    notes: secondary(
      'A refresh token lives 7 days while the application is in testing. A cap per user and client drops the oldest ones in silence.',
      'docs.gitguardian.com google_oauth2_refresh_token; Nango common-issues.mdx',
    ),
  },
}
