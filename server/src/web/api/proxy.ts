import type { Context } from 'hono'
import { connectionOfToken } from '../../inbound/authorization/connections.ts'
import { proxyResource } from '../../inbound/rights.ts'
import type { LivingToken } from '../../inbound/tokens/access_tokens.ts'
import { requireAccessToken } from '../../inbound/tokens/require_access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ConnectionUser } from '../../outbound/uses.ts'
import type { PageEnv } from '../page.ts'
import { relay } from './relay.ts'

/**
 * ANY /proxy/{connector}/{path}: calls the provider's API by the connection that the grant of the presented access token
 * may use.
 */
export function proxy(c: Context<PageEnv>): Promise<Response> {
  const connector = c.req.param('connector') ?? ''
  return relay(c, `/proxy/${connector}`, async ({ tenant, inbound }, request) => {
    const { tenant_id, issuer, store } = tenant
    const audience = [issuer, proxyResource(issuer, connector)]
    const living = await requireAccessToken(inbound, request, { audience, scope: [] })
    const connection_id = connectionOfToken(living, connector)
    // Only a token for the issuer itself gets here with a connector that may not exist.
    if (connection_id === null && !(await store.findConnector({ tenant_id, connector }))) {
      throw new OAuthError('invalid_target', 'There is no connector of this name', { status: 404 })
    }
    return { connector, connection_id, user_id: living.user_id ?? '', used_by: userOf(living) }
  })
}

/** ANY /proxy/connections/{connection_id}/{path}: the same for a platform, which names the connection. */
export function proxyConnection(c: Context<PageEnv>): Promise<Response> {
  const connection_id = c.req.param('connection_id') ?? ''
  return relay(c, `/proxy/connections/${connection_id}`, async ({ tenant, inbound }, request) => {
    const { tenant_id, issuer, store } = tenant
    const living = await requireAccessToken(inbound, request, { audience: [`${issuer}/api`], scope: ['vault:proxy'] })
    const found = (await store.loadConnection({ tenant_id, connection_id }))?.connection
    if (!found) throw new OAuthError('invalid_target', 'There is no such connection', { status: 404 })
    const { connector, user_id } = found
    return { connector, connection_id, user_id: user_id ?? '', used_by: userOf(living) }
  })
}

function userOf({ claims: { client_id, sub, grant_id } }: LivingToken): ConnectionUser {
  return { client_id, actor: grant_id === undefined ? `client:${client_id}` : `user:${sub}`, grant_id }
}
