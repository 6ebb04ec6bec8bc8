import { EgressError } from '../egress/egress_error.ts'
import { OAuthError } from '../oauth/errors.ts'
import { discoverProvider } from '../relying/discovery.ts'
import { isErrorWithin200, readErrorResponse } from '../relying/error_response.ts'
import { readJsonObject } from '../relying/read_json.ts'
import { type Connector, localize } from './connector.ts'
import type { OutboundContext } from './context.ts'
import { findFreshToken, freshToken, type NoToken, type TokenWish, type UsableToken } from './fresh_token.ts'
import { readApiBase } from './learned.ts'
import { requestHeaders, responseHeaders } from './proxy_headers.ts'
import { joinPath } from './proxy_path.ts'
import type { ConnectionUser } from './uses.ts'

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
  | NoToken

const METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'])
const BODILESS = new Set(['GET', 'HEAD'])
const REPLAYABLE_BYTES = 65_536
const REFUSAL_BYTES = 4_096

/**
 * Makes a request to a provider's API with the token of a connection, streaming both ways. When the API refuses the
 * token it is renewed once, and the request repeated if its body is at hand. The token never leaves the server.
 */
export async function forward(context: OutboundContext, request: ForwardRequest): Promise<Forwarded> {
  if (!METHODS.has(request.method)) {
    const Allow = [...METHODS].join(', ')
    throw new OAuthError('invalid_request', `The proxy takes ${Allow}`, { status: 405, headers: { Allow } })
  }
  const { connection_id, user_id, client_id = null, connector: through } = request
  const wish = { connection_id, user_id, client_id, ...(through === undefined ? {} : { connector: through }) }
  const found = await findFreshToken(context, wish)
  if (found.kind !== 'found') return found
  const { token, connector } = found
  const url = joinPath(await findApiBase(context, connector, token), request.path, request.query)
  const body = BODILESS.has(request.method) ? EMPTY : await readAhead(request.body)
  const { used_by } = request
  if (used_by) context.uses.note(context, { ...used_by, connection_id, user_id, connector: connector.record.connector })
  try {
    const sent = await send(context, connector, request, url, token, body.first)
    const { refused, response: first } = await readRefusal(connector, sent)
    if (!refused) return pass(first)
    const renewed = await renew(context, { ...wish, failed_generation: token.generation }, first)
    if (renewed.kind === 'token' && (renewed.generation === token.generation || !body.again)) return pass(first)
    await first.body?.cancel()
    if (renewed.kind !== 'token') return renewed
    return pass(await send(context, connector, request, url, renewed, body.again!()))
  } catch (cause) {
    if (!(cause instanceof EgressError)) throw cause
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
    return await freshToken(context, wish)
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

function send(
  context: OutboundContext,
  { provider }: Connector,
  { method, headers, signal }: ForwardRequest,
  url: URL,
  token: UsableToken,
  body: Body,
): Promise<Response> {
  return context.egress.fetch(url, {
    purpose: 'proxy',
    method,
    headers: requestHeaders(headers, provider, token),
    ...(body === null ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  })
}

function pass(response: Response): Forwarded {
  const { status, statusText, body, headers } = response
  return { kind: 'response', response: new Response(body, { status, statusText, headers: responseHeaders(headers) }) }
}

type Body = ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null

interface ReadBody {
  readonly first: Body
  /** Gives the body once more; absent where it was too long to keep. */
  readonly again?: () => Body
}

const EMPTY: ReadBody = { first: null, again: () => null }

/** Keeps a short body for a second try; a longer one goes on as a stream that starts with what was read. */
async function readAhead(stream: ReadableStream<Uint8Array> | null, most = REPLAYABLE_BYTES): Promise<ReadBody> {
  if (stream === null) return EMPTY
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  while (bytes <= most) {
    const { done, value } = await reader.read()
    if (done) {
      const whole = new Uint8Array(Buffer.concat(chunks))
      return bytes === 0 ? EMPTY : { first: whole, again: () => whole }
    }
    chunks.push(value)
    bytes += value.byteLength
  }
  return { first: continueStream(chunks, reader) }
}

function continueStream(
  chunks: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const ahead = chunks.shift()
        if (ahead) return controller.enqueue(ahead)
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
