import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { App } from './app.ts'
import { createSenderReader, networkOf, type ReadSender, type Sender } from './inbound/client_address.ts'
import { newRequestId, tooLarge } from './web/router.ts'

// An import statement reads every name of the module, and one of them loads an HTTP client: 50 ms and 13 MB at each start.
const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http')

/** A listening server. */
export interface Listening {
  readonly server: Server
  readonly port: number
  /** Stops accepting, answers what is in flight, and cuts what is left after the grace. */
  stop(grace_ms?: number): Promise<void>
}

/** What a listener takes before it looks into a request (ASVS 15.2.2, and the docs of node:http). */
export const HTTP_LIMITS = {
  url_bytes: 8192,
  header_bytes: 16_384,
  header_seconds: 10,
  request_seconds: 15,
  keep_alive_seconds: 65,
  connections: 10_000,
  /** Of one address that is no trusted proxy. */
  connections_of_address: 256,
} as const

// Clients resolve dot segments and keep fragments to themselves (RFC 3986 sections 3.5, 5.2.4), and send no userinfo (RFC
// 9110 section 4.2.4): whoever does wants two readers to disagree.
const AMBIGUOUS = /#|^[^/]*:\/\/[^/]*@|(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i

/** Where to listen, and which proxies may say in X-Forwarded-For for whom they ask (addresses and CIDR ranges). */
export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly trusted_proxies?: readonly string[]
  /** How many connections at most, of all and of one address. */
  readonly connections?: number
  readonly connections_of_address?: number
  /** How long a whole request may take to come. */
  readonly request_seconds?: number
}

/** What is served: an app, or a smaller thing that answers the same way. */
export interface Served extends Pick<App, 'fetch' | 'machines'>, Partial<Pick<App, 'streams' | 'endStreams'>> {
  readonly web: Pick<App['web'], 'production'>
}

/** Serves an app over HTTP on one address (limits of OWASP ASVS 15.2.2 and of the docs of node:http). */
export async function listen(app: Served, options: ListenOptions): Promise<Listening> {
  const { trusted_proxies = [], request_seconds = HTTP_LIMITS.request_seconds } = options
  const { streams } = app
  const readSender = createSenderReader({ trusted_proxies, production: app.web.production })
  const answerPage = pageListener(app, readSender)
  const sendTogether = answersOfOneTurn()
  const server = createServer(
    {
      maxHeaderSize: HTTP_LIMITS.header_bytes,
      // Of two Authorization headers neither may silently win.
      joinDuplicateHeaders: true,
      headersTimeout: HTTP_LIMITS.header_seconds * 1000,
      requestTimeout: Math.max(request_seconds, streams?.seconds ?? 0, HTTP_LIMITS.header_seconds) * 1000,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: HTTP_LIMITS.keep_alive_seconds * 1000,
      keepAlive: true,
      noDelay: true,
    },
    (request, response) => {
      const url = request.url ?? '/'
      if (url.length > HTTP_LIMITS.url_bytes)
        return refuseUrl(response, 414, `The URL is longer than ${HTTP_LIMITS.url_bytes} bytes`)
      const question = url.indexOf('?')
      const path = question < 0 ? url : url.slice(0, question)
      if (hasContent(request)) endWhenLate(request, response, request_seconds, streams?.has(path) === true)
      if (app.machines.has(path)) {
        return answerMachine(
          app,
          path,
          question < 0 ? '' : url.slice(question + 1),
          request,
          response,
          readSender,
          sendTogether,
        )
      }
      if (AMBIGUOUS.test(path))
        return refuseUrl(response, 400, 'The URL has a fragment, userinfo, or . or .. as a segment')
      void answerPage(request, response)
    },
  )
  server.maxRequestsPerSocket = 0
  server.maxConnections = options.connections ?? HTTP_LIMITS.connections
  limitConnectionsOfAddress(server, readSender, options.connections_of_address ?? HTTP_LIMITS.connections_of_address)
  server.on('clientError', refuseGarbage)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  return { server, port, stop: (grace_ms = 10_000) => stop(app, server, grace_ms) }
}

