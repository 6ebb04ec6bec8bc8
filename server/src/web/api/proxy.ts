import type { Context } from 'hono'
import { connectionAskUrl } from '../../inbound/authorization/connection_ask.ts'
import { readMetadata } from '../../inbound/clients/client_record.ts'
import { proxyResource } from '../../inbound/rights.ts'
import type { LivingToken } from '../../inbound/tokens/access_tokens.ts'
import { findConnectionUse } from '../../inbound/tokens/connection_use.ts'
import { noteConnectionUse } from '../../inbound/tokens/note_connection_use.ts'
import { requireAccessToken } from '../../inbound/tokens/require_access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ConnectionUser } from '../../outbound/uses.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { PageEnv } from '../page.ts'
import { isOpenTo } from './platform.ts'
import { relay } from './relay.ts'

/**
 * ANY /proxy/{connector}/{path}: calls the provider's API by the connection that the grant of the presented access token
 * may use.
 */
export function proxy(c: Context<PageEnv>): Promise<Response> {
  const connector = c.req.param('connector') ?? ''
  return relay(c, `/proxy/${connector}`, async ({ tenant, inbound, log }, request) => {
    const { tenant_id, issuer, store } = tenant
    const audience = [issuer, proxyResource(issuer, connector)]
    const living = await requireAccessToken(inbound, request, { audience, scope: [] })
    const { use, ...found } = findUse(tenant, living, connector, c.req.method)
    const { connection_id } = found
    // Only a token for the issuer itself gets here with a connector that may not exist.
    if (connection_id === null && !(await store.findConnector({ tenant_id, connector }))) {
      throw new OAuthError('invalid_target', 'There is no connector of this name', { status: 404 })
    }
    const owner = living.authority.grant?.client_id
    const { client_id } = living.claims
    // A server that was sent the token of a client acts for that client, whom the user has allowed it.
    const used_by =
      owner === undefined || owner === client_id
        ? userOf(living)
        : { client_id: owner, actor: `client:${client_id}`, grant_id: living.claims.grant_id }
    // The provider has answered: that stays its answer, noted or not.
    const onUsed = async () => {
      await (use && noteConnectionUse(tenant, living, use, null))?.catch((err) =>
        log.warn({ err }, 'a use was not noted'),
      )
    }
    return { connector, ...found, user_id: living.user_id ?? '', used_by, onUsed }
  })
}

/** ANY /proxy/connections/{connection_id}/{path}: the same for a platform, which names the connection. */
export function proxyConnection(c: Context<PageEnv>): Promise<Response> {
  const connection_id = c.req.param('connection_id') ?? ''
  return relay(c, `/proxy/connections/${connection_id}`, async ({ tenant, inbound }, request) => {
    const { tenant_id, issuer, store } = tenant
    // A platform whose users own it needs no right to the connections of everybody.
    const asked = { audience: [`${issuer}/api`], scope: ['vault:proxy'], or_scope: ['connect:token'] }
    const living = await requireAccessToken(inbound, request, asked)
    const found = (await store.loadConnection({ tenant_id, connection_id }))?.connection
    // What belongs to a user of another platform is not there.
    if (!found || !isOpenTo(found, living, 'vault:proxy')) {
      throw new OAuthError('invalid_target', 'There is no such connection', { status: 404 })
    }
    const { connector, user_id, client_id } = found
    return { connector, connection_id, user_id, client_id, used_by: userOf(living) }
  })
}

// What RFC 9110 section 9.2.1 calls safe.
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY'])

/** The connection that a token may use for a request of this method, or what its user has not allowed. */
function findUse(tenant: Tenant, living: LivingToken, connector: string, method: string) {
  const { claims, authority } = living
  const metadata = authority.token_client && readMetadata(authority.token_client.metadata)
  const caller = {
    client_id: claims.client_id,
    ...(metadata?.token_exchange && { token_exchange: metadata.token_exchange }),
  }
  const actions = [SAFE.has(method) ? ('read' as const) : ('write' as const)]
  const use = findConnectionUse(tenant.issuer, living, caller, { connector, actions })
  const ask_url = use.ask && connectionAskUrl(tenant, use.ask)
  return use.kind === 'use'
    ? { use, connection_id: use.choice.connection_id, ask_url }
    : { use: undefined, connection_id: null, ask_url, not_allowed: use.error_description }
}

function userOf({ claims: { client_id, sub, grant_id } }: LivingToken): ConnectionUser {
  return { client_id, actor: grant_id === undefined ? `client:${client_id}` : `user:${sub}`, grant_id }
}
