import { OAuthError } from '../errors.ts'
import { PROFILES, requireFit } from '../profile.ts'
import { type ApplicationType, type RedirectUriKind, validateRedirectUri } from '../redirect_uri.ts'
import { validateResource } from '../resource.ts'
import { formatScope, parseScope } from '../scope.ts'
import { readAuthentication } from './authentication_metadata.ts'
import { readBindingMetadata, requireBindable } from './binding_metadata.ts'
import type { ClientMetadata } from './client.ts'
import { readJwks } from './client_jwks.ts'
import { type Json, readBoolean, readInteger, readText, readTexts, refusal } from './metadata_member.ts'
import { LEGACY_GRANT_TYPES, readOwnMetadata } from './own_metadata.ts'
import { readOwnRequestMetadata, readRequestMetadata, requireOneSector } from './request_metadata.ts'
import { readTokenMetadata } from './token_metadata.ts'

/** The lists a registration is held against; the registries that own them are above this floor. */
export interface ClientRules {
  /** Only an administrator may set what is our own, and may leave the paths of the public internet. */
  door: 'administrator' | 'dynamic'
  grant_types: readonly string[]
  response_types: readonly string[]
  response_modes: readonly string[]
  token_endpoint_auth_methods: readonly string[]
}

const LONGEST_URI = 2048
const LONGEST_LIFETIME = 86_400
const WEB_URI = /^https?:\/\/(?:[A-Za-z0-9\-._~:/?#@!$&'()*+,;=[\]]|%[0-9A-Fa-f]{2})+$/

/**
 * Reads client metadata (RFC 7591 section 2), fills in its defaults and refuses by member name. Unknown members are
 * ignored, null and empty ones count as absent, and our own are read from an administrator only.
 */
export function readClientMetadata(json: unknown, rules: ClientRules): ClientMetadata {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new OAuthError('invalid_client_metadata', 'Client metadata must be a JSON object')
  }
  const source = json as Json
  const metadata: ClientMetadata = {
    ...(rules.door === 'administrator' ? { ...readOwnMetadata(source), ...readOwnRequestMetadata(source) } : {}),
    ...readRequestMetadata(source, (from, name) => readWebUri(from, name, rules)),
    ...readBindingMetadata(source),
    ...readTokenMetadata(source, (from, name) => readWebUri(from, name, rules)),
    redirect_uris: readTexts(source, 'redirect_uris', LONGEST_URI) ?? [],
    ...readFlow(source, rules),
    scope: readScope(source),
    application_type: 'web',
    trusted: false,
    require_pkce: true,
  }
  readApplicationType(source, metadata, rules)
  readDescription(source, metadata, rules)
  readKeys(source, metadata, rules)
  requireBindable(metadata)
  requireOneSector(metadata)
  if (rules.door === 'administrator') readOwn(source, metadata)
  if (metadata.token_endpoint_auth_method === 'none') {
    if (metadata.grant_types.includes('client_credentials')) {
      throw refusal('grant_types', 'may hold client_credentials only for a client that authenticates')
    }
    if (metadata.grant_types.includes('password')) {
      throw refusal('grant_types', 'may hold password only for a client that authenticates')
    }
    if (!metadata.require_pkce) throw refusal('require_pkce', 'may be false only for a client that authenticates')
  }
  if (metadata.profile !== undefined) requireFit(metadata, PROFILES[metadata.profile])
  return metadata
}

type Flow = Pick<ClientMetadata, 'grant_types' | 'response_types' | 'response_modes' | 'token_endpoint_auth_method'>

function readFlow(source: Json, rules: ClientRules): Flow {
  const grant_types = readListed(source, 'grant_types', rules.grant_types, rules) ?? ['authorization_code']
  const has = { code: grant_types.includes('authorization_code'), token: grant_types.includes('implicit') }
  const implied = [...(has.code ? ['code'] : []), ...(has.token ? ['token'] : [])]
  const response_types = readListed(source, 'response_types', rules.response_types, rules) ?? implied
  // RFC 7591 section 2.1: the two lists must say the same.
  for (const [type, granted] of Object.entries(has)) {
    if (response_types.some((value) => value.split(' ').includes(type)) !== granted) {
      throw refusal(
        'response_types',
        'does not fit grant_types: code goes with authorization_code, token with implicit',
      )
    }
  }
  const token_endpoint_auth_method = readText(source, 'token_endpoint_auth_method', 100) ?? 'client_secret_basic'
  if (!rules.token_endpoint_auth_methods.includes(token_endpoint_auth_method)) {
    throw refusal('token_endpoint_auth_method', 'names a method that is not supported')
  }
  const flow: Flow = { grant_types, response_types, token_endpoint_auth_method }
  const response_modes = readListed(source, 'response_modes', rules.response_modes, rules)
  if (response_modes !== undefined) flow.response_modes = response_modes
  return flow
}

/** A client that registers itself gets what we have of its list (RFC 7591 section 2); an administrator is told. */
function readListed(source: Json, name: string, known: readonly string[], rules: ClientRules): string[] | undefined {
  const values = readTexts(source, name, 200)
  if (values === undefined) return undefined
  const self = rules.door === 'dynamic'
  const supported = values.filter((value) => known.includes(value) && !(self && isLegacy(name, value)))
  if (supported.length === 0 || (rules.door === 'administrator' && supported.length < values.length)) {
    throw refusal(name, `may hold only ${known.join(', ')}`)
  }
  return supported
}

// Only an administrator switches a legacy grant on.
function isLegacy(name: string, value: string): boolean {
  return name === 'grant_types' ? LEGACY_GRANT_TYPES.includes(value) : name === 'response_types' && value !== 'code'
}

function readScope(source: Json): string {
  try {
    return formatScope(parseScope(readText(source, 'scope', 4096) ?? ''))
  } catch (cause) {
    if (!(cause instanceof OAuthError) || cause.error !== 'invalid_scope') throw cause
    throw new OAuthError('invalid_client_metadata', cause.error_description.replace('Parameter', 'Member'), { cause })
  }
}

function readApplicationType(source: Json, metadata: ClientMetadata, rules: ClientRules): void {
  const asked = readText(source, 'application_type', 20)
  if (asked !== undefined && asked !== 'web' && asked !== 'native') {
    throw refusal('application_type', 'must be web or native')
  }
  const { redirect_uris, response_types } = metadata
  if (response_types.length > 0 && redirect_uris.length === 0) throw refusal('redirect_uris', 'is missing')
  metadata.application_type = asked ?? 'web'
  if (rules.door === 'dynamic') {
    // Clients that register themselves often say nothing, or web, and then listen on the user's machine.
    const kinds = checkRedirectUris(redirect_uris, 'native', rules)
    const onlyLoopback = kinds.length > 0 && kinds.every((kind) => kind === 'loopback' || kind === 'localhost')
    if (onlyLoopback) metadata.loopback_localhost = true
    if (onlyLoopback || (asked === undefined && kinds.some((kind) => kind !== 'https'))) {
      metadata.application_type = 'native'
    }
  }
  checkRedirectUris(redirect_uris, metadata.application_type, rules)
}

function checkRedirectUris(
  uris: readonly string[],
  application_type: ApplicationType,
  { door }: ClientRules,
): RedirectUriKind[] {
  return uris.map((uri) => {
    const kind = validateRedirectUri(uri, { application_type, web_loopback: door === 'administrator' })
    if (door === 'dynamic' && kind === 'https' && isInternalHost(new URL(uri).hostname)) {
      throw new OAuthError('invalid_redirect_uri', 'A redirect URI must not have an IP address or localhost over https')
    }
    return kind
  })
}

function readDescription(source: Json, metadata: ClientMetadata, rules: ClientRules): void {
  for (const name of ['client_name', 'software_id', 'software_version'] as const) {
    const text = readText(source, name, 200)
    if (text !== undefined) metadata[name] = text
  }
  for (const name of ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri'] as const) {
    const uri = readWebUri(source, name, rules)
    if (uri !== undefined) metadata[name] = uri
  }
  const contacts = readTexts(source, 'contacts', 254)
  if (contacts !== undefined) metadata.contacts = contacts
  const default_max_age = readInteger(source, 'default_max_age', 0, 2 ** 31)
  if (default_max_age !== undefined) metadata.default_max_age = default_max_age
  const after_logout = readTexts(source, 'post_logout_redirect_uris', LONGEST_URI)
  if (after_logout === undefined) return
  try {
    checkRedirectUris(after_logout, metadata.application_type, rules)
  } catch (cause) {
    if (!(cause instanceof OAuthError)) throw cause
    const sentence = `Member post_logout_redirect_uris: ${cause.error_description}`
    throw new OAuthError(cause.error, sentence, { cause })
  }
  metadata.post_logout_redirect_uris = after_logout
}

function readKeys(source: Json, metadata: ClientMetadata, rules: ClientRules): void {
  const jwks_uri = readWebUri(source, 'jwks_uri', rules)
  if (jwks_uri !== undefined) metadata.jwks_uri = jwks_uri
  if (source['jwks'] !== undefined && source['jwks'] !== null) {
    if (jwks_uri !== undefined) throw refusal('jwks', 'must not be given together with jwks_uri')
    metadata.jwks = readJwks(source['jwks'])
  }
  Object.assign(metadata, readAuthentication(source, metadata))
}

function readOwn(source: Json, metadata: ClientMetadata): void {
  metadata.trusted = readBoolean(source, 'trusted') ?? false
  metadata.require_pkce = readBoolean(source, 'require_pkce') ?? true
  const loopback_localhost = readBoolean(source, 'loopback_localhost')
  if (loopback_localhost !== undefined) metadata.loopback_localhost = loopback_localhost
  const lifetime = readInteger(source, 'access_token_lifetime_seconds', 1, LONGEST_LIFETIME)
  if (lifetime !== undefined) metadata.access_token_lifetime_seconds = lifetime
  const default_resource = readText(source, 'default_resource', LONGEST_URI)
  if (default_resource === undefined) return
  try {
    validateResource(default_resource)
  } catch (cause) {
    throw new OAuthError(
      'invalid_client_metadata',
      'Member default_resource must be an absolute URI without fragment',
      {
        cause,
      },
    )
  }
  metadata.default_resource = default_resource
}

function readWebUri(source: Json, name: string, rules: ClientRules): string | undefined {
  const uri = readText(source, name, LONGEST_URI)
  if (uri === undefined) return undefined
  const url = WEB_URI.test(uri) && URL.canParse(uri) ? new URL(uri) : undefined
  if (url === undefined) throw refusal(name, 'must be an https URL')
  if (url.username !== '' || url.password !== '') throw refusal(name, 'must not have a user name or password')
  if (rules.door === 'dynamic' && url.href !== uri && url.href !== `${uri}/`) {
    throw refusal(name, 'must be written in its normal form, as a browser shows it')
  }
  if (rules.door === 'dynamic' && (url.protocol !== 'https:' || isInternalHost(url.hostname))) {
    throw refusal(name, 'must be an https URL with a public host name')
  }
  return uri
}

function isInternalHost(hostname: string): boolean {
  return /^\[|^[0-9.]+$|(?:^|\.)localhost\.?$/.test(hostname)
}
