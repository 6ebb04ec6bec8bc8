import {
  card,
  definitions,
  ending,
  notice,
  pageHeader,
  type SameScript,
  sameByScript,
  section,
  table,
} from '../../../ui/components.ts'
import { type ConnectionState, stateBadgeOfOthers } from '../../../ui/connection_state.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, code, displayName, exactText, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, link, moment, tell, tellText, type View } from '../../../ui/view.ts'
import { type GrantState, grantBadge } from './grants.ts'

/** A connection that a grant may use. */
export interface UsedConnection {
  readonly connection_id: string
  /** Without these there is no such connection any more. */
  readonly provider_name?: string | undefined
  readonly account_label?: string | undefined
  readonly state?: ConnectionState | undefined
  /** The server that uses it for the client. */
  readonly through?: string | undefined
  readonly only_reads: boolean
  readonly last_used_at?: number | undefined
  readonly ends_at?: number | undefined
}

/** What the page of one grant shows. */
export interface GrantData {
  readonly grant_id: string
  readonly client_id: string
  readonly client_name?: string | undefined
  readonly user_id: string
  readonly username: string
  readonly state: GrantState
  /** Of `dead`, what it died of. */
  readonly died_of?: 'tenant' | 'client' | 'user' | 'role' | 'session' | undefined
  /** Why it was ended, as it is written down. */
  readonly reason?: string | undefined
  readonly scopes: readonly { readonly scope: string; readonly description: string }[]
  readonly resources: readonly string[]
  readonly role?: string | undefined
  readonly connections: readonly UsedConnection[]
  readonly created_at: number
  readonly last_used_at?: number | undefined
  readonly expires_at: number
  readonly revoked_at?: number | undefined
  readonly script: SameScript
}

/** The page of one grant: who, what, when, and its end. */
export function renderGrant(view: View, data: GrantData): SafeHtml {
  const { grant: words } = view.text.console
  const client = name(clientName(data))
  const title = tell(view, words.title, { client, user: name(data.username) })
  const page_title = tellText(view, words.title, {
    client: displayName(clientName(data)),
    user: displayName(data.username),
  })
  const what = section(words.what, card(rights(view, data)), undefined, why(view, data))
  const content = html`${pageHeader(title, grantBadge(view, data.state))}${standing(view, data)}${section(words.who, card(who(view, data)))}${what}${accounts(view, data)}${section(words.when, card(when(view, data)), undefined, past(view, data))}${end(view, data)}`
  return consolePage(view, { entry: 'grants', under: [], title: page_title, content })
}

function standing(view: View, data: GrantData): Child {
  const { grant: words } = view.text.console
  if (data.revoked_at !== undefined) {
    const ended = { when: ago(view, data.revoked_at), why: reasonOf(view, data.reason ?? '') }
    return notice('note', html`<p>${tell(view, words.ended_note, ended)}</p>`)
  }
  if (data.state === 'expired') {
    return notice('note', html`<p>${tell(view, words.expired_note, { when: ago(view, data.expires_at) })}</p>`)
  }
  if (data.died_of === undefined) return ''
  return notice('warning', html`<p>${tell(view, words.dead_note, { why: words.dead[data.died_of] })}</p>`)
}

function reasonOf(view: View, reason: string): Child {
  const { reasons, reason_other } = view.text.console.grant
  if (Object.hasOwn(reasons, reason)) return reasons[reason as keyof typeof reasons]
  return tell(view, reason_other, { reason: code(reason) })
}

function who(view: View, data: GrantData): SafeHtml {
  const { grant: words } = view.text.console
  return definitions([
    [
      words.client,
      html`<a href="${link(view, paths.admin_client, { client_id: data.client_id })}">${name(clientName(data))}</a> <small>${code(data.client_id)}</small>`,
    ],
    [
      words.user,
      html`<a href="${link(view, paths.admin_user, { user_id: data.user_id })}">${name(data.username)}</a> <small>${code(data.user_id)}</small>`,
    ],
    [words.role, data.role !== undefined && code(data.role)],
    [words.grant_id, code(data.grant_id)],
  ])
}

function rights(view: View, data: GrantData): SafeHtml {
  const { grant: words } = view.text.console
  if (data.scopes.length === 0) return html`<p class="hint">${words.scopes_none}</p>`
  const at = data.resources.map((resource) => html`<p>${code(resource)}</p>`)
  return definitions([
    ...data.scopes.map(({ scope, description }) => [code(scope), name(description, 200)] as const),
    [words.resource, at.length > 0 && at],
  ])
}

function why(view: View, { client_id, username }: GrantData): SafeHtml {
  const to = link(view, paths.admin_client_rights, { client_id, username })
  return buttonLink(view.text.console.grant.why, to, 'quiet')
}

function accounts(view: View, data: GrantData): Child {
  const { grant: words, grants } = view.text.console
  if (data.connections.length === 0) return ''
  const rows = data.connections.map((used): Child[] => [
    used.provider_name === undefined
      ? html`${words.gone} <small>${code(used.connection_id)}</small>`
      : html`<a href="${link(view, paths.admin_connection, { connection_id: used.connection_id })}">${name(used.provider_name)}</a> <small>${name(used.account_label ?? '')}</small>`,
    used.state === undefined ? '–' : stateBadgeOfOthers(view, used.state),
    html`<p>${used.only_reads ? words.only_reads : words.in_full}</p>${used.through !== undefined && html`<small>${tell(view, words.through, { server: name(used.through) })}</small>`}`,
    used.last_used_at === undefined ? view.text.time.never : ago(view, used.last_used_at),
    ago(view, Math.min(used.ends_at ?? data.expires_at, data.expires_at)),
  ])
  const columns = [words.account, grants.state, words.how, words.used_last, words.until]
  return section(words.accounts, table(words.accounts, columns, rows), words.accounts_lead)
}

function when(view: View, data: GrantData): SafeHtml {
  const { grant: words } = view.text.console
  const used = data.last_used_at === undefined ? view.text.time.never : ago(view, data.last_used_at)
  return definitions([
    [words.created, moment(view, data.created_at)],
    [words.used, used],
    [words.expires, data.revoked_at === undefined && moment(view, data.expires_at)],
    [words.ended, data.revoked_at !== undefined && moment(view, data.revoked_at)],
  ])
}

function past(view: View, { username }: GrantData): SafeHtml {
  return buttonLink(view.text.console.grant.events, link(view, paths.admin_events, { user: username }), 'quiet')
}

function end(view: View, data: GrantData): Child {
  const { grant: words } = view.text.console
  if (data.state !== 'living' && data.state !== 'dead') return ''
  const client = name(clientName(data))
  const n = data.connections.length
  const button = ending(view, {
    id: 'end',
    label: words.end,
    title: tell(view, words.end_title, { client, user: name(data.username) }),
    consequences: [
      tell(view, words.end_tokens, { client, user: name(data.username) }),
      words.end_jwt,
      ...(n > 0 ? [tell(view, words.end_connections, { n })] : []),
      words.end_others,
    ],
    action: link(view, paths.admin_end_grant),
    hidden: { grant_id: exactText(data.grant_id) },
  })
  return section(words.end, html`${button}${sameByScript(view, data.script)}`, words.end_lead)
}
