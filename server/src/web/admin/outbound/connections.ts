import { ADMINISTRATOR } from '../../../inbound/tenants.ts'
import {
  findConnection,
  listConnections,
  pageConnections,
  type ShownConnection,
} from '../../../outbound/connections/connections.ts'
import { disconnect } from '../../../outbound/connections/disconnect.ts'
import { freshToken, type NoToken, type UsableToken } from '../../../outbound/connections/fresh_token.ts'
import { connectUrl, outboundEvent } from '../../../outbound/context.ts'
import { errorPage, ours, redirect, send, type Visit } from '../../page.ts'
import { joinApps } from '../../pages/joined_apps.ts'
import { readLapse, readReason } from '../../ui/connection_state.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import {
  type ConnectionData,
  REFRESH_OUTCOMES,
  type RevealData,
  renderConnection,
  renderReveal,
} from './templates/connection.ts'
import { LISTED_STATES, renderConnections } from './templates/connections.ts'

const PAGE = 50
/** Nobody picks from a longer list. */
const MOST_CHOICES = 100
const TAKE_TOKENS = 'vault:token'

/** GET /admin/connections?state=&connector=. */
export const connectionsPage = consolePage(async (visit) => {
  const { cursor, connector = '', state: asked } = visit.query
  const state = LISTED_STATES.find((known) => known === asked)
  const page = { connector, state: state ?? ('' as const), after_connection_id: cursor ?? '', most: PAGE + 1 }
  const { tenant_id, store } = visit.web.tenant
  const [found, all] = await Promise.all([
    pageConnections(visit.web.outbound, page),
    store.listConnectors({ tenant_id }),
  ])
  const shown = found.slice(0, PAGE)
  const connections = shown.map((connection) => ({
    connection_id: connection.connection_id,
    connector: connection.connector,
    provider_name: connection.provider_name,
    account_label: connection.account_label,
    user_id: connection.user_id ?? undefined,
    username: connection.username ?? connection.end_user_id ?? '',
    state: connection.state,
    reason: connection.state === 'needs_reconsent' ? readReason(connection.reason) : undefined,
    lapses_at: readLapse(connection),
    expires_at: connection.access_expires_at ?? undefined,
    refreshed_at: connection.issued_at ?? undefined,
    last_error: connection.last_error ?? undefined,
  }))
  const next_cursor = found.length > PAGE ? shown.at(-1)!.connection_id : undefined
  const filter = { state, connector: connector || undefined }
  const connectors = all.length > MOST_CHOICES ? [] : all.map((one) => one.connector)
  return send(visit, renderConnections(visit.view, { connections, filter, connectors, cursor, next_cursor }))
})

/** GET /admin/connection?connection_id=. */
export const connectionPage = consolePage(async (visit) => {
  const found = await find(visit, visit.query['connection_id'])
  if (!found) return errorPage(visit, 'not_found', 404)
  return send(visit, renderConnection(visit.view, await describe(visit, found)), { script: true })
})

/** POST /admin/connection/refresh: a new token of the provider, now. */
export const refreshConnectionSubmit = consoleSubmit(async (visit, _actor, values) => {
  const found = await find(visit, values['connection_id'])
  if (!found) return errorPage(visit, 'not_found', 404)
  const { connection_id } = found
  const token = await freshToken(visit.web.outbound, { ...wishFor(found), failed_generation: Number(values['seen']) })
  const outcome = outcomeOf(token, Number(values['seen']))
  return redirect(visit, ours(visit.web, paths.admin_connection, { connection_id, outcome }))
})

/** GET /admin/connection/token?connection_id=: the question before a token is shown. */
export const revealTokenPage = consolePage(async (visit) => {
  const found = await find(visit, visit.query['connection_id'])
  if (!found) return errorPage(visit, 'not_found', 404)
  if (mayReveal(visit, found) !== 'yes') return errorPage(visit, 'forbidden', 403)
  return send(visit, renderReveal(visit.view, reveal(visit, found)))
})

