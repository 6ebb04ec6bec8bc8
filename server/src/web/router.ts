import { Hono } from 'hono'
import { randomBytes } from '../crypto/random.ts'
import type { Sender } from '../inbound/client_address.ts'
import { OAuthError } from '../oauth/errors.ts'
import { isForPrograms, refuse } from './api/api.ts'
import type { CompatDoor } from './door.ts'
import {
  type Answer,
  answerMachine,
  LARGEST_BODY,
  type MachineRequest,
  ORDINARY,
  readFailure,
  refusalAnswer,
} from './machine.ts'
import { errorPage, type PageEnv, page, refusalPage } from './page.ts'
import { homePage } from './pages/account.ts'
import { machineRoutes, pageRoutes } from './routes.ts'
import { HTTPS_ONLY } from './ui/headers.ts'
import type { Web, WebObserver } from './web.ts'

/** The endpoints for machines: whether a path is one of theirs, and their answers. */
export interface Machines {
  has(path: string): boolean
  /** The bytes that a body may have at this path. */
  largestBody(path: string): number
  answer(request: MachineRequest): Promise<Answer>
}

/** The endpoints of a server, each answer logged. */
export function createMachines(web: Web, doors: readonly CompatDoor[]): Machines {
  const routes = machineRoutes(web.tenant.issuer, doors, web.aliases)
  // A route that ends with a slash takes one more segment, and reads it from the path.
  const find = (path: string) => routes.get(path) ?? routes.get(path.slice(0, path.lastIndexOf('/') + 1))
  // As the table has it: what follows a slash at the end is whatever was sent.
  const nameOf = (path: string) => {
    const name = routes.has(path) ? path : path.slice(0, path.lastIndexOf('/') + 1)
    return name.slice(web.base.length)
  }
  return {
    has: (path) => find(path) !== undefined,
    largestBody: (path) => find(path)?.largest_body ?? LARGEST_BODY,
    async answer(request) {
      const started = performance.now()
      const answer = await answerMachine(find(request.path)!, web, request, web.log)
      if (answer.status >= 400 && web.observer) noteRefusal(web.observer, nameOf(request.path), answer)
      logRequest(web, request.request_id, request.method, request.path, answer.status, started)
      return web.production ? { ...answer, headers: { ...answer.headers, ...HTTPS_ONLY } } : answer
    },
  }
}

// A refusal begins with its code (see `refusalAnswer`); whatever else an endpoint answers has none.
function noteRefusal(observer: WebObserver, endpoint: string, { body }: Answer): void {
  const error = /^\{"error":"([a-z_]{1,40})"/.exec(body)?.[1] ?? 'other'
  if (!ORDINARY.has(error)) observer.refused(endpoint, error)
}

/** The router over Request and Response: machines first, then the pages. */
export function createRouter(web: Web, machines: Machines, doors: readonly CompatDoor[]): Hono<PageEnv> {
  const router = new Hono<PageEnv>()
  router.use(async (c, next) => {
    const request_id = newRequestId()
    const { pathname } = new URL(c.req.url)
    if (machines.has(pathname)) return answerRequest(machines, pathname, c.req.raw, request_id, c.env ?? {})
    const started = performance.now()
    c.set('web', web)
    c.set('request_id', request_id)
    // No name of ours has a NUL in it, and PostgreSQL takes none.
    if (pathname.includes('%00')) c.res = await c.notFound()
    else await next()
    c.header('X-Request-Id', request_id)
    for (const [name, value] of Object.entries({ ...DEFAULTS, ...(web.production && HTTPS_ONLY) })) {
      if (!c.res.headers.has(name)) c.header(name, value)
    }
    logRequest(web, request_id, c.req.method, c.req.path, c.res.status, started)
  })
  router.route(web.base === '' ? '/' : web.base, pageRoutes(doors, web.aliases))
  if (web.base !== '') router.get(`${web.base}/`, homePage)
  const notFound = page((visit) => errorPage(visit, 'not_found', 404))
  router.notFound((c) => (isForPrograms(c) ? refuse(c, NOT_FOUND) : notFound(c)))
  router.onError((error, c) => {
    if (isForPrograms(c)) return refuse(c, readFailure(error, c.get('request_id'), web.log))
    return page((visit) => refusalPage(visit, error))(c)
  })
  return router
}

const NOT_FOUND = new OAuthError('invalid_request', 'There is nothing at this URL', { status: 404 })

// What an answer carries unless it says otherwise (ASVS 3.4.4, 3.4.5, 3.5.8, 14.3.2).
const DEFAULTS = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** A short name for one request, by which its log lines and its error page are found. */
export function newRequestId(): string {
  return randomBytes(9).toString('base64url')
}

/** The refusal of a body over the limit (RFC 9110 section 15.5.14). */
export function tooLarge(largest: number): Answer {
  const text = `The body is larger than ${largest} bytes`
  return refusalAnswer(new OAuthError('invalid_request', text, { status: 413, headers: { Connection: 'close' } }))
}

async function answerRequest(
  machines: Machines,
  path: string,
  raw: Request,
  request_id: string,
  sender: Sender,
): Promise<Response> {
  const largest = machines.largestBody(path)
  const body = await readBytes(raw, largest)
  const answer = body
    ? await machines.answer({
        method: raw.method,
        path,
        query: new URL(raw.url).search.slice(1),
        header: (name) => raw.headers.get(name) ?? undefined,
        body,
        request_id,
        sender,
      })
    : tooLarge(largest)
  const headers = new Headers(answer.headers)
  headers.set('X-Request-Id', request_id)
  const body_out = answer.body === '' || raw.method === 'HEAD' ? null : answer.body
  return new Response(body_out, { status: answer.status, headers })
}

async function readBytes(raw: Request, largest: number): Promise<Uint8Array | null> {
  if (!raw.body) return EMPTY
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of raw.body) {
    size += chunk.byteLength
    if (size > largest) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const EMPTY = new Uint8Array(0)

// The path alone: a query may hold what must never stand in a log.
function logRequest(web: Web, request_id: string, method: string, path: string, status: number, started: number): void {
  const ms = Math.round((performance.now() - started) * 100) / 100
  web.log.info({ request_id, method, path, status, ms }, 'request')
}
