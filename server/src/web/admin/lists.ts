import { usernameKey } from '../../inbound/users/prepare_user.ts'
import { pageConnections } from '../../outbound/connections.ts'
import type { EventRecord } from '../../store/verbs/events.ts'
import { send, type Visit } from '../page.ts'
import { readLapse, readReason } from '../ui/connection_state.ts'
import { consolePage } from './administrator.ts'
import { LISTED_STATES, renderConnections } from './templates/connections.ts'
import { renderEvents } from './templates/events.ts'

const PAGE = 50
// Above every identifier: the cursor of the first page of a list that runs backwards.
const LAST_ID = '~'

/** GET /admin/connections. */
export const connectionsPage = consolePage(async (visit) => {
  const { cursor, connector = '', state: asked } = visit.query
  const state = LISTED_STATES.find((known) => known === asked)
  const page = { connector, state: state ?? ('' as const), after_connection_id: cursor ?? '', most: PAGE + 1 }
  const found = await pageConnections(visit.web.outbound, page)
  const shown = found.slice(0, PAGE)
  const connections = shown.map((connection) => ({
    connection_id: connection.connection_id,
    connector: connection.connector,
    provider_name: connection.provider_name,
    account_label: connection.account_label,
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
  return send(visit, renderConnections(visit.view, { connections, filter, cursor, next_cursor }))
})

/** GET /admin/events. */
export const eventsPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const { cursor = LAST_ID, event: type = '', actor: asked = '' } = visit.query
  const user = await store.findUserByUsername({ tenant_id, username_key: usernameKey(asked) })
  const actor = user ? `user:${user.user_id}` : asked
  const found = await store.pageEvents({ tenant_id, before_event_id: cursor, type, actor, most: PAGE + 1 })
  const shown = found.slice(0, PAGE)
  const names = await nameActors(visit, shown)
  const events = shown.map(({ at, type, actor, client_id, user_id, grant_id, connection_id }) => {
    const owner = actor === `user:${user_id}` ? null : names.get(`user:${user_id}`)
    const target = [client_id, owner, connection_id ?? grant_id].filter(Boolean).join(' · ')
    return { at, event: type, actor: names.get(actor) ?? actor, target }
  })
  const next_cursor = found.length > PAGE ? shown.at(-1)!.event_id : undefined
  const filter = { event: type || undefined, actor: asked || undefined }
  return send(visit, renderEvents(visit.view, { events, filter, cursor: visit.query['cursor'], next_cursor }))
})

/** The usernames behind the users of some events, by the name of their actor. */
async function nameActors(visit: Visit, events: readonly EventRecord[]): Promise<ReadonlyMap<string, string>> {
  const { tenant_id, store } = visit.web.tenant
  const actors = events.flatMap(({ actor, user_id }) => [actor, `user:${user_id ?? ''}`])
  const user_ids = [...new Set(actors)].flatMap((actor) => /^user:(.+)$/.exec(actor)?.[1] ?? [])
  const found = await store.findUsernames({ tenant_id, user_ids })
  return new Map(found.map(({ user_id, username }) => [`user:${user_id}`, username]))
}