/** POST /admin/connection/token: shows the provider's token, after the log has it that it was shown. */
export const revealTokenSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant, outbound } = visit.web
  const found = await find(visit, values['connection_id'])
  if (!found) return errorPage(visit, 'not_found', 404)
  if (mayReveal(visit, found) !== 'yes') return errorPage(visit, 'forbidden', 403)
  const token = await freshToken(outbound, wishFor(found))
  if (token.kind !== 'token') {
    const why = token.kind === 'refused' && token.reason === 'bound' ? token.reason : token.kind
    return send(visit, renderReveal(visit.view, reveal(visit, found, { why })))
  }
  const { connection_id, connector, user_id } = found
  const more = { connection_id, user_id, detail: { connector } }
  await tenant.store.recordEvent(outboundEvent(outbound, 'connection.token_shown', actor, more))
  const { access_token, token_type, expires_at } = token
  const answer = { access_token, token_type, expires_at: expires_at ?? undefined }
  return send(visit, renderReveal(visit.view, reveal(visit, found, answer)), { script: true })
})

/** POST /admin/connection/disconnect. */
export const disconnectConnectionSubmit = consoleSubmit(async (visit, actor, values) => {
  const found = await find(visit, values['connection_id'])
  if (!found) return errorPage(visit, 'not_found', 404)
  const { connection_id, user_id } = found
  await disconnect(visit.web.outbound, { connection_id, user_id, actor, reason: 'administrator' })
  return redirect(visit, ours(visit.web, paths.admin_connection, { connection_id }))
})

function find(visit: Visit, connection_id = ''): Promise<ShownConnection | null> {
  return findConnection(visit.web.outbound, connection_id)
}

function wishFor({ connection_id, user_id, client_id }: ShownConnection) {
  return { connection_id, user_id, client_id }
}

function outcomeOf(token: UsableToken | NoToken, seen: number): (typeof REFRESH_OUTCOMES)[number] {
  if (token.kind !== 'token') return token.kind === 'refused' && token.reason === 'bound' ? 'refreshed' : token.kind
  return token.generation > seen ? 'refreshed' : 'kept'
}

/** Tokens of our users are taken out by whose roles give that; those of a platform's users by that platform alone. */
function mayReveal({ configuration }: Visit, { client_id }: ShownConnection): ConnectionData['may_reveal'] {
  if (client_id !== null) return 'of_platform'
  return configuration.roles.get(ADMINISTRATOR)?.includes(TAKE_TOKENS) ? 'yes' : 'no_right'
}

function reveal(visit: Visit, found: ShownConnection, answer?: RevealData['answer']): RevealData {
  const { connection_id, provider_name, account_label } = found
  const script = scriptOf(visit, 'getConnectionToken', { connection_id })
  return { connection_id, provider_name, account_label, answer, script }
}

async function describe(visit: Visit, found: ShownConnection): Promise<ConnectionData> {
  const { tenant, outbound } = visit.web
  const { tenant_id, store } = tenant
  const { connection_id, connector, provider_name, account_label, state, user_id, client_id, end_user_id } = found
  const authority = await store.loadConnection({ tenant_id, connection_id })
  const apps =
    user_id === null
      ? []
      : joinApps(
          visit,
          await store.listGrantsOfUser({ tenant_id, user_id }),
          await listConnections(outbound, user_id),
          new Map(),
        )
  const used_by = apps.flatMap(({ client_id, client_name, connections }) => {
    const used = connections.find((one) => one.connection_id === connection_id)
    return used ? [{ client_id, client_name, last_used_at: used.last_used_at }] : []
  })
  return {
    ...{ connection_id, connector, provider_name, account_label, state, used_by },
    reason: state === 'needs_reconsent' ? readReason(found.reason) : undefined,
    owner:
      user_id === null
        ? { client_id: client_id ?? '', end_user_id: end_user_id ?? '' }
        : { user_id, username: found.username ?? user_id },
    scopes: found.scope.split(' ').filter((scope) => scope !== ''),
    created_at: found.created_at,
    refreshed_at: found.issued_at ?? undefined,
    expires_at: found.access_expires_at ?? undefined,
    refresh_expires_at: found.refresh_expires_at ?? undefined,
    last_used_at: found.last_used_at ?? undefined,
    ends_at: found.ends_at ?? undefined,
    failures: found.refresh_failures,
    retry_at: found.retry_at ?? undefined,
    last_error: found.last_error ?? undefined,
    reconnect_url: user_id === null ? undefined : connectUrl(outbound, connector, connection_id),
    ends_all: found.revocation_ends === 'client_of_user',
    seen: String(authority?.connection.generation ?? 0),
    may_reveal: mayReveal(visit, found),
    outcome: REFRESH_OUTCOMES.find((known) => known === visit.query['outcome']),
    scripts: {
      refresh: scriptOf(visit, 'refreshConnection', { connection_id }),
      disconnect: scriptOf(visit, 'disconnectConnection', { connection_id }),
    },
  }
}
