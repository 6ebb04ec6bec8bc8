import { EgressError } from '../../egress/egress_error.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { proveUse } from '../../relying/api_headers.ts'
import { discoverProvider } from '../../relying/discovery.ts'
import { isNonceChallenge, noteNonce } from '../../relying/dpop.ts'
import { isErrorWithin200, readErrorResponse, readRetryAfter } from '../../relying/error_response.ts'
import { readJsonObject } from '../../relying/read_json.ts'
import { findFreshToken, type NoToken, type TokenWish, type UsableToken } from '../connections/fresh_token.ts'
import { type Connector, localize, relyingParty } from '../connectors/connector.ts'
import { readApiBase } from '../connectors/learned.ts'
import type { OutboundContext } from '../context.ts'
import type { ConnectionUser } from '../uses.ts'
import { refuseOwnCredentials } from './own_credentials.ts'
import { type Body, bodyTooLarge, readAhead, readBody } from './proxy_body.ts'
import { callersHeaders, requestHeaders, responseHeaders } from './proxy_headers.ts'
import { joinPath } from './proxy_path.ts'

/** A request that is to be made with the token of a connection. */
export interface ForwardRequest {
  readonly connection_id: string
  /** Its owner; null where that is a user whom a platform alone knows, and then the platform is named. */
  readonly user_id: string | null
  readonly client_id?: string | null
  /** From the path of the proxy, where it names one: the connection must go through it. */
  readonly connector?: string
  readonly method: string
  /** As it came, still encoded, from the slash on. */
  readonly path: string
  /** As it came, still encoded, without the question mark. */
  readonly query: string
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array> | null
  readonly signal?: AbortSignal
  /** Who is named in the audit log. */
  readonly used_by?: ConnectionUser
}

/** The provider's answer, or why there is none. */
export type Forwarded =
  | { readonly kind: 'response'; readonly response: Response }
  | { readonly kind: 'unreachable'; readonly status: 502 | 504; readonly reason: string }
  /** The provider has said that it wants no more calls by this connection for so long. */
  | { readonly kind: 'paused'; readonly retry_after_seconds: number }
  | NoToken

const METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'])
const BODILESS = new Set(['GET', 'HEAD'])
const REFUSAL_BYTES = 4_096
const LONGEST_PAUSE_MS = 3_600_000

/**
 * Makes a request to a provider's API with the token of a connection, streaming both ways. When the API refuses the
 * token it is renewed once, and the request repeated if its body is at hand. When the API says for how long it wants no
 * more calls (429 with Retry-After), none is made before. The token never leaves the server.
 */
export async function forward(context: OutboundContext, request: ForwardRequest): Promise<Forwarded> {
  if (!METHODS.has(request.method)) {
    const Allow = [...METHODS].join(', ')
    throw new OAuthError('invalid_request', `The proxy takes ${Allow}`, { status: 405, headers: { Allow } })
  }
  refuseOwnCredentials(request.headers, callersHeaders(request.headers), request.path, request.query)
  const { connection_id, user_id, client_id = null, connector: through } = request
  const wish = { connection_id, user_id, client_id, ...(through === undefined ? {} : { connector: through }) }
  const found = await findFreshToken(context, wish)
  if (found.kind !== 'found') return found
  const { token, connector } = found
  const pause_ms = (context.pauses.get(connection_id) ?? 0) - context.clock()
  if (pause_ms > 0) return { kind: 'paused', retry_after_seconds: Math.ceil(pause_ms / 1000) }
  const url = joinPath(await findApiBase(context, connector, token), request.path, request.query)
  const { largest_body } = context.proxy_limits
  const body = await readBody(request.headers, BODILESS.has(request.method) ? null : request.body, largest_body)
  const { used_by } = request
  if (used_by) context.uses.note(context, { ...used_by, connection_id, user_id, connector: connector.record.connector })
  const call = (token: UsableToken, sent: Body) =>
    send(context, connector, request, { url, token, body: sent, length: body.length })
  // An API that has only told the nonce that it wants has not looked at the token (RFC 9449 section 9).
  const wantsNonce = (response: Response) => token.proof_key !== undefined && isNonceChallenge(response)
  const callProved = async (token: UsableToken, sent: Body) => {
    const response = await call(token, sent)
    if (!body.again || !wantsNonce(response)) return response
    await response.body?.cancel()
    return call(token, body.again())
  }
  const pass = (response: Response) => passOn(context, connection_id, response)
  try {
    const answer = await callProved(token, body.first)
    if (wantsNonce(answer)) {
      // The next try has the nonce: whoever asked has to make it where the body is gone.
      await answer.body?.cancel()
      return { kind: 'unavailable', reason: 'provider', retry_after_seconds: 1 }
    }
    const { refused, response: first } = await readRefusal(connector, answer)
    if (!refused) return await pass(first)
    const renewed = await renew(context, { ...wish, failed_generation: token.generation }, first)
    if (renewed.kind === 'token' && (renewed.generation === token.generation || !body.again)) return await pass(first)
    await first.body?.cancel()
    if (renewed.kind !== 'token') return renewed
    return await pass(await callProved(renewed, body.again!()))
  } catch (cause) {
    if (!(cause instanceof EgressError)) throw cause
    // What is too large before there is an answer is the request, unless it is the parser's word on the answer's head.
    if (cause.code === 'too_large' && cause.cause === undefined) throw bodyTooLarge(largest_body)
    context.report(`a call through ${connector.record.connector} failed`, cause)
    return { kind: 'unreachable', status: cause.code === 'timeout' ? 504 : 502, reason: cause.code }
  }
}

