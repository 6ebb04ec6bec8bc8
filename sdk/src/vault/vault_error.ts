/**
 * Why there is no token or answer: `connection_required`, `connection_not_allowed` and `connection_needs_reconsent` come
 * with a `connect_url`; `connection_unavailable` and `temporarily_unavailable` pass by themselves; `provider_unreachable`
 * says that the provider's API gave no answer; `token_not_handed_out` that only the proxy will do; `invalid_token` and
 * `subject_token_refused` that the user's access token is not good, or not any more. Others are those of RFC 6749 section 5.2.
 */
export type VaultErrorCode =
  | 'connection_required'
  | 'connection_not_allowed'
  | 'connection_needs_reconsent'
  | 'connection_unavailable'
  | 'provider_unreachable'
  | 'temporarily_unavailable'
  | 'token_not_handed_out'
  | 'invalid_token'
  | 'subject_token_refused'
  | (string & {})

/**
 * What Sallyport refuses, or why it cannot be asked. It holds no secret: neither tokens nor what a provider has answered.
 * A `connect_url` is a page of Sallyport on which the user can put it right, and of nobody else.
 */
export class VaultError extends Error {
  readonly error: VaultErrorCode
  readonly error_description: string
  /** Where to send the user; undefined where no user can help. */
  readonly connect_url: string | undefined
  /** When asking again makes sense, in seconds. */
  readonly retry_after_seconds: number | undefined

  constructor(
    error: VaultErrorCode,
    error_description: string,
    options: { cause?: unknown; connect_url?: string | undefined; retry_after_seconds?: number | undefined } = {},
  ) {
    super(`${error}: ${error_description}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'VaultError'
    this.error = error
    this.error_description = error_description
    this.connect_url = options.connect_url
    this.retry_after_seconds = options.retry_after_seconds
  }
}
