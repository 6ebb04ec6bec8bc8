/** A place in a JSON answer: member names joined by dots. */
export type Path = string

/** How an answer tells an expiry. */
export type ExpiryForm = 'seconds' | 'epoch_seconds' | 'epoch_milliseconds' | 'iso8601'

/** Where a token answer keeps what RFC 6749 section 5.1 puts at its top level. */
export interface TokenResponse {
  readonly format: 'json' | 'form'
  readonly access_token: Path
  readonly token_type: Path
  /** Token types, in lower case, that mean a bearer token here. */
  readonly token_types: readonly string[]
  /** Some providers leave token_type out. */
  readonly token_type_optional: boolean
  readonly expires: { readonly path: Path; readonly form: ExpiryForm; readonly zero: 'never' | 'expired' }
  readonly refresh_token: Path
  readonly refresh_token_expires: { readonly path: Path; readonly form: ExpiryForm } | null
  readonly id_token: Path
  /** Scope as text split by the separator, or as a JSON array. */
  readonly scope: { readonly path: Path; readonly separator: string }
}

/** The answer of RFC 6749 section 5.1 itself. */
export const STANDARD_TOKEN_RESPONSE: TokenResponse = {
  format: 'json',
  access_token: 'access_token',
  token_type: 'token_type',
  token_types: ['bearer'],
  token_type_optional: false,
  expires: { path: 'expires_in', form: 'seconds', zero: 'expired' },
  refresh_token: 'refresh_token',
  refresh_token_expires: null,
  id_token: 'id_token',
  scope: { path: 'scope', separator: ' ' },
}

/** What an error means for the connection; `unknown` and `throttled` say that nothing definite was decided. */
export type ErrorMeaning =
  | 'invalid_grant'
  | 'invalid_client'
  | 'invalid_request'
  | 'invalid_scope'
  | 'throttled'
  | 'unknown'

/** Where an answer keeps its error, and what the provider's own codes mean. */
export interface ErrorResponse {
  /** Errors come with status 200: always told by the error member, or by a member with a telling value. */
  readonly within_200: { readonly path: Path; readonly equals: boolean | string } | 'error_member' | null
  readonly error: Path
  readonly error_description: Path
  readonly meanings: Readonly<Record<string, ErrorMeaning>>
}

/** The error answer of RFC 6749 section 5.2. */
export const STANDARD_ERROR_RESPONSE: ErrorResponse = {
  within_200: null,
  error: 'error',
  error_description: 'error_description',
  meanings: {},
}

/** How a token is revoked where it is not done as RFC 7009 says. */
export interface RevocationRequest {
  readonly method: 'POST' | 'DELETE' | 'GET'
  /** Which token is named, and whether it is a parameter, a part of the URL (`{token}`), or the bearer token. */
  readonly token: 'refresh_token' | 'access_token'
  readonly parameter: string | null
  readonly body: 'form' | 'json' | 'none'
  readonly authorization: 'client' | 'bearer' | 'none'
}

/** A value that becomes known on the way: an API host in the token answer, a realm in the callback. */
export interface Learned {
  readonly name: string
  readonly from: 'token_response' | 'callback'
  readonly path: Path
  /** A URL or host must lie under one of the suffixes; text must be a plain path segment. */
  readonly form: 'url' | 'host' | 'text'
  readonly suffixes: readonly string[]
}

/** A call beside the standard ones. */
export interface Step {
  readonly name: string
  readonly when: 'before_authorization' | 'after_exchange' | 'after_refresh' | 'on_install'
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly authorization: 'bearer' | 'client' | 'none'
  readonly params: Readonly<Record<string, string>>
  readonly body: 'query' | 'form' | 'json' | 'none'
  /** The answer holds a token that takes the place of the one just received, as with long-lived tokens. */
  readonly replaces_token: boolean
  /** Values to keep with the connection: name to path. A path ending in `[]` is a list that the person chooses from. */
  readonly keep: Readonly<Record<string, Path>>
}
