import { badge, emptyState, pageHeader, pagination, table } from '../../../ui/components.ts'
import { buttonLink, field } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, code, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, link, tell, type View } from '../../../ui/view.ts'

/** How a grant stands: `dead` gives nothing, although nobody has ended it. */
export type GrantState = 'living' | 'dead' | 'expired' | 'revoked'

/** One line of the list. */
export interface GrantRow {
  readonly grant_id: string
  readonly client_id: string
  readonly client_name?: string | undefined
  readonly user_id: string
  readonly username: string
  readonly scopes: readonly string[]
  readonly connections: number
  readonly state: GrantState
  readonly created_at: number
  readonly last_used_at?: number | undefined
}

/** What the list of grants shows. */
export interface GrantsData {
  readonly grants: readonly GrantRow[]
  readonly filter: { readonly user?: string | undefined; readonly client?: string | undefined }
  /** Which filter names nobody. */
  readonly wrong?: 'user' | 'client' | undefined
  readonly cursor?: string | undefined
  readonly next_cursor?: string | undefined
}

const SCOPES_SHOWN = 4

/** The grants, the newest first, found by user and client; the search stands in the address. */
export function renderGrants(view: View, data: GrantsData): SafeHtml {
  const { grants: words } = view.text.console
  const { user, client } = data.filter
  const rows = data.grants.map((row): Child[] => [
    html`<a href="${link(view, paths.admin_grant, { grant_id: row.grant_id })}">${name(clientName(row))}</a>`,
    html`<a href="${link(view, paths.admin_user, { user_id: row.user_id })}">${name(row.username)}</a>`,
    scopes(view, row.scopes),
    ago(view, row.created_at),
    row.last_used_at === undefined ? view.text.time.never : ago(view, row.last_used_at),
    grantBadge(view, row.state),
  ])
  const columns = [words.client, words.user, words.scope, words.created, words.used, words.state]
  const searched = user !== undefined || client !== undefined
  const nothing = searched ? emptyState(words.none, words.none_body) : emptyState(words.empty, words.empty_body)
  const kept = { user, client }
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.admin_grants, kept),
    next: data.next_cursor && link(view, paths.admin_grants, { ...kept, cursor: data.next_cursor }),
  })
  const list = rows.length === 0 ? nothing : table(words.title, columns, rows)
  const content = html`${pageHeader(words.title, words.lead)}${filters(view, data)}${list}${pages}`
  return consolePage(view, { entry: 'grants', title: words.title, content })
}

function filters(view: View, { filter, wrong }: GrantsData): SafeHtml {
  const { grants: words } = view.text.console
  const { user, client } = filter
  const literal = { literal: true, autocomplete: 'off' }
  const clear = (user !== undefined || client !== undefined) && link(view, paths.admin_grants)
  return html`<form class="filters" role="search" action="${link(view, paths.admin_grants)}">${field({
    ...{ name: 'user', label: words.filter_user, value: user, ...literal },
    error: wrong === 'user' && words.filter_user_wrong,
  })}${field({
    ...{ name: 'client', label: words.filter_client, value: client, ...literal },
    error: wrong === 'client' && words.filter_client_wrong,
  })}<button class="button plain">${words.apply}</button>${clear && buttonLink(words.clear, clear, 'quiet')}</form>`
}

/** How a grant stands, as a word with a colour. */
export function grantBadge(view: View, state: GrantState): SafeHtml {
  const { grants: words } = view.text.console
  if (state === 'living') return badge(words.living, 'good')
  return state === 'expired' ? badge(words.expired) : badge(words.revoked, state === 'dead' ? 'warning' : undefined)
}

function scopes(view: View, all: readonly string[]): Child {
  if (all.length === 0) return '–'
  const more = all.length - SCOPES_SHOWN
  const rest = more > 0 && html`<small>${tell(view, view.text.console.grants.more, { n: more })}</small>`
  return html`<span class="codes">${all.slice(0, SCOPES_SHOWN).map((scope) => html`${code(scope)} `)}</span>${rest}`
}