// What stands between Node's requests and the web's is loaded with the first page: machines, and a start, need none of it.
function pageListener(app: Served, readSender: ReadSender): RequestListener {
  let loaded: Promise<RequestListener> | undefined
  const load = async () => {
    const { getRequestListener } = await import('@hono/node-server')
    const answer = (request: Request, { incoming }: { incoming: Pick<IncomingMessage, 'socket' | 'headers'> }) =>
      app.fetch(request, { ...senderOf(incoming, readSender), cut: () => void incoming.socket.destroy() })
    return getRequestListener(answer as Parameters<typeof getRequestListener>[0], {
      overrideGlobalObjects: false,
      // What is no URL, or has no host, never becomes a request.
      errorHandler: () =>
        new Response('This is no request that can be answered\n', { status: 400, headers: refusalHeaders() }),
    }) as RequestListener
  }
  return async (request, response) => {
    loaded ??= load()
    const listener = await loaded
    listener(request, response)
  }
}

// The hot endpoints read their small body as it comes: a web stream would cost more than the endpoint itself.
function answerMachine(
  app: Served,
  path: string,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
  readSender: ReadSender,
  sendTogether: typeof send,
): void {
  const sender = senderOf(request, readSender)
  const request_id = newRequestId()
  const largest = app.machines.largestBody(path)
  const chunks: Buffer[] = []
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= largest) chunks.push(chunk)
    else if (!response.headersSent) send(response, request_id, tooLarge(largest))
  })
  request.on('end', () => {
    if (size > largest) return
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    const { headers } = request
    const header = (name: string) => headers[name] as string | undefined
    void app.machines
      .answer({ method: request.method ?? 'GET', path, query, header, body, request_id, sender })
      .then((answer) => sendTogether(response, request_id, answer))
  })
  request.on('error', () => response.destroy())
}

// Headers are looked up by their exact name: X_Forwarded_For is another header, and nobody's word (CVE-2025-64484).
function senderOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>, readSender: ReadSender): Sender {
  return readSender(socket.remoteAddress, headers['x-forwarded-for'] as string | undefined)
}

// What a turn of the event loop made ready leaves at its end: whoever reads it is woken once for all of it, and not again
// and again while this process makes the next answer. Under load that is a sixth of the work of an answer.
function answersOfOneTurn(): typeof send {
  let ready: Parameters<typeof send>[] = []
  const sendAll = () => {
    const leaving = ready
    ready = []
    for (const args of leaving) send(...args)
  }
  return (...args) => {
    if (ready.push(args) === 1) setImmediate(sendAll)
  }
}

function send(
  response: ServerResponse,
  request_id: string,
  answer: { status: number; headers: Readonly<Record<string, string>>; body: string },
): void {
  const headers: Record<string, string | number> = { ...answer.headers, 'X-Request-Id': request_id }
  // An answer without content has no length either (RFC 9110 section 8.6).
  if (answer.status !== 204) headers['Content-Length'] = Buffer.byteLength(answer.body)
  response.writeHead(answer.status, headers)
  response.end(answer.body)
}

// Whoever opens more than anybody needs would leave none for others. Behind a proxy all connections are the proxy's.
function limitConnectionsOfAddress(server: Server, readSender: ReadSender, most: number): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const { address, through_proxy } = readSender(socket.remoteAddress, undefined)
    if (address === undefined || through_proxy) return
    const network = networkOf(address)
    const count = (open.get(network) ?? 0) + 1
    if (count > most) return void socket.destroy()
    open.set(network, count)
    socket.once('close', () => {
      const left = open.get(network)! - 1
      if (left === 0) open.delete(network)
      else open.set(network, left)
    })
  })
}

function hasContent({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** Ends a request whose content does not come in time, unless it streams, and is being answered still. */
function endWhenLate(request: IncomingMessage, response: ServerResponse, seconds: number, streams: boolean): void {
  const end = () => {
    if (streams && !response.writableEnded) return
    refuseGarbage(Object.assign(new Error('The request is late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), request.socket)
    request.socket.destroySoon()
  }
  const timer = setTimeout(end, seconds * 1000).unref()
  const stop = () => clearTimeout(timer)
  request.once('end', stop).once('close', stop)
}

/** Answers what the parser refused: a header block over the limit, a request that took too long, or no HTTP at all. */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const status = late ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nCache-Control: no-store\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  )
}

function refuseUrl(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, refusalHeaders())
  response.end(`${sentence}\n`)
}

function refusalHeaders(): Record<string, string> {
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': newRequestId(),
    Connection: 'close',
  }
}

async function stop(app: Served, server: Server, grace_ms: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  app.endStreams?.()
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), grace_ms)
  // Connections that fall idle while others are still being answered are let go as well.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  await closed
  clearTimeout(timer)
  clearInterval(idle)
}
