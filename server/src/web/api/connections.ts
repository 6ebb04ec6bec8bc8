import { OAuthError } from '../../oauth/errors.ts'
import { explain } from '../../outbound/bridge.ts'
import { pageConnections, type ShownConnection } from '../../outbound/connections.ts'
import { disconnect } from '../../outbound/disconnect.ts'
import { freshToken, type NoToken, type UsableToken } from '../../outbound/fresh_token.ts'
import type { ConnectionRecord } from '../../store/verbs/connections.ts'
import { type ApiCall, api } from './api.ts'

const MOST = 100
const MOST_SECONDS = 3600

/** GET /api/connections?connector=&cursor=: connections, never their secrets. */
export const listConnectionsApi = api('admin:read', async ({ c, web, query }) => {
  const { connector = '', cursor = '' } = query
  const found = await pageConnections(web.outbound, { connector, after_connection_id: cursor, most: MOST + 1 })
  const shown = found.slice(0, MOST)
  const next_cursor = found.length > MOST ? shown.at(-1)!.connection_id : undefined
  return c.json({ connections: shown.map(describe), ...(next_cursor !== undefined && { next_cursor }) })
})

/** GET /api/connections/{connection_id}/token?min_seconds=: a usable access token of the provider. */
export const connectionTokenApi = api('vault:token', async (call) => {
  const owner = await findOwner(call)
  return owner ? answerToken(call, owner) : notFound(call)
})

/** POST /api/connections/{connection_id}/refresh: the same, renewed now. */
export const refreshConnectionApi = api('vault:token', async (call) => {
  const owner = await findOwner(call)
  return owner ? answerToken(call, owner, owner.generation) : notFound(call)
})

/** POST /api/connections/{connection_id}/disconnect: revokes upstream where the provider can, and destroys the key. */
export const disconnectApi = api('admin:write', async (call) => {
  const owner = await findOwner(call)
  if (!owner) return notFound(call)
  const { connection_id, user_id } = owner
  await disconnect(call.web.outbound, { connection_id, user_id, actor: call.actor })
  return call.c.body(null, 204)
})

async function answerToken(call: ApiCall, owner: Owner, failed_generation?: number): Promise<Response> {
  const min_seconds = readSeconds(call.query['min_seconds'] ?? '30')
  const { connection_id, user_id } = owner
  const wish = { connection_id, user_id, min_seconds, ...(failed_generation !== undefined && { failed_generation }) }
  const token = await freshToken(call.web.outbound, wish)
  if (token.kind !== 'token') return answerNoToken(call, owner.connector, token)
  return call.c.json(describeToken(token, call.web.tenant.clock()))
}

/** The parameter min_seconds: how much life a token is to have left. */
export function readSeconds(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= MOST_SECONDS) return Number(text)
  throw new OAuthError('invalid_request', `Parameter min_seconds must be a whole number up to ${MOST_SECONDS}`)
}

/** A provider's token as it is handed out: its extra members beside the standard ones. */
export function describeToken(token: UsableToken, now: number): Record<string, unknown> {
  const { access_token, token_type, scope, issued_at, expires_at, extra, connection_id } = token
  return {
    ...extra,
    access_token,
    token_type,
    scope,
    connection_id,
    issued_at: Math.floor(issued_at / 1000),
    ...(expires_at !== null && { expires_in: Math.max(0, Math.floor((expires_at - now) / 1000)) }),
  }
}

function answerNoToken({ c, web }: ApiCall, connector: string, answer: NoToken): Response {
  const { kind: _, status, retry_after_seconds, ...refusal } = explain(web.outbound, connector, answer)
  if (retry_after_seconds !== undefined) c.header('Retry-After', String(retry_after_seconds))
  return c.json(refusal, status)
}

type Owner = Pick<ConnectionRecord, 'connection_id' | 'user_id' | 'connector' | 'generation'>

async function findOwner({ c, web }: ApiCall): Promise<Owner | null> {
  const { tenant_id, store } = web.tenant
  const connection_id = c.req.param('connection_id') ?? ''
  const authority = await store.loadConnection({ tenant_id, connection_id })
  return authority?.connection ?? null
}

function notFound({ c }: ApiCall): Response {
  return c.json({ error: 'invalid_target', error_description: 'There is no such connection' }, 404)
}

function describe(connection: ShownConnection) {
  const { connection_id, connector, provider, user_id, username, account, account_name, scope, created_at } = connection
  return {
    connection_id,
    connector,
    provider,
    user_id,
    username,
    account,
    account_name,
    scope,
    state: connection.state,
    reason: connection.reason,
    created_at,
    expires_at: connection.access_expires_at,
    last_error: connection.last_error,
    revocation_ends: connection.revocation_ends,
  }
}
