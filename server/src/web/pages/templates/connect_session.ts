import { connectDone } from '../../ui/assets.ts'
import { definitions, notice, sign } from '../../ui/components.ts'
import { button, buttonLink, form } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { caution, cross } from '../../ui/icons.ts'
import { narrowPage } from '../../ui/layout.ts'
import { code, displayName, name } from '../../ui/name.ts'
import { ago, tell, tellText, type View } from '../../ui/view.ts'

/** Who asks for an account in a session, and for whom. */
export interface Asker {
  readonly client_name: string
  readonly client_id: string
  /** The platform's own name for its user; null where the owner is who reads this. */
  readonly end_user_id: string | null
  /** Nobody else's is taken. */
  readonly expected_account: string | null
  /** This server, as people know it by its address. */
  readonly kept_at: string
}

/** On whose behalf an account is connected, in lines: every page says it on which somebody is about to do that. */
export function askerLines(view: View, asker: Asker): [Child, Child][] {
  const { connect_session: text } = view.text
  const { client_name, client_id, end_user_id, expected_account, kept_at } = asker
  return [
    [text.asked_by, html`<p><strong>${name(client_name)}</strong></p><p>${code(client_id)}</p>`],
    [text.owner, end_user_id !== null && code(end_user_id)],
    [text.kept_at, html`<p>${name(view.tenant.name)}</p><p>${code(kept_at)}</p>`],
    [text.expected_account, expected_account !== null && html`<strong>${name(expected_account, 200)}</strong>`],
  ]
}

/** Where the person of a session can go on to. */
export interface ConnectSessionStart {
  readonly asker: Asker
  readonly connectors: readonly { readonly provider_name: string; readonly href: string }[]
}

/** What an open session asks of a person: to go to the provider, or to one of several. */
export function renderConnectSession(view: View, { asker, connectors }: ConnectSessionStart): SafeHtml {
  const { connect_session: text } = view.text
  const { client_name } = asker
  const [first] = connectors
  const one = connectors.length === 1 && first
  const holes = { client: name(client_name), provider: name(first?.provider_name ?? '') }
  const title = one ? text.start : text.choose
  const links = connectors.map(({ provider_name, href }) =>
    buttonLink(tell(view, text.go_to, { provider: name(provider_name) }), href, one ? 'primary' : 'ink'),
  )
  const lead = tell(view, one ? text.start_lead : text.choose_lead, holes)
  const plain = { client: displayName(client_name), provider: displayName(first?.provider_name ?? '') }
  return narrowPage(view, {
    title: tellText(view, title, plain),
    content: html`<div class="heading"><h1>${tell(view, title, holes)}</h1><p class="lead">${lead}</p></div>${definitions(askerLines(view, asker))}<div class="stack">${links}</div>`,
  })
}

/** What an invited person is told before anything happens. */
export interface ConnectInvitationData {
  readonly action: string
  readonly token: string
  readonly asker: Asker
  readonly provider_names: readonly string[]
  readonly expires_at: number
}

/** The page behind an invitation: who asks for which account. To open it changes nothing: mail servers open links, too. */
export function renderConnectInvitation(view: View, data: ConnectInvitationData): SafeHtml {
  const { connect_session: text, connect } = view.text
  const providers = data.provider_names.join(', ')
  const { client_name } = data.asker
  const holes = { client: name(client_name), provider: name(providers, 200) }
  const facts = definitions([...askerLines(view, data.asker), [text.until, ago(view, data.expires_at)]])
  const go = form(
    view,
    { action: data.action, hidden: { token: data.token } },
    html`<div class="stack">${button(connect.go_on)}</div>`,
  )
  const lead = tell(view, text.invitation_lead, holes)
  const plain = { client: displayName(client_name), provider: displayName(providers) }
  return narrowPage(view, {
    title: tellText(view, text.invitation, plain),
    content: html`<div class="heading"><h1>${tell(view, text.invitation, holes)}</h1><p class="lead">${lead}</p></div>${facts}${notice('warning', text.invitation_warning)}${go}`,
  })
}

/** How a session ended, for the person in it. */
export interface ConnectSessionEnd {
  readonly outcome:
    | 'done'
    | 'seen'
    | 'over'
    | 'other_user'
    | 'unexpected'
    | 'refused'
    | 'failed'
    | 'other_account'
    | 'already_connected'
    | 'connector_fault'
  readonly client_name: string
  readonly provider_name: string
  readonly account_label?: string | undefined
  readonly user?: string | undefined
  readonly request_id: string
  readonly retry_href?: string | undefined
  /** Where the person came from, if that is known. */
  readonly back_href?: string | undefined
  /** The page of the platform that waits behind this popup: it is told to look. */
  readonly opener?: { readonly origin: string } | undefined
}

/** The last page of a session, which is good for the popup and for a page of its own. */
export function renderConnectSessionEnd(view: View, data: ConnectSessionEnd): SafeHtml {
  const { connect_session: text, connect } = view.text
  const [title, body] = sentences(view, data.outcome)
  const fine = data.outcome === 'done' || data.outcome === 'seen'
  const ended = fine ? sign('good') : sign('warning', data.outcome === 'refused' ? caution : cross)
  const holes = {
    client: name(data.client_name),
    provider: name(data.provider_name),
    account: html`<strong>${name(data.account_label ?? data.provider_name, 200)}</strong>`,
    user: name(data.user ?? ''),
  }
  const retry = !fine && data.retry_href !== undefined && buttonLink(connect.try_again, data.retry_href, 'primary')
  const back =
    data.back_href !== undefined &&
    buttonLink(tell(view, text.back, { client: name(data.client_name) }), data.back_href, retry ? 'plain' : 'primary')
  const reference: Child = fine
    ? ''
    : html`<p class="hint after">${tell(view, connect.request_id, { request_id: code(data.request_id) })}</p>`
  const island =
    data.opener &&
    html`<script type="module" id="connect_done" data-origin="${data.opener.origin}" src="${view.base + connectDone.path}"></script>`
  const plain = { client: displayName(data.client_name), provider: displayName(data.provider_name) }
  return narrowPage(view, {
    title: tellText(view, title as typeof text.done, plain),
    content: html`<div class="heading">${ended}<h1>${tell(view, title as typeof text.done, holes)}</h1><p class="lead">${tell(view, body as typeof text.seen_body, holes)}</p></div><div class="stack">${retry}${back}</div>${reference}${island}`,
  })
}

function sentences({ text }: View, outcome: ConnectSessionEnd['outcome']): readonly [string, string] {
  const { connect, connect_session } = text
  switch (outcome) {
    case 'done':
      return [connect_session.done, connect_session.done_body]
    case 'seen':
      return [connect_session.done, connect_session.seen_body]
    case 'over':
    case 'other_user':
    case 'unexpected':
      return [connect_session[outcome], connect_session[`${outcome}_body`]]
    default:
      return [connect[outcome], connect[`${outcome}_body`]]
  }
}
