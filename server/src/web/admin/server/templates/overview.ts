import { card, definitions, emptyState, notice, pageHeader, section } from '../../../ui/components.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { countUpTo, link, tell, type View } from '../../../ui/view.ts'
import { type ActivityData, renderActivity } from './activity.ts'

/** What the overview shows. */
export interface OverviewData {
  readonly counts: { clients: number; users: number; grants: number; connections: number }
  readonly activity: ActivityData
  readonly attention: { connections_need: number; connectors_fail: number; secrets_expire: number }
  readonly server: { issuer: string; discovery: string; version: string; database: string; production: boolean }
}

/** The first page of the console. */
export function renderOverview(view: View, data: OverviewData): SafeHtml {
  const { overview } = view.text.console
  const { server } = data
  const about = definitions([
    [overview.issuer, code(server.issuer)],
    [overview.discovery, code(server.discovery)],
    [overview.mode, server.production ? overview.production : overview.development],
    [overview.database, name(server.database)],
    [overview.version, name(server.version)],
  ])
  const content = html`${pageHeader(overview.title, overview.lead)}${counts(view, data)}${section(overview.attention, attention(view, data))}${renderActivity(view, data.activity)}${section(overview.server, card(about))}`
  return consolePage(view, { entry: 'overview', title: overview.title, content })
}

function counts(view: View, data: OverviewData): SafeHtml {
  const labels = view.text.console.overview.counts
  const keys = ['clients', 'users', 'grants', 'connections'] as const
  return html`<dl class="counts">${keys.map((key) => html`<div><dt>${labels[key]}</dt><dd>${countUpTo(view, data.counts[key], data.activity.most)}</dd></div>`)}</dl>`
}

function attention(view: View, data: OverviewData): Child {
  const { overview } = view.text.console
  const places = [
    ['connections_need', link(view, paths.admin_connections, { state: 'needs_reconsent' })],
    ['connectors_fail', link(view, paths.admin_connectors)],
    ['secrets_expire', link(view, paths.admin_clients, { secrets: 'expiring' })],
  ] as const
  const items = places.filter(([key]) => data.attention[key] > 0)
  if (items.length === 0) return emptyState(overview.attention_none, overview.attention_none_body)
  return items.map(([key, to]) =>
    notice(
      'warning',
      html`<p>${tell(view, overview[key], { n: data.attention[key] })} <a href="${to}">${overview.look}</a></p>`,
    ),
  )
}
