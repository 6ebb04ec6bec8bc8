/** Registered error codes and the HTTP status a direct answer carries (IANA OAuth Extensions Error registry). */
export const ERROR_STATUS = {
  // RFC 6749 sections 4.1.2.1 and 5.2
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  invalid_scope: 400,
  // Also a direct answer while polling (RFC 8628 section 3.5), which is 400 like the others.
  access_denied: 400,
  server_error: 500,
  temporarily_unavailable: 503,
  // RFC 6750 section 3.1
  invalid_token: 401,
  insufficient_scope: 403,
  // RFC 7009 section 2.2.1
  unsupported_token_type: 400,
  // RFC 7591 section 3.2.2
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  invalid_software_statement: 400,
  unapproved_software_statement: 400,
  // RFC 8628 section 3.5
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  // RFC 8707 section 2
  invalid_target: 400,
  // RFC 9396 section 5
  invalid_authorization_details: 400,
  // RFC 9449 sections 5 and 8
  invalid_dpop_proof: 400,
  use_dpop_nonce: 400,
  // RFC 9470 section 3
  insufficient_user_authentication: 401,
  // OpenID Connect Core section 3.1.2.6
  interaction_required: 400,
  login_required: 400,
  account_selection_required: 400,
  consent_required: 400,
  invalid_request_uri: 400,
  invalid_request_object: 400,
  request_not_supported: 400,
  request_uri_not_supported: 400,
  registration_not_supported: 400,
  // OpenID Connect Core Error Code unmet_authentication_requirements section 2
  unmet_authentication_requirements: 400,
} as const

/** A code of the table above. */
export type OAuthErrorCode = keyof typeof ERROR_STATUS

/**
 * The one refusal type: thrown where it is found, caught once per channel. `error_description` is shown to the
 * caller; `cause` is for the log alone. `headers` are added to a direct answer (RFC 6749 section 5.2).
 */
export class OAuthError extends Error {
  readonly error: OAuthErrorCode
  readonly error_description: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Further members of a direct answer, such as a page on which a person can help. */
  readonly members: Readonly<Record<string, unknown>>

  constructor(
    error: OAuthErrorCode,
    error_description: string,
    options: {
      cause?: unknown
      status?: number
      headers?: Record<string, string>
      members?: Record<string, unknown>
    } = {},
  ) {
    super(`${error}: ${error_description}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'OAuthError'
    this.error = error
    // RFC 6749 section 5.2 allows printable ASCII without " and \ in a description.
    this.error_description = error_description.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')
    this.status = options.status ?? ERROR_STATUS[error]
    this.headers = options.headers ?? {}
    this.members = options.members ?? {}
  }
}
