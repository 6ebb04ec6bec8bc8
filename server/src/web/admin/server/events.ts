import { idFromBytes } from '../../../crypto/random.ts'
import { usernameKey } from '../../../inbound/users/prepare_user.ts'
import type { ChainedEvent } from '../../../store/event_chain.ts'
import { exportEvents } from '../../export_events.ts'
import { errorPage, send, type Visit } from '../../page.ts'
import { consolePage } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { renderEvent } from './templates/event.ts'
import { type EventData, type EventRow, type EventsData, renderEvents } from './templates/events.ts'

const PAGE = 50
// Above every identifier: the cursor of the first page of a list that runs backwards.
const LAST_ID = '~'

/** GET /admin/events?event=&actor=&user=&connection=&until=: newest first. */
export const eventsPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const { filter, meant, until, wrong } = await readFilter(visit)
  const cursor = visit.query['cursor']
  // Read first: what happens meanwhile is listed twice rather than never.
  const head = await store.loadChainHead({ tenant_id })
  const found = wrong
    ? []
    : await store.pageEvents({ tenant_id, ...meant, before_event_id: cursor ?? until, most: PAGE + 1 })
  const shown = found.slice(0, PAGE)
  const events = await describeRows(visit, shown)
  const next_cursor = found.length > PAGE ? shown.at(-1)!.event_id : undefined
  const query = Object.fromEntries(
    Object.entries({ type: meant.type, actor: meant.actor }).filter(([, value]) => value !== ''),
  )
  const script = scriptOf(visit, 'listEvents', {}, { query })
  // What is listed up to a day, or from a later page on, is not where new events belong.
  const grows = !wrong && cursor === undefined && filter.until === undefined
  const after = grows ? head?.sequence : undefined
  const html = renderEvents(visit.view, { events, filter, wrong, cursor, next_cursor, after, script })
  return send(visit, html, { script: after !== undefined })
})

/** What the address asks for, and which events that means. */
export async function readFilter(visit: Visit) {
  const filter = {
    event: asked(visit, 'event'),
    actor: asked(visit, 'actor'),
    user: asked(visit, 'user'),
    connection: asked(visit, 'connection'),
    until: asked(visit, 'until'),
  }
  const [actor, user] = await Promise.all([findByName(visit, filter.actor), findByName(visit, filter.user)])
  const until = filter.until === undefined ? LAST_ID : idBefore(filter.until)
  const wrong: EventsData['wrong'] = user === null ? 'user' : until === null ? 'until' : undefined
  const meant = {
    type: filter.event ?? '',
    actor: actor ? `user:${actor.user_id}` : (filter.actor ?? ''),
    user_id: user?.user_id ?? '',
    connection_id: filter.connection ?? '',
  }
  return { filter, meant, until: until ?? LAST_ID, wrong }
}

/** GET /admin/event?event_id=. */
export const eventPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const { event_id = '' } = visit.query
  const found = await store.findEvent({ tenant_id, event_id })
  if (!found) return errorPage(visit, 'not_found', 404)
  const [row] = await describeRows(visit, [found])
  const { client_id, user_id, grant_id, connection_id, request_id, sequence, chain } = found
  const detail = JSON.parse(found.detail) as Readonly<Record<string, unknown>>
  const { changes, ...rest } = detail
  const usernames = user_id === null ? [] : await store.findUsernames({ tenant_id, user_ids: [user_id] })
  const data: EventData = {
    ...row!,
    client_id: client_id ?? undefined,
    user: user_id === null ? undefined : { user_id, username: usernames[0]?.username ?? user_id },
    grant_id: grant_id ?? undefined,
    connection_id: connection_id ?? undefined,
    request_id: request_id ?? undefined,
    sequence: sequence ?? undefined,
    chain: chain ? Buffer.from(chain).toString('base64url') : undefined,
    changes: readChanges(changes),
    detail: JSON.stringify(rest, null, 2),
  }
  return send(visit, renderEvent(visit.view, data))
})

/** GET /admin/events/export: the sealed chain as a file, the same lines that the API answers. */
export const exportEventsPage = consolePage(async (visit) => {
  visit.c.header('Content-Type', 'application/x-ndjson')
  visit.c.header('Content-Disposition', 'attachment; filename="events.ndjson"')
  visit.c.header('Cache-Control', 'no-store')
  visit.c.header('X-Content-Type-Options', 'nosniff')
  return visit.c.req.method === 'HEAD' ? visit.c.body(null) : visit.c.body(exportEvents(visit.web.tenant, 0))
})

function asked(visit: Visit, filter: string): string | undefined {
  return visit.query[filter]?.trim() || undefined
}

async function findByName(visit: Visit, username: string | undefined) {
  const { tenant_id, store } = visit.web.tenant
  return username === undefined
    ? undefined
    : store.findUserByUsername({ tenant_id, username_key: usernameKey(username) })
}

/** The cursor before which lies whatever happened until the end of a day or minute, by UTC: ids begin with their time. */
function idBefore(text: string): string | null {
  const [, day, time] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}))?$/.exec(text) ?? []
  if (day === undefined) return null
  const start = Date.parse(`${day}T${time ?? '00:00'}Z`)
  if (Number.isNaN(start)) return null
  const end = start + (time === undefined ? 86_400_000 : 60_000)
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(Math.max(end, 0), 0, 6)
  return idFromBytes(bytes)
}

/** The cells of some events, with users by their names. */
export async function describeRows(visit: Visit, events: readonly ChainedEvent[]): Promise<EventRow[]> {
  const names = await nameActors(visit, events)
  return events.map(({ event_id, at, type, actor, client_id, user_id, grant_id, connection_id }) => {
    const owner = actor === `user:${user_id}` ? null : names.get(`user:${user_id}`)
    const target = [client_id, owner, connection_id ?? grant_id].filter(Boolean).join(' · ')
    return { event_id, at, event: type, actor: names.get(actor) ?? actor, target }
  })
}

/** The usernames behind the users of some events, by the name of their actor. */
async function nameActors(visit: Visit, events: readonly ChainedEvent[]): Promise<ReadonlyMap<string, string>> {
  const { tenant_id, store } = visit.web.tenant
  const actors = events.flatMap(({ actor, user_id }) => [actor, `user:${user_id ?? ''}`])
  const user_ids = [...new Set(actors)].flatMap((actor) => /^user:(.+)$/.exec(actor)?.[1] ?? [])
  const found = await store.findUsernames({ tenant_id, user_ids })
  return new Map(found.map(({ user_id, username }) => [`user:${user_id}`, username]))
}

function readChanges(changes: unknown): EventData['changes'] {
  if (typeof changes !== 'object' || changes === null) return []
  return Object.entries(changes).flatMap(([member, pair]) => {
    if (!Array.isArray(pair)) return []
    const [before, after] = pair as [unknown, unknown]
    return { member, before: write(before), after: write(after) }
  })
}

function write(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}
