import { readDocumentUrl } from '../../../oauth/clients/metadata_document.ts'
import {
  badge,
  card,
  emptyState,
  ending,
  mark,
  pageHeader,
  rightsList,
  section,
  toldNotice,
} from '../../ui/components.ts'
import { type ConnectionState, stateBadge } from '../../ui/connection_state.ts'
import { button, buttonLink, check, form } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { branch } from '../../ui/icons.ts'
import { accountPage } from '../../ui/layout.ts'
import { clientName, displayName, exactText, name, userName } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { ago, link, moment, tell, tellText, type View } from '../../ui/view.ts'
import { type AccountConnections, renderConnections } from './account_connections.ts'
import { facts, lastUsed } from './account_facts.ts'
import { type AccountToken, renderTokens } from './account_tokens.ts'
import { endOthers } from './end_others.ts'

/** A client with all its living grants of this user. */
export interface AccountApp {
  readonly client_id: string
  readonly client_name?: string | undefined
  /** A path of ours. */
  readonly logo_uri?: string | undefined
  readonly scopes: readonly {
    readonly scope: string
    readonly description: string
    /** The user may take it back and leave the rest. */
    readonly may_take_back?: boolean
  }[]
  /** Where the client takes somebody who comes from here (OpenID Connect Core section 4). */
  readonly open_href?: string | undefined
  readonly created_at: number
  readonly last_used_at?: number | undefined
  readonly expires_at?: number | undefined
  /** The chain: through this client's grant, these connections. */
  readonly connections: readonly {
    readonly connection_id: string
    readonly provider_name: string
    readonly account_label: string
    readonly state: ConnectionState
    readonly scopes: readonly { readonly scope: string; readonly description: string }[]
    /** The server that uses it for the client; without it the client itself does. */
    readonly through?: string | undefined
    readonly only_reads?: boolean
    readonly ends_at?: number | undefined
    /** By this client. */
    readonly last_used_at?: number | undefined
  }[]
}

/** A browser in which this user is signed in. */
export interface AccountSession {
  readonly sid: string
  readonly current: boolean
  /** In words, from the User-Agent: "Firefox on Linux". */
  readonly device: string
  readonly created_at: number
  readonly last_seen_at: number
}

/** What the account page shows. */
export interface AccountData extends AccountConnections {
  readonly user: { readonly username: string; readonly name?: string | undefined; readonly email?: string | undefined }
  readonly may_administer: boolean
  /** What was done just before. */
  readonly done?: keyof View['text']['account']['done'] | undefined
  readonly apps: readonly AccountApp[]
  readonly tokens: readonly AccountToken[]
  readonly may_make_tokens: boolean
  readonly sessions: readonly AccountSession[]
}

/** One page on which a user sees and ends whatever may act in their name. */
export function renderAccount(view: View, data: AccountData): SafeHtml {
  const { account } = view.text
  const { user } = data
  const [called, known_as] = [userName(user), user.email ?? user.username]
  const who = facts([html`<strong>${name(called)}</strong>`, known_as !== called && name(known_as)])
  const told = data.done && toldNotice('good', account.done[data.done])
  const content = html`${pageHeader(account.title, who)}${told}${apps(view, data)}${renderConnections(view, data)}${renderTokens(view, data.tokens, data.may_make_tokens)}${sessions(view, data)}`
  return accountPage(view, { title: account.title, content, entry: 'overview', console: data.may_administer })
}

function apps(view: View, data: AccountData): SafeHtml {
  const { account } = view.text
  if (data.apps.length === 0) {
    return section(account.apps, emptyState(account.apps_empty, account.apps_empty_body))
  }
  return section(
    account.apps,
    html`<ul class="cards">${data.apps.map((app, i) => html`<li>${appCard(view, app, i)}</li>`)}</ul>`,
    account.apps_lead,
    data.apps.length > 1 && endApps(view),
  )
}

function endApps(view: View): SafeHtml {
  const { account } = view.text
  return ending(view, {
    id: 'remove-apps',
    label: account.remove_apps,
    title: account.remove_apps_title,
    consequences: [account.remove_apps_ends, account.remove_apps_connections, account.remove_apps_keeps],
    action: link(view, paths.account_end_apps),
    hidden: {},
  })
}

