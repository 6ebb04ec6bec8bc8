import * as z from 'zod'
import { ALGORITHMS } from '../crypto/signing_keys.ts'
import { checkSettings } from '../inbound/administration/configure.ts'
import { readAdministratedClient } from '../inbound/clients/register_client.ts'
import { type UserDescription, usernameKey } from '../inbound/users/prepare_user.ts'
import { type ClientMetadata, readClientId } from '../oauth/clients/client.ts'
import { OAuthError } from '../oauth/errors.ts'
import { readTrustedIssuer, type TrustedIssuerRules } from '../oauth/trusted_issuer.ts'
import type { ConnectorInput } from '../outbound/administration/connector_input.ts'
import { CONNECTOR_GRANT_TYPES } from '../providers/grant_types.ts'
import { DEFAULT_SETTINGS } from '../store/settings.ts'
import type { Resource } from '../store/tenant.ts'
import type { WebhookInput } from '../webhooks/webhooks.ts'
import { suggest } from './nearest.ts'
import { PlatformError } from './platform_error.ts'

/** What a platform file describes, its secrets resolved: each entry whole, except users and settings. */
export interface Platform {
  readonly settings: Readonly<Record<string, unknown>>
  readonly resources: readonly Resource[]
  readonly clients: readonly PlatformClient[]
  readonly roles: readonly PlatformRole[]
  readonly users: readonly PlatformUser[]
  readonly connectors: readonly ConnectorInput[]
  readonly trusted_issuers: readonly PlatformTrustedIssuer[]
  readonly webhooks: readonly WebhookInput[]
}

/** A client of the file; without a secret the present one stays. */
export interface PlatformClient {
  readonly client_id: string
  readonly client_secret: string | undefined
  readonly metadata: ClientMetadata
}

/** Somebody of the file whose assertions are taken (RFC 7523 section 2.1). */
export interface PlatformTrustedIssuer {
  readonly issuer: string
  readonly disabled: boolean
  readonly rules: TrustedIssuerRules
}

/** A role of the file. */
export interface PlatformRole {
  readonly role: string
  readonly scopes: readonly string[]
}

/** A user of the file: what is left out stays as it is. */
export interface PlatformUser extends UserDescription {
  readonly user_id?: string | undefined
}

// Their values are checked by the reader of RFC 7591; here stands only which names there are.
const anything = z.unknown().optional()
const METADATA = {
  client_name: anything,
  client_uri: anything,
  logo_uri: anything,
  policy_uri: anything,
  tos_uri: anything,
  contacts: anything,
  redirect_uris: anything,
  post_logout_redirect_uris: anything,
  id_token_signed_response_alg: anything,
  backchannel_logout_uri: anything,
  backchannel_logout_session_required: anything,
  grant_types: anything,
  response_types: anything,
  response_modes: anything,
  token_endpoint_auth_method: anything,
  scope: anything,
  application_type: anything,
  jwks: anything,
  jwks_uri: anything,
  token_endpoint_auth_signing_alg: anything,
  tls_client_auth_subject_dn: anything,
  tls_client_auth_san_dns: anything,
  tls_client_auth_san_uri: anything,
  tls_client_auth_san_ip: anything,
  tls_client_auth_san_email: anything,
  tls_client_certificate_bound_access_tokens: anything,
  software_id: anything,
  software_version: anything,
  default_max_age: anything,
  dpop_bound_access_tokens: anything,
  require_auth_time: anything,
  default_acr_values: anything,
  require_pushed_authorization_requests: anything,
  initiate_login_uri: anything,
  subject_type: anything,
  sector_identifier_uri: anything,
  profile: anything,
  grant_lifetime_seconds: anything,
  optional_scope: anything,
  trusted: anything,
  require_pkce: anything,
  default_resource: anything,
  access_token_lifetime_seconds: anything,
  loopback_localhost: anything,
  role_scopes: anything,
  one_role: anything,
  service_account: anything,
  token_exchange: anything,
  every_service: anything,
  offline_refresh_only: anything,
  require_dpop_nonce: anything,
  json_requests: anything,
  bearer_authentication: anything,
  redirect_uri_prefix: anything,
} satisfies Record<keyof ClientMetadata, typeof anything>

/** An object in which an unknown name is refused, with the nearest known one. */
function strict<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? (issue.keys as string[]).map((key) => `${key} is not known; ${suggest(key, Object.keys(shape))}`).join('. ')
        : undefined,
  })
}

