import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const READ = '2026-11-22'
const DOCS = 'https://github.com/MicrosoftDocs/entra-docs/blob/main/docs/identity-platform'
const CODE_FLOW = `${DOCS}/v2-oauth2-auth-code-flow.md`
const OPENID = `${DOCS}/v2-protocols-oidc.md`
const ACCESS = `${DOCS}/access-tokens.md`
const REFRESH = `${DOCS}/refresh-tokens.md`
const REVOCATION = 'https://learn.microsoft.com/en-us/answers/questions/1158831/'
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
  registration: unverified(
    'https://entra.microsoft.com/',
    'learn.microsoft.com/en-us/training/modules/implement-app-registration names the admin center, and not its address',
  ),
  fields: {
    issuer: verified('https://login.microsoftonline.com/{tenant}/v2.0', OPENID, READ),
    id_token_issuer: verified(
      { template: 'https://login.microsoftonline.com/{tid}/v2.0', when: { tenant: EVERYBODY } },
      ACCESS,
      READ,
    ),
    authorization_endpoint: verified(
      'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
      CODE_FLOW,
      READ,
    ),
    token_endpoint: verified('https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token', CODE_FLOW, READ),
    device_authorization_endpoint: verified(
      'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode',
      `${DOCS}/v2-oauth2-device-code.md`,
      READ,
    ),
    jwks_uri: verified('https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys', OPENID, READ),
    userinfo_endpoint: verified('https://graph.microsoft.com/oidc/userinfo', OPENID, READ),
    token_endpoint_auth_method: verified('client_secret_post', CODE_FLOW, READ),
    pkce: verified('supported', CODE_FLOW, READ),
    scope_separator: verified(' ', CODE_FLOW, READ),
    offline_scope: verified('offline_access', CODE_FLOW, READ),
    refresh_sends: verified(
      [],
      `${CODE_FLOW}: scope is optional, and without offline_access no refresh token comes`,
      READ,
    ),
    access_token_seconds: verified(4_500, `${ACCESS}: random, 60 to 90 minutes`, READ),
    refresh_token_seconds: verified(7_776_000, REFRESH, READ),
    refresh_token_life: verified('idle', `${REFRESH}: each use brings a fresh one`, READ),
    refresh_token_rotation: verified('always', REFRESH, READ),
    refresh_token_replay: verified('accepted', REFRESH, READ),
    revocation_request: verified(null, REVOCATION),
    api_base_url: verified('https://graph.microsoft.com', CODE_FLOW, READ),
    default_scope: verified('openid', 'OpenID Connect Core 1.0 section 3.1.2.1'),
    account: verified(
      {
        ...{ from: 'id_token', id: ['sub'], name: ['email', 'preferred_username', 'name'], of: 'person' },
        email_verified: 'xms_edov',
      },
      `${DOCS}/id-token-claims-reference.md: oid comes only with the scope profile; ${DOCS}/optional-claims-reference.md: xms_edov comes where the registration asks for it`,
      READ,
    ),
    notes: verified(
      'A refresh token is bound to neither tenant nor resource. No single token can be revoked: only all sessions of the user.',
      `${REFRESH}; ${REVOCATION}`,
    ),
  },
}
