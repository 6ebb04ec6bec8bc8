import { type Fetch, isObject, readText } from '../resource/fetch_json.ts'
import { readCount, readSeconds } from '../resource/options.ts'
import { type Credential, userCredential } from '../vault/credential.ts'
import type { UserToken } from '../vault/options.ts'
import { type Patience, type PutOff, persist, sleep } from '../vault/patience.ts'
import { formatBearer, readRetryAfter, Sallyport } from '../vault/sallyport.ts'
import { VaultError } from '../vault/vault_error.ts'
import { AdminError, type Problem } from './admin_error.ts'
import type { Options, Page, Pages } from './call.ts'
import { type AdminOperations, OPERATIONS } from './operations.ts'

export type { Fetch } from '../resource/fetch_json.ts'
export type { UserToken } from '../vault/options.ts'
export { AdminError, type Problem } from './admin_error.ts'
export type { Change, Options, Page, Pages } from './call.ts'
export type * from './operations.ts'

/** How the administration API is asked: by a client for itself, or with a token that somebody has. */
export type AdminOptions = {
  /** The issuer identifier of the Sallyport. */
  readonly issuer: string
  /** Time for one answer, in seconds. Default 30. */
  readonly timeout_seconds?: number
  /** How often a request is made again that was not answered or was put off, where that cannot do it twice. Default 2. */
  readonly retries?: number
  /** The longest Retry-After that is waited for, in seconds. Default 10. */
  readonly longest_wait_seconds?: number
  /** The time in milliseconds since the epoch. Default: Date.now. */
  readonly clock?: () => number
  /** Waits so many milliseconds, or rejects when the signal is aborted. Default: a timer. */
  readonly wait?: (ms: number, signal?: AbortSignal | null) => Promise<void>
  /** The way out. Default: the runtime's fetch. */
  readonly fetch?: Fetch
} & (
  | {
      /** A client of its own (RFC 6749 section 4.4), sent as client_secret_basic. */
      readonly client_id: string
      readonly client_secret: string
      /** Default: all that the client has at the API. */
      readonly scope?: string
      readonly access_token?: undefined
    }
  | { readonly access_token: UserToken; readonly client_id?: undefined; readonly client_secret?: undefined }
)

const LARGEST_ANSWER = 16 * 2 ** 20
const FIRST_WAIT_SECONDS = 0.5
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** The functions of the administration API; throws a TypeError when the options cannot be right. */
export function createAdmin(options: AdminOptions): AdminOperations {
  const sallyport = new Sallyport(options as ConstructorParameters<typeof Sallyport>[0])
  const asking: Asking = {
    sallyport,
    credential: readCredential(sallyport, options),
    timeout_ms: readSeconds(options.timeout_seconds, 'timeout_seconds', 30) * 1000,
    patience: {
      retries: readCount(options.retries, 'retries', 2),
      longest_wait_seconds: readSeconds(options.longest_wait_seconds, 'longest_wait_seconds', 10),
      wait: options.wait ?? sleep,
    },
  }
  const functions = Object.entries(OPERATIONS).map(([name, text]) => {
    const operation = readOperation(text)
    return [name, (...given: unknown[]) => run(asking, operation, given)]
  })
  return Object.freeze(Object.fromEntries(functions)) as AdminOperations
}

/** The version of what a function has answered, for `if_match`; throws where it came without one. */
export function etagOf(answer: object): string {
  const etag = ETAGS.get(answer)
  if (etag === undefined) throw new TypeError('This is no answer that has a version')
  return etag
}

const ETAGS = new WeakMap<object, string>()

interface Asking {
  readonly sallyport: Sallyport
  readonly credential: Credential
  readonly timeout_ms: number
  readonly patience: Patience
}

interface Operation {
  readonly method: string
  readonly path: string
  readonly holes: number
  readonly marks: ReadonlySet<string>
}

interface Request {
  readonly url: string
  readonly operation: Operation
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly signal: AbortSignal | undefined
}

function readCredential(sallyport: Sallyport, options: AdminOptions): Credential {
  if (options.access_token !== undefined) return userCredential(options.access_token)
  sallyport.requireClient()
  const wish = { resource: `${sallyport.base}/api`, ...(options.scope !== undefined && { scope: options.scope }) }
  return (failed) => sallyport.clientToken(wish, failed)
}

function readOperation(text: string): Operation {
  const [method, path, ...marks] = text.split(' ') as [string, string, ...string[]]
  return { method, path, holes: path.split('{').length - 1, marks: new Set(marks) }
}

function run(asking: Asking, operation: Operation, given: readonly unknown[]): unknown {
  const { holes, marks } = operation
  const body = marks.has('body') ? given[holes] : undefined
  const options = (given[holes + (marks.has('body') ? 1 : 0)] ?? {}) as Options
  const names = given.slice(0, holes)
  if (marks.has('pages')) return readPages(asking, operation, names, options)
  return ask(asking, writeRequest(asking, operation, names, options, body))
}

function readPages(asking: Asking, operation: Operation, names: readonly unknown[], options: Options): Pages<unknown> {
  const load = (more: object) =>
    ask(asking, writeRequest(asking, operation, names, { ...options, ...more }, undefined)) as Promise<Page<unknown>>
  return {
    page: () => load({}),
    async *[Symbol.asyncIterator]() {
      for (let more: { cursor?: string } = {}; ; ) {
        const { items, next_cursor } = await load(more)
        yield* items
        if (next_cursor === undefined) return
        more = { cursor: next_cursor }
      }
    },
  }
}

