import { card, definitions, emptyState, notice, pageHeader, section } from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
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
  /** What somebody has to see to, each with how often. */
  readonly attention: {
    connections_need: number
    connectors_fail: number
    webhooks_fail: number
    secrets_expire: number
  }
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
  const content = html`${pageHeader(overview.title)}${attention(view, data)}${counts(view, data)}${first(view, data)}${renderActivity(view, data.activity)}${section(overview.server, card(about))}`
  return consolePage(view, { entry: 'overview', title: overview.title, content })
}

/** Whether all is well, and else what to do, before everything else. */
function attention(view: View, data: OverviewData): SafeHtml {
  const { overview } = view.text.console
  const places = [
    ['connections_need', link(view, paths.admin_connections, { state: 'needs_reconsent' })],
    ['connectors_fail', link(view, paths.admin_connectors)],
    ['webhooks_fail', link(view, paths.admin_webhooks)],
    ['secrets_expire', link(view, paths.admin_clients, { secrets: 'expiring' })],
  ] as const
  const items = places.filter(([key]) => data.attention[key] > 0)
  if (items.length === 0) {
    return notice(
      'good',
      html`<p><strong>${overview.attention_none}</strong></p><p>${overview.attention_none_body}</p>`,
    )
  }
  const rows = items.map(
    ([key, to]) =>
      html`<li>${tell(view, overview[key], { n: data.attention[key] })} <a href="${to}">${overview.look}</a></li>`,
  )
  return notice('warning', html`<h2>${overview.attention}</h2><ul>${rows}</ul>`)
}

const COUNTED = {
  ...{ clients: paths.admin_clients, users: paths.admin_users },
  ...{ grants: paths.admin_grants, connections: paths.admin_connections },
} as const

function counts(view: View, data: OverviewData): SafeHtml {
  const labels = view.text.console.overview.counts
  const keys = Object.keys(COUNTED) as (keyof typeof COUNTED)[]
  const shown = keys.map((key) => {
    const n = countUpTo(view, data.counts[key], data.activity.most)
    return html`<div><dt>${labels[key]}</dt><dd><a href="${link(view, COUNTED[key])}" aria-label="${`${labels[key]}: ${n}`}">${n}</a></dd></div>`
  })
  return html`<dl class="counts">${shown}</dl>`
}

/** Where to begin, as long as there is no client. */
function first(view: View, data: OverviewData): Child {
  const { clients } = view.text.console
  if (data.counts.clients > 0) return ''
  const add = buttonLink(clients.add, link(view, paths.admin_new_client, { first: 'true' }), 'primary')
  return html`<section>${emptyState(clients.empty, clients.empty_body, add)}</section>`
}
