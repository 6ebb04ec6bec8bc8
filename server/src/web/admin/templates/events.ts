import { emptyState, pageHeader, pagination, table } from '../../ui/components.ts'
import { buttonLink, field } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { consolePage } from '../../ui/layout.ts'
import { code, name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { link, moment, type View } from '../../ui/view.ts'

/** One line of the list. */
export interface EventRow {
  readonly at: number
  /** The event's own name, such as `grant.revoked`. */
  readonly event: string
  readonly actor?: string | undefined
  readonly target?: string | undefined
}

/** What the list of events shows. */
export interface EventsData {
  readonly events: readonly EventRow[]
  readonly filter?: { readonly event?: string | undefined; readonly actor?: string | undefined }
  readonly cursor?: string | undefined
  readonly next_cursor?: string | undefined
}

/** The audit log, newest first, with filters that live in the address. */
export function renderEvents(view: View, data: EventsData): SafeHtml {
  const { events } = view.text.console
  const { event, actor } = data.filter ?? {}
  const rows = data.events.map((row): Child[] => [
    moment(view, row.at),
    code(row.event),
    row.actor ? name(row.actor) : '–',
    row.target ? name(row.target, 200) : '–',
  ])
  const columns = [events.when, events.event, events.actor, events.target]
  const list = rows.length === 0 ? emptyState(events.empty, events.empty_body) : table(events.title, columns, rows)
  const kept = { event, actor }
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.admin_events, kept),
    next: data.next_cursor && link(view, paths.admin_events, { ...kept, cursor: data.next_cursor }),
  })
  const clear = (event || actor) && buttonLink(events.clear, link(view, paths.admin_events), 'quiet')
  const filters = html`<form class="filters" action="${link(view, paths.admin_events)}">${field({
    name: 'event',
    label: events.filter_event,
    value: event,
    literal: true,
    autocomplete: 'off',
  })}${field({ name: 'actor', label: events.filter_actor, value: actor, literal: true, autocomplete: 'off' })}<button class="button plain">${events.apply}</button>${clear}</form>`
  const content = html`${pageHeader(events.title, events.lead)}${filters}${list}${pages}`
  return consolePage(view, { entry: 'events', title: events.title, content })
}