function writeRequest(
  { sallyport }: Asking,
  operation: Operation,
  names: readonly unknown[],
  options: Options & { readonly if_match?: string },
  body: unknown,
): Request {
  const { signal, idempotency_key, if_match, ...query } = options
  let hole = 0
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = names[hole++]
    // An empty name would be another route's path, and dots would climb out of this one.
    if (typeof value !== 'string' || /^\.{0,2}$/.test(value))
      throw new TypeError(`${name} must be the name of something`)
    return encodeURIComponent(value)
  })
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  ).toString()
  return {
    url: `${sallyport.base}/api${path}${search === '' ? '' : `?${search}`}`,
    operation,
    headers: {
      accept: operation.marks.has('raw') ? '*/*' : 'application/json',
      ...(operation.marks.has('body') && { 'content-type': 'application/json' }),
      ...(if_match !== undefined && { 'if-match': if_match }),
      // One key for every try of this call, so that none of them is done twice.
      ...(operation.marks.has('keyed') && { 'idempotency-key': idempotency_key ?? crypto.randomUUID() }),
    },
    body: operation.marks.has('body') ? JSON.stringify(body) : undefined,
    signal,
  }
}

/** Asks, again where that is safe, and once more with another token where the first is not good any more. */
async function ask(asking: Asking, request: Request): Promise<unknown> {
  const attempt = async () => {
    const first = await obtain(asking.credential)
    try {
      return await send(asking, request, first)
    } catch (error) {
      if (!(error instanceof AdminError && error.status === 401)) throw error
      const second = await obtain(asking.credential, first)
      if (second === first) throw error
      return await send(asking, request, second)
    }
  }
  let wait_seconds = FIRST_WAIT_SECONDS / 2
  return persist(asking.patience, {
    attempt,
    judge: (outcome) => {
      wait_seconds *= 2
      return judge(request.operation, outcome, wait_seconds)
    },
    onRetry: () => {},
    signal: request.signal,
  })
}

/** Why an outcome need not be the last word: it passes, and asking again cannot do anything twice. */
function judge({ method, marks }: Operation, outcome: unknown, wait_seconds: number): PutOff | undefined {
  if (!(outcome instanceof AdminError)) return undefined
  const { status, error, retry_after_seconds } = outcome
  const put_off = { because: status, after_seconds: retry_after_seconds ?? wait_seconds }
  // Not done yet, says the server: a limit, or the same request still under way.
  if ((status === 429 || status === 409) && retry_after_seconds !== undefined) return put_off
  const passes = PASSING.has(status) || (status === 0 && error === 'temporarily_unavailable')
  return passes && (method === 'GET' || marks.has('keyed')) ? put_off : undefined
}

async function obtain(credential: Credential, failed?: string): Promise<string> {
  try {
    return await credential(failed)
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    const { retry_after_seconds } = error
    throw new AdminError(error.error, `No access token: ${error.error_description}`, {
      cause: error,
      retry_after_seconds,
    })
  }
}

async function send(asking: Asking, request: Request, access_token: string): Promise<unknown> {
  const { fetch, clock } = asking.sallyport
  const { url, operation, headers, body, signal } = request
  signal?.throwIfAborted()
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(), asking.timeout_ms)
  const init = {
    method: operation.method,
    headers: { ...headers, authorization: formatBearer(access_token) },
    redirect: 'manual',
    signal: signal ? AbortSignal.any([timer.signal, signal]) : timer.signal,
    ...(body !== undefined && { body }),
  } satisfies RequestInit
  try {
    const response = await fetch(url, init)
    // What streams may take as long as it takes; only its beginning is waited for.
    if (response.ok && operation.marks.has('raw')) return response
    const json = await readJson(response)
    if (!response.ok) throw toError(response, json, clock())
    if (response.status === 204) return undefined
    if (json === undefined)
      throw new AdminError('server_error', 'Sallyport answered without JSON', { status: response.status })
    const etag = response.headers.get('etag')
    if (etag !== null) ETAGS.set(json, etag)
    return json
  } catch (cause) {
    if (cause instanceof AdminError) throw cause
    signal?.throwIfAborted()
    throw new AdminError('temporarily_unavailable', 'Sallyport gave no answer that can be read', { cause })
  } finally {
    clearTimeout(timeout)
  }
}

function toError({ status, headers }: Response, json: object | undefined, now: number): AdminError {
  const problem = json as Problem | undefined
  const retry_after_seconds = readRetryAfter(headers, now)
  if (typeof problem?.error !== 'string' || typeof problem.error_description !== 'string') {
    return new AdminError('server_error', `Sallyport answered ${status}`, { status, retry_after_seconds })
  }
  return new AdminError(problem.error, problem.error_description, { status, problem, retry_after_seconds })
}

// The parser's own error would quote what it could not read, and that may be a secret.
async function readJson(response: Response): Promise<object | undefined> {
  const text = await readText(response, LARGEST_ANSWER)
  try {
    const json: unknown = JSON.parse(text)
    return isObject(json) ? json : undefined
  } catch {
    return undefined
  }
}
