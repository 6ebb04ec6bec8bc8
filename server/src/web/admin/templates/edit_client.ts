import { notice, pageHeader } from '../../ui/components.ts'
import { button, buttonLink, check, field, form, group, select, textArea } from '../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../ui/html.ts'
import { consolePage } from '../../ui/layout.ts'
import { clientName, code, displayName, name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { link, tell, tellText, type View } from '../../ui/view.ts'
import {
  CLIENT_MEMBERS,
  CLIENT_SECTIONS,
  type ClientSection,
  type MemberKind,
  type MemberName,
  membersOf,
} from './client_members.ts'

/** What the form for a client shows: what is registered, or what was typed. */
export interface EditClientData {
  readonly client_id: string
  readonly client_name?: string | undefined
  readonly grant_types: readonly string[]
  /** By the names of fields. */
  readonly values: Readonly<Record<string, string>>
  /** What was shown when this was decided. */
  readonly seen: string
  /** Why nothing was changed: a refusal, with the member it names; or somebody else was faster. */
  readonly wrong?: { readonly member?: string | undefined; readonly sentence: string } | 'stale' | undefined
}

/** The form for everything that is registered of a client, in parts that open by themselves where something is said. */
export function renderEditClient(view: View, data: EditClientData): SafeHtml {
  const { client_form: words } = view.text.console
  const shown = clientName(data)
  const back = link(view, paths.admin_client, { client_id: data.client_id })
  const hidden = { client_id: data.client_id, seen: data.seen }
  const parts = CLIENT_SECTIONS.map((section) => part(view, data, section))
  const actions = html`<div class="actions start">${button(words.save)}${buttonLink(words.cancel, back, 'quiet')}</div>`
  const content = html`${pageHeader(tell(view, words.title, { client: name(shown) }), words.lead)}<div class="measure">${refused(view, data)}${form(view, { action: link(view, paths.admin_edit_client), hidden }, html`${parts}${actions}`)}</div>`
  const title = tellText(view, words.title, { client: displayName(shown) })
  return consolePage(view, { entry: 'clients', title, content })
}

function refused(view: View, { wrong }: EditClientData): Child {
  const { client_form: words } = view.text.console
  if (wrong === undefined) return ''
  if (wrong === 'stale') return notice('warning', html`<p>${words.stale}</p>`)
  const known = wrong.member !== undefined && Object.hasOwn(CLIENT_MEMBERS, wrong.member)
  return notice('danger', html`<p>${words.wrong}</p>${!known && html`<p>${name(wrong.sentence, 300)}</p>`}`)
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

function isSet({ values }: EditClientData, member: MemberName): boolean {
  return Object.keys(values).some((field) => field === member || field.startsWith(`${member}.`))
}

function errorOf({ wrong }: EditClientData, member: MemberName): string | undefined {
  return typeof wrong === 'object' && wrong.member === member ? wrong.sentence : undefined
}

function memberField(view: View, data: EditClientData, member: MemberName): Child {
  const { members, hints, parts } = view.text.console.client_form
  const hint = (hints as Partial<Record<MemberName, string>>)[member]
  const sentence = errorOf(data, member)
  const error = sentence === undefined ? undefined : name(sentence, 300)
  const label = html`${members[member]} ${code(member)}`
  const { kind } = CLIENT_MEMBERS[member]
  if (typeof kind === 'object' && 'some_of' in kind) {
    return group(label, some(data, member, kind.some_of), { name: member, error, hint })
  }
  if (typeof kind === 'object' && 'parts' in kind) {
    const fields = Object.entries(kind.parts).map(([part, of]) => {
      const own = html`${parts[part as keyof typeof parts]} ${code(part)}`
      return plainField(view, data, `${member}.${part}`, of, { label: own })
    })
    return group(label, fields, { name: member, error, hint })
  }
  return plainField(view, data, member, kind, { label, hint, error })
}

function plainField(
  view: View,
  { values }: EditClientData,
  field_name: string,
  kind: MemberKind,
  about: { label: SafeHtml; hint?: string | undefined; error?: SafeHtml | undefined },
): Child {
  if (kind === 'follows') return ''
  const value = values[field_name]
  if (kind === 'flag') {
    const { error, ...rest } = about
    const box = check({ name: field_name, value: 'true', checked: value === 'true', ...rest })
    return error ? group(about.label, box, { name: field_name, error }) : box
  }
  const options = { name: field_name, value, ...about, autocomplete: 'off', literal: kind !== 'text' }
  if (typeof kind === 'object') return oneOf(view, options, 'one_of' in kind ? kind : { one_of: [] })
  if (kind === 'lines' || kind === 'map') return textArea({ ...options, rows: rowsOf(value, 2) })
  if (kind === 'json') return textArea({ ...options, rows: rowsOf(value, 4) })
  return field(options)
}

function oneOf(
  view: View,
  options: Parameters<typeof field>[0],
  kind: { readonly one_of: readonly string[]; readonly optional?: true },
): SafeHtml {
  const unsaid = kind.optional ? [{ value: '', label: view.text.console.client_form.unsaid }] : []
  return select({ ...options, choices: [...unsaid, ...kind.one_of.map((value) => ({ value, label: value }))] })
}

/** What is registered is shown although this server has it no more: only whoever unticks it takes it away. */
function some({ values, grant_types }: EditClientData, member: MemberName, known: readonly string[]): SafeHtml {
  const ticked = Object.entries(values).flatMap(([field, value]) => (field.startsWith(`${member}.`) ? [value] : []))
  const choices = [...new Set([...(member === 'grant_types' ? grant_types : known), ...ticked])]
  const boxes = choices.map((value, i) =>
    check({ name: `${member}.${i}`, value, label: code(value), checked: ticked.includes(value) }),
  )
  return html`<div class="choices">${boxes}</div>`
}

function rowsOf(value: string | undefined, least: number): number {
  return Math.min(Math.max((value?.split('\n').length ?? 0) + 1, least), 16)
}
