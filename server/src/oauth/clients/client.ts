import { type ApplicationType, redirectUriKind } from '../redirect_uri.ts'
import type { AuthenticationMetadata } from './authentication_metadata.ts'
import type { BindingMetadata } from './binding_metadata.ts'
import type { PublicJwks } from './client_jwks.ts'
import { refusal } from './metadata_member.ts'
import type { OwnMetadata } from './own_metadata.ts'
import type { OwnRequestMetadata, RequestMetadata } from './request_metadata.ts'
import type { TokenMetadata } from './token_metadata.ts'

/** What is registered about a client, under the names of RFC 7591 section 2 and its registry; the last six are ours. */
export interface ClientMetadata
  extends BindingMetadata,
    OwnMetadata,
    RequestMetadata,
    OwnRequestMetadata,
    TokenMetadata,
    AuthenticationMetadata {
  client_name?: string
  client_uri?: string
  logo_uri?: string
  policy_uri?: string
  tos_uri?: string
  contacts?: string[]
  redirect_uris: string[]
  post_logout_redirect_uris?: string[]
  grant_types: string[]
  response_types: string[]
  /** The response modes the client may ask for; without it, all that the server has. */
  response_modes?: string[]
  token_endpoint_auth_method: string
  /** The scopes the client may have: an allow-list, empty unless given. */
  scope: string
  application_type: ApplicationType
  jwks?: PublicJwks
  jwks_uri?: string
  software_id?: string
  software_version?: string
  default_max_age?: number
  /** First party: its users see no consent page, and it may act on its own behalf. */
  trusted: boolean
  /** False only for confidential clients that cannot do PKCE. */
  require_pkce: boolean
  /** The resource of requests that name none. */
  default_resource?: string
  access_token_lifetime_seconds?: number
  /** Whether `localhost` takes any port, as the loopback addresses do. */
  loopback_localhost?: boolean
}

/** What is kept of a client: its description, and what follows from the way it came. */
export interface KeptMetadata extends ClientMetadata {
  /** Nobody of the tenant has looked at it: it is never trusted, and its users are asked each time. */
  unverified?: true
  /** It may have what the tenant lets unknown clients have, as that stands now; `scope` is what it said it would use. */
  scope_by_policy?: true
  /** What a third party signed about it, as it came (RFC 7591 section 2.3). */
  software_statement?: string
}

/** A client as the server knows it (RFC 6749 section 2). */
export interface Client extends KeptMetadata {
  client_id: string
}

/** What every name of a user in a sector begins with (OpenID Connect Core section 8). */
export const PAIRWISE = 'pw_'

/** Checks an identifier chosen by an administrator (RFC 6749 appendix A.1). */
export function readClientId(value: unknown): string {
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(value)) {
    throw refusal('client_id', 'must be 1 to 255 printable ASCII characters without space')
  }
  // No client is ever taken for a user, whatever name that one goes by (RFC 9700 section 4.15).
  if (value.startsWith(PAIRWISE)) throw refusal('client_id', `must not begin with ${PAIRWISE}`)
  return value
}

/** Whether a client proves who it is (RFC 6749 section 2.1). */
export function isConfidential(client: Pick<ClientMetadata, 'token_endpoint_auth_method'>): boolean {
  return client.token_endpoint_auth_method !== 'none'
}

/**
 * Whether this answer may go out without asking the user: a trusted client, and a redirect URI that no other program
 * on the user's machine can claim (RFC 8252 section 8.6), or a program that has to prove itself before it gets a token.
 */
export function skipsConsent(client: KeptMetadata, redirect_uri: string): boolean {
  const proves = client.application_type === 'web' && isConfidential(client)
  return client.trusted && client.unverified !== true && (proves || redirectUriKind(redirect_uri) === 'https')
}
