import { badge, emptyState, mark, pageHeader, pagination, table } from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, code, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, link, tell, type View } from '../../../ui/view.ts'
import { type Done, doneNotice } from '../../forms/templates/done.ts'
import type { ClientType } from './client_type.ts'

/** One line of the list. */
export interface ClientRow {
  readonly client_id: string
  readonly client_name?: string | undefined
  /** A path of ours. */
  readonly logo_uri?: string | undefined
  readonly type: ClientType
  readonly trusted: boolean
  /** Nobody of the tenant registered it. */
  readonly unverified?: boolean
  readonly disabled: boolean
  /** When the older of its two secrets ends, where that is soon. */
  readonly secret_ends_at?: number | undefined
  readonly created_at: number
}

/** What the list of clients shows. */
export interface ClientsData {
  readonly clients: readonly ClientRow[]
  /** Only those with a secret that ends soon. */
  readonly expiring?: boolean
  /** Set when this is not the first page. */
  readonly cursor?: string | undefined
  readonly next_cursor?: string | undefined
  readonly done?: Done | undefined
}

/** The list of clients. */
export function renderClients(view: View, data: ClientsData): SafeHtml {
  const { clients, client_types } = view.text.console
  const tokens = buttonLink(clients.registration_tokens, link(view, paths.admin_registration_tokens), 'plain')
  const add = html`${tokens}${buttonLink(clients.add, link(view, paths.admin_new_client), 'primary')}`
  const rows = data.clients.map((client) => [
    html`<div class="called">${mark(clientName(client), client.logo_uri)}<a href="${link(view, paths.admin_client, { client_id: client.client_id })}">${name(clientName(client))}</a></div>`,
    code(client.client_id),
    client_types[client.type],
    html`${client.disabled ? badge(clients.disabled, 'danger') : badge(clients.enabled, 'good')} ${client.trusted && badge(clients.trusted, 'note')} ${client.unverified && badge(clients.unverified, 'warning')} ${client.secret_ends_at !== undefined && badge(tell(view, clients.secret_ends, { when: ago(view, client.secret_ends_at) }), 'warning')}`,
    ago(view, client.created_at),
  ])
  const columns = [clients.name, clients.client_id, clients.type, clients.status, clients.created]
  const none = data.expiring
    ? emptyState(clients.expiring_empty, clients.expiring_lead)
    : emptyState(clients.empty, clients.empty_body, add)
  const list = rows.length === 0 ? none : table(clients.title, columns, rows)
  const secrets = data.expiring ? 'expiring' : undefined
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.admin_clients, { secrets }),
    next: data.next_cursor && link(view, paths.admin_clients, { secrets, cursor: data.next_cursor }),
  })
  const header = data.expiring
    ? pageHeader(
        clients.title,
        clients.expiring_lead,
        buttonLink(clients.all, link(view, paths.admin_clients), 'plain'),
      )
    : pageHeader(clients.title, clients.lead, rows.length > 0 && add)
  const content = html`${header}${doneNotice(view, data.done)}${list}${pages}`
  return consolePage(view, { entry: 'clients', title: clients.title, content })
}
