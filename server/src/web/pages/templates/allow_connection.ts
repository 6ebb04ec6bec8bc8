import { badge, definitions, mark, notice, sign } from '../../ui/components.ts'
import { button, buttonLink, form, group, radio, select } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { arrows } from '../../ui/icons.ts'
import { narrowPage } from '../../ui/layout.ts'
import { clientName, code, displayName, exactText, name, userName } from '../../ui/name.ts'
import { link, tell, tellText, type View } from '../../ui/view.ts'
import { accountChoices, type ConsentConnector, type ConsentData, duration } from './consent.ts'

/** What the page shows on which somebody allows an app the use of a connected account. */
export interface AllowConnectionData {
  readonly action: string
  readonly client: Pick<ConsentData['client'], 'client_id' | 'client_name' | 'logo_uri' | 'published_at' | 'verified'>
  readonly user: { readonly username: string; readonly name?: string | undefined }
  /** Whose server uses it for the client; without it the client itself does. */
  readonly server?: { readonly resource: string; readonly name?: string | undefined } | undefined
  readonly connector: Omit<ConsentConnector, 'scopes'>
  /** More than reading is asked for. */
  readonly writes: boolean
  /** Reading may be allowed alone. */
  readonly may_only_read: boolean
  /** Ends that may be chosen, in seconds. */
  readonly end_choices: readonly number[]
  /** Nothing was chosen. */
  readonly missing: boolean
}

/** "Allow X to use your Y account?": who, through which server, which account, for what and how long. */
export function renderAllowConnection(view: View, data: AllowConnectionData): SafeHtml {
  const { allow_connection: text, consent } = view.text
  const { connector, server } = data
  const shown = clientName(data.client)
  const client = html`<strong>${name(shown)}</strong>`
  const provider = name(connector.provider_name)
  const told = server
    ? tell(view, text.through, {
        client,
        provider,
        server: html`<strong>${name(server.name ?? server.resource, 200)}</strong>`,
      })
    : tell(view, text.directly, { client, provider })
  const host = data.client.published_at
  const by =
    host !== undefined &&
    !data.client.verified &&
    html`<span>${tell(view, consent.published_at, { host: html`<strong><bdi dir="ltr">${exactText(host)}</bdi></strong>` })}</span>`
  const standing = data.client.verified ? badge(consent.verified, 'good') : badge(consent.unverified, 'warning')
  const marks = html`<div class="marks">${mark(shown, data.client.logo_uri)}${arrows}${mark(connector.provider_name)}</div>`
  const heading = html`<div class="heading">${marks}<h1>${tell(view, text.title, { client, provider })}</h1><p class="standing">${by}${standing}</p><p class="lead">${told}</p></div>`
  const warning =
    !data.client.verified && notice('warning', html`<p>${tell(view, consent.unverified_warning, { client })}</p>`)
  const username = tell(view, consent.signed_in, { username: name(data.user.username) })
  const person = html`<div class="person">${mark(userName(data.user))}<p><strong>${name(userName(data.user))}</strong><small>${username}</small></p></div>`
  const facts = definitions([
    [text.server, server && html`<p>${name(server.name ?? '')} ${code(server.resource)}</p>`],
    [consent.client_id, code(data.client.client_id)],
  ])
  const parts: Child = [
    accounts(view, data, provider),
    renderActions(view, data),
    ends(view, data, shown),
    html`<section><h2>${consent.facts}</h2>${facts}</section>`,
  ]
  const answers = [
    button(consent.cancel, { kind: 'ink', name: 'decision', value: 'deny', unchecked: true }),
    connector.choices.some(({ ready }) => ready)
      ? button(consent.allow, { name: 'decision', value: 'allow' })
      : connector.choices.length === 0 &&
        buttonLink(tell(view, consent.connect_one, { provider }), connector.connect_href, 'primary'),
  ]
  const decide = html`<div class="parts">${parts}</div><div class="decide">${answers}</div>`
  const after = html`<p class="hint after">${tell(view, consent.take_back, { tenant: name(view.tenant.name) })}</p>`
  const content = html`${heading}${warning}${person}${form(view, { action: data.action }, decide)}${after}`
  return narrowPage(view, { title: tellText(view, text.page_title, { client: displayName(shown) }), content })
}

function accounts(view: View, { connector, missing }: AllowConnectionData, provider: SafeHtml): SafeHtml {
  const { allow_connection: text } = view.text
  const { choices } = connector
  if (choices.length === 0) {
    return html`<section><h2>${tell(view, text.which, { provider })}</h2><p>${tell(view, text.none, { provider })}</p></section>`
  }
  return group(tell(view, text.which, { provider }), accountChoices(view, 'connection_id', connector, false), {
    name: 'connection_id',
    error: missing ? text.missing : undefined,
  })
}

function renderActions(view: View, { writes, may_only_read }: AllowConnectionData): SafeHtml {
  const { allow_connection: text } = view.text
  if (!writes || !may_only_read) {
    return html`<section><h2>${text.actions}</h2><p>${writes ? text.write : text.only_read}</p></section>`
  }
  const both = [
    radio({ name: 'actions', value: 'write', label: text.write, checked: true }),
    radio({ name: 'actions', value: 'read', label: text.read, hint: text.read_hint }),
  ]
  return group(text.actions, html`<div class="choices">${both}</div>`)
}

function ends(view: View, { end_choices }: AllowConnectionData, client: string): Child {
  const { allow_connection: text, consent } = view.text
  if (end_choices.length === 0) return ''
  const choices = end_choices.map((seconds) => ({
    value: String(seconds),
    label: tellText(view, consent.until_expires, { duration: duration(view, seconds) }),
  }))
  const latest = { value: '', label: tellText(view, text.until_grant, { client: displayName(client) }) }
  return select({ name: 'expires_in', label: text.until, choices: [latest, ...choices] })
}

/** What came of it. */
export interface AllowConnectionResultData {
  readonly outcome: 'allowed' | 'refused' | 'over' | 'other_user'
  readonly client_name?: string | undefined
  readonly provider_name: string
  readonly account_label?: string | undefined
  readonly username: string
}

/** The last page: what is so now, and the way on. */
export function renderAllowConnectionResult(view: View, data: AllowConnectionResultData): SafeHtml {
  const { allow_connection: text } = view.text
  const { outcome } = data
  const holes = {
    client: html`<strong>${name(data.client_name ?? '')}</strong>`,
    provider: name(data.provider_name),
    account: html`<strong>${name(data.account_label ?? data.provider_name)}</strong>`,
    username: html`<strong>${name(data.username)}</strong>`,
  }
  const fine = outcome === 'allowed'
  const content = html`<div class="heading">${sign(fine ? 'good' : 'warning')}<h1>${tell(view, text[outcome], holes)}</h1><p class="lead">${tell(view, text[`${outcome}_body`], holes)}</p></div><div class="stack">${buttonLink(view.text.error.to_account, link(view, '/account'))}</div>`
  const plain = { client: displayName(data.client_name ?? ''), account: displayName(data.account_label ?? '') }
  return narrowPage(view, { title: tellText(view, text[outcome], plain), content })
}
