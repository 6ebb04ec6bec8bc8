import { emptyState, pageHeader, pagination, table } from '../../../ui/components.ts'
import {
  type ConnectionReason,
  type ConnectionState,
  stateBadgeOfOthers,
  stateOfOthers,
} from '../../../ui/connection_state.ts'
import { buttonLink, select } from '../../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, link, tell, type View } from '../../../ui/view.ts'

/** One line of the list. */
export interface ConnectionRow {
  readonly connection_id: string
  readonly connector: string
  readonly provider_name: string
  readonly account_label: string
  /** Of a user of ours. */
  readonly user_id?: string | undefined
  readonly username: string
  readonly state: ConnectionState
  readonly reason?: ConnectionReason | undefined
  /** When the provider ends it, where that is soon. */
  readonly lapses_at?: number | undefined
  /** When the stored access token expires. */
  readonly expires_at?: number | undefined
  readonly refreshed_at?: number | undefined
  /** What the provider answered, redacted. */
  readonly last_error?: string | undefined
}

/** What the list of connections shows. */
export interface ConnectionsData {
  readonly connections: readonly ConnectionRow[]
  readonly filter?: { readonly state?: ConnectionState | undefined; readonly connector?: string | undefined }
  /** What can be chosen from; none where there are too many. */
  readonly connectors?: readonly string[]
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
    row.user_id === undefined
      ? name(row.username)
      : html`<a href="${link(view, paths.admin_user, { user_id: row.user_id })}">${name(row.username)}</a>`,
    html`${stateBadgeOfOthers(view, row.state)}${why(view, row)}`,
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
  const content = html`${pageHeader(connections.title, connections.lead, pending)}${filters(view, data)}${list}${pages}`
  return consolePage(view, { entry: 'connections', title: connections.title, content })
}

function filters(view: View, { filter = {}, connectors = [] }: ConnectionsData): SafeHtml {
  const { connections } = view.text.console
  const { state, connector } = filter
  const any = { value: '', label: connections.all }
  const states = LISTED_STATES.map((value) => ({ value, label: stateOfOthers(view, value) }))
  const named = connector === undefined || connectors.includes(connector) ? connectors : [...connectors, connector]
  const through = named.map((value) => ({ value, label: displayName(value) }))
  const fields = [
    select({ name: 'state', label: connections.state, value: state, choices: [any, ...states] }),
    through.length > 1 &&
      select({ name: 'connector', label: connections.connector, value: connector, choices: [any, ...through] }),
  ]
  const kept = through.length === 1 && connector !== undefined
  const hidden = kept && html`<input type="hidden" name="connector"${attrs({ value: connector })}>`
  const to = link(view, paths.admin_connections)
  const clear = (state ?? connector) !== undefined && buttonLink(connections.clear, to, 'quiet')
  return html`<form class="filters" action="${to}">${hidden}${fields}<div class="actions"><button class="button plain">${connections.apply}</button>${clear}</div></form>`
}
