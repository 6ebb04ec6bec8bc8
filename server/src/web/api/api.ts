import type { Context } from 'hono'
import { findCertificate } from '../../inbound/certificate_forwarding.ts'
import { renewNonce } from '../../inbound/client_authentication/sender_constraint.ts'
import type { LivingToken } from '../../inbound/tokens/access_tokens.ts'
import { type ResourceRequest, requireAccessToken } from '../../inbound/tokens/require_access_token.ts'
import type { OAuthError } from '../../oauth/errors.ts'
import { readFailure } from '../machine.ts'
import { type PageEnv, readQuery } from '../page.ts'
import type { Web } from '../web.ts'

/** A request of the administration API whose token is for it and holds the scope of the route. */
export interface ApiCall {
  readonly c: Context<PageEnv>
  readonly web: Web
  readonly query: Readonly<Record<string, string>>
  readonly token: LivingToken
  /** Who is named in the audit log. */
  readonly actor: string
}

/** A route of the administration API, `<issuer>/api` as a resource (RFC 6750, RFC 8707). */
export function api(scope: string, answer: (call: ApiCall) => Promise<Response>) {
  return async (c: Context<PageEnv>): Promise<Response> => {
    const web = c.get('web')
    try {
      const audience = [`${web.tenant.issuer}/api`]
      const request = readResourceRequest(c)
      const token = await requireAccessToken(web.inbound, request, { audience, scope: [scope] })
      for (const [name, value] of Object.entries(renewNonce(web.inbound, request.dpop))) c.header(name, value)
      const { client_id, sub, grant_id } = token.claims
      const actor = grant_id === undefined ? `client:${client_id}` : `user:${sub}`
      return await answer({ c, web, query: readQuery(c), token, actor })
    } catch (error) {
      return refuse(c, readFailure(error, c.get('request_id'), web.log))
    }
  }
}

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
  const { base } = c.get('web')
  const { pathname } = new URL(c.req.url)
  if (/^\/(api|proxy|\.well-known)(\/|$)/.test(pathname.startsWith(base) ? pathname.slice(base.length) : pathname))
    return true
  const accept = c.req.header('accept') ?? ''
  return /\bapplication\/([\w.-]+\+)?json\b/i.test(accept) && !/\btext\/html\b/i.test(accept)
}

/** A refusal as JSON (RFC 6749 section 5.2, RFC 6750 section 3). */
export function refuse(c: Context<PageEnv>, error: OAuthError): Response {
  for (const [name, value] of Object.entries(error.headers)) c.header(name, value)
  return c.json(
    { error: error.error, error_description: error.error_description, ...error.members },
    error.status as 400,
  )
}
