import { parseUniqueJson } from '../../crypto/unique_json.ts'
import { OAuthError } from '../errors.ts'
import type { ClientMetadata } from './client.ts'
import { type ClientRules, readClientMetadata } from './client_metadata.ts'
import { type Json, refusal } from './metadata_member.ts'

const LONGEST_URL = 512

/**
 * The URL of a client_id that names a metadata document (Client ID Metadata Document section 3), or null. It must be
 * written as a browser would write it, so that the string which is compared is the one that is fetched.
 */
export function readDocumentUrl(client_id: string): URL | null {
  if (!client_id.startsWith('https://') || client_id.length > LONGEST_URL || !/^[\x21-\x7e]+$/.test(client_id))
    return null
  const url = URL.parse(client_id)
  if (!url || url.href !== client_id || client_id.includes('#')) return null
  return url.username === '' && url.password === '' ? url : null
}

/** How these clients may authenticate: nobody shares a secret with them (section 4.1). */
export const DOCUMENT_AUTH_METHODS = ['none', 'private_key_jwt'] as const

// Section 4.1 forbids them, and what a client says of itself about a registration is not true of a document.
const FORBIDDEN = ['client_secret', 'client_secret_expires_at', 'registration_access_token', 'registration_client_uri']

/**
 * Reads the document at a client's identifier (section 4): JSON that names itself exactly, has a name and redirect URIs
 * for its users, holds no secret, and is else read as any registration is. Every refusal names the member.
 */
export function readMetadataDocument(
  text: string,
  client_id: string,
  rules: Pick<ClientRules, 'grant_types' | 'response_types' | 'response_modes'>,
): ClientMetadata {
  const source = parse(text)
  if (source['client_id'] !== client_id) throw refusal('client_id', 'must be the URL of the document, exactly')
  const forbidden = FORBIDDEN.find((name) => Object.hasOwn(source, name))
  if (forbidden !== undefined) throw refusal(forbidden, 'must not be in a metadata document')
  const method = source['token_endpoint_auth_method']
  // The default of RFC 7591 section 2 is a method that needs a secret.
  const token_endpoint_auth_method = method === undefined || method === null ? 'none' : method
  // Whose users have one name is not for a document to say: nobody has asked the host of that list.
  const described = { ...source, token_endpoint_auth_method, sector_identifier_uri: undefined }
  const metadata = readClientMetadata(described, {
    ...rules,
    door: 'dynamic',
    token_endpoint_auth_methods: DOCUMENT_AUTH_METHODS,
  })
  if (metadata.client_name === undefined) throw refusal('client_name', 'is missing')
  if (metadata.redirect_uris.length === 0) throw refusal('redirect_uris', 'is missing')
  return metadata
}

function parse(text: string): Json {
  let json: unknown
  try {
    json = parseUniqueJson(text)
  } catch (cause) {
    throw new OAuthError('invalid_client_metadata', 'It is not JSON that names each member once', { cause })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new OAuthError('invalid_client_metadata', 'It is not a JSON object')
  }
  return json as Json
}

/** Whether the answer is JSON: `application/json`, or a type of its own that is written in it (section 4). */
export function isJsonType(content_type: string | null): boolean {
  return /^application\/(?:[\w!#$&^.+-]+\+)?json *(?:;|$)/i.test(content_type?.trim() ?? '')
}

const SHORTEST_SECONDS = 60
const USUAL_SECONDS = 600
const LONGEST_SECONDS = 86_400

/**
 * For how many seconds a document may serve again: what its answer says (RFC 9111 section 4.2), within bounds of ours
 * (section 5.2). Whoever forbids keeping it has it fetched once a minute, and not for each request.
 */
export function documentLifetime(headers: { get(name: string): string | null }, now: number): number {
  const control = (headers.get('cache-control') ?? '').toLowerCase()
  if (/(?:^|[\s,])no-(?:store|cache)(?:$|[\s,=])/.test(control)) return SHORTEST_SECONDS
  const seconds = readMaxAge(control) ?? readExpires(headers, now)
  if (seconds === null) return USUAL_SECONDS
  const age = Number(/^\d{1,9}$/.exec(headers.get('age') ?? '')?.[0] ?? 0)
  return Math.min(Math.max(seconds - age, SHORTEST_SECONDS), LONGEST_SECONDS)
}

function readMaxAge(control: string): number | null {
  const found = /(?:^|[\s,])max-age="?(\d{1,9})/.exec(control)
  return found ? Number(found[1]) : null
}

// What cannot be read has ended (RFC 9111 section 5.3).
function readExpires(headers: { get(name: string): string | null }, now: number): number | null {
  const expires = headers.get('expires')
  if (expires === null) return null
  const at = Date.parse(expires)
  const date = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(at) ? 0 : Math.floor((at - (Number.isNaN(date) ? now : date)) / 1000)
}