const text = z.string().min(1)
const scopes = z.array(text)
const settings = strict(Object.fromEntries(Object.keys(DEFAULT_SETTINGS).map((name) => [name, anything])))
const resource = strict({
  resource: text,
  name: text.optional(),
  scopes: z.record(z.string(), text).default({}),
  default_scopes: scopes.default([]),
  access_token: strict({
    format: z.enum(['jwt', 'opaque']).default('jwt'),
    lifetime_seconds: z.number().default(600),
    signing_alg: z.enum(ALGORITHMS).optional(),
  }).prefault({}),
  every_user: z.boolean().default(false),
  introspection_clients: z.array(text).default([]),
})
const client = strict({ client_id: text, client_secret: text.optional(), ...METADATA })
const role = strict({ role: text, scopes: scopes.default([]) })
const user = strict({
  user_id: text.optional(),
  username: text,
  name: text.optional(),
  email: text.optional(),
  email_verified: z.boolean().optional(),
  password: text.optional(),
  roles: z.array(text).optional(),
  claims: z.record(z.string(), z.unknown()).optional(),
})
const connector = strict({
  connector: text,
  provider: text,
  issuer: text.optional(),
  client_id: text.optional(),
  client_secret: text.optional(),
  private_key: text.optional(),
  key_id: text.optional(),
  certificate: text.optional(),
  team_id: text.optional(),
  grant_type: z.enum(CONNECTOR_GRANT_TYPES).optional(),
  scope: z.string().optional(),
  placeholders: z.record(z.string(), z.string()).optional(),
  fields: z.record(z.string(), z.unknown()).optional(),
  return_uris: z.array(text).optional(),
  redirect_uris: z.array(z.string()).optional(),
  hand_out_tokens: z.boolean().optional(),
  connection_lifetime_seconds: z.number().optional(),
  sign_in: z.enum(['off', 'linked', 'create']).optional(),
})
const trusted_issuer = strict({
  issuer: text,
  jwks: anything,
  jwks_uri: anything,
  subject_is: anything,
  subjects: anything,
  clients: anything,
  scope: anything,
  software_statements: anything,
  disabled: z.boolean().default(false),
})
const webhook = strict({
  webhook: text,
  url: text,
  description: z.string().optional(),
  event_types: z.array(text).optional(),
  secret: text.optional(),
})
const platform = strict({
  settings: settings.default({}),
  resources: z.array(resource).default([]),
  clients: z.array(client).default([]),
  roles: z.array(role).default([]),
  users: z.array(user).default([]),
  connectors: z.array(connector).default([]),
  trusted_issuers: z.array(trusted_issuer).default([]),
  webhooks: z.array(webhook).default([]),
})

/** Reads a platform whose secrets are resolved; refuses with every reason at once, each with its place. */
export function readPlatform(value: unknown, rules: { grant_types: readonly string[] }): Platform {
  const parsed = platform.safeParse(value ?? {})
  if (!parsed.success) throw new PlatformError(parsed.error.issues.map(describeIssue))
  const { settings, resources, clients, roles, users, connectors } = parsed.data
  // As it is kept, so that what is described and what stands compare.
  const webhooks = parsed.data.webhooks.map((entry) => ({ ...entry, url: URL.parse(entry.url)?.href ?? entry.url }))
  const sentences = [
    ...refusedSettings(settings),
    ...repeated('resources', resources, (entry) => entry.resource),
    ...repeated('roles', roles, (entry) => entry.role),
    ...repeated('clients', clients, (entry) => entry.client_id),
    ...repeated('users', users, (entry) => usernameKey(entry.username)),
    ...takenIds(clients, users),
    ...repeated('connectors', connectors, (entry) => entry.connector),
    ...repeated('trusted_issuers', parsed.data.trusted_issuers, (entry) => entry.issuer),
    ...repeated('webhooks', webhooks, (entry) => entry.webhook),
  ]
  const orSay = <Entry>(list: string, id: string, i: number, read: () => Entry): Entry[] => {
    try {
      return [read()]
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      sentences.push(`${list}[${i}] (${id}): ${error.error_description.replace(/^Member /, '')}`)
      return []
    }
  }
  const read = clients.flatMap((entry, i) =>
    orSay('clients', entry.client_id, i, () => readClient(entry, rules.grant_types)),
  )
  const trusted_issuers = parsed.data.trusted_issuers.flatMap(({ issuer, disabled, ...json }, i) =>
    orSay('trusted_issuers', issuer, i, () => ({ issuer, disabled, rules: readTrustedIssuer(json) })),
  )
  if (sentences.length > 0) throw new PlatformError(sentences)
  const described = { settings, resources: resources.map(toResource), clients: read, roles, users, connectors }
  return { ...described, trusted_issuers, webhooks }
}

function refusedSettings(given: Readonly<Record<string, unknown>>): string[] {
  try {
    checkSettings(given)
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}

function readClient(entry: z.infer<typeof client>, grant_types: readonly string[]): PlatformClient {
  const { client_id, client_secret, ...members } = entry
  return { client_id: readClientId(client_id), client_secret, metadata: readAdministratedClient(members, grant_types) }
}

function toResource(entry: z.infer<typeof resource>): Resource {
  return {
    resource: entry.resource,
    name: entry.name ?? entry.resource,
    scopes: new Map(Object.entries(entry.scopes)),
    default_scopes: entry.default_scopes,
    access_token_format: entry.access_token.format,
    access_token_lifetime_seconds: entry.access_token.lifetime_seconds,
    ...(entry.access_token.signing_alg && { access_token_signing_alg: entry.access_token.signing_alg }),
    every_user: entry.every_user,
    introspection_clients: entry.introspection_clients,
  }
}

// An id names one client or one user, never both (RFC 9700 section 4.15).
function takenIds(clients: readonly { client_id: string }[], users: readonly PlatformUser[]): string[] {
  const taken = new Set(clients.map(({ client_id }) => client_id))
  return users.flatMap(({ username, user_id }, i) => {
    if (user_id === undefined) return []
    const sentence = `users[${i}] (${username}): user_id ${user_id} is described as that of another`
    return taken.size === taken.add(user_id).size ? [sentence] : []
  })
}

function repeated<Entry>(list: string, entries: readonly Entry[], idOf: (entry: Entry) => unknown): string[] {
  const ids = entries.map(idOf).filter((id) => id !== undefined)
  const twice = new Set(ids.filter((id, i) => ids.indexOf(id) !== i))
  return [...twice].map((id) => `${list}: ${String(id)} is described twice`)
}

// zod's own sentences never hold the value that was given, which might be a secret.
function describeIssue(issue: z.core.$ZodIssue): string {
  const place = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  const sentence = issue.code === 'invalid_type' ? `must be ${TYPES[issue.expected] ?? issue.expected}` : issue.message
  return `${place.replace(/^\./, '') || 'the file'}: ${sentence}`
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of names to values',
  record: 'a map of names to values',
}
