import { badge, emptyState, pageHeader, section, table } from '../../../ui/components.ts'
import { button, field } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, code, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, tellText, type View } from '../../../ui/view.ts'

/** How one scope is ruled. */
export interface RuledScope {
  readonly scope: string
  readonly granted: boolean
  readonly rule: 'client' | 'identity' | 'every_user' | 'role' | 'role_scopes' | 'consent' | 'unknown'
  readonly role?: string
}

/** What the page of a client's rights shows. */
export interface RightsData {
  readonly client_id: string
  readonly client_name?: string | undefined
  readonly username?: string | undefined
  readonly scope?: string | undefined
  /** The roles at work; null where no user is concerned. */
  readonly roles: readonly string[] | null
  readonly scopes: readonly RuledScope[]
  /** Which of the two fields was not understood. */
  readonly wrong?: 'username' | 'scope' | undefined
}

/** Why a client gets a scope in a user's name, or does not: one line for each scope. */
export function renderClientRights(view: View, data: RightsData): SafeHtml {
  const { rights } = view.text.console
  const client = html`<strong>${name(clientName(data))}</strong>`
  const hidden = html`<input type="hidden" name="client_id" value="${data.client_id}">`
  const fields = html`${field({
    ...{ name: 'username', label: rights.username, hint: rights.username_hint, value: data.username },
    ...{ error: data.wrong === 'username' && rights.username_wrong, autocomplete: 'off' },
  })}${field({
    ...{ name: 'scope', label: rights.scope, hint: rights.scope_hint, value: data.scope, literal: true },
    ...{ error: data.wrong === 'scope' && rights.scope_wrong, autocomplete: 'off' },
  })}<div class="actions start">${button(rights.ask)}</div>`
  const ask = html`<form class="measure" action="${link(view, paths.admin_client_rights)}">${hidden}${fields}</form>`
  const content = html`${pageHeader(tell(view, rights.title, { client }), rights.lead)}${ask}${answer(view, data)}`
  return consolePage(view, {
    entry: 'clients',
    under: [[name(clientName(data)), link(view, paths.admin_client, { client_id: data.client_id })]],
    title: tellText(view, rights.page_title, { client: displayName(clientName(data)) }),
    content,
  })
}

function answer(view: View, data: RightsData): Child {
  const { rights } = view.text.console
  if (data.wrong) return ''
  if (data.scopes.length === 0) return emptyState(rights.empty, rights.empty_body)
  const roles = data.roles?.map((role) => html`${badge(name(role))} `)
  const held = data.roles ? html`${rights.roles} ${roles?.length ? roles : rights.no_role}` : ''
  const rows = data.scopes.map(({ scope, granted, rule, role }): Child[] => [
    code(scope),
    granted ? badge(rights.granted, 'good') : badge(rights.refused, 'danger'),
    html`${tell(view, granted ? rights.granted_by[rule] : rights.refused_by[rule], { role: html`<strong>${name(role ?? '')}</strong>` })}`,
  ])
  return section(rights.answer, table(rights.answer, [rights.scope_column, rights.ruling, rights.reason], rows), held)
}
