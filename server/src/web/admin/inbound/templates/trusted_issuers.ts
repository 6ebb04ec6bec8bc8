import {
  badge,
  emptyState,
  notice,
  pageHeader,
  pagination,
  type SameScript,
  section,
  table,
  toldNotice,
} from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, exactText } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, tellText, type View } from '../../../ui/view.ts'
import type { FieldKind, TypedForm } from '../../forms/templates/typed_field.ts'
import { typedDetails, typedPage } from '../../forms/templates/typed_page.ts'

/** How the members of a trusted issuer are typed, under their names in a platform file. */
export const ISSUER_FIELDS = {
  jwks_uri: 'literal',
  jwks: 'json',
  subject_is: { one_of: ['user_id', 'username'], optional: true },
  subjects: 'json',
  clients: 'lines',
  scope: 'literal',
  software_statements: 'flag',
  disabled: 'flag',
} as const satisfies Readonly<Record<string, FieldKind>>

/** One line of the list. */
export interface TrustedIssuerRow {
  readonly issuer: string
  readonly clients: readonly string[]
  readonly scope: string
  readonly disabled: boolean
}

/** The list of trusted issuers. */
export function renderTrustedIssuers(
  view: View,
  data: {
    readonly issuers: readonly TrustedIssuerRow[]
    readonly cursor?: string | undefined
    readonly next_cursor?: string | undefined
  },
): SafeHtml {
  const { trusted_issuers: words } = view.text.console
  const add = buttonLink(words.add, link(view, paths.admin_new_trusted_issuer), 'primary')
  const rows = data.issuers.map((row): Child[] => [
    html`<a href="${link(view, paths.admin_trusted_issuer, { issuer: row.issuer })}">${code(row.issuer)}</a>`,
    row.clients.map((client_id) => html`${code(client_id)} `),
    row.scope && code(row.scope),
    row.disabled ? badge(words.disabled, 'danger') : badge(words.trusted, 'good'),
  ])
  const columns = [words.issuer, words.clients, words.scope, words.status]
  const list = rows.length === 0 ? emptyState(words.empty, words.empty_body, add) : table(words.title, columns, rows)
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.admin_trusted_issuers),
    next: data.next_cursor && link(view, paths.admin_trusted_issuers, { cursor: data.next_cursor }),
  })
  const content = html`${pageHeader(words.title, words.lead, rows.length > 0 && add)}${list}${pages}`
  return consolePage(view, { entry: 'trusted_issuers', title: words.title, content })
}

/** What the page of one trusted issuer shows. */
export interface TrustedIssuerData extends Pick<TypedForm, 'values'> {
  readonly issuer: string
  readonly disabled: boolean
  readonly saved?: boolean
}

/** The page of one trusted issuer. */
export function renderTrustedIssuer(view: View, data: TrustedIssuerData): SafeHtml {
  const { trusted_issuer: words, trusted_issuers, client_form } = view.text.console
  const edit = buttonLink(words.edit, link(view, paths.admin_edit_trusted_issuer, { issuer: data.issuer }))
  const standing = data.disabled ? badge(trusted_issuers.disabled, 'danger') : badge(trusted_issuers.trusted, 'good')
  const saved = data.saved && toldNotice('good', words.saved)
  const disabled = data.disabled && notice('danger', html`<p>${words.disabled}</p>`)
  const details = typedDetails(data, ISSUER_FIELDS, words.fields, client_form.yes)
  const content = html`${pageHeader(html`<bdi dir="ltr">${exactText(data.issuer)}</bdi>`, standing)}${saved}${disabled}${section(words.details, details, undefined, edit)}`
  return consolePage(view, { entry: 'trusted_issuers', under: [], title: exactText(data.issuer), content })
}

/** What the form for a trusted issuer shows; without one it makes a new one. */
export interface EditTrustedIssuerData extends TypedForm {
  readonly issuer?: string | undefined
  readonly seen: string
  readonly script?: SameScript
}

/** The form for a trusted issuer, new or not. */
export function renderEditTrustedIssuer(view: View, data: EditTrustedIssuerData): SafeHtml {
  const { trusted_issuer: words } = view.text.console
  const { issuer, seen } = data
  const known = issuer !== undefined
  const shown = {
    ...{ words, script: data.script },
    kinds: known ? ISSUER_FIELDS : { issuer: 'literal' as const, ...ISSUER_FIELDS },
    action: link(view, known ? paths.admin_edit_trusted_issuer : paths.admin_new_trusted_issuer),
    back: known ? link(view, paths.admin_trusted_issuer, { issuer }) : link(view, paths.admin_trusted_issuers),
    hidden: { seen, ...(known && { issuer }) },
    title: known ? tell(view, words.edit_title, { issuer: code(issuer) }) : words.new_title,
  }
  const title = known ? tellText(view, words.edit_title, { issuer: exactText(issuer) }) : words.new_title
  const under = known ? [[code(issuer), link(view, paths.admin_trusted_issuer, { issuer })] as const] : []
  return consolePage(view, { entry: 'trusted_issuers', under, title, content: typedPage(view, data, shown) })
}
