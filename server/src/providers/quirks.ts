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
  readonly refresh_token_expires: {
    readonly path: Path
    readonly form: ExpiryForm
    readonly zero: 'never' | 'expired'
  } | null
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
  /** Where the code may stand, as text, or as a number that has a meaning: the first place that has one counts. */
  readonly error: readonly Path[]
  readonly error_description: readonly Path[]
  /** By the code, a number in its digits. */
  readonly meanings: Readonly<Record<string, ErrorMeaning>>
}

/** The error answer of RFC 6749 section 5.2. */
export const STANDARD_ERROR_RESPONSE: ErrorResponse = {
  within_200: null,
  error: ['error'],
  error_description: ['error_description'],
  meanings: {},
}

/**
 * How a call beside the token endpoint shows who asks: as the client at the token endpoint, with the access token as in
 * calls of the API, with the client's secret under a scheme of its own, or not at all.
 */
export type CallAuthorization = 'client' | 'bearer' | 'none' | { readonly secret_scheme: string }

/** Where the parameters of a call go. */
export type CallBody = 'query' | 'form' | 'json'

/** How a token is revoked where it is not done as RFC 7009 says. */
export interface RevocationRequest {
  readonly method: 'POST' | 'DELETE' | 'GET'
  /** Which token is named; null where the account is, and not a token. */
  readonly token: 'refresh_token' | 'access_token' | null
  /** Null where the token is a part of the URL (`{token}`), or the bearer token. */
  readonly parameter: string | null
  /** Parameters that are always the same. */
  readonly params: Readonly<Record<string, string>>
  /** Parameters by where their value stands in what is kept beside the tokens. */
  readonly kept_params: Readonly<Record<string, Path>>
  readonly body: CallBody
  readonly authorization: CallAuthorization
}

/** What most revocations have in common: records name what differs. */
export const STANDARD_REVOCATION_REQUEST: RevocationRequest = {
  method: 'POST',
  token: 'access_token',
  parameter: null,
  params: {},
  kept_params: {},
  body: 'query',
  authorization: 'none',
}

/** What an assertion by which a token is asked for must say (RFC 7523 section 3), and who sends it. */
export interface AssertionGrant {
  /** `aud`; null is the issuer. */
  readonly audience: string | null
  /** Scope as a parameter (RFC 7521 section 4.1), or as a claim of the assertion. */
  readonly scope: 'parameter' | 'claim'
  /** Whether `sub` names the client where nobody else is named, or is then left out. */
  readonly subject: 'required' | 'optional'
  /** Whether the client authenticates beside the assertion. */
  readonly client: 'authenticates' | 'anonymous'
}

/** The grant of RFC 7523 itself. */
export const STANDARD_ASSERTION_GRANT: AssertionGrant = {
  audience: null,
  scope: 'parameter',
  subject: 'required',
  client: 'authenticates',
}

/** How a token is asked about: as RFC 7662 says, or as the record does. */
export interface IntrospectionRequest {
  readonly method: 'GET' | 'POST'
  /** Null where the token is the bearer token alone. */
  readonly parameter: string | null
  readonly body: CallBody
  readonly authorization: CallAuthorization
}

/** The request of RFC 7662 section 2.1. */
export const STANDARD_INTROSPECTION_REQUEST: IntrospectionRequest = {
  method: 'POST',
  parameter: 'token',
  body: 'form',
  authorization: 'client',
}

/** How an API is asked whose token this is. */
export interface UserinfoRequest {
  readonly method: 'GET' | 'POST'
  /** Members of a JSON body; null where there is none. */
  readonly json: Readonly<Record<string, string>> | null
}

/**
 * A value that becomes known on the way. One of the name of a placeholder takes its place in every URL from then on;
 * `api_base_url` is where the API is; any other is kept for whoever uses the token.
 */
export interface Learned {
  readonly name: string
  /** `extra` is what the token answer and the steps brought beside the tokens. */
  readonly from: 'extra' | 'callback'
  readonly path: Path
  /** A URL or host must lie under one of the suffixes; text must be a plain path segment. */
  readonly form: 'url' | 'host' | 'text'
  readonly suffixes: readonly string[]
}

/** Where the connected account is named. */
export interface AccountPlace {
  /** `extra` is what is kept beside the tokens: of the token answer, the callback and the steps. */
  readonly from: 'id_token' | 'userinfo' | 'introspection' | 'extra'
  /** Places of what never changes and is nobody else's; the first that has a value counts. */
  readonly id: readonly Path[]
  readonly name: readonly Path[]
  /** An organization is no person: many people bring the same one, so that nobody signs in by it. */
  readonly of: 'person' | 'organization'
  /** What says that the `email` beside it is its holder's own; `email_verified` where it is left out. */
  readonly email_verified?: Path
}

/** A call beside the standard ones; its URL and parameters may hold placeholders, and `{access_token}`. */
export interface Step {
  readonly name: string
  /** Before the person leaves, where what is kept goes into the authorization request; or once the code is redeemed. */
  readonly when: 'before_authorization' | 'after_exchange'
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly authorization: CallAuthorization
  readonly params: Readonly<Record<string, string>>
  readonly body: CallBody
  /** The answer holds a token that takes the place of the one just received, as with long-lived tokens. */
  readonly replaces_token: boolean
  /** A list in the answer (empty: the answer is one) of which the person chooses one, known by an id and shown by a name. */
  readonly choice: { readonly list: Path; readonly id: Path; readonly name: readonly Path[] } | null
  /** Values to keep with the connection, by name: of the answer, or of what was chosen. */
  readonly keep: Readonly<Record<string, Path>>
}
