import type { AccountApp } from '../../../pages/templates/account.ts'
import {
  badge,
  card,
  codeBlock,
  copyable,
  definitions,
  ending,
  notice,
  pageHeader,
  type SameScript,
  sameByScript,
  section,
  table,
} from '../../../ui/components.ts'
import { type ConnectionReason, type ConnectionState, stateBadgeOfOthers } from '../../../ui/connection_state.ts'
import { button, buttonLink, form } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, code, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, count, link, moment, tell, tellText, type View } from '../../../ui/view.ts'

/** What came of a refresh that was asked for. */
export const REFRESH_OUTCOMES = ['refreshed', 'kept', 'needs_reconsent', 'unavailable', 'refused'] as const

/** A connection by the words for it. */
export interface NamedConnection {
  readonly connection_id: string
  readonly provider_name: string
  readonly account_label: string
}

/** What the page of one connection shows: never a token. */
export interface ConnectionData extends NamedConnection {
  readonly connector: string
  readonly state: ConnectionState
  readonly reason?: ConnectionReason | undefined
  readonly owner:
    | { readonly user_id: string; readonly username: string }
    | { readonly client_id: string; readonly end_user_id: string }
  readonly scopes: readonly string[]
  readonly created_at: number
  readonly refreshed_at?: number | undefined
  readonly expires_at?: number | undefined
  readonly refresh_expires_at?: number | undefined
  readonly last_used_at?: number | undefined
  readonly ends_at?: number | undefined
  readonly failures: number
  readonly retry_at?: number | undefined
  readonly last_error?: string | undefined
  /** Where its owner repairs it. */
  readonly reconnect_url?: string | undefined
  readonly used_by: readonly Pick<AccountApp, 'client_id' | 'client_name' | 'last_used_at'>[]
  readonly ends_all: boolean
  /** The generation of its tokens, by which a refresh says what it has seen. */
  readonly seen: string
  readonly may_reveal: 'yes' | 'no_right' | 'of_platform'
  readonly outcome?: (typeof REFRESH_OUTCOMES)[number] | undefined
  readonly scripts: { readonly refresh: SameScript; readonly disconnect: SameScript }
}

/** The page of one connection: how it stands, why, and what can be done about it. */
export function renderConnection(view: View, data: ConnectionData): SafeHtml {
  const { connection: words } = view.text.console
  const title = tell(view, words.title, { account: name(data.account_label), provider: name(data.provider_name) })
  const page_title = titleText(view, words.title, data)
  const standing = section(words.standing, card(facts(view, data)), undefined, past(view, data))
  const content = html`${pageHeader(title, stateBadgeOfOthers(view, data.state))}${told(view, data)}${state(view, data)}${trouble(view, data)}${standing}${repair(view, data)}${users(view, data)}${actions(view, data)}${end(view, data)}`
  return consolePage(view, { entry: 'connections', under: [], copies: true, title: page_title, content })
}

function titleText(view: View, words: '{account} at {provider}', data: NamedConnection): string {
  const { account_label, provider_name } = data
  return tellText(view, words, { account: displayName(account_label), provider: displayName(provider_name) })
}

function told(view: View, { outcome }: ConnectionData): Child {
  if (outcome === undefined) return ''
  const tone = outcome === 'refreshed' ? 'good' : outcome === 'kept' ? 'note' : 'warning'
  return notice(tone, html`<p>${view.text.console.connection.outcomes[outcome]}</p>`)
}

function state(view: View, data: ConnectionData): SafeHtml {
  const { connection: words } = view.text.console
  const why = data.reason && html`<p>${view.text.reason[data.reason]}</p>`
  const faulty = data.state === 'error'
  const to = link(view, paths.admin_connector, { connector: data.connector })
  const tone = faulty ? 'danger' : data.state === 'needs_reconsent' ? 'warning' : 'note'
  if (tone === 'note' && data.state !== 'pending' && data.state !== 'disconnected') {
    return html`<p class="hint">${words.states[data.state]}</p>`
  }
  return notice(
    tone,
    html`${why}<p>${words.states[data.state]}</p>${faulty && html`<p><a href="${to}">${words.connector_link}</a></p>`}`,
  )
}

