import { card, emptyState, ending, mark, notice, section } from '../../ui/components.ts'
import { type ConnectionReason, type ConnectionState, stateBadge } from '../../ui/connection_state.ts'
import { button, buttonLink, form, group, radio } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { clientName, displayName, name } from '../../ui/name.ts'
import { connectPath, paths } from '../../ui/paths.ts'
import { ago, link, moment, tell, tellText, type View } from '../../ui/view.ts'
import { facts, lastUsed } from './account_facts.ts'
import { duration } from './consent.ts'

/** An account at another service. */
interface AccountConnection {
  readonly connection_id: string
  readonly connector: string
  readonly provider_name: string
  readonly account_label: string
  readonly state: ConnectionState
  readonly reason?: ConnectionReason | undefined
  /** When the provider ends it, where that is soon. */
  readonly lapses_at?: number | undefined
  readonly created_at: number
  readonly last_used_at?: number | undefined
  readonly used_by: readonly { readonly client_id: string; readonly client_name?: string | undefined }[]
  /** The end that was chosen for it. */
  readonly ends_at?: number | undefined
  /** Ends that the user may choose, in seconds from now, and the longest where there is one. */
  readonly end_choices?: readonly number[]
  readonly longest_seconds?: number | undefined
  /** Ending it over there ends more than this connection. */
  readonly ends_all?: boolean | undefined
}

/** What the account page shows of them. */
export interface AccountConnections {
  readonly connections: readonly AccountConnection[]
  /** What can be connected. */
  readonly connectors: readonly { readonly connector: string; readonly provider_name: string }[]
}

/** The connected accounts of a user, each with who uses it and the ways to repair, date and end it; and what can be connected. */
export function renderConnections(view: View, data: AccountConnections): SafeHtml {
  const { account } = view.text
  const list =
    data.connections.length === 0
      ? emptyState(account.connections_empty, account.connections_empty_body)
      : html`<ul class="cards">${data.connections.map((connection, i) => html`<li>${connectionCard(view, connection, i)}</li>`)}</ul>`
  const more =
    data.connectors.length > 0 &&
    html`<h3>${account.connect_heading}</h3><div class="actions start">${data.connectors.map(
      ({ connector, provider_name }) =>
        buttonLink(tell(view, account.connect, { provider: name(provider_name) }), link(view, connectPath(connector))),
    )}</div>`
  const lead = tell(view, account.connections_lead, { tenant: name(view.tenant.name) })
  return section(account.connections, html`${list}${more}`, lead)
}

function connectionCard(view: View, connection: AccountConnection, index: number): SafeHtml {
  const { account, reason } = view.text
  const provider = name(connection.provider_name)
  const broken = connection.state === 'needs_reconsent'
  const repair = link(view, connectPath(connection.connector), { connection_id: connection.connection_id })
  const disconnect = ending(view, {
    id: `disconnect-${index}`,
    label: account.disconnect,
    title: tell(view, account.disconnect_title, { account: name(connection.account_label) }),
    consequences: [
      tell(view, account.disconnect_ends, { provider }),
      ...(connection.ends_all ? [tell(view, account.disconnect_ends_all, { provider })] : []),
      ...connection.used_by.map((client) =>
        tell(view, account.disconnect_ends_app, { client: name(clientName(client)) }),
      ),
    ],
    action: link(view, paths.account_disconnect),
    hidden: { connection_id: connection.connection_id },
  })
  const users = connection.used_by.map((client) => tell(view, account.used_by, { client: name(clientName(client)) }))
  const times = [
    tell(view, account.connected, { when: ago(view, connection.created_at) }),
    lastUsed(view, connection.last_used_at),
    connection.ends_at !== undefined && tell(view, account.ends, { when: moment(view, connection.ends_at) }),
    ...(users.length > 0 ? users : [account.used_by_none]),
  ]
  const title = html`<h3>${provider} ${stateBadge(view, connection.state)}</h3><p>${name(connection.account_label)}</p>`
  const { lapses_at } = connection
  const lapse = lapses_at !== undefined && tell(view, account.lapses, { provider, when: ago(view, lapses_at) })
  const why = broken ? reason[connection.reason ?? 'unknown'] : lapse
  const again = (broken || lapse) && buttonLink(account.reconnect, repair, 'primary')
  const ways = html`${again}${changeEnd(view, connection, index)}${disconnect}`
  return card(
    html`<div class="row">${mark(connection.provider_name)}<div class="grow">${title}${facts(times)}</div>${!why && html`<div class="actions">${ways}</div>`}</div>${
      // What is wrong stands before what helps.
      why && html`${notice('warning', html`<p>${why}</p>`)}<div class="actions start">${ways}</div>`
    }`,
  )
}

/** How long a connection is to last, chosen anew at any time. */
function changeEnd(view: View, connection: AccountConnection, index: number): Child {
  const { account, consent } = view.text
  const { end_choices = [], longest_seconds, connection_id } = connection
  const after = (seconds: number) => tellText(view, consent.until_expires, { duration: duration(view, seconds) })
  const latest = longest_seconds === undefined ? account.change_end_never : after(longest_seconds)
  const choices = [
    ...end_choices.map((seconds) =>
      radio({ name: 'expires_in', value: String(seconds), label: after(seconds), required: true }),
    ),
    radio({ name: 'expires_in', value: '', label: latest, required: true }),
  ]
  const id = `change-end-${index}`
  const named = { account: name(connection.account_label) }
  const cancel = html`<button type="button" class="button plain" popovertarget="${id}" popovertargetaction="hide">${account.change_app_cancel}</button>`
  const question = html`<span class="unseen">${tell(view, account.change_end_title, named)}</span>`
  const content = html`${group(question, html`<div class="choices">${choices}</div>`)}<p class="hint">${account.change_end_hint}</p><div class="actions">${cancel}${button(account.change_app_save)}</div>`
  const label = tellText(view, account.change_end_of, { account: displayName(connection.account_label) })
  const action = link(view, paths.account_connection_end)
  return html`<button type="button" class="button plain" popovertarget="${id}" aria-label="${label}">${account.change_end}</button><div class="popover" id="${id}" popover role="dialog" aria-labelledby="${id}-title"><h3 id="${id}-title">${tell(view, account.change_end_title, named)}</h3>${form(view, { action, hidden: { connection_id } }, content)}</div>`
}
