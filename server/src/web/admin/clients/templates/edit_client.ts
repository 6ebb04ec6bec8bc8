import { pageHeader, type SameScript, sameByScript } from '../../../ui/components.ts'
import { button, buttonLink, form } from '../../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, tellText, type View } from '../../../ui/view.ts'
import { errorOf, isSet, type TypedForm, typedField } from '../../forms/templates/typed_field.ts'
import { formNotice } from '../../forms/templates/typed_page.ts'
import { CLIENT_MEMBERS, CLIENT_SECTIONS, type ClientSection, type MemberName, membersOf } from './client_members.ts'

/** What the form for a client shows: what is registered, or what was typed. */
export interface EditClientData extends TypedForm {
  readonly client_id: string
  readonly client_name?: string | undefined
  readonly grant_types: readonly string[]
  /** What was shown when this was decided. */
  readonly seen: string
  readonly script?: SameScript
}

/** The form for everything that is registered of a client, in parts that open by themselves where something is said. */
export function renderEditClient(view: View, data: EditClientData): SafeHtml {
  const { client_form: words } = view.text.console
  const shown = clientName(data)
  const back = link(view, paths.admin_client, { client_id: data.client_id })
  const hidden = { client_id: data.client_id, seen: data.seen }
  const parts = CLIENT_SECTIONS.map((section) => part(view, data, section))
  const actions = html`<div class="actions start">${button(words.save)}${buttonLink(words.cancel, back, 'quiet')}</div>`
  const content = html`${pageHeader(tell(view, words.title, { client: name(shown) }), words.lead)}<div class="measure">${formNotice(view, data, words, CLIENT_MEMBERS)}${form(view, { action: link(view, paths.admin_edit_client), hidden }, html`${parts}${actions}`)}${sameByScript(view, data.script)}</div>`
  const title = tellText(view, words.title, { client: displayName(shown) })
  return consolePage(view, { entry: 'clients', under: [[name(shown), back]], title, content })
}

function part(view: View, data: EditClientData, section: ClientSection): SafeHtml {
  const { client_form: words } = view.text.console
  const members = membersOf(section)
  const set = members.filter((member) => isSet(data, member)).length
  const wrong = members.some((member) => errorOf(data, member) !== undefined)
  const open = section === 'basics' || section === 'redirects' || wrong
  const count = set > 0 && html`<small>${tell(view, words.set, { n: set })}</small>`
  const fields = members.map((member) => memberField(view, data, member))
  return html`<details class="part"${attrs({ open })}><summary><h2>${words.sections[section]}</h2>${count}</summary>${fields}</details>`
}

function memberField(view: View, data: EditClientData, member: MemberName): Child {
  const { members, hints, parts } = view.text.console.client_form
  const { kind } = CLIENT_MEMBERS[member]
  // Which grant types there are is for the server that runs: an embedder adds more.
  const known = member === 'grant_types' ? { some_of: data.grant_types } : kind
  const hint = (hints as Partial<Record<MemberName, string>>)[member]
  return typedField(view, data, member, known, { label: members[member], hint, parts })
}
