import { badge, emptyState, pageHeader, pagination, table } from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { name, userName } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, type View } from '../../../ui/view.ts'
import { type Done, doneNotice } from '../../forms/templates/done.ts'

/** One line of the list. */
export interface UserRow {
  readonly user_id: string
  readonly username: string
  readonly name?: string | undefined
  readonly email?: string | undefined
  readonly email_verified: boolean
  readonly roles: readonly string[]
  readonly disabled: boolean
}

/** What the list of users shows. */
export interface UsersData {
  readonly users: readonly UserRow[]
  /** What was searched for. */
  readonly q?: string | undefined
  /** So many are shown of those that were found, where there are more. */
  readonly first?: number | undefined
  readonly cursor?: string | undefined
  readonly next_cursor?: string | undefined
  readonly done?: Done | undefined
}

/** The list of users, with a search that lives in the address. */
export function renderUsers(view: View, data: UsersData): SafeHtml {
  const { users } = view.text.console
  const q = data.q === '' ? undefined : data.q
  const rows = data.users.map((user): Child[] => [
    html`<a href="${link(view, paths.admin_user, { user_id: user.user_id })}">${name(userName(user))}</a>${user.name && html` <small>${name(user.username)}</small>`}`,
    user.email && html`${name(user.email)} ${!user.email_verified && badge(users.unverified)}`,
    user.roles.map((role) => html`${badge(name(role))} `),
    user.disabled ? badge(users.disabled, 'danger') : badge(users.enabled, 'good'),
  ])
  const columns = [users.user, users.email, users.roles, users.status]
  const list = rows.length === 0 ? emptyState(users.empty, users.empty_body) : table(users.title, columns, rows)
  const search = html`<form class="filters" role="search" action="${link(view, paths.admin_users)}"><div class="field"><label for="q">${users.search_for}</label><div class="joined"><input id="q" name="q" type="search"${attrs({ value: q })}><button class="button quiet">${users.search}</button></div></div></form>`
  const add = buttonLink(view.text.console.new_user.add, link(view, paths.admin_new_user), 'primary')
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.admin_users, { q }),
    next: data.next_cursor && link(view, paths.admin_users, { q, cursor: data.next_cursor }),
  })
  const more = data.first !== undefined && html`<p>${tell(view, view.text.console.search.first, { n: data.first })}</p>`
  const content = html`${pageHeader(users.title, users.lead, add)}${doneNotice(view, data.done)}${search}${list}${more}${pages}`
  return consolePage(view, { entry: 'users', title: users.title, content })
}
