import type { Context } from 'hono'
import { findCertificate } from '../../inbound/certificate_forwarding.ts'
import type { ResourceRequest } from '../../inbound/tokens/require_access_token.ts'
import type { OAuthError } from '../../oauth/errors.ts'
import type { PageEnv } from '../page.ts'
import { answerProblem, problemOf } from './problem.ts'

/** The head of a program's request. Its URL is at the origin of the issuer, whatever host a proxy says it came to. */
export function readResourceRequest(c: Context<PageEnv>): ResourceRequest {
  const { origin, inbound } = c.get('web')
  const forwarding = inbound.certificate_forwarding
  return {
    method: c.req.method,
    url: origin + new URL(c.req.url).pathname,
    authorization: c.req.header('authorization'),
    dpop: c.req.header('dpop'),
    certificate: forwarding ? findCertificate(forwarding, c.env ?? {}, (name) => c.req.header(name)) : undefined,
  }
}

/** Whether whoever asks is a program: the URL is one of programs, or JSON is all that it takes. */
export function isForPrograms(c: Context<PageEnv>): boolean {
  if (/^\/(api|proxy|\.well-known)(\/|$)/.test(readOwnPath(c))) return true
  const accept = c.req.header('accept') ?? ''
  return /\bapplication\/([\w.-]+\+)?json\b/i.test(accept) && !/\btext\/html\b/i.test(accept)
}

/** A refusal as JSON (RFC 6749 section 5.2, RFC 6750 section 3); of the administration API as a problem besides. */
export function refuse(c: Context<PageEnv>, error: OAuthError): Response {
  if (/^\/api(\/|$)/.test(readOwnPath(c))) return answerProblem(c, problemOf(error))
  for (const [name, value] of Object.entries(error.headers)) c.header(name, value)
  return c.json(
    { error: error.error, error_description: error.error_description, ...error.members },
    error.status as 400,
  )
}

/** The path of a request under that of the issuer. */
function readOwnPath(c: Context<PageEnv>): string {
  const { base } = c.get('web')
  const { pathname } = new URL(c.req.url)
  return pathname.startsWith(base) ? pathname.slice(base.length) : pathname
}
