import { card, definitions, emptyState, notice, pageHeader, section } from '../../ui/components.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { consolePage } from '../../ui/layout.ts'
import { code, name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { count, link, tell, tellText, type View } from '../../ui/view.ts'

/** What the overview shows. */
export interface OverviewData {
  readonly counts: { clients: number; users: number; grants: number; connections: number }
  /** Oldest first. */
  readonly tokens_per_hour: readonly number[]
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
  const content = html`${pageHeader(overview.title, overview.lead)}${counts(view, data)}${section(overview.attention, attention(view, data))}${tokens(view, data)}${section(overview.server, card(about))}`
  return consolePage(view, { entry: 'overview', title: overview.title, content })
}

function counts(view: View, data: OverviewData): SafeHtml {
  const labels = view.text.console.overview.counts
  const keys = ['clients', 'users', 'grants', 'connections'] as const
  return html`<dl class="counts">${keys.map((key) => html`<div><dt>${labels[key]}</dt><dd>${count(view, data.counts[key])}</dd></div>`)}</dl>`
}

function attention(view: View, data: OverviewData): Child {
  const { overview } = view.text.console
  const places = [
    ['connections_need', link(view, paths.admin_connections, { state: 'needs_reconsent' })],
    ['connectors_fail', link(view, paths.admin_connectors)],
    ['secrets_expire', link(view, paths.admin_clients)],
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

const BAR = 10
const HEIGHT = 80

function tokens(view: View, data: OverviewData): Child {
  const { overview } = view.text.console
  const hours = data.tokens_per_hour
  if (hours.length === 0) return ''
  const most = Math.max(...hours)
  const highest = count(view, most)
  const bars = hours.map((n, i) => {
    const height = most === 0 ? 1 : Math.max(1, Math.round((n / most) * HEIGHT))
    return html`<rect x="${i * BAR}" y="${HEIGHT - height}" width="${BAR - 3}" height="${height}"/>`
  })
  const label = tellText(view, overview.tokens_plot, { last: count(view, hours.at(-1) ?? 0), highest })
  const box = `0 0 ${hours.length * BAR - 3} ${HEIGHT}`
  const plot = html`<svg class="plot" role="img" aria-label="${label}" viewBox="${box}" preserveAspectRatio="none">${bars}</svg>`
  return section(overview.tokens, card(plot), tell(view, overview.tokens_lead, { n: hours.length, highest }))
}
