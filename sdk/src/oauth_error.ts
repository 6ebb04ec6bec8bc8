/** Codes that a protected resource answers with, and the HTTP status of each (RFC 6750 section 3.1, RFC 9449 section 7.1, RFC 9470 section 3). */
export const ERROR_STATUS = {
  invalid_request: 400,
  invalid_token: 401,
  insufficient_user_authentication: 401,
  // RFC 9449 sections 7.1 and 9
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  insufficient_scope: 403,
  // RFC 6749 section 4.1.2.1: a part that the answer depends on cannot be reached.
  temporarily_unavailable: 503,
} as const

/** A code of the table above. */
export type OAuthErrorCode = keyof typeof ERROR_STATUS

/**
 * The one refusal type of this package. `error` is undefined when the request carried no credentials at all, because
 * such an answer carries no error information (RFC 6750 section 3.1). `error_description` is shown to the caller,
 * `cause` is for your log alone. `status` and `headers` follow the http-errors convention, so Express renders it;
 * `getResponse` is Hono's, so Hono does.
 */
export class OAuthError extends Error {
  readonly error: OAuthErrorCode | undefined
  readonly error_description: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(
    error: OAuthErrorCode | undefined,
    error_description: string,
    options: { cause?: unknown; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(
      error === undefined ? error_description : `${error}: ${error_description}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'OAuthError'
    this.error = error
    // RFC 6750 section 3: a description is printable ASCII without " and \.
    this.error_description = error_description.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')
    this.status = error === undefined ? 401 : ERROR_STATUS[error]
    this.headers = options.headers ?? {}
  }

  /** The answer to send: status, challenge, `Cache-Control: no-store` and the JSON body (RFC 6750 section 3). */
  getResponse(): Response {
    const headers = new Headers({ 'cache-control': 'no-store', ...this.headers })
    if (this.error === undefined) return new Response(null, { status: this.status, headers })
    const body = { error: this.error, error_description: this.error_description }
    return Response.json(body, { status: this.status, headers })
  }
}
