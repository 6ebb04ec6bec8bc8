import { emptyState, pageHeader, pagination, table } from '../../../ui/components.ts'
import { type ConnectionReason, type ConnectionState, stateBadge } from '../../../ui/connection_state.ts'
import { buttonLink, select } from '../../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, link, tell, type View } from '../../../ui/view.ts'

/** One line of the list. */
export interface ConnectionRow {
  readonly connection_id: string
  readonly connector: string
  readonly provider_name: string
  readonly account_label: string
  readonly username: string
  readonly state: ConnectionState
  readonly reason?: ConnectionReason | undefined
  /** When the stored access token expires. */
  /** When the provider ends it, where that is soon. */
  readonly lapses_at?: number | undefined
  readonly expires_at?: number | undefined
  readonly refreshed_at?: number | undefined
  /** What the provider answered, redacted. */
  readonly last_error?: string | undefined
}

/** What the list of connections shows. */
export interface ConnectionsData {
  readonly connections: readonly ConnectionRow[]
  readonly filter?: { readonly state?: ConnectionState | undefined; readonly connector?: string | undefined }
  readonly cursor?: string | undefined
  readonly next_cursor?: string | undefined
}

/** The states that the list can be filtered by. */
export const LISTED_STATES = ['ready', 'needs_reconsent', 'error', 'pending', 'disconnected'] as const

function why(view: View, { reason, lapses_at }: ConnectionRow): SafeHtml | undefined {
  if (reason) return html` <small>${view.text.reason[reason]}</small>`
  if (lapses_at === undefined) return undefined
  return html` <small>${tell(view, view.text.console.connections.lapses, { when: ago(view, lapses_at) })}</small>`
}

/** The list of connections, filtered by what stands in the address. */
export function renderConnections(view: View, data: ConnectionsData): SafeHtml {
  const { connections } = view.text.console
  const { state, connector } = data.filter ?? {}
  const rows = data.connections.map((row): Child[] => [
    html`<a href="${link(view, paths.admin_connection, { connection_id: row.connection_id })}">${name(row.provider_name)}</a> <small>${name(row.account_label)}</small>`,
    name(row.username),
    html`${stateBadge(view, row.state)}${why(view, row)}`,
    row.expires_at === undefined ? '–' : ago(view, row.expires_at),
    row.refreshed_at === undefined ? view.text.time.never : ago(view, row.refreshed_at),
    row.last_error ? code(row.last_error) : '–',
  ])
  const columns = [
    connections.account,
    connections.user,
    connections.state,
    connections.expires,
    connections.refreshed,
    connections.error,
  ]
  const connectors = buttonLink(view.text.console.connectors.title, link(view, paths.admin_connectors), 'primary')
  const nothing =
    state !== undefined || connector !== undefined
      ? emptyState(connections.none, connections.none_body)
      : emptyState(connections.empty, connections.empty_body, connectors)
  const list = rows.length === 0 ? nothing : table(connections.title, columns, rows)
  const kept = { state, connector }
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.admin_connections, kept),
    next: data.next_cursor && link(view, paths.admin_connections, { ...kept, cursor: data.next_cursor }),
  })
  const pending = buttonLink(view.text.console.connect_sessions.open, link(view, paths.admin_connect_sessions), 'quiet')
  const content = html`${pageHeader(connections.title, connections.lead, pending)}${filters(view, state, connector)}${list}${pages}`
  return consolePage(view, { entry: 'connections', title: connections.title, content })
}

function filters(view: View, state: ConnectionState | undefined, connector: string | undefined): SafeHtml {
  const { connections } = view.text.console
  const choices = [
    { value: '', label: connections.all },
    ...LISTED_STATES.map((value) => ({ value, label: view.text.state[value] })),
  ]
  const kept = connector && html`<input type="hidden" name="connector"${attrs({ value: connector })}>`
  return html`<form class="filters" action="${link(view, paths.admin_connections)}">${kept}${select({ name: 'state', label: connections.filter, value: state, choices })}<button class="button plain">${connections.apply}</button></form>`
}
