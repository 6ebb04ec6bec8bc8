import { judgeSession } from '../../../inbound/sessions/sessions.ts'
import type { SealedEvent } from '../../../store/event_chain.ts'
import { errorPage, type Visit } from '../../page.ts'
import { displayName, exactText } from '../../ui/name.ts'
import { isoTime, momentText } from '../../ui/view.ts'
import { consolePage, isAdministrator } from '../forms/administrator.ts'
import { describeRows, readFilter } from './events.ts'

/** GET /admin/events/follow?event=&actor=&user=&connection=&after=: what happens, as it happens (Server-Sent Events). */
export const followEventsPage = consolePage(async (visit, administrator) => {
  const { c, web } = visit
  const { meant, wrong } = await readFilter(visit)
  if (wrong) return errorPage(visit, 'bad_request', 400)
  if (c.req.method === 'HEAD') return c.body(null)
  const { type, actor, user_id, connection_id } = meant
  const stream = web.event_tail.follow({
    user_id: administrator,
    after: readNumber(c.req.header('last-event-id')) ?? readNumber(visit.query['after']),
    matches: (event) =>
      event.type.startsWith(type) &&
      (actor === '' || event.actor === actor) &&
      (user_id === '' || event.user_id === user_id) &&
      (connection_id === '' || event.connection_id === connection_id),
    mayFollow: () => mayFollow(visit),
    write: (events) => writeRows(visit, events),
    cut: c.env?.cut,
  })
  if (!stream) {
    c.header('Retry-After', '60')
    return errorPage(visit, 'too_many', 429)
  }
  c.header('Content-Type', 'text/event-stream; charset=utf-8')
  // Whoever compresses on the way would wait for more of it.
  c.header('Cache-Control', 'no-store, no-transform')
  c.header('X-Content-Type-Options', 'nosniff')
  c.header('Cross-Origin-Resource-Policy', 'same-origin')
  // A proxy that collects answers before it passes them on would collect this one for ever.
  c.header('X-Accel-Buffering', 'no')
  return c.body(stream)
})

/** Read anew: the session may have ended since, and the role been taken away. To look on is no use of a session. */
async function mayFollow({ web, session }: Visit): Promise<boolean> {
  const { tenant } = web
  const { tenant_id, store } = tenant
  if (!session) return false
  const authority = await store.loadBrowserAuthority({ tenant_id, session_id: session.session_id, client_id: '' })
  if (!authority || authority.tenant.disabled_at !== null) return false
  const { settings } = await tenant.configuration(authority.tenant.config_version)
  const signed_in = judgeSession(authority, session, settings)
  return signed_in !== null && isAdministrator(signed_in)
}

/** The texts of the list's cells, made fit to be shown as the list makes them. */
async function writeRows(visit: Visit, events: readonly SealedEvent[]): Promise<string[]> {
  const rows = await describeRows(visit, events)
  return rows.map(({ event_id, at, event, actor, target }) =>
    JSON.stringify({
      event_id,
      ...{ at: isoTime(at), when: momentText(visit.view, at), event: exactText(event) },
      ...{ actor: displayName(actor ?? '') || '–', target: displayName(target ?? '', 200) || '–' },
    }),
  )
}

function readNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}
