/** The URLs of a tenant's endpoints, under their metadata names; what is left out is not offered. */
export interface EndpointUrls {
  authorization_endpoint: string
  token_endpoint: string
  jwks_uri: string
  userinfo_endpoint?: string
  introspection_endpoint?: string
  revocation_endpoint?: string
  registration_endpoint?: string
  pushed_authorization_request_endpoint?: string
  device_authorization_endpoint?: string
  end_session_endpoint?: string
}

/** The lists a metadata document is built from; the registries that own them are above this floor. */
export interface MetadataInput {
  issuer: string
  endpoints: EndpointUrls
  grant_types: readonly string[]
  response_types: readonly string[]
  response_modes: readonly string[]
  prompts: readonly string[]
  scopes: readonly string[]
  claims: readonly string[]
  token_endpoint_auth_methods: readonly string[]
  /** Signing algorithms of client assertions, where a method needs them. */
  token_endpoint_auth_signing_algs?: readonly string[]
  id_token_signing_algs: readonly string[]
  acr_values?: readonly string[]
  ui_locales?: readonly string[]
  service_documentation?: string
  /** Members of further specifications, by their registered names. */
  further?: Readonly<Record<string, unknown>>
}

/** A metadata document (RFC 8414 section 2, OpenID Connect Discovery section 3). */
export type Metadata = Readonly<Record<string, unknown>> & { readonly issuer: string }

/**
 * Builds the one document that is served as OpenID Connect discovery and as RFC 8414 metadata. It is the same for
 * both, because RFC 8414 section 2 takes its names from OpenID Connect Discovery: so they cannot disagree.
 */
export function buildMetadata(input: MetadataInput): Metadata {
  const { endpoints, token_endpoint_auth_methods: methods, token_endpoint_auth_signing_algs: algs } = input
  const confidential = methods.filter((method) => method !== 'none')
  return withoutUndefined({
    ...input.further,
    issuer: input.issuer,
    ...endpoints,
    scopes_supported: input.scopes,
    response_types_supported: input.response_types,
    response_modes_supported: input.response_modes,
    grant_types_supported: input.grant_types,
    subject_types_supported: ['public', 'pairwise'],
    id_token_signing_alg_values_supported: input.id_token_signing_algs,
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: algs,
    revocation_endpoint_auth_methods_supported: endpoints.revocation_endpoint && methods,
    revocation_endpoint_auth_signing_alg_values_supported: endpoints.revocation_endpoint && algs,
    introspection_endpoint_auth_methods_supported: endpoints.introspection_endpoint && confidential,
    introspection_endpoint_auth_signing_alg_values_supported: endpoints.introspection_endpoint && algs,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    claims_supported: input.claims,
    claims_parameter_supported: true,
    prompt_values_supported: input.prompts,
    request_parameter_supported: false,
    // The default of OpenID Connect Discovery is true.
    request_uri_parameter_supported: false,
    acr_values_supported: input.acr_values,
    ui_locales_supported: input.ui_locales,
    service_documentation: input.service_documentation,
  })
}

function withoutUndefined<T extends Record<string, unknown>>(members: T): T {
  for (const name of Object.keys(members)) if (members[name] === undefined) delete members[name]
  return members
}

/** A path under which the metadata document is served. */
export interface WellKnownPath {
  name: 'openid-configuration' | 'oauth-authorization-server'
  path: string
}

/**
 * Every path of the host at which clients look for the metadata of an issuer: after its path (OpenID Connect
 * Discovery section 4) and between host and path (RFC 8414 section 3.1), for both names.
 */
export function wellKnownPaths(issuer: string): WellKnownPath[] {
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const paths: WellKnownPath[] = []
  for (const name of ['openid-configuration', 'oauth-authorization-server'] as const) {
    paths.push({ name, path: `${base}/.well-known/${name}` })
    if (base !== '') paths.push({ name, path: `/.well-known/${name}${base}` })
  }
  return paths
}

/** What is said about a protected resource (RFC 9728 section 2). */
export interface ProtectedResourceInput {
  resource: string
  issuer: string
  scopes: readonly string[]
  resource_name?: string
  /** Of the proofs that it takes (RFC 9449 section 7.1). */
  dpop_signing_algs?: readonly string[]
}

/** Builds the metadata of a protected resource; tokens are taken from the Authorization header only. */
export function buildProtectedResourceMetadata(input: ProtectedResourceInput): Readonly<Record<string, unknown>> {
  return withoutUndefined({
    resource: input.resource,
    authorization_servers: [input.issuer],
    scopes_supported: input.scopes,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: input.dpop_signing_algs,
    resource_name: input.resource_name,
  })
}

/** The URL of a resource's metadata: the well-known name between its host and its path (RFC 9728 section 3.1). */
export function protectedResourceMetadataUrl(resource: string): string {
  const { origin, pathname, search } = new URL(resource)
  return `${origin}/.well-known/oauth-protected-resource${pathname.replace(/\/$/, '')}${search}`
}
