import type { Context } from 'hono'
import { connectionOfToken } from '../../inbound/authorization/connections.ts'
import { renewNonce } from '../../inbound/client_authentication/sender_constraint.ts'
import { proxyResource } from '../../inbound/rights.ts'
import { requireAccessToken } from '../../inbound/tokens/require_access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { forwardForClient } from '../../outbound/bridge.ts'
import { readFailure } from '../machine.ts'
import type { PageEnv } from '../page.ts'
import type { Web } from '../web.ts'
import { readResourceRequest, refuse } from './api.ts'

/**
 * ANY /proxy/{connector}/{path}: calls the provider's API with the token of the connection that the grant of the
 * presented access token may use. The provider's token never leaves the server.
 */
export async function proxy(c: Context<PageEnv>): Promise<Response> {
  const web = c.get('web')
  const request_id = c.get('request_id')
  try {
    const connector = c.req.param('connector') ?? ''
    const { issuer } = web.tenant
    const audience = [issuer, proxyResource(issuer, connector)]
    const request = readResourceRequest(c)
    const living = await requireAccessToken(web.inbound, request, { audience, scope: [] })
    const connection_id = connectionOfToken(living, connector)
    // Only a token for the issuer itself gets here with a connector that may not exist.
    if (
      connection_id === null &&
      !(await web.tenant.store.findConnector({ tenant_id: web.tenant.tenant_id, connector }))
    ) {
      throw new OAuthError('invalid_target', 'There is no connector of this name', { status: 404 })
    }
    const { pathname, search } = new URL(c.req.url)
    const { raw } = c.req
    const answer = await forwardForClient(
      web.outbound,
      { connector, connection_id, user_id: living.user_id ?? '' },
      {
        method: raw.method,
        path: pathname.slice(`${web.base}/proxy/${connector}`.length) || '/',
        query: search.slice(1),
        headers: withoutCertificate(web, raw.headers),
        body: raw.body,
        signal: raw.signal,
      },
    )
    const renewed = Object.entries(renewNonce(web.inbound, request.dpop))
    if (answer.kind === 'response') {
      for (const [name, value] of renewed) answer.response.headers.set(name, value)
      return answer.response
    }
    for (const [name, value] of renewed) c.header(name, value)
    if (answer.kind === 'unreachable') {
      c.header(OUR_ERROR, 'provider_unreachable')
      const error_description = 'The provider could not be reached'
      return c.json({ error: 'provider_unreachable', error_description, reason: answer.reason }, answer.status)
    }
    const { kind: _, status, retry_after_seconds, ...refusal } = answer
    if (retry_after_seconds !== undefined) c.header('Retry-After', String(retry_after_seconds))
    c.header(OUR_ERROR, refusal.error)
    return c.json(refusal, status)
  } catch (error) {
    const failure = readFailure(error, request_id, web.log)
    c.header(OUR_ERROR, failure.error)
    return refuse(c, failure)
  }
}

// By this a caller knows our refusals from those of the provider, which cannot send it: see proxy_headers.ts.
const OUR_ERROR = 'X-Sallyport-Error'

// Whatever its name is here: the certificate of the client is between it and us.
function withoutCertificate({ inbound }: Web, given: Headers): Headers {
  const forwarding = inbound.certificate_forwarding
  if (!forwarding || !given.has(forwarding.header)) return given
  const headers = new Headers(given)
  headers.delete(forwarding.header)
  return headers
}
