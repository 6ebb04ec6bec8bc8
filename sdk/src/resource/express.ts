import { OAuthError } from '../oauth_error.ts'
import { type Access, checkRequirements, type Requirements } from './access.ts'
import type { RequestLike } from './presented_token.ts'
import type { Resource } from './resource.ts'

declare global {
  namespace Express {
    interface Request {
      /** Set by `protect` of @sallyport/sdk/express. */
      access?: Access
    }
  }
}

/** The part of Express's request that is read. Plain node:http has it too. */
export interface IncomingRequest {
  method?: string | undefined
  url?: string | undefined
  /** The URL before a router took its mount path off. */
  originalUrl?: string
  rawHeaders: readonly string[]
  /** Where this process ends TLS and asks for certificates, it has the one that the client has shown. */
  socket?: object
  access?: Access
}

/** The part of Express's response that is written. */
export interface OutgoingResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(body?: string): unknown
}

/** Express middleware, version 4 or 5. */
export type Middleware = (req: IncomingRequest, res: OutgoingResponse, next: (error?: unknown) => void) => Promise<void>

/**
 * Express middleware that sets `req.access` when the access token is valid here and meets the requirements, and
 * answers the request otherwise (RFC 6750 section 3). Metadata requests that pass by are answered too (RFC 9728
 * section 3).
 */
export function protect(resource: Resource, requirements: Requirements = {}): Middleware {
  checkRequirements(requirements)
  return async (req, res, next) => {
    const request = readRequest(req)
    try {
      const answer = resource.metadataResponse(request)
      if (answer !== undefined) return await send(res, answer)
      req.access = await resource.verify(request, requirements)
      const { dpop_nonce } = req.access
      if (dpop_nonce !== undefined) res.setHeader('dpop-nonce', dpop_nonce)
    } catch (error) {
      if (error instanceof OAuthError) return await send(res, error.getResponse())
      return next(error)
    }
    next()
  }
}

/** Express middleware that answers metadata requests, for an app whose protected routes do not cover the well-known path. */
export function serveMetadata(resource: Resource): Middleware {
  return async (req, res, next) => {
    const answer = resource.metadataResponse(readRequest(req))
    return answer === undefined ? next() : await send(res, answer)
  }
}

/** Express error middleware that answers the refusals a handler throws, such as those of `resource.require`. */
export function answerRefusals() {
  return async (error: unknown, _req: unknown, res: OutgoingResponse, next: (error?: unknown) => void) =>
    error instanceof OAuthError ? await send(res, error.getResponse()) : next(error)
}

/** The access of a request that went through `protect`. */
export function readAccess(req: IncomingRequest): Access {
  if (req.access === undefined) throw new TypeError('This route is not behind protect()')
  return req.access
}

function readRequest(req: IncomingRequest): RequestLike {
  return {
    method: req.method ?? 'GET',
    url: req.originalUrl ?? req.url ?? '/',
    headers: { get: (name) => readHeader(req.rawHeaders, name) },
    certificate: readCertificate(req.socket),
  }
}

/** The client's certificate of a TLS socket (node:tls), as DER. */
function readCertificate(socket: { getPeerCertificate?: () => { raw?: Uint8Array } } | undefined) {
  return socket?.getPeerCertificate?.().raw
}

/** All values of a header. Node's own `headers` would silently keep the first of two Authorization fields. */
function readHeader(rawHeaders: readonly string[], name: string): string | null {
  const values = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name)
  return values.length === 0 ? null : values.join(', ')
}

async function send(res: OutgoingResponse, response: Response): Promise<void> {
  res.statusCode = response.status
  response.headers.forEach((value, name) => {
    res.setHeader(name, value)
  })
  res.end(await response.text())
}
