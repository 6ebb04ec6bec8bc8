import * as z from 'zod'
import type { ClientMetadata } from '../../oauth/clients/client.ts'

const text = z.string().optional()
const texts = z.array(z.string()).optional()
const flag = z.boolean().optional()
const number = z.int().optional()

/** What is registered of a client; here stands what each member is made of, and its values are checked by the reader of RFC 7591. */
export const Metadata = z
  .strictObject({
    client_name: text,
    client_uri: text,
    logo_uri: text,
    policy_uri: text,
    tos_uri: text,
    contacts: texts,
    redirect_uris: texts,
    post_logout_redirect_uris: texts,
    id_token_signed_response_alg: text,
    backchannel_logout_uri: text,
    backchannel_logout_session_required: flag,
    grant_types: texts,
    response_types: texts,
    response_modes: texts,
    token_endpoint_auth_method: text,
    scope: text,
    application_type: text,
    jwks: z.strictObject({ keys: z.array(z.unknown()) }).optional(),
    jwks_uri: text,
    token_endpoint_auth_signing_alg: text,
    tls_client_auth_subject_dn: text,
    tls_client_auth_san_dns: text,
    tls_client_auth_san_uri: text,
    tls_client_auth_san_ip: text,
    tls_client_auth_san_email: text,
    tls_client_certificate_bound_access_tokens: flag,
    software_id: text,
    software_version: text,
    default_max_age: number,
    dpop_bound_access_tokens: flag,
    require_auth_time: flag,
    default_acr_values: texts,
    require_pushed_authorization_requests: flag,
    initiate_login_uri: text,
    subject_type: text,
    sector_identifier_uri: text,
    profile: text,
    grant_lifetime_seconds: number,
    optional_scope: text,
    trusted: flag,
    require_pkce: flag,
    default_resource: text,
    access_token_lifetime_seconds: number,
    loopback_localhost: flag,
    role_scopes: z.record(z.string(), z.array(z.string())).optional(),
    one_role: flag,
    service_account: z.strictObject({ user_id: z.string(), role: z.string() }).optional(),
    token_exchange: z.strictObject({ resources: texts, impersonation: flag }).optional(),
    every_service: flag,
    offline_refresh_only: flag,
    require_dpop_nonce: flag,
    json_requests: flag,
    bearer_authentication: flag,
    redirect_uri_prefix: flag,
  } satisfies Record<keyof ClientMetadata, z.ZodType>)
  .meta({ id: 'ClientMetadata', description: 'Under the names of RFC 7591 section 2 and its registry; some are ours' })

/** A client as administrators see it; never its secrets. */
export const ClientSchema = z
  .strictObject({
    client_id: z.string(),
    client_name: z.string(),
    source: z.string(),
    described_by: z.enum(['administrators', 'file', 'itself']),
    unverified: z.boolean().meta({ description: 'Nobody of the tenant has looked at it' }),
    disabled_at: z.int().nullable(),
    created_at: z.int(),
    updated_at: z.int(),
    last_used_at: z.int().nullable(),
    metadata: Metadata,
  })
  .meta({ id: 'Client' })

/** The logo of a client as it stands here. */
export const LogoSchema = z
  .strictObject({
    logo_uri: z.string(),
    picture_uri: z.string().nullable().meta({ description: 'The copy that people see; null until there is one' }),
    fetched_at: z.int().nullable(),
    failure: z.string().nullable().meta({ description: 'Why it could not be fetched of late' }),
    failed_at: z.int().nullable(),
    due_at: z.int(),
  })
  .meta({ id: 'ClientLogo' })
