import { ALGORITHMS } from '../../../../crypto/signing_keys.ts'
import { type ConsentScope, renderPermissions } from '../../../pages/templates/consent.ts'
import {
  badge,
  card,
  emptyState,
  pageHeader,
  type SameScript,
  section,
  table,
  toldNotice,
} from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, tellText, type View } from '../../../ui/view.ts'
import type { FieldKind, TypedForm } from '../../forms/templates/typed_field.ts'
import { typedDetails, typedPage } from '../../forms/templates/typed_page.ts'

/** How the members of a resource are typed, under their names in a platform file; `uri` is what it is called on the wire. */
export const RESOURCE_FIELDS = {
  name: 'text',
  scopes: 'sentences',
  default_scopes: 'lines',
  'access_token.format': { one_of: ['jwt', 'opaque'] },
  'access_token.lifetime_seconds': 'number',
  'access_token.signing_alg': { one_of: ALGORITHMS, optional: true },
  every_user: 'flag',
  introspection_clients: 'lines',
} as const satisfies Readonly<Record<string, FieldKind>>

/** One line of the list. */
export interface ResourceRow {
  readonly resource: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly format: 'jwt' | 'opaque'
  /** One of the server itself, which nobody changes. */
  readonly built_in: boolean
}

/** The list of resources. */
export function renderResources(view: View, data: { readonly resources: readonly ResourceRow[] }): SafeHtml {
  const { resources: words } = view.text.console
  const add = buttonLink(words.add, link(view, paths.admin_new_resource), 'primary')
  const rows = data.resources.map((row): Child[] => [
    html`<a href="${link(view, paths.admin_resource, { uri: row.resource })}">${name(row.name)}</a> ${row.built_in && badge(words.built_in)}`,
    code(row.resource),
    html`<span class="codes">${row.scopes.map((scope) => html`${code(scope)} `)}</span>`,
    code(row.format),
  ])
  const columns = [words.name, words.identifier, words.scopes, words.tokens]
  const list = rows.length === 0 ? emptyState(words.empty, words.empty_body, add) : table(words.title, columns, rows)
  const content = html`${pageHeader(words.title, words.lead, rows.length > 0 && add)}${list}`
  return consolePage(view, { entry: 'resources', title: words.title, content })
}

/** What the page of one resource shows. */
export interface ResourceData extends Pick<TypedForm, 'values'> {
  readonly resource: string
  readonly name: string
  readonly built_in: boolean
  readonly saved?: boolean
  /** Its scopes as the consent page tells them. */
  readonly preview?: readonly ConsentScope[]
}

/** The page of one resource. */
export function renderResource(view: View, data: ResourceData): SafeHtml {
  const { resource: words, client_form } = view.text.console
  const edit = buttonLink(words.edit, link(view, paths.admin_edit_resource, { uri: data.resource }))
  const details = typedDetails(data, RESOURCE_FIELDS, words.fields, client_form.yes)
  const saved = data.saved && toldNotice('good', words.saved)
  const lead = data.built_in ? words.built_in : undefined
  const content = html`${pageHeader(name(data.name), code(data.resource))}${saved}${section(words.details, details, lead, !data.built_in && edit)}${consentPreview(view, data)}`
  return consolePage(view, { entry: 'resources', under: [], title: displayName(data.name), content })
}

function consentPreview(view: View, { preview = [] }: ResourceData): Child {
  const { consent_preview: words } = view.text.console
  if (preview.length === 0) return ''
  return section(words.title, card(renderPermissions(view, preview, html`${words.client}`)), words.lead)
}

/** What the form for a resource shows; without one it makes a new one. */
export interface EditResourceData extends TypedForm {
  readonly resource?: { readonly resource: string; readonly name: string } | undefined
  readonly seen: string
  readonly script?: SameScript
}

/** The form for a resource, new or not. */
export function renderEditResource(view: View, data: EditResourceData): SafeHtml {
  const { resource: words } = view.text.console
  const { resource, seen } = data
  const shown = {
    ...{ words, script: data.script },
    kinds: resource ? RESOURCE_FIELDS : { uri: 'literal' as const, ...RESOURCE_FIELDS },
    action: link(view, resource ? paths.admin_edit_resource : paths.admin_new_resource),
    back: resource ? link(view, paths.admin_resource, { uri: resource.resource }) : link(view, paths.admin_resources),
    hidden: { seen, ...(resource && { uri: resource.resource }) },
    title: resource ? tell(view, words.edit_title, { name: name(resource.name) }) : words.new_title,
  }
  const title = resource ? tellText(view, words.edit_title, { name: displayName(resource.name) }) : words.new_title
  const under = resource
    ? [[name(resource.name), link(view, paths.admin_resource, { uri: resource.resource })] as const]
    : []
  return consolePage(view, { entry: 'resources', under, title, content: typedPage(view, data, shown) })
}
