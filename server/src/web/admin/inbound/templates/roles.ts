import { badge, emptyState, pageHeader, type SameScript, sameByScript, table } from '../../../ui/components.ts'
import { button, buttonLink, field } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, exactText } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, tellText, type View } from '../../../ui/view.ts'
import type { FieldKind, TypedForm } from '../../forms/templates/typed_field.ts'
import { typedPage } from '../../forms/templates/typed_page.ts'

/** How the members of a role are typed; the name of one that is there already stays. */
export const ROLE_FIELDS = { scopes: 'lines' } as const satisfies Readonly<Record<string, FieldKind>>
const NEW_ROLE_FIELDS = { role: 'literal', ...ROLE_FIELDS } as const

/** The roles, and the scopes that whoever holds one can give away. */
export function renderRoles(
  view: View,
  data: { readonly roles: readonly { role: string; scopes: readonly string[]; built_in: boolean }[] },
): SafeHtml {
  const { roles: words } = view.text.console
  const add = buttonLink(words.add, link(view, paths.admin_new_role), 'primary')
  const why = buttonLink(words.why, link(view, paths.admin_rights), 'plain')
  const rows = data.roles.map(({ role, scopes, built_in }): Child[] => [
    html`<a href="${link(view, paths.admin_edit_role, { role })}">${code(role)}</a> ${built_in && badge(words.built_in)}`,
    html`<span class="codes">${scopes.map((scope) => html`${code(scope)} `)}</span>`,
  ])
  const own = data.roles.some(({ built_in }) => !built_in)
  const first = !own && html`<div class="after">${emptyState(words.empty, words.empty_body, add)}</div>`
  const list = table(words.title, [words.role, words.scopes], rows)
  const content = html`${pageHeader(words.title, words.lead, html`${why}${own && add}`)}${list}${first}`
  return consolePage(view, { entry: 'roles', title: words.title, content })
}

/** What the form of a role shows. */
export interface EditRoleData extends TypedForm {
  /** Without it a new one is described. */
  readonly role?: string | undefined
  readonly seen: string
  readonly script: SameScript
}

/** The form in which a role is described. */
export function renderEditRole(view: View, data: EditRoleData): SafeHtml {
  const { role: words } = view.text.console
  const { role, seen } = data
  const known = role !== undefined
  const form = typedPage(view, data, {
    ...{ words, kinds: known ? ROLE_FIELDS : NEW_ROLE_FIELDS },
    action: link(view, known ? paths.admin_edit_role : paths.admin_new_role),
    back: link(view, paths.admin_roles),
    hidden: { seen, ...(known && { role }) },
    title: known ? tell(view, words.edit_title, { role: code(role) }) : words.new_title,
  })
  const title = known ? tellText(view, words.edit_title, { role: exactText(role) }) : words.new_title
  const content = html`${form}<div class="measure">${sameByScript(view, data.script)}</div>`
  return consolePage(view, { entry: 'roles', under: [], title, content })
}

/** What the page shows on which one asks for a reason. */
export interface AskRightsData {
  readonly client_id?: string | undefined
  readonly username?: string | undefined
  readonly scope?: string | undefined
  readonly wrong?: 'client' | undefined
  readonly script: SameScript
}

/** Who, by which client, what: the question whose answer is a client's page of rights. */
export function renderAskRights(view: View, data: AskRightsData): SafeHtml {
  const { why: words, rights } = view.text.console
  const literal = { literal: true, autocomplete: 'off' }
  const fields = html`${field({
    ...{ name: 'username', label: words.username, hint: rights.username_hint, value: data.username, ...literal },
  })}${field({
    ...{ name: 'client_id', label: words.client, value: data.client_id, required: true, ...literal },
    error: data.wrong === 'client' && words.client_wrong,
  })}${field({
    ...{ name: 'scope', label: words.scope, hint: rights.scope_hint, value: data.scope, ...literal },
  })}<div class="actions start">${button(words.ask)}</div>`
  const ask = html`<form class="measure" action="${link(view, paths.admin_rights)}">${fields}</form>`
  const content = html`${pageHeader(words.title, words.lead)}${ask}<div class="measure">${sameByScript(view, data.script)}</div>`
  return consolePage(view, { entry: 'roles', under: [], title: words.title, content })
}
