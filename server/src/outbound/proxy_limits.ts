/** What bounds one call through the proxy. */
export interface ProxyLimits {
  /** The whole call, from asking to the last byte of the answer. */
  readonly timeout_ms: number
  /** The longest pause within an answer. */
  readonly idle_ms: number
  /** Bytes of a body, in either direction. */
  readonly largest_body: number
  /** Bytes of an answer's headers. */
  readonly largest_header: number
}

/** What holds where the operator says nothing else. */
export const PROXY_LIMITS: ProxyLimits = {
  timeout_ms: 300_000,
  idle_ms: 30_000,
  largest_body: 268_435_456,
  largest_header: 16_384,
}
