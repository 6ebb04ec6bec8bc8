import { OAuthError } from '../errors.ts'
import { PROFILE_NAMES, type ProfileName } from '../profile.ts'
import { formatScope, parseScope } from '../scope.ts'
import { type Json, readBoolean, readInteger, readText, readTexts, refusal } from './metadata_member.ts'

/** What is registered about a client's authorization requests and about its users, under the names of their registry. */
export interface RequestMetadata {
  /** Requests that were not pushed are refused (RFC 9126 section 6). */
  require_pushed_authorization_requests?: boolean
  /** OpenID Connect Dynamic Client Registration section 2; every ID token has `auth_time` here. */
  require_auth_time?: boolean
  default_acr_values?: string[]
  /** Where a sign-in may be asked for by others (OpenID Connect Core section 4). */
  initiate_login_uri?: string
  /** Whether users are known to this client, and those of its sector, by names of their own (section 8). */
  subject_type?: 'public' | 'pairwise'
  sector_identifier_uri?: string
}

/** What only an administrator may say of them; no RFC names it. */
export interface OwnRequestMetadata {
  /** The rules the client stands under, where not those of its tenant. */
  profile?: ProfileName
  /** No grant of the client lasts longer; its users may choose less. */
  grant_lifetime_seconds?: number
  /** Scopes that its users may leave out: they are asked for each of them. */
  optional_scope?: string
}

const LONGEST_URI = 2048
const LONGEST_GRANT = 3 * 366 * 86_400

/** Reads it for any client; `readUri` checks a URL by the rules of the door that it comes through. */
export function readRequestMetadata(
  source: Json,
  readUri: (source: Json, name: string) => string | undefined,
): RequestMetadata {
  const metadata: RequestMetadata = {}
  for (const name of ['require_pushed_authorization_requests', 'require_auth_time'] as const) {
    if (readBoolean(source, name) === true) metadata[name] = true
  }
  const acr_values = readTexts(source, 'default_acr_values', 255)
  if (acr_values?.some((value) => !/^[\x21-\x7e]+$/.test(value))) {
    throw refusal('default_acr_values', 'has a value that is not allowed')
  }
  if (acr_values !== undefined) metadata.default_acr_values = acr_values
  for (const name of ['initiate_login_uri', 'sector_identifier_uri'] as const) {
    const uri = readUri(source, name)
    if (uri === undefined) continue
    if (!uri.startsWith('https:')) throw refusal(name, 'must be an https URL')
    metadata[name] = uri
  }
  const subject_type = readText(source, 'subject_type', 20)
  if (subject_type !== undefined && subject_type !== 'public' && subject_type !== 'pairwise') {
    throw refusal('subject_type', 'must be public or pairwise')
  }
  if (subject_type !== undefined) metadata.subject_type = subject_type
  return metadata
}

/** Reads what only an administrator may say. */
export function readOwnRequestMetadata(source: Json): OwnRequestMetadata {
  const own: OwnRequestMetadata = {}
  const profile = readText(source, 'profile', 20)
  if (profile !== undefined) {
    const known = PROFILE_NAMES.find((name) => name === profile)
    if (known === undefined) throw refusal('profile', `must be one of ${PROFILE_NAMES.join(', ')}`)
    own.profile = known
  }
  const lifetime = readInteger(source, 'grant_lifetime_seconds', 60, LONGEST_GRANT)
  if (lifetime !== undefined) own.grant_lifetime_seconds = lifetime
  const optional_scope = readText(source, 'optional_scope', LONGEST_URI)
  if (optional_scope === undefined) return own
  try {
    own.optional_scope = formatScope(parseScope(optional_scope))
  } catch (cause) {
    throw new OAuthError('invalid_client_metadata', 'Member optional_scope has a character that no scope may have', {
      cause,
    })
  }
  return own
}

/**
 * The sector in which a client's users have names of their own: the host of its redirect URIs, or of the list that names
 * them (OpenID Connect Core section 8.1). What runs on people's own machines has no host: such a client is its own sector.
 */
export function sectorOf(
  client: Pick<RequestMetadata, 'sector_identifier_uri'> & { client_id: string; redirect_uris: readonly string[] },
): string {
  const [first = ''] =
    client.sector_identifier_uri === undefined ? client.redirect_uris : [client.sector_identifier_uri]
  return hostOf(first) ?? client.client_id
}

function hostOf(uri: string): string | null {
  return uri.startsWith('https:') ? new URL(uri).hostname : null
}

/** Refuses pairwise names whose sector is not clear: redirect URIs of several hosts and no sector_identifier_uri. */
export function requireOneSector(metadata: RequestMetadata & { redirect_uris: readonly string[] }): void {
  if (metadata.subject_type !== 'pairwise' || metadata.sector_identifier_uri !== undefined) return
  const hosts = new Set(metadata.redirect_uris.map(hostOf))
  if (hosts.size > 1) {
    throw refusal('sector_identifier_uri', 'is needed: the redirect URIs have more than one host')
  }
}
