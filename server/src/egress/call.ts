import type { RequestInit as UndiciInit } from 'undici'
import { guardBody } from './body.ts'
import { EgressError } from './egress_error.ts'

/** Limits of one call. The deadline covers waiting, connecting, the answer's head and its whole body. */
export interface CallLimits {
  timeoutMs: number
  /** Bytes of a body after decompression; a streamed request body is held to it as well. */
  maxBytes: number
  /** Longest pause within the answer's body. */
  idleMs: number
}

const KIB = 1024
const small: CallLimits = { timeoutMs: 5_000, maxBytes: 64 * KIB, idleMs: Number.POSITIVE_INFINITY }

/** What a call is for, and the limits that follow. A token call waits longest: giving up may lose a rotated token. */
export const PURPOSES = {
  discovery: small,
  jwks: small,
  client_metadata: { ...small, maxBytes: 10 * KIB },
  /** The picture of a client: as much as is kept of one. */
  logo: { ...small, maxBytes: 32 * KIB },
  token: { ...small, timeoutMs: 15_000 },
  revocation: small,
  userinfo: small,
  /** From a redirect broker to its primary. */
  broker: { ...small, timeoutMs: 10_000, maxBytes: 256 * KIB },
  webhook: { ...small, maxBytes: 16 * KIB },
  claims: { ...small, maxBytes: 16 * KIB },
  /** From the command line to the administration API of a server. */
  command: { ...small, timeoutMs: 60_000, maxBytes: 16 * KIB * KIB },
  proxy: { timeoutMs: 300_000, maxBytes: 256 * KIB * KIB, idleMs: 30_000 },
} as const satisfies Record<string, CallLimits>

/** A key of PURPOSES. */
export type Purpose = keyof typeof PURPOSES

/** A certificate by which this side is known to the other (RFC 8705), with its private key; both PEM. */
export interface ClientIdentity {
  readonly cert: string
  readonly key: string
}

/** What a call through the guard takes beside the usual fetch options. */
export interface EgressInit extends Omit<RequestInit, 'redirect'>, Partial<CallLimits> {
  purpose: Purpose
  /** Redirects to follow, each judged like the first URL; GET and HEAD only. Without it a 3xx answer is returned. */
  redirects?: 0 | 1 | 2 | 3
  /** Shown where the server asks for one. */
  identity?: ClientIdentity | undefined
}

/** One call under way, its defaults filled in. */
export interface Call extends CallLimits {
  url: string
  host: string
  purpose: Purpose
  redirects: number
  method: string
  headers: Headers
  body: UndiciInit['body'] | null
  identity: ClientIdentity | undefined
  /** Ends the call: its reason is the EgressError that the caller sees. */
  control: AbortController
  /** Stops the clock of the call; called once its answer has ended. */
  end(): void
}

/** Reads the arguments of a call and starts its deadline. */
export function startCall(input: string | URL | Request, init: EgressInit): Call {
  const request = input instanceof Request ? input : null
  const url = request?.url ?? String(input)
  const host = URL.parse(url)?.host ?? ''
  const method = (init.method ?? request?.method ?? 'GET').toUpperCase()
  const redirects = init.redirects ?? 0
  if (redirects > 0 && method !== 'GET' && method !== 'HEAD') throw new TypeError('Only GET and HEAD follow redirects')
  const { timeoutMs, maxBytes, idleMs }: CallLimits = { ...PURPOSES[init.purpose], ...definedLimits(init) }
  const headers = new Headers(init.headers ?? request?.headers)
  if (!headers.has('user-agent')) headers.set('user-agent', 'Sallyport')
  const control = new AbortController()
  const end = startDeadline(control, init.signal ?? request?.signal ?? null, timeoutMs, host)
  const body = init.body ?? request?.body ?? null
  const guarded =
    body instanceof ReadableStream ? guardBody(body, { host, maxBytes, idleMs: timeoutMs, onEnd: () => {} }) : body
  const { purpose, identity } = init
  return {
    ...{ url, host, purpose, redirects, method, headers, control, end, identity, timeoutMs, maxBytes, idleMs },
    body: guarded as Call['body'],
  }
}

function definedLimits(init: EgressInit): Partial<CallLimits> {
  const limits: Partial<CallLimits> = {}
  for (const name of ['timeoutMs', 'maxBytes', 'idleMs'] as const) {
    const value = init[name]
    if (value !== undefined) limits[name] = value
  }
  return limits
}

function startDeadline(control: AbortController, signal: AbortSignal | null, timeoutMs: number, host: string) {
  const abort = () => control.abort(new EgressError('aborted', host))
  if (signal?.aborted) control.abort(new EgressError('aborted', host, { sent: false }))
  signal?.addEventListener('abort', abort, { once: true })
  const expire = () => control.abort(new EgressError('timeout', host))
  const timer = Number.isFinite(timeoutMs) ? setTimeout(expire, timeoutMs) : undefined
  return () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}
