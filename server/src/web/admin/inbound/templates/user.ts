import type { AccountApp } from '../../../pages/templates/account.ts'
import { type AccountToken, tokenCards } from '../../../pages/templates/account_tokens.ts'
import {
  badge,
  card,
  definitions,
  emptyState,
  ending,
  notice,
  pageHeader,
  type SameScript,
  sameByScript,
  section,
  table,
  toldNotice,
} from '../../../ui/components.ts'
import { type ConnectionState, stateBadgeOfOthers } from '../../../ui/connection_state.ts'
import { button, buttonLink, form } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, code, displayName, name, userName } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, count, link, tell, type View } from '../../../ui/view.ts'
import { type Done, doneNotice } from '../../forms/templates/done.ts'
import type { UserRow } from './users.ts'

/** What the page of one user shows. */
export interface UserData extends UserRow {
  /** How many sessions live. */
  readonly sessions: number
  /** What they have allowed, and through which connections. */
  readonly apps: readonly AccountApp[]
  /** What their scripts carry. */
  readonly tokens: readonly AccountToken[]
  /** The accounts that they have connected, whoever uses them. */
  readonly connections: readonly {
    readonly connection_id: string
    readonly provider_name: string
    readonly account_label: string
    readonly state: ConnectionState
    readonly last_used_at?: number | undefined
  }[]
  /** Whether this is the account of who looks. */
  readonly own: boolean
  readonly no_password: boolean
  /** A letter can be sent that leads to a first password. */
  readonly may_invite: boolean
  /** What the buttons do, by API and command line. */
  readonly scripts?: readonly SameScript[]
  /** It was sent just now. */
  readonly invited: boolean
  readonly done?: Done | undefined
}

/** The page of one user, and what an administrator may end. */
export function renderUser(view: View, data: UserData): SafeHtml {
  const { user, users } = view.text.console
  const status = data.disabled ? badge(users.disabled, 'danger') : badge(users.enabled, 'good')
  const details = definitions([
    [user.username, name(data.username)],
    [user.user_id, code(data.user_id)],
    [user.email, data.email && html`${name(data.email)} ${!data.email_verified && badge(users.unverified)}`],
    [user.roles, data.roles.length > 0 && html`${data.roles.map((role) => html`${badge(name(role))} `)}`],
    [user.sessions, count(view, data.sessions)],
  ])
  const notes = [
    doneNotice(view, data.done),
    data.invited && toldNotice('good', user.invited),
    data.disabled && notice('note', html`<p>${user.disabled_note}</p>`),
    data.no_password && !data.invited && notice('note', html`<p>${user.no_password}</p>`),
  ]
  const why = buttonLink(
    view.text.console.roles.why,
    link(view, paths.admin_rights, { username: data.username }),
    'quiet',
  )
  const past = html`<div class="actions">${why}${buttonLink(user.events, link(view, paths.admin_events, { user: data.username }), 'quiet')}</div>`
  const content = html`${pageHeader(name(userName(data)), status, invite(view, data))}${notes}${section(user.account, card(details), undefined, past)}${chains(view, data)}${connected(view, data)}${tokens(view, data)}${endings(view, data)}`
  return consolePage(view, { entry: 'users', under: [], title: displayName(userName(data)), content })
}

/** What they have connected, whether or not an app may use it; nothing where they have not. */
function connected(view: View, { connections }: UserData): Child {
  const { connections: words, grants } = view.text.console
  if (connections.length === 0) return ''
  const rows = connections.map((one): Child[] => [
    html`<a href="${link(view, paths.admin_connection, { connection_id: one.connection_id })}">${name(one.provider_name)}</a> <small>${name(one.account_label)}</small>`,
    stateBadgeOfOthers(view, one.state),
    one.last_used_at === undefined ? view.text.time.never : ago(view, one.last_used_at),
  ])
  return section(words.title, table(words.title, [words.account, words.state, grants.used], rows))
}