/** Whether the API refuses the token: by 401, or by what its record says of errors with a status of success. */
async function readRefusal(
  { provider }: Connector,
  response: Response,
): Promise<{ readonly refused: boolean; readonly response: Response }> {
  const { status, statusText, headers } = response
  if (status === 401) return { refused: true, response }
  const { within_200 } = provider.error_response
  // A mere member named error may be the data that was asked for.
  const tells = status === 200 && within_200 !== null && typeof within_200 === 'object'
  if (!tells || !headers.get('content-type')?.startsWith('application/json')) return { refused: false, response }
  const { first, again } = await readAhead(response.body, REFUSAL_BYTES)
  const refused = first instanceof Uint8Array && isTokenDead(provider, Buffer.from(first).toString())
  return { refused, response: new Response(again ? again() : first, { status, statusText, headers }) }
}

function isTokenDead({ error_response }: Connector['provider'], text: string): boolean {
  try {
    const body = readJsonObject(text)
    if (!isErrorWithin200(error_response, body)) return false
    const error = readErrorResponse(error_response, body, 200, null, [])
    return error?.kind === 'refused' && error.error === 'invalid_grant'
  } catch {
    return false
  }
}

async function renew(context: OutboundContext, wish: TokenWish, first: Response): Promise<UsableToken | NoToken> {
  try {
    const found = await findFreshToken(context, wish)
    return found.kind === 'found' ? found.token : found
  } catch (cause) {
    await first.body?.cancel()
    throw cause
  }
}

/** Where a connection's API is: learned from the provider's own answer, known of it, or else where its userinfo is. */
async function findApiBase(context: OutboundContext, connector: Connector, token: UsableToken): Promise<string> {
  const learned = readApiBase(connector.provider, token.extra)
  if (learned !== null) return learned
  const { provider } = localize(context, connector, token.extra)
  if (provider.api_base_url !== null) return provider.api_base_url
  if (provider.api_hosts[0] !== undefined) return `https://${provider.api_hosts[0]}`
  const { userinfo_endpoint, issuer } = await discoverProvider(context.relying, provider)
  const url = URL.parse(userinfo_endpoint ?? issuer)
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new OAuthError('invalid_request', 'The connector does not say where the API is: set api_base_url')
  }
  return url.origin
}

async function send(
  context: OutboundContext,
  connector: Connector,
  { method, headers, signal }: ForwardRequest,
  { url, token, body, length }: { url: URL; token: UsableToken; body: Body; length: number | undefined },
): Promise<Response> {
  const { timeout_ms, idle_ms, largest_body } = context.proxy_limits
  const { provider } = connector
  const is_bound = provider.tls_client_certificate_bound_access_tokens
  const identity = is_bound ? relyingParty(context, connector).identity : undefined
  const proof = proveUse(context.relying, token.proof_key, token, { method, url })
  const sent = requestHeaders(headers, provider, token, proof)
  if (length !== undefined) sent.set('content-length', String(length))
  const response = await context.egress.fetch(url, {
    ...{
      purpose: 'proxy',
      identity,
      method,
      headers: sent,
      timeoutMs: timeout_ms,
      idleMs: idle_ms,
      maxBytes: largest_body,
    },
    ...(body === null ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  })
  if (proof !== null) noteNonce(context.relying, url, response)
  return response
}

async function passOn(context: OutboundContext, connection_id: string, response: Response): Promise<Forwarded> {
  const { status, statusText, body, headers } = response
  const asked_ms = status === 429 ? (readRetryAfter(headers, context.clock()) ?? 0) * 1000 : 0
  if (asked_ms > 0) context.pauses.set(connection_id, context.clock() + Math.min(asked_ms, LONGEST_PAUSE_MS))
  const { largest_body, largest_header } = context.proxy_limits
  const head = [...headers].reduce((bytes, [name, value]) => bytes + name.length + value.length + 4, 0)
  const length = body === null ? 0 : Number(headers.get('content-length') ?? 0)
  if (head > largest_header || length > largest_body) {
    await body?.cancel()
    return { kind: 'unreachable', status: 502, reason: 'too_large' }
  }
  return { kind: 'response', response: new Response(body, { status, statusText, headers: responseHeaders(headers) }) }
}