function trouble(view: View, { last_error }: ConnectionData): Child {
  if (last_error === undefined) return ''
  const { connection: words } = view.text.console
  const { errors } = words
  const known = Object.hasOwn(errors, last_error) ? errors[last_error as keyof typeof errors] : errors.other
  return section(words.error, card(html`<p>${known}</p><p class="hint after">${words.raw}</p>${codeBlock(last_error)}`))
}

function facts(view: View, data: ConnectionData): SafeHtml {
  const { connection: words } = view.text.console
  const { owner } = data
  const whose =
    'user_id' in owner
      ? html`<a href="${link(view, paths.admin_user, { user_id: owner.user_id })}">${name(owner.username)}</a>`
      : tell(view, words.owner_of, { end_user: code(owner.end_user_id), client: code(owner.client_id) })
  const connector = link(view, paths.admin_connector, { connector: data.connector })
  const until = (at: number | undefined) =>
    at !== undefined && html`${ago(view, at)} <small>${moment(view, at)}</small>`
  return definitions([
    [words.owner, whose],
    [words.connector, html`<a href="${connector}">${name(data.connector)}</a>`],
    [words.account, name(data.account_label)],
    [words.scope, html`<span class="codes">${data.scopes.map((scope) => html`${code(scope)} `)}</span>`],
    [words.connected, moment(view, data.created_at)],
    [words.refreshed, data.refreshed_at === undefined ? view.text.time.never : until(data.refreshed_at)],
    [words.expires, data.expires_at === undefined ? words.expires_not : until(data.expires_at)],
    [words.refresh_expires, until(data.refresh_expires_at)],
    [words.used, data.last_used_at === undefined ? view.text.time.never : until(data.last_used_at)],
    [words.ends, until(data.ends_at)],
    [words.failures, data.failures > 0 && badge(count(view, data.failures), 'warning')],
    [words.retry, data.failures > 0 && until(data.retry_at)],
    [words.connection_id, code(data.connection_id)],
  ])
}

function past(view: View, { connection_id }: ConnectionData): SafeHtml {
  const to = link(view, paths.admin_events, { connection: connection_id })
  return buttonLink(view.text.console.connection.events, to, 'quiet')
}

function repair(view: View, data: ConnectionData): Child {
  const { connection: words } = view.text.console
  if (data.state === 'disconnected' || data.state === 'error') return ''
  if (data.reconnect_url === undefined)
    return section(words.reconnect, html`<p class="hint">${words.reconnect_platform}</p>`)
  return section(words.reconnect, codeBlock(data.reconnect_url), words.reconnect_lead)
}

function users(view: View, data: ConnectionData): Child {
  const { connection: words, grants } = view.text.console
  if (data.state === 'disconnected') return ''
  if (data.used_by.length === 0) return section(words.used_by, html`<p class="hint">${words.used_by_none}</p>`)
  const username = 'username' in data.owner ? data.owner.username : undefined
  const rows = data.used_by.map((app): Child[] => [
    html`<a href="${link(view, paths.admin_grants, { user: username, client: app.client_id })}">${name(clientName(app))}</a>`,
    app.last_used_at === undefined ? view.text.time.never : ago(view, app.last_used_at),
  ])
  return section(words.used_by, table(words.used_by, [grants.client, grants.used], rows), words.used_by_lead)
}

