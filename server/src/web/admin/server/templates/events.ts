import { emptyState, pageHeader, pagination, type SameScript, sameByScript, table } from '../../../ui/components.ts'
import { buttonLink, field } from '../../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, moment, type View } from '../../../ui/view.ts'

/** One line of the list. */
export interface EventRow {
  readonly event_id: string
  readonly at: number
  /** The event's own name, such as `grant.revoked`. */
  readonly event: string
  readonly actor?: string | undefined
  readonly target?: string | undefined
}

/** What stands in the address and decides what is listed. */
export interface EventsFilter {
  readonly event?: string | undefined
  readonly actor?: string | undefined
  /** The username of whom an event is about. */
  readonly user?: string | undefined
  readonly connection?: string | undefined
  readonly until?: string | undefined
}

/** What the list of events shows. */
export interface EventsData {
  readonly events: readonly EventRow[]
  readonly filter?: EventsFilter
  readonly wrong?: 'user' | 'until' | undefined
  readonly cursor?: string | undefined
  readonly next_cursor?: string | undefined
  /** The newest number of the chain, where what follows it can be followed. */
  readonly after?: number | undefined
  readonly script?: SameScript | undefined
}

/** The audit log, newest first, with filters that live in the address. */
export function renderEvents(view: View, data: EventsData): SafeHtml {
  const { events } = view.text.console
  const { filter = {} } = data
  const columns = [events.when, events.event, events.actor, events.target]
  const rows = data.events.map((row) => cells(view, row))
  const list = rows.length === 0 ? emptyState(events.empty, events.empty_body) : table(events.title, columns, rows)
  const kept = { ...filter }
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.admin_events, kept),
    next: data.next_cursor && link(view, paths.admin_events, { ...kept, cursor: data.next_cursor }),
  })
  const save = buttonLink(events.export, link(view, paths.admin_export_events), 'quiet')
  const content = html`${pageHeader(events.title, events.lead, save)}${filters(view, data)}${follow(view, data)}<div id="list">${list}</div>${pages}${sameByScript(view, data.script)}`
  const live_events = data.after !== undefined
  return consolePage(view, { entry: 'events', title: events.title, live_events, content })
}

/** Following what happens; without script a way to look again. */
function follow(view: View, { filter = {}, after }: EventsData): Child {
  if (after === undefined) return ''
  const { events } = view.text.console
  const { until: _, ...kept } = filter
  const words = {
    ...{ 'data-stop': events.tail_stop, 'data-on': events.tail_on, 'data-news': events.tail_news },
    ...{ 'data-lost': events.tail_lost, 'data-ended': events.tail_ended, 'data-refused': events.tail_refused },
    'data-missed': events.tail_missed,
  }
  const url = link(view, paths.admin_follow_events, { ...kept, after: String(after) })
  const columns = [events.when, events.event, events.actor, events.target]
  const row = table(events.title, columns, [
    cells(view, { event_id: '', at: view.now, event: '', actor: ' ', target: ' ' }),
  ])
  return html`<div class="actions start live" id="live"${attrs({ 'data-url': url, ...words })}>${buttonLink(events.tail_look, link(view, paths.admin_events, kept))}<button class="button plain" type="button" aria-pressed="false" hidden>${events.tail}</button><p class="hint" role="status"></p><template>${row}</template></div>`
}

function cells(view: View, row: EventRow): Child[] {
  const to = link(view, paths.admin_event, { event_id: row.event_id })
  return [
    moment(view, row.at),
    html`<a href="${to}">${code(row.event)}</a>`,
    row.actor ? name(row.actor) : '–',
    row.target ? name(row.target, 200) : '–',
  ]
}

/** What names of events begin with; others are typed. */
const BEGINNINGS = [
  ...['client.', 'connection.', 'connector.', 'consent.', 'factor.', 'grant.', 'identity.', 'login.', 'password.'],
  ...[
    'permanent_token.',
    'resource.',
    'role.',
    'session',
    'settings.',
    'tenant.',
    'trusted_issuer.',
    'user.',
    'webhook.',
  ],
]

function filters(view: View, { filter = {}, wrong }: EventsData): SafeHtml {
  const { events } = view.text.console
  const { event, actor, user, connection, until } = filter
  const clear = Object.values(filter).some((value) => value !== undefined)
  const literal = { literal: true, autocomplete: 'off' }
  const fields = [
    field({ name: 'event', label: events.filter_event, value: event, offers: BEGINNINGS, ...literal }),
    field({ name: 'actor', label: events.filter_actor, value: actor, ...literal }),
    field({
      ...{ name: 'user', label: events.filter_user, value: user, ...literal },
      error: wrong === 'user' && events.filter_user_wrong,
    }),
    field({
      ...{ name: 'until', label: events.filter_until, value: until, ...literal },
      error: wrong === 'until' && events.filter_until_wrong,
    }),
  ]
  const of_one =
    connection !== undefined &&
    html`<input type="hidden" name="connection"${attrs({ value: connection })}><p class="hint">${events.of_connection} ${code(connection)}</p>`
  const buttons = html`<div class="actions"><button class="button plain">${events.apply}</button>${clear && buttonLink(events.clear, link(view, paths.admin_events), 'quiet')}</div>`
  return html`<form class="filters" role="search" action="${link(view, paths.admin_events)}">${fields}${of_one}${buttons}</form>`
}

/** What a member was, and what it became; undefined where it was not set. */
export interface ShownChange {
  readonly member: string
  readonly before?: string | undefined
  readonly after?: string | undefined
}

/** What the page of one event shows. */
export interface EventData extends Omit<EventRow, 'target'> {
  readonly client_id?: string | undefined
  readonly user?: { readonly user_id: string; readonly username: string } | undefined
  readonly grant_id?: string | undefined
  readonly connection_id?: string | undefined
  readonly request_id?: string | undefined
  readonly sequence?: number | undefined
  readonly chain?: string | undefined
  readonly changes: readonly ShownChange[]
  /** The rest of it, as JSON; undefined once it was erased. */
  readonly detail?: string | undefined
}
