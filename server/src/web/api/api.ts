import type { Context } from 'hono'
import { type LivingToken, requireAccessToken } from '../../inbound/access_tokens.ts'
import type { OAuthError } from '../../oauth/errors.ts'
import { readFailure } from '../machine.ts'
import type { PageEnv } from '../page.ts'
import type { Web } from '../web.ts'

/** A request of the administration API whose token is for it and holds the scope of the route. */
export interface ApiCall {
  readonly c: Context<PageEnv>
  readonly web: Web
  readonly token: LivingToken
  /** Who is named in the audit log. */
  readonly actor: string
}

/** A route of the administration API, `<issuer>/api` as a resource (RFC 6750, RFC 8707). */
export function api(scope: string, answer: (call: ApiCall) => Promise<Response>) {
  return async (c: Context<PageEnv>): Promise<Response> => {
    const web = c.get('web')
    c.header('Cache-Control', 'no-store')
    c.header('X-Content-Type-Options', 'nosniff')
    try {
      const audience = [`${web.tenant.issuer}/api`]
      const token = await requireAccessToken(web.inbound, c.req.header('authorization'), { audience, scope: [scope] })
      const { client_id, sub, grant_id } = token.claims
      return await answer({ c, web, token, actor: grant_id === undefined ? `client:${client_id}` : `user:${sub}` })
    } catch (error) {
      return refuse(c, readFailure(error, c.get('request_id'), web.log))
    }
  }
}

/** A refusal as JSON (RFC 6749 section 5.2, RFC 6750 section 3). */
export function refuse(c: Context<PageEnv>, error: OAuthError): Response {
  for (const [name, value] of Object.entries(error.headers)) c.header(name, value)
  return c.json(
    { error: error.error, error_description: error.error_description, ...error.members },
    error.status as 400,
  )
}
