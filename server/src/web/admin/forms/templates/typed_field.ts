import { check, field, group, select, textArea } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { code } from '../../../ui/name.ts'
import type { View } from '../../../ui/view.ts'
import { type LintedRedirect, refusedRedirects } from './redirect_lint.ts'
import { refusalText } from './refusal.ts'

/**
 * How a member is typed: a line of prose or of code, lines with one value each, a box to tick (`yes_no` says no too), a
 * number, JSON, lines of `name: words` or `name: sentence`, one of several values, some of them, or an object whose members
 * are typed one by one. A secret, in one line or in many, is never shown again. `follows` is not typed.
 */
export type FieldKind =
  | 'text'
  | 'literal'
  | 'lines'
  | 'flag'
  | 'yes_no'
  | 'number'
  | 'json'
  | 'map'
  | 'sentences'
  | 'secret'
  | 'secret_lines'
  | 'follows'
  | { readonly one_of: readonly string[]; readonly optional?: true }
  | { readonly some_of: readonly string[] }
  | { readonly parts: Readonly<Record<string, 'literal' | 'lines' | 'flag'>> }

/**
 * What a form of typed fields shows beside their names: what was typed, and what was wrong with it; that somebody else has
 * changed it meanwhile; or that it comes back after a sign-in anew, with what was typed or without.
 */
export interface TypedForm {
  readonly values: Readonly<Record<string, string>>
  readonly wrong?:
    | {
        readonly member?: string | undefined
        readonly sentence: string
        /** What is wrong with each redirect URI, where the refusal is about them. */
        readonly redirects?: readonly LintedRedirect[]
      }
    | 'stale'
    | 'renewed'
    | 'too_long'
    | undefined
}

/** What people read about a field; `parts` are those of an object. */
export interface FieldWords {
  readonly label: SafeHtml | string
  readonly hint?: string | undefined
  readonly parts?: Readonly<Record<string, string>>
}

/** Why a field was refused, where it was. */
export function errorOf({ wrong }: TypedForm, member: string): string | undefined {
  return typeof wrong === 'object' && wrong.member === member ? wrong.sentence : undefined
}

/** Whether anything stands in a field. */
export function isSet({ values }: TypedForm, member: string): boolean {
  return Object.keys(values).some((field_name) => field_name === member || field_name.startsWith(`${member}.`))
}

/** A field under its label and its name on the wire. */
export function typedField(view: View, typed: TypedForm, member: string, kind: FieldKind, words: FieldWords): Child {
  const sentence = errorOf(typed, member)
  const redirects = typeof typed.wrong === 'object' ? typed.wrong.redirects : undefined
  const told = sentence === undefined ? undefined : refusalText(view, sentence)
  const error = told && ((redirects && refusedRedirects(view, redirects)) ?? told)
  const { hint } = words
  const label = html`${words.label} ${code(member)}`
  if (typeof kind === 'object' && 'some_of' in kind) {
    return group(label, some(typed, member, kind.some_of), { name: member, error, hint })
  }
  if (typeof kind === 'object' && 'parts' in kind) {
    const fields = Object.entries(kind.parts).map(([part, of]) => {
      const own = html`${words.parts?.[part] ?? ''} ${code(part)}`
      return plainField(view, typed, `${member}.${part}`, of, { label: own })
    })
    return group(label, fields, { name: member, error, hint })
  }
  return plainField(view, typed, member, kind, { label, hint, error })
}

function plainField(
  view: View,
  { values }: TypedForm,
  field_name: string,
  kind: FieldKind,
  about: { label: SafeHtml; hint?: string | undefined; error?: SafeHtml | undefined },
): Child {
  if (kind === 'follows') return ''
  const value = values[field_name]
  if (kind === 'flag' || kind === 'yes_no') {
    const { error, ...rest } = about
    const box = check({ name: field_name, value: 'true', checked: value === 'true', ...rest })
    return error ? group(about.label, box, { name: field_name, error }) : box
  }
  const options = { name: field_name, value, ...about, autocomplete: 'off', literal: kind !== 'text' }
  if (typeof kind === 'object') return oneOf(view, options, 'one_of' in kind ? kind : { one_of: [] })
  if (kind === 'secret') return field({ ...options, type: 'password', value: undefined, autocomplete: 'new-password' })
  if (kind === 'secret_lines') return textArea({ ...options, value: undefined, rows: 3 })
  if (kind === 'text' || kind === 'literal' || kind === 'number') return field(options)
  return textArea({ ...options, rows: rowsOf(value, kind === 'json' ? 4 : 2) })
}

function oneOf(
  view: View,
  options: Parameters<typeof field>[0],
  kind: { readonly one_of: readonly string[]; readonly optional?: true },
): SafeHtml {
  const unsaid = kind.optional ? [{ value: '', label: view.text.console.client_form.unsaid }] : []
  return select({ ...options, choices: [...unsaid, ...kind.one_of.map((value) => ({ value, label: value }))] })
}

// What is registered is shown although this server has it no more: only whoever unticks it takes it away.
function some({ values }: TypedForm, member: string, known: readonly string[]): SafeHtml {
  const ticked = Object.entries(values).flatMap(([field_name, value]) =>
    field_name.startsWith(`${member}.`) ? [value] : [],
  )
  const boxes = [...new Set([...known, ...ticked])].map((value, i) =>
    check({ name: `${member}.${i}`, value, label: code(value), checked: ticked.includes(value) }),
  )
  return html`<div class="choices">${boxes}</div>`
}

function rowsOf(value: string | undefined, least: number): number {
  return Math.min(Math.max((value?.split('\n').length ?? 0) + 1, least), 16)
}