/** What their scripts carry; nothing where they have none. */
function tokens(view: View, { user_id, tokens }: UserData): Child {
  const { user } = view.text.console
  if (tokens.length === 0) return ''
  const deletion = { action: link(view, paths.admin_delete_token), hidden: { user_id } }
  return section(view.text.account.tokens, tokenCards(view, tokens, deletion), user.tokens_lead)
}

/** Who may use what in the user's name: each app, and each account through it. */
function chains(view: View, { apps, username }: UserData): SafeHtml {
  const { allow_connection: text, time } = view.text
  const { grants, user } = view.text.console
  const all = buttonLink(user.all_grants, link(view, paths.admin_grants, { user: username }), 'quiet')
  if (apps.length === 0) return section(text.chains, emptyState(grants.empty, grants.empty_body), undefined, all)
  const when = (at: number | undefined) => (at === undefined ? time.never : ago(view, at))
  const grantsOf = ({ client_id }: AccountApp) => link(view, paths.admin_grants, { user: username, client: client_id })
  const rows = apps.flatMap((app): Child[][] => [
    [
      html`<a href="${grantsOf(app)}">${name(clientName(app))}</a>`,
      '–',
      '–',
      when(app.last_used_at),
      when(app.expires_at),
    ],
    ...app.connections.map((used): Child[] => {
      const how = [
        used.through !== undefined && html`<p>${tell(view, text.chain_through, { server: name(used.through) })}</p>`,
        used.only_reads && html`<p>${text.chain_only_reads}</p>`,
      ]
      const connection = link(view, paths.admin_connection, { connection_id: used.connection_id })
      const whose = html`<a href="${connection}">${name(used.provider_name)}</a> <small>${name(used.account_label)}</small>`
      return [
        name(clientName(app)),
        whose,
        how.some(Boolean) ? how : '–',
        when(used.last_used_at),
        when(used.ends_at ?? app.expires_at),
      ]
    }),
  ])
  const columns = [text.chain_app, text.chain_account, text.chain_how, text.chain_used, text.until]
  return section(text.chains, table(text.chains, columns, rows), user.chains_lead, all)
}

/** A letter that leads to a first password. */
function invite(view: View, { user_id, may_invite, own }: UserData): Child {
  const to = { action: link(view, paths.admin_invite_user), hidden: { user_id } }
  return may_invite && !own && form(view, to, button(view.text.console.user.invite, { kind: 'plain' }))
}

function endings(view: View, data: UserData): SafeHtml {
  const { user } = view.text.console
  const shown = name(userName(data))
  const hidden = { user_id: data.user_id }
  const end = ending(view, {
    id: 'end-sessions',
    label: user.end_sessions,
    title: tell(view, user.end_sessions_title, { user: shown }),
    consequences: [user.end_sessions_ends, user.end_sessions_again],
    action: link(view, paths.admin_end_sessions),
    hidden,
  })
  const scripts = sameByScript(view, ...(data.scripts ?? []))
  if (data.own) return section(user.danger, html`<div class="actions start">${end}</div>${scripts}`, user.yours)
  const enable = { action: link(view, paths.admin_enable_user), hidden }
  const toggle = data.disabled
    ? form(view, enable, button(user.enable, { kind: 'plain' }))
    : ending(view, {
        id: 'disable',
        label: user.disable,
        title: tell(view, user.disable_title, { user: shown }),
        consequences: [user.disable_ends_sessions, user.disable_ends_logins],
        action: link(view, paths.admin_disable_user),
        hidden,
      })
  const erase = ending(view, {
    id: 'delete',
    label: user.delete,
    title: tell(view, user.delete_title, { user: shown }),
    consequences: [user.delete_ends, user.delete_erases, user.delete_final],
    action: link(view, paths.admin_delete_user),
    hidden,
  })
  return section(
    user.danger,
    html`<div class="actions start">${!data.disabled && end}${toggle}${erase}</div>${scripts}`,
  )
}
