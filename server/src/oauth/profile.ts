import { refusal } from './clients/metadata_member.ts'
import { LEGACY_GRANT_TYPES } from './clients/own_metadata.ts'
import { OAuthError } from './errors.ts'
import { type ApplicationType, redirectUriKind } from './redirect_uri.ts'

/** What a set of rules asks of a client and gives it; each is consulted in one place. */
export interface ProfileRules {
  /** Who must use PKCE: everybody, everybody but clients that an administrator excused, or those without a secret. */
  readonly pkce: 'everybody' | 'unless_excused' | 'public'
  /** The authorization request must be pushed (RFC 9126). */
  readonly pushed_requests: boolean
  /** How the client must prove who it is; null where any way, or none, will do. */
  readonly client_authentication: readonly string[] | null
  /** The algorithms by which it may sign; null where each that its method has will do. */
  readonly signing_algs: readonly string[] | null
  /** Access tokens are bound to a key of the client (RFC 9449, RFC 8705). */
  readonly sender_constrained: boolean
  /** Each refresh brings a new refresh token; without it the one from the code exchange stays. */
  readonly refresh_rotation: boolean
  /** The grants of RFC 9700 sections 2.1.2 and 2.4 may be switched on for a client. */
  readonly legacy_grants: boolean
  /** Redirects over plain http: to programs on any machine, or to a native application's loopback address alone. */
  readonly http_redirects: 'loopback' | 'native_loopback'
  /** The request must say which resource it is for (RFC 8707), unless the client has one by default. */
  readonly resource_named: boolean
  /** A code lives no longer than this. */
  readonly longest_code_seconds: number
}

const SENDER_PROVING = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth']

const STANDARD: ProfileRules = {
  pkce: 'unless_excused',
  pushed_requests: false,
  client_authentication: null,
  signing_algs: null,
  sender_constrained: false,
  refresh_rotation: true,
  legacy_grants: true,
  http_redirects: 'loopback',
  resource_named: false,
  longest_code_seconds: 600,
}

/** Every profile, as what it changes in the standard one. A client's own comes before its tenant's. */
export const PROFILES = {
  standard: STANDARD,
  // Old clients that know nothing of PKCE, though they have a secret.
  legacy: { ...STANDARD, pkce: 'public' },
  // OAuth 2.1, draft 16.
  oauth21: { ...STANDARD, pkce: 'everybody', legacy_grants: false },
  // MCP authorization of 2025-06-18 and later.
  mcp: { ...STANDARD, pkce: 'everybody', legacy_grants: false, resource_named: true, longest_code_seconds: 60 },
  // FAPI 2.0 Security Profile, sections 5.3.2.1 and 5.3.2.2.
  fapi2: {
    pkce: 'everybody',
    pushed_requests: true,
    client_authentication: SENDER_PROVING,
    // Section 5.4.1.
    signing_algs: ['PS256', 'ES256', 'EdDSA', 'Ed25519'],
    sender_constrained: true,
    refresh_rotation: false,
    legacy_grants: false,
    http_redirects: 'native_loopback',
    resource_named: false,
    longest_code_seconds: 60,
  },
} as const satisfies Record<string, ProfileRules>

/** The name of a profile. */
export type ProfileName = keyof typeof PROFILES

/** The names of the profiles, the default first. */
export const PROFILE_NAMES = Object.keys(PROFILES) as [ProfileName, ...ProfileName[]]

/** The rules a client stands under: those of its own profile, else those of its tenant's. */
export function rulesOf(
  client: { readonly profile?: ProfileName },
  settings: { readonly profile: ProfileName },
): ProfileRules {
  return PROFILES[client.profile ?? settings.profile]
}

/** What of a client its profile looks at. */
export interface ProfiledClient {
  readonly application_type: ApplicationType
  readonly grant_types: readonly string[]
  readonly redirect_uris: readonly string[]
  readonly require_pkce: boolean
  readonly token_endpoint_auth_method: string
}

/** Refuses a registration that could never work under the rules of its own profile, by the member that does not fit. */
export function requireFit(client: ProfiledClient, rules: ProfileRules): void {
  const { client_authentication, pkce, legacy_grants, http_redirects } = rules
  if (client_authentication && !client_authentication.includes(client.token_endpoint_auth_method)) {
    throw refusal('token_endpoint_auth_method', `must be one of ${client_authentication.join(', ')} in this profile`)
  }
  if (pkce === 'everybody' && !client.require_pkce) throw refusal('require_pkce', 'may not be false in this profile')
  if (!legacy_grants && client.grant_types.some((name) => LEGACY_GRANT_TYPES.includes(name))) {
    throw refusal('grant_types', `may not hold ${LEGACY_GRANT_TYPES.join(' or ')} in this profile`)
  }
  if (!client.redirect_uris.every((uri) => mayRedirect(client, uri, { http_redirects }))) {
    throw refusal('redirect_uris', 'may have http only for the loopback addresses of a native client in this profile')
  }
}

/** Whether answers may go to this address under a client's rules (FAPI 2.0 Security Profile section 5.3.2.2). */
export function mayRedirect(
  client: Pick<ProfiledClient, 'application_type'>,
  redirect_uri: string,
  { http_redirects }: Pick<ProfileRules, 'http_redirects'>,
): boolean {
  if (http_redirects === 'loopback' || !redirect_uri.startsWith('http:')) return true
  return client.application_type === 'native' && redirectUriKind(redirect_uri) === 'loopback'
}

/** Refuses a client that its rules do not let in: how it proves who it is, and by which grant it comes. */
export function requireProfile(
  client: Pick<ProfiledClient, 'token_endpoint_auth_method'>,
  rules: ProfileRules,
  grant_type: string,
): void {
  const { client_authentication } = rules
  if (client_authentication && !client_authentication.includes(client.token_endpoint_auth_method)) {
    const must = `must authenticate by ${client_authentication.join(', ')}`
    throw new OAuthError('unauthorized_client', `This client's profile says that it ${must}`)
  }
  if (!rules.legacy_grants && LEGACY_GRANT_TYPES.includes(grant_type)) {
    throw new OAuthError('unauthorized_client', `The client's profile has no grant_type ${grant_type}`)
  }
}

/** Refuses a request that does not say what it is for, where the rules want it said (RFC 8707 section 2). */
export function requireNamedResource(
  client: { readonly default_resource?: string },
  { resource_named }: Pick<ProfileRules, 'resource_named'>,
  resource: readonly string[],
): void {
  if (resource_named && resource.length === 0 && client.default_resource === undefined) {
    throw new OAuthError('invalid_target', 'Parameter resource is missing: this client must name what it wants to use')
  }
}

/** Refuses a token that would be anybody's who holds it, where the rules want it bound to a key (FAPI 2.0 Security Profile section 5.3.2.1). */
export function requireConstrained(rules: ProfileRules, cnf: object | null): void {
  if (rules.sender_constrained && cnf === null) {
    const text =
      "The client's profile wants tokens that are bound to a key: the request needs a DPoP header or a certificate"
    throw new OAuthError('invalid_dpop_proof', text)
  }
}
