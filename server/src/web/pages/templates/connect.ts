import { definitions, sign } from '../../ui/components.ts'
import { button, buttonLink, field, form, group, radio } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { caution, cross } from '../../ui/icons.ts'
import { narrowPage } from '../../ui/layout.ts'
import { code, displayName, name } from '../../ui/name.ts'
import { tell, tellText, type View } from '../../ui/view.ts'
import { type Asker, askerLines } from './connect_session.ts'

/** How a connect flow ended. */
export type ConnectOutcome =
  | 'connected'
  | 'reconnected'
  | 'refused'
  | 'failed'
  | 'over'
  | 'other_browser'
  | 'other_account'
  | 'already_connected'
  | 'connector_fault'

/** What the last page of a connect flow shows. */
export interface ConnectResultData {
  readonly outcome: ConnectOutcome
  readonly provider_name: string
  readonly account_label?: string | undefined
  readonly request_id: string
  /** The provider's own words, cleaned: for whoever is asked for help. */
  readonly said?: string | undefined
  /** Starts the flow again; left out where that cannot help. */
  readonly retry_href?: string | undefined
  /** Back to where the person came from: the account page, or the consent page. */
  readonly continue_href: string
}

/** The last page of a connect flow: what happened, and the way on. */
export function renderConnectResult(view: View, data: ConnectResultData): SafeHtml {
  const { connect } = view.text
  const { outcome } = data
  const fine = outcome === 'connected' || outcome === 'reconnected'
  const holes = {
    provider: name(data.provider_name),
    account: html`<strong>${name(data.account_label ?? data.provider_name)}</strong>`,
  }
  const ended = fine ? sign('good') : sign('warning', outcome === 'refused' ? caution : cross)
  const retry = !fine && data.retry_href && buttonLink(connect.try_again, data.retry_href, 'primary')
  const goOn = buttonLink(connect.go_on, data.continue_href, retry ? 'plain' : 'primary')
  const reference = fine
    ? ''
    : html`<p class="hint after">${tell(view, connect.request_id, { request_id: code(data.request_id) })}</p>`
  const said = data.said
    ? html`<p class="hint after">${tell(view, connect.provider_said, { ...holes, said: html`<q>${name(data.said, 300)}</q>` })}</p>`
    : ''
  const content = html`<div class="heading">${ended}<h1>${tell(view, connect[outcome], holes)}</h1><p class="lead">${tell(view, connect[`${outcome}_body`], holes)}</p></div><div class="stack">${retry}${goOn}</div>${said}${reference}`
  return narrowPage(view, {
    title: tellText(view, connect[outcome], { provider: displayName(data.provider_name) }),
    content,
  })
}

/** What the page shows on which a person chooses what a consent is for. */
export interface ConnectChoiceData {
  readonly action: string
  readonly provider_name: string
  readonly connector: string
  readonly account_label?: string | undefined
  /** Proves the flow that it belongs to. */
  readonly choice: string
  readonly options: readonly { readonly id: string; readonly name: string }[]
  /** Who asks, where somebody does. */
  readonly asker?: Asker | undefined
}

/** A consent that reaches several sites, companies or workspaces is for one of them, which the person chooses. */
export function renderConnectChoice(view: View, data: ConnectChoiceData): SafeHtml {
  const { connect } = view.text
  const provider = name(data.provider_name)
  const account = html`<strong>${name(data.account_label ?? data.provider_name)}</strong>`
  const title = tell(view, connect.choose_title, { provider })
  const options = data.options.map(({ id, name: label }) =>
    radio({ name: 'option', value: id, label: name(label, 200), required: true }),
  )
  const question = html`<span class="unseen">${title}</span>`
  const fields = html`${group(question, html`<div class="choices">${options}</div>`)}<div class="stack">${button(connect.confirm)}</div>`
  const hidden = { connector: data.connector, choice: data.choice }
  const asker = data.asker && definitions(askerLines(view, data.asker))
  const content = html`<div class="heading"><h1>${title}</h1><p class="lead">${tell(view, connect.choose_body, { account })}</p></div>${asker}${form(view, { action: data.action, hidden }, fields)}`
  return narrowPage(view, {
    title: tellText(view, connect.choose_title, { provider: displayName(data.provider_name) }),
    content,
  })
}

/** What the page shows on which a person types a key. */
export interface ConnectKeyData {
  readonly action: string
  readonly provider_name: string
  readonly credential: 'basic_pair' | 'api_key'
  /** What the record says of such keys. */
  readonly notes: string | null
  /** What was typed before cannot be a key. */
  readonly wrong: boolean
  readonly username?: string | undefined
  /** Who asks, where somebody does. */
  readonly asker?: Asker | undefined
}

/** A provider without OAuth takes a key, or a name and a password, that the person has from there. */
export function renderConnectKey(view: View, data: ConnectKeyData): SafeHtml {
  const { connect } = view.text
  const provider = name(data.provider_name)
  const is_pair = data.credential === 'basic_pair'
  const typed = { required: true, literal: true, autocomplete: 'off' } as const
  const error = data.wrong ? connect[is_pair ? 'key_wrong_pair' : 'key_wrong'] : undefined
  const pair =
    is_pair && field({ ...typed, name: 'username', label: connect.key_name, value: data.username, autofocus: true })
  const label = is_pair ? connect.key_password : connect.key
  const secret = field({ ...typed, name: 'secret', label, type: 'password', error, autofocus: !is_pair })
  const asker = data.asker && definitions(askerLines(view, data.asker))
  const hint = data.notes && html`<p class="hint">${name(data.notes, 400)}</p>`
  const content = html`<div class="heading"><h1>${tell(view, connect.key_title, { provider })}</h1><p class="lead">${tell(view, connect.key_body, { provider })}</p></div>${asker}${form(view, { action: data.action }, html`${pair}${secret}${hint}<div class="stack">${button(connect.confirm)}</div>`)}`
  return narrowPage(view, {
    title: tellText(view, connect.key_title, { provider: displayName(data.provider_name) }),
    content,
  })
}

/** What the confirm page of a connect flow shows. */
export interface ConnectConfirmData {
  readonly action: string
  readonly provider_name: string
  readonly account_label: string
  readonly scopes: readonly { readonly scope: string; readonly description: string }[]
  readonly user: { readonly username: string }
}

/** The one who finishes must be the one who started: the person sees the account before it goes live. */
export function renderConnectConfirm(view: View, data: ConnectConfirmData): SafeHtml {
  const { connect } = view.text
  const provider = name(data.provider_name)
  const rights: Child = data.scopes.map(({ scope, description }) => html`<p>${name(description || scope, 200)}</p>`)
  const facts = definitions([
    [connect.account, html`<strong>${name(data.account_label)}</strong>`],
    [connect.owner, name(data.user.username)],
    [connect.rights, data.scopes.length > 0 && rights],
  ])
  const decide = html`<div class="decide">${button(connect.cancel, { kind: 'ink', name: 'decision', value: 'deny' })}${button(
    connect.confirm,
    { name: 'decision', value: 'allow' },
  )}</div>`
  const content = html`<div class="heading"><h1>${tell(view, connect.confirm_title, { provider })}</h1><p class="lead">${connect.confirm_body}</p></div>${facts}${form(view, { action: data.action }, decide)}`
  const title = tellText(view, connect.confirm_title, { provider: displayName(data.provider_name) })
  return narrowPage(view, { title, content })
}