function appCard(view: View, app: AccountApp, index: number): SafeHtml {
  const { account } = view.text
  const client = html`<strong>${name(clientName(app))}</strong>`
  const chained = app.connections.length > 0
  const remove = ending(view, {
    id: `remove-app-${index}`,
    label: account.remove_app,
    title: tell(view, account.remove_app_title, { client: name(clientName(app)) }),
    consequences: [
      account.remove_app_ends,
      ...(chained ? [account.remove_app_ends_connections] : []),
      account.remove_app_keeps,
    ],
    action: link(view, paths.account_end_app),
    hidden: { client_id: app.client_id },
  })
  // Of a client that describes itself, the host is all that is known.
  const host = readDocumentUrl(app.client_id)?.host
  const times = [
    host !== undefined &&
      tell(view, view.text.consent.published_at, { host: html`<bdi dir="ltr">${exactText(host)}</bdi>` }),
    tell(view, account.since, { when: ago(view, app.created_at) }),
    lastUsed(view, app.last_used_at),
    app.expires_at !== undefined && tell(view, account.ends, { when: moment(view, app.expires_at) }),
  ]
  return card(
    html`<div class="row">${mark(clientName(app), app.logo_uri)}<div class="grow"><h3>${name(clientName(app))}</h3>${facts(times)}${rightsList(app.scopes)}</div><div class="actions">${app.open_href && buttonLink(account.open_app, app.open_href)}${change(view, app, index)}${remove}</div></div>${chained && chain(view, app, client, index)}`,
  )
}

/** What the client may do, each to be taken back by itself (ASVS 10.7.3). */
function change(view: View, app: AccountApp, index: number): Child {
  const { account } = view.text
  const choices = app.scopes.flatMap(({ scope, description, may_take_back }, i) =>
    may_take_back
      ? check({ name: `scope.${i}`, value: scope, label: name(description || scope, 200), checked: true })
      : [],
  )
  if (choices.length === 0 || app.scopes.length === 1) return ''
  const id = `change-app-${index}`
  const client = name(clientName(app))
  const cancel = html`<button type="button" class="button plain" popovertarget="${id}" popovertargetaction="hide">${account.change_app_cancel}</button>`
  const content = html`<div class="choices">${choices}</div><p class="hint">${account.change_app_hint}</p><div class="actions">${cancel}${button(account.change_app_save)}</div>`
  const hidden = { client_id: app.client_id }
  const label = tellText(view, account.change_app_of, { client: displayName(clientName(app)) })
  return html`<button type="button" class="button plain" popovertarget="${id}" aria-label="${label}">${account.change_app}</button><div class="popover" id="${id}" popover role="dialog" aria-labelledby="${id}-title"><h3 id="${id}-title">${tell(view, account.change_app_title, { client })}</h3>${form(view, { action: link(view, paths.account_narrow_app), hidden }, content)}</div>`
}

function chain(view: View, app: AccountApp, client: SafeHtml, index: number): SafeHtml {
  const { account, allow_connection: text } = view.text
  const links = app.connections.map((connection, i) => {
    const { through, ends_at } = connection
    const holes = {
      provider: name(connection.provider_name),
      account: html`<strong>${name(connection.account_label)}</strong>`,
    }
    const state =
      connection.state === 'ready' || connection.state === 'refreshing' ? '' : stateBadge(view, connection.state)
    const how = facts([
      through !== undefined && tell(view, text.chain_through, { server: name(through) }),
      connection.only_reads && text.chain_only_reads,
      lastUsed(view, connection.last_used_at),
      ends_at !== undefined && tell(view, account.ends, { when: moment(view, ends_at) }),
    ])
    const stop = ending(view, {
      id: `take-back-${index}-${i}`,
      label: text.take_back,
      title: tell(view, text.take_back_title, {
        client: name(clientName(app)),
        account: name(connection.account_label),
      }),
      consequences: [text.take_back_ends, text.take_back_keeps],
      action: link(view, paths.account_take_back),
      hidden: { client_id: app.client_id, connection_id: connection.connection_id },
    })
    return html`<li>${branch}<div class="row grow"><div class="grow"><p>${tell(view, account.uses, holes)} ${state}</p>${how}${rightsList(connection.scopes)}</div><div class="actions">${stop}</div></div></li>`
  })
  return html`<div class="chain"><p class="unseen">${tell(view, account.chain, { client })}</p><ul>${links}</ul></div>`
}

function sessions(view: View, data: AccountData): SafeHtml {
  const { account } = view.text
  const rows = data.sessions.map((session) => {
    const end = form(
      view,
      { action: link(view, paths.account_end_session), hidden: { sid: session.sid } },
      html`<button class="button plain" aria-label="${tellText(view, account.end_session_of, { device: displayName(session.device) })}">${account.end_session}</button>`,
    )
    const times = [
      tell(view, account.signed_in, { when: ago(view, session.created_at) }),
      !session.current && tell(view, account.last_seen, { when: ago(view, session.last_seen_at) }),
    ]
    const here = session.current && badge(account.this_session, 'good')
    return html`<li><div class="row"><div class="grow"><h3>${name(session.device)} ${here}</h3>${facts(times)}</div>${!session.current && end}</div></li>`
  })
  return section(
    account.sessions,
    card(html`<ul class="rows">${rows}</ul>`),
    undefined,
    data.sessions.length > 1 && endOthers(view),
  )
}
