import { readSecureUrl } from '../resource/secure_url.ts'

/** A request to an API, before it is known where it goes and with which token. */
export interface ApiRequest {
  readonly url: string
  readonly init: RequestInit
  readonly method: string
  /** Whether the body can be sent once more. */
  readonly replayable: boolean
}

// RFC 9110 section 9.2.2: made twice they do what they do once.
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'QUERY'])

/** Reads the arguments of `fetch`. */
export function readApiRequest(input: string | URL | Request, init: RequestInit = {}): ApiRequest {
  const given = input instanceof Request ? input : undefined
  const method = (init.method ?? given?.method ?? 'GET').toUpperCase()
  const body = init.body ?? given?.body ?? null
  const replayable = isReplayable(body)
  const whole = {
    ...(given && { headers: given.headers, signal: given.signal }),
    ...init,
    method,
    body,
    // What streams is sent while the answer may already come.
    ...(!replayable && { duplex: 'half' }),
  }
  return { url: given?.url ?? String(input), init: whole, method, replayable }
}

/** Whether a request may be made again after this status said that it was not the moment for it. */
export function mayRepeat({ method, replayable }: ApiRequest, status: number): boolean {
  // Whoever says 429 has not begun; whoever says 503 may have.
  return replayable && (status === 429 || (status === 503 && IDEMPOTENT.has(method)))
}

function isReplayable(body: unknown): boolean {
  if (body === null || typeof body === 'string') return true
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return true
  return [URLSearchParams, FormData, Blob].some((type) => body instanceof type)
}

/** Where an API is, without a slash at its end. */
export function readApiBase(api_base_url: string): string {
  const url = readSecureUrl(api_base_url, 'api_base_url')
  if (url.search !== '') throw new TypeError('api_base_url must not have a query')
  return url.href.replace(/\/$/, '')
}

/**
 * The URL below `base` of what was asked for: a path from its slash on, or a URL below `api_base`. Whatever would leave
 * the base is a TypeError, so that a token goes nowhere else.
 */
export function findTarget(base: string, api_base: string | undefined, asked: string): string {
  const absolute = URL.canParse(asked) ? new URL(asked).href : undefined
  const isBelow = api_base !== undefined && absolute?.startsWith(`${api_base}/`)
  const path = isBelow ? absolute!.slice(api_base.length) : asked
  if (!/^\/(?!\/)/.test(path)) {
    throw new TypeError('fetch takes a path that starts with one slash, or a URL below api_base_url')
  }
  const target = new URL(base + path)
  target.hash = ''
  if (!target.href.startsWith(`${base}/`)) throw new TypeError('The path leaves the API')
  return target.href
}
