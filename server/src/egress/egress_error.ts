/** Why a call to the outside failed, as a word that code can branch on. */
export type EgressErrorCode =
  // Refused before any connection was opened.
  | 'blocked_url'
  | 'blocked_scheme'
  | 'blocked_port'
  | 'blocked_address'
  | 'busy'
  // No connection came about.
  | 'dns'
  | 'connect'
  | 'tls'
  // The request may have reached the other side.
  | 'timeout'
  | 'aborted'
  | 'cut'
  | 'too_large'
  | 'redirect'
  | 'protocol'

const NEVER_SENT: ReadonlySet<EgressErrorCode> = new Set<EgressErrorCode>([
  'blocked_url',
  'blocked_scheme',
  'blocked_port',
  'blocked_address',
  'busy',
  'dns',
  'connect',
  'tls',
])

const EXPLANATION: Record<EgressErrorCode, string> = {
  blocked_url: 'the URL is not one that may be fetched',
  blocked_scheme: 'only https is allowed',
  blocked_port: 'the port is not allowed',
  blocked_address: 'the address is not a public one',
  busy: 'too many calls to this host are waiting',
  dns: 'the name could not be resolved',
  connect: 'no connection could be opened',
  tls: 'the TLS handshake failed',
  timeout: 'no complete answer came in time',
  aborted: 'the caller gave up',
  cut: 'the connection ended before the answer was complete',
  too_large: 'the answer is larger than allowed',
  redirect: 'the answer redirects further than allowed',
  protocol: 'the answer is not valid HTTP',
}

/**
 * A call through the egress guard that failed. The message names the host alone: paths, queries, headers and bodies
 * may hold secrets. `sent` is false when no byte of the request can have left, so that a retry is harmless.
 */
export class EgressError extends Error {
  readonly code: EgressErrorCode
  readonly host: string
  readonly sent: boolean

  constructor(code: EgressErrorCode, host: string, options: { cause?: unknown; sent?: boolean } = {}) {
    super(
      `Call to ${host || 'an unreadable URL'} failed (${code}): ${EXPLANATION[code]}`,
      'cause' in options ? { cause: options.cause } : undefined,
    )
    this.name = 'EgressError'
    this.code = code
    this.host = host
    this.sent = options.sent ?? !NEVER_SENT.has(code)
  }
}

const BY_SYSTEM_CODE: Record<string, EgressErrorCode> = {
  UND_ERR_HEADERS_OVERFLOW: 'too_large',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connect',
  UND_ERR_SOCKET: 'cut',
  UND_ERR_ABORTED: 'cut',
  UND_ERR_DESTROYED: 'aborted',
  UND_ERR_CLOSED: 'aborted',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'cut',
  ECONNRESET: 'cut',
  EPIPE: 'cut',
}

/** Turns whatever undici threw or rejected with into an EgressError; the innermost known cause decides. */
export function toEgressError(thrown: unknown, host: string): EgressError {
  for (let cause = thrown, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof EgressError) return cause
    const systemCode = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
    const code = BY_SYSTEM_CODE[systemCode]
    if (code) return new EgressError(code, host, { cause: thrown })
  }
  return new EgressError('protocol', host, { cause: thrown })
}
