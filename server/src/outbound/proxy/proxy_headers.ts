import type { ResolvedProvider } from '../../providers/resolve.ts'
import { type HeldToken, readApiHeaders } from '../../relying/api_headers.ts'

// RFC 9110 section 7.6.1, and what older software still sends.
const HOP_BY_HOP = [
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'],
  ...['trailers', 'transfer-encoding', 'upgrade', 'http2-settings'],
]

// What speaks for the caller to us, or of us to others, is no business of the provider's.
const NEVER_SENT = new Set([
  ...HOP_BY_HOP,
  ...['authorization', 'cookie', 'cookie2', 'dpop', 'host', 'content-length', 'expect', 'accept-encoding'],
  ...['forwarded', 'via', 'x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'true-client-ip', 'cf-connecting-ip'],
  ...['origin', 'referer', 'client-cert', 'client-cert-chain', 'traceparent', 'tracestate', 'baggage'],
  // They would make it another request than the one that was allowed.
  ...['x-http-method-override', 'x-http-method', 'x-method-override'],
])
const NEVER_SENT_PREFIX = /^(x-forwarded-|x-original-|x-rewrite-|sec-|proxy-|cf-|x-sallyport-)/

// What would act on our own origin, or lead a client's OAuth library elsewhere, is not passed back.
const NEVER_RETURNED = new Set([
  ...HOP_BY_HOP,
  ...['set-cookie', 'set-cookie2', 'www-authenticate', 'authentication-info', 'strict-transport-security', 'alt-svc'],
  ...['clear-site-data', 'public-key-pins', 'public-key-pins-report-only', 'expect-ct', 'nel', 'report-to'],
  ...['reporting-endpoints', 'service-worker-allowed', 'content-security-policy', 'x-frame-options', 'refresh'],
  ...['content-security-policy-report-only', 'dpop-nonce', 'sourcemap', 'x-sourcemap', 'speculation-rules'],
  ...['expires', 'age', 'pragma', 'warning'],
])
const NEVER_RETURNED_PREFIX = /^(access-control-|cross-origin-|origin-agent-cluster|x-sallyport-|permissions-policy)/

/** What of a caller's headers is for the provider. */
export function callersHeaders(given: Headers): Headers {
  return keep(given, NEVER_SENT, NEVER_SENT_PREFIX)
}

/**
 * The headers that go to the provider: the caller's own, without credentials, the provider's token, and what the
 * provider wants of every call and the caller does not say better.
 */
export function requestHeaders(
  given: Headers,
  provider: ResolvedProvider,
  token: HeldToken,
  proof: string | null = null,
): Headers {
  const headers = callersHeaders(given)
  const { authorization_header, api_headers } = provider
  for (const [name, value] of Object.entries(readApiHeaders(provider, token, proof))) {
    if (
      name === authorization_header ||
      name === 'authorization' ||
      name === 'dpop' ||
      !headers.has(name) ||
      isOfConnection(api_headers[name])
    ) {
      headers.set(name, value)
    }
  }
  return headers
}

// What names a part of the connection is not for the caller to change: it would reach beyond what was chosen.
function isOfConnection(template = ''): boolean {
  return /\{\w+\}/.test(template)
}

/** The headers that come back; whatever the body is, a browser runs nothing of it on our origin. */
export function responseHeaders(given: Headers): Headers {
  const headers = keep(given, NEVER_RETURNED, NEVER_RETURNED_PREFIX)
  headers.set('content-security-policy', "sandbox; default-src 'none'")
  headers.set('x-content-type-options', 'nosniff')
  headers.set('cache-control', readCaching(given.get('cache-control')))
  return headers
}

// A cache between us and the caller would give one user's answer to another, and go on after the grant has ended.
function readCaching(theirs: string | null): string {
  return theirs === null || /\bno-store\b/i.test(theirs) ? 'no-store' : 'private, no-cache'
}

function keep(given: Headers, never: ReadonlySet<string>, prefix: RegExp): Headers {
  const named = new Set((given.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase()))
  const kept = new Headers()
  for (const [name, value] of given) {
    // Some servers read X_Forwarded_For as X-Forwarded-For.
    const dashed = name.replaceAll('_', '-')
    if (!never.has(dashed) && !prefix.test(dashed) && !named.has(name)) kept.append(name, value)
  }
  return kept
}
