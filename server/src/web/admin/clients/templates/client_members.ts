import { ALGORITHMS } from '../../../../crypto/signing_keys.ts'
import { TOKEN_ENDPOINT_AUTH_METHODS } from '../../../../inbound/clients/register_client.ts'
import { RESPONSE_MODES } from '../../../../oauth/authorization_request.ts'
import { CLIENT_ASSERTION_ALGORITHMS } from '../../../../oauth/client_assertion.ts'
import { TLS_METHODS } from '../../../../oauth/client_certificate.ts'
import type { ClientMetadata } from '../../../../oauth/clients/client.ts'
import { PROFILE_NAMES } from '../../../../oauth/profile.ts'
import type { FieldKind } from '../../forms/templates/typed_field.ts'

/** The parts of a client's page, in its order. */
export const CLIENT_SECTIONS = [
  'basics',
  'redirects',
  'access',
  'tokens',
  'authentication',
  'security',
  'logout',
  'trust',
  'legacy',
] as const

/** A part of a client's page. */
export type ClientSection = (typeof CLIENT_SECTIONS)[number]

/** A member: where it stands, and how it is typed. */
export interface PlacedMember {
  readonly section: ClientSection
  readonly kind: FieldKind
}

/** A name of client metadata. */
export type MemberName = keyof ClientMetadata

const put = (section: ClientSection, kind: FieldKind): PlacedMember => ({ section, kind })

/** Where each member of client metadata stands in the console; a new one does not compile before it has its place. */
export const CLIENT_MEMBERS: Readonly<Record<MemberName, PlacedMember>> = {
  client_name: put('basics', 'text'),
  application_type: put('basics', { one_of: ['web', 'native'] }),
  client_uri: put('basics', 'literal'),
  logo_uri: put('basics', 'literal'),
  policy_uri: put('basics', 'literal'),
  tos_uri: put('basics', 'literal'),
  contacts: put('basics', 'lines'),
  software_id: put('basics', 'literal'),
  software_version: put('basics', 'literal'),
  redirect_uris: put('redirects', 'lines'),
  loopback_localhost: put('redirects', 'flag'),
  initiate_login_uri: put('redirects', 'literal'),
  response_modes: put('redirects', { some_of: RESPONSE_MODES }),
  grant_types: put('access', { some_of: [] }),
  response_types: put('access', 'follows'),
  scope: put('access', 'literal'),
  optional_scope: put('access', 'literal'),
  default_resource: put('access', 'literal'),
  role_scopes: put('access', 'map'),
  one_role: put('access', 'flag'),
  service_account: put('access', { parts: { user_id: 'literal', role: 'literal' } }),
  every_service: put('access', 'flag'),
  token_exchange: put('access', { parts: { resources: 'lines', impersonation: 'flag' } }),
  access_token_lifetime_seconds: put('tokens', 'number'),
  grant_lifetime_seconds: put('tokens', 'number'),
  offline_refresh_only: put('tokens', 'flag'),
  id_token_signed_response_alg: put('tokens', { one_of: ALGORITHMS, optional: true }),
  subject_type: put('tokens', { one_of: ['public', 'pairwise'], optional: true }),
  sector_identifier_uri: put('tokens', 'literal'),
  default_max_age: put('tokens', 'number'),
  require_auth_time: put('tokens', 'flag'),
  default_acr_values: put('tokens', 'lines'),
  token_endpoint_auth_method: put('authentication', { one_of: [...TOKEN_ENDPOINT_AUTH_METHODS, ...TLS_METHODS] }),
  token_endpoint_auth_signing_alg: put('authentication', {
    one_of: Object.values(CLIENT_ASSERTION_ALGORITHMS).flat(),
    optional: true,
  }),
  jwks_uri: put('authentication', 'literal'),
  jwks: put('authentication', 'json'),
  tls_client_auth_subject_dn: put('authentication', 'literal'),
  tls_client_auth_san_dns: put('authentication', 'literal'),
  tls_client_auth_san_uri: put('authentication', 'literal'),
  tls_client_auth_san_ip: put('authentication', 'literal'),
  tls_client_auth_san_email: put('authentication', 'literal'),
  profile: put('security', { one_of: PROFILE_NAMES, optional: true }),
  require_pkce: put('security', 'yes_no'),
  require_pushed_authorization_requests: put('security', 'flag'),
  dpop_bound_access_tokens: put('security', 'flag'),
  require_dpop_nonce: put('security', 'flag'),
  tls_client_certificate_bound_access_tokens: put('security', 'flag'),
  post_logout_redirect_uris: put('logout', 'lines'),
  backchannel_logout_uri: put('logout', 'literal'),
  backchannel_logout_session_required: put('logout', 'flag'),
  trusted: put('trust', 'flag'),
  json_requests: put('legacy', 'flag'),
  bearer_authentication: put('legacy', 'flag'),
  redirect_uri_prefix: put('legacy', 'flag'),
}

/** The members of a part, in their order. */
export function membersOf(section: ClientSection): MemberName[] {
  return (Object.keys(CLIENT_MEMBERS) as MemberName[]).filter((name) => CLIENT_MEMBERS[name].section === section)
}