function actions(view: View, data: ConnectionData): Child {
  const { connection: words } = view.text.console
  if (data.state === 'disconnected' || data.state === 'pending') return ''
  const { connection_id, seen } = data
  const refresh = form(
    view,
    { action: link(view, paths.admin_refresh_connection), hidden: { connection_id, seen } },
    button(words.refresh, { kind: 'plain' }),
  )
  const why = data.may_reveal === 'no_right' ? words.reveal_no : words.reveal_platform
  const reveal =
    data.may_reveal === 'yes' && buttonLink(words.reveal, link(view, paths.admin_reveal_token, { connection_id }))
  const hint = data.may_reveal !== 'yes' && html`<p class="hint after">${why}</p>`
  const both = html`<div class="actions start">${refresh}${reveal}</div>`
  return section(words.actions, html`${both}${hint}${sameByScript(view, data.scripts.refresh)}`, words.refresh_lead)
}

function end(view: View, data: ConnectionData): Child {
  const { connection: words } = view.text.console
  if (data.state === 'disconnected') return ''
  const provider = name(data.provider_name)
  const n = data.used_by.length
  const question = ending(view, {
    id: 'disconnect',
    label: words.end,
    title: tell(view, words.end_title, { account: name(data.account_label) }),
    consequences: [
      tell(view, words.end_destroys, { provider }),
      ...(data.ends_all ? [tell(view, words.end_all, { provider })] : []),
      ...(n > 0 ? [tell(view, words.end_apps, { n })] : []),
      words.end_final,
    ],
    action: link(view, paths.admin_disconnect),
    hidden: { connection_id: data.connection_id },
  })
  return section(
    words.end,
    html`<div class="actions start">${question}</div>${sameByScript(view, data.scripts.disconnect)}`,
  )
}

/** What the page shows on which a token of a provider is shown. */
export interface RevealData extends NamedConnection {
  /** What is shown, or why nothing can be; without it the question. */
  readonly answer?:
    | { readonly access_token: string; readonly token_type: string; readonly expires_at?: number | undefined }
    | { readonly why: 'needs_reconsent' | 'unavailable' | 'refused' | 'bound' }
    | undefined
  readonly script: SameScript
}

/** The question before a token is shown, and the token. */
export function renderReveal(view: View, data: RevealData): SafeHtml {
  const { connection: words } = view.text.console
  const { connection_id, answer } = data
  const account = name(data.account_label)
  const back = buttonLink(words.reveal_cancel, link(view, paths.admin_connection, { connection_id }), 'quiet')
  const page_title = titleText(view, words.title, data)
  const under = [[account, link(view, paths.admin_connection, { connection_id })] as const]
  if (answer === undefined) {
    const lead = tell(view, words.reveal_lead, { provider: name(data.provider_name) })
    const ask = form(
      view,
      { action: link(view, paths.admin_reveal_token), hidden: { connection_id } },
      html`<div class="actions start">${button(words.reveal_submit)}${back}</div>`,
    )
    const content = html`${pageHeader(tell(view, words.reveal_title, { account }), lead)}${ask}${sameByScript(view, data.script)}`
    return consolePage(view, { entry: 'connections', under, title: page_title, content })
  }
  const heading = pageHeader(tell(view, words.revealed, { account }))
  const content = html`${heading}${shown(view, answer)}<div class="actions start">${back}</div>`
  return consolePage(view, {
    entry: 'connections',
    under,
    copies: answer !== undefined && !('why' in answer),
    title: page_title,
    content,
  })
}

function shown(view: View, answer: NonNullable<RevealData['answer']>): SafeHtml {
  const { connection: words } = view.text.console
  if ('why' in answer) {
    const { why } = answer
    const sentence = why === 'bound' ? words.revealed_bound : words.outcomes[why]
    return notice('warning', html`<p>${tell(view, words.revealed_not, { why: sentence })}</p>`)
  }
  const { access_token, token_type, expires_at } = answer
  const values = definitions([
    [words.token, copyable(access_token)],
    [words.token_type, code(token_type)],
    [words.token_expires, expires_at === undefined ? words.expires_not : moment(view, expires_at)],
  ])
  return html`${notice('warning', html`<p>${words.revealed_once}</p>`)}${card(values)}`
}
