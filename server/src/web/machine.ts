import { PasswordQueueFull } from '../crypto/password.ts'
import type { Sender } from '../inbound/client_address.ts'
import { OAuthError } from '../oauth/errors.ts'
import { type Params, readJsonParams, readParams } from '../oauth/params.ts'
import { StoreUnavailable } from '../store/sql.ts'
import type { Log } from './log.ts'

/** A request of a machine, without socket or stream: all its text is here. */
export interface MachineRequest {
  readonly method: string
  readonly path: string
  /** What follows the question mark, undecoded. */
  readonly query: string
  header(name: string): string | undefined
  readonly body: Uint8Array
  readonly request_id: string
  /** Where it comes from: never from a header that anybody may send. */
  readonly sender: Sender
}

/** An answer to a machine. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An endpoint for machines: which methods it takes, who may read it from another origin, how large a body may be. */
export interface MachineEndpoint<Context> {
  readonly methods: readonly string[]
  readonly cors: boolean
  /** In bytes, where it is not LARGEST_BODY. */
  readonly largest_body?: number
  answer(context: Context, request: MachineRequest): Promise<Answer> | Answer
}

/** The largest body of a machine endpoint, in bytes. */
export const LARGEST_BODY = 65_536
/** And of one that takes whole descriptions: registrations and pushed requests. */
export const LARGEST_DESCRIPTION = 131_072

const NO_STORE = { 'Cache-Control': 'no-store', Pragma: 'no-cache' }
const JSON_HEADERS = { 'Content-Type': 'application/json', ...NO_STORE, 'X-Content-Type-Options': 'nosniff' }

/** A JSON answer that nobody may keep (RFC 6749 section 5.1). */
export function jsonAnswer(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(value) }
}

/** The answer that a refusal becomes (RFC 6749 section 5.2). */
export function refusalAnswer(error: OAuthError): Answer {
  const { error: code, error_description, members } = error
  return jsonAnswer({ error: code, error_description, ...members }, error.status, error.headers)
}

/** Runs an endpoint and turns whatever it throws into an answer, once. */
export async function answerMachine<Context>(
  endpoint: MachineEndpoint<Context>,
  context: Context,
  request: MachineRequest,
  log: Log,
): Promise<Answer> {
  const answer = await refuseOr(endpoint, context, request, log)
  if (!endpoint.cors || request.header('origin') === undefined) return answer
  // Any origin may read: no cookie is looked at here, and no credentials flag is given.
  return { ...answer, headers: { ...answer.headers, 'Access-Control-Allow-Origin': '*', ...EXPOSED } }
}

const EXPOSED = { 'Access-Control-Expose-Headers': 'WWW-Authenticate, DPoP-Nonce, Retry-After' }

async function refuseOr<Context>(
  endpoint: MachineEndpoint<Context>,
  context: Context,
  request: MachineRequest,
  log: Log,
): Promise<Answer> {
  try {
    if (request.method === 'OPTIONS' && endpoint.cors) return preflight(endpoint.methods)
    // A HEAD is answered as a GET; whoever sends the answer leaves its body out (RFC 9110 section 9.3.2).
    const method = request.method === 'HEAD' ? 'GET' : request.method
    if (!endpoint.methods.includes(method)) throw methodNotAllowed(endpoint.methods)
    return await endpoint.answer(context, request)
  } catch (error) {
    return refusalAnswer(readFailure(error, request.request_id, log))
  }
}

/** The refusal of a method, with the methods there are (RFC 9110 section 15.5.6). */
export function methodNotAllowed(methods: readonly string[]): OAuthError {
  const Allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
  return new OAuthError('invalid_request', `This URL takes ${Allow}`, { status: 405, headers: { Allow } })
}

/** The refusal that a failure becomes: our own as they are, a busy server as 503, anything else as 500 and a log line. */
export function readFailure(error: unknown, request_id: string, log: Log): OAuthError {
  if (error instanceof OAuthError) {
    // ASVS 16.3.1 to 16.3.3: who is not let in, what is not allowed, and what tries to get round, by what it was told.
    if (!ORDINARY.has(error.error)) log.info({ request_id, error: error.error, cause: causeOf(error) }, 'refused')
    return error
  }
  if (error instanceof StoreUnavailable || error instanceof PasswordQueueFull) {
    log.warn({ request_id, err: error }, 'unavailable')
    return new OAuthError('temporarily_unavailable', 'The server cannot answer now; try again in a moment', {
      headers: { 'Retry-After': '1' },
    })
  }
  log.error({ request_id, err: error }, 'failed')
  return new OAuthError('server_error', `The server failed; its log has the reason under ${request_id}`)
}

/** Steps of a protocol that are no refusals but in form. */
export const ORDINARY: ReadonlySet<string> = new Set(['authorization_pending', 'slow_down', 'use_dpop_nonce'])

function causeOf(error: OAuthError): string {
  if (error.cause === undefined) return error.error_description
  return error.cause instanceof Error ? error.cause.message : String(error.cause)
}

function preflight(methods: readonly string[]): Answer {
  const headers = {
    'Access-Control-Allow-Methods': methods.join(', '),
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, DPoP, MCP-Protocol-Version',
    'Access-Control-Max-Age': '7200',
  }
  return { status: 204, headers, body: '' }
}

/** Reads the form of a POST (RFC 6749 section 4.1.3 and appendix B): UTF-8, of the right type, never from the URL. */
export function readForm(request: MachineRequest, options: { json?: boolean } = {}): Params {
  const json = options.json === true && isJson(request)
  if (readType(request) !== 'application/x-www-form-urlencoded' && !json) {
    throw new OAuthError('invalid_request', 'The Content-Type must be application/x-www-form-urlencoded')
  }
  if (request.query !== '') refuseSecretsInQuery(request.query)
  const text = decodeUtf8(request.body)
  return json ? readJsonParams(text) : readParams(text)
}

/** Whether a body says that it is JSON. */
export function isJson(request: MachineRequest): boolean {
  return readType(request) === 'application/json'
}

function readType(request: MachineRequest): string {
  return (request.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/** The text of a body; refused when it is not UTF-8. */
export function decodeUtf8(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  if (text.includes('\ufffd')) throw new OAuthError('invalid_request', 'The body is not UTF-8')
  return text
}

// What stands in a URL stands in logs as well, so credentials there are refused rather than read.
function refuseSecretsInQuery(query: string): void {
  for (const pair of query.split('&')) {
    const name = pair.split('=', 1)[0]!
    if (/^(client_secret|client_assertion|code|refresh_token|access_token|password|token|code_verifier)$/.test(name)) {
      throw new OAuthError('invalid_request', `Parameter ${name} must be in the body, not in the URL`)
    }
  }
}
