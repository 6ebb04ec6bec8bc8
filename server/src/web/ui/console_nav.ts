import { attrs, html, type SafeHtml } from './html.ts'
import { paths } from './paths.ts'
import { link, type View } from './view.ts'

/** The entries of the console's navigation, and where they lead, in the groups in which they stand. */
const GROUPS = {
  start: { overview: paths.admin },
  inbound: {
    clients: paths.admin_clients,
    grants: paths.admin_grants,
    users: paths.admin_users,
    roles: paths.admin_roles,
    resources: paths.admin_resources,
    trusted_issuers: paths.admin_trusted_issuers,
  },
  outbound: { connectors: paths.admin_connectors, connections: paths.admin_connections },
  server: {
    events: paths.admin_events,
    webhooks: paths.admin_webhooks,
    keys: paths.admin_keys,
    tenant: paths.admin_tenant,
    settings: paths.admin_settings,
    playground: paths.playground,
  },
} as const

type EntryOf<Group> = Group extends unknown ? keyof Group : never

/** An entry of the console's navigation. */
export type ConsoleEntry = EntryOf<(typeof GROUPS)[keyof typeof GROUPS]>

const ENTRIES = Object.values(GROUPS).flatMap((group) => Object.entries(group)) as readonly (readonly [
  ConsoleEntry,
  string,
])[]

/** The path of an entry. */
export function pathOfEntry(entry: ConsoleEntry): string {
  return ENTRIES.find(([known]) => known === entry)![1]
}

/** The navigation, beside the page or behind the menu button (a native popover, no script). */
export function consoleNav(view: View, now: ConsoleEntry | undefined): SafeHtml {
  const { layout, console } = view.text
  const groups = Object.entries(GROUPS).map(([group, paths_of]) => {
    const offered = (Object.entries(paths_of) as [ConsoleEntry, string][]).filter(
      ([entry]) => entry !== 'playground' || view.playground,
    )
    const entries = offered.map(([entry, to]) => {
      const current = attrs({ 'aria-current': entry === now ? 'page' : undefined })
      return html`<li><a href="${link(view, to)}"${current}>${console.nav[entry]}</a></li>`
    })
    const title = group !== 'start' && html`<p>${console.nav.groups[group as 'inbound' | 'outbound' | 'server']}</p>`
    return html`${title}<ul>${entries}</ul>`
  })
  return html`<nav id="nav" popover aria-label="${layout.console}">${groups}</nav>`
}
