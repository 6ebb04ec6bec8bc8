import {
  card,
  codeBlock,
  definitions,
  notice,
  pageHeader,
  type SameScript,
  sameByScript,
} from '../../../ui/components.ts'
import { button, buttonLink, form } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { code, name } from '../../../ui/name.ts'
import type { View } from '../../../ui/view.ts'
import { refusalText } from './refusal.ts'
import { type FieldKind, type TypedForm, typedField } from './typed_field.ts'

/** The words that such a page needs. */
export interface TypedWords {
  readonly lead: string
  readonly save: string
  readonly cancel: string
  readonly wrong: string
  readonly stale: string
  readonly fields: Readonly<Record<string, string>>
  readonly hints: Readonly<Record<string, string>>
}

/** A page with one form of typed fields, before and after a refusal. */
export function typedPage(
  view: View,
  typed: TypedForm,
  page: {
    readonly title: SafeHtml | string
    readonly words: TypedWords
    readonly kinds: Readonly<Record<string, FieldKind>>
    readonly action: string
    readonly back: string
    readonly hidden: Readonly<Record<string, string>>
    readonly script?: SameScript | undefined
  },
): SafeHtml {
  const { words, kinds } = page
  const fields = Object.entries(kinds).map(([member, kind]) =>
    typedField(view, typed, member, kind, { label: words.fields[member] ?? member, hint: words.hints[member] }),
  )
  const actions = html`<div class="actions start">${button(words.save)}${buttonLink(words.cancel, page.back, 'quiet')}</div>`
  const shown = form(view, { action: page.action, hidden: page.hidden }, html`${fields}${actions}`)
  return html`${pageHeader(page.title, words.lead)}<div class="measure">${formNotice(view, typed, words, kinds)}${shown}${sameByScript(view, page.script)}</div>`
}

/** What stands above a form: why it was refused, where no field says it; or why it is shown again. */
export function formNotice(
  view: View,
  { wrong }: Pick<TypedForm, 'wrong'>,
  words: { readonly wrong: string; readonly stale: string },
  kinds: Readonly<Record<string, unknown>>,
): Child {
  if (wrong === 'stale') return notice('warning', html`<p>${words.stale}</p>`)
  if (typeof wrong !== 'object') return renewal(view, wrong)
  const known = wrong.member !== undefined && Object.hasOwn(kinds, wrong.member)
  return notice(
    'danger',
    html`<p>${words.wrong}</p>${!known && html`<p>${refusalText(view, wrong.sentence, wrong.member)}</p>`}`,
  )
}

/** That a form comes back after a sign-in anew, and that nothing is done yet. */
export function renewal(view: View, wrong: TypedForm['wrong']): Child {
  const { again } = view.text.console
  if (wrong === 'renewed') return notice('good', html`<p>${again.renewed}</p>`)
  return wrong === 'too_long' && notice('warning', html`<p>${again.too_long}</p>`)
}

/** What stands, field by field, as a form would have it; `yes` is what a ticked box says. */
export function typedDetails(
  typed: Pick<TypedForm, 'values'>,
  kinds: Readonly<Record<string, FieldKind>>,
  fields: Readonly<Record<string, string>>,
  yes: string,
): SafeHtml {
  const pairs = Object.entries(kinds).flatMap(([member, kind]): [string, Child][] => {
    const value = typed.values[member]
    if (value === undefined || value === '') return []
    return [[fields[member] ?? member, describe(kind, value, yes)]]
  })
  return card(definitions(pairs))
}

function describe(kind: FieldKind, value: string, yes: string): Child {
  if (kind === 'flag') return yes
  if (kind === 'json') return codeBlock(value)
  if (kind === 'text') return name(value)
  return value.split('\n').map((line) => html`<p>${code(line)}</p>`)
}
