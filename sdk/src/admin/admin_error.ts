/** What a refused request says is wrong (RFC 9457), with the members of RFC 6750. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly error: string
  readonly error_description: string
  /** Finds the line in the server's log. */
  readonly request_id?: string
  /** Each wrong member or parameter by name. */
  readonly errors?: readonly { readonly pointer?: string; readonly parameter?: string; readonly detail: string }[]
}

/** What the administration API refuses, or why it cannot be asked. It holds no secret. */
export class AdminError extends Error {
  /** Of the answer; 0 where there was none. */
  readonly status: number
  /** The code of RFC 6749 or RFC 6750, such as `invalid_request`; `temporarily_unavailable` where there was no answer. */
  readonly error: string
  readonly problem: Problem | undefined
  /** When asking again makes sense, in seconds. */
  readonly retry_after_seconds: number | undefined

  constructor(
    error: string,
    message: string,
    options: {
      readonly status?: number
      readonly problem?: Problem | undefined
      readonly retry_after_seconds?: number | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AdminError'
    this.error = error
    this.status = options.status ?? 0
    this.problem = options.problem
    this.retry_after_seconds = options.retry_after_seconds
  }
}
