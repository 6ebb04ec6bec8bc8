import type { Context } from 'hono'
import { connectionAskUrl } from '../../inbound/authorization/connection_ask.ts'
import { hasActions } from '../../inbound/authorization/connections.ts'
import { readMetadata } from '../../inbound/clients/client_record.ts'
import { proxyResource } from '../../inbound/rights.ts'
import type { LivingToken } from '../../inbound/tokens/access_tokens.ts'
import { type ConnectionUse, findConnectionUse, type NoConnectionUse } from '../../inbound/tokens/connection_use.ts'
import { noteConnectionUse } from '../../inbound/tokens/note_connection_use.ts'
import { requireAccessToken } from '../../inbound/tokens/require_access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { openConnector } from '../../outbound/connectors/connector.ts'
import { actionOf } from '../../outbound/proxy/proxy_action.ts'
import type { ConnectionUser } from '../../outbound/uses.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { PageEnv } from '../page.ts'
import type { Web } from '../web.ts'
import { isOpenTo } from './platform.ts'
import { relay } from './relay.ts'

/**
 * ANY /proxy/{connector}/{path}: calls the provider's API by the connection that the grant of the presented access token
 * may use.
 */
export function proxy(c: Context<PageEnv>): Promise<Response> {
  const connector = c.req.param('connector') ?? ''
  return relay(c, `/proxy/${connector}`, async (web, request) => {
    const { tenant, inbound, log } = web
    const { issuer } = tenant
    const audience = [issuer, proxyResource(issuer, connector)]
    const living = await requireAccessToken(inbound, request, { audience, scope: [] })
    const { use, ...found } = await findUse(web, living, connector, c.req.raw)
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

/** The connection that a token may use for this request, or what its user has not allowed. */
async function findUse({ tenant, outbound }: Web, living: LivingToken, connector: string, { method, url }: Request) {
  const { claims, authority } = living
  const metadata = authority.token_client && readMetadata(authority.token_client.metadata)
  const caller = {
    client_id: claims.client_id,
    ...(metadata?.token_exchange && { token_exchange: metadata.token_exchange }),
  }
  const find = (action: 'read' | 'write') =>
    findConnectionUse(tenant.issuer, living, caller, { connector, actions: [action] })
  const action = actionOf(method, new URL(url).search)
  const use = find(action)
  if (use.kind === 'use' && hasActions(use.actions, ['write'])) return readUse(tenant, use)
  const { tenant_id, store } = tenant
  const record = await store.findConnector({ tenant_id, connector })
  // Only a token for the issuer itself gets here with a connector that may not exist.
  if (!record) throw new OAuthError('invalid_target', 'There is no connector of this name', { status: 404 })
  if (action === 'write' || openConnector(outbound, record).provider.reads_by_method) return readUse(tenant, use)
  const why = `, and no call through ${connector} is known to read alone: the methods of its API do not tell`
  return readUse(tenant, find('write'), why)
}

function readUse(tenant: Tenant, use: ConnectionUse | NoConnectionUse, why = '') {
  const ask_url = use.ask && connectionAskUrl(tenant, use.ask)
  return use.kind === 'use'
    ? { use, connection_id: use.choice.connection_id, ask_url }
    : { use: undefined, connection_id: null, ask_url, not_allowed: use.error_description + why }
}

function userOf({ claims: { client_id, sub, grant_id } }: LivingToken): ConnectionUser {
  return { client_id, actor: grant_id === undefined ? `client:${client_id}` : `user:${sub}`, grant_id }
}
