import { corroborated, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const CATALOGUES = 'Nango providers.yaml@2f4c0af; simov/grant config/oauth.json@500ab20; arctic@3.7.0'
const REFRESH = 'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens'
const MODERATOR = 'https://learn.microsoft.com/en-us/answers/questions/1526860/'
const EVERYBODY = ['common', 'organizations', 'consumers']

/** Microsoft Entra ID: one authority per tenant, or a shared one whose ID tokens name the tenant they come from. */
export const microsoftEntra: Provider = {
  provider: 'microsoft-entra',
  name: 'Microsoft Entra ID',
  placeholders: {
    tenant: {
      label: 'Tenant: its GUID or domain, or common, organizations, consumers',
      form: 'segment',
      default: 'common',
    },
  },
  fields: {
    issuer: unverified('https://login.microsoftonline.com/{tenant}/v2.0'),
    id_token_issuer: unverified({
      template: 'https://login.microsoftonline.com/{tid}/v2.0',
      when: { tenant: EVERYBODY },
    }),
    authorization_endpoint: corroborated(
      'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
      CATALOGUES,
    ),
    token_endpoint: corroborated('https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token', CATALOGUES),
    jwks_uri: unverified('https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys'),
    token_endpoint_auth_method: unverified('client_secret_post'),
    pkce: corroborated(
      'supported',
      'arctic@3.7.0; @better-auth/core@1.7.25; Nango providers.yaml@2f4c0af turns it off',
    ),
    scope_separator: corroborated(' ', 'simov/grant config/oauth.json@500ab20; Nango providers.yaml@2f4c0af'),
    offline_scope: verified('offline_access', `${MODERATOR} (Microsoft moderator)`),
    refresh_sends: verified(['scope'], REFRESH),
    access_token_seconds: verified(4_500, `${MODERATOR} (Microsoft moderator: random, 60 to 90 minutes)`),
    refresh_token_seconds: verified(7_776_000, REFRESH),
    refresh_token_life: unverified('idle'),
    refresh_token_rotation: verified('always', REFRESH),
    refresh_token_replay: verified('accepted', REFRESH),
    revocation_request: verified(null, 'https://learn.microsoft.com/en-us/answers/questions/1158831/'),
    api_base_url: unverified('https://graph.microsoft.com'),
    account: unverified({ from: 'id_token', id: 'oid', name: ['email', 'preferred_username', 'name'] }),
    notes: verified(
      'A refresh token is bound to neither tenant nor resource. No single token can be revoked: only all sessions of the user.',
      `${REFRESH}; https://learn.microsoft.com/en-us/answers/questions/1158831/`,
    ),
  },
}
