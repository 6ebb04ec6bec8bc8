import { type Child, html, type SafeHtml } from '../html.ts'

/** A message that depends on a number, by the plural categories of the language (Unicode CLDR); `n` picks the form. */
export interface Plural {
  readonly zero?: string
  readonly one?: string
  readonly two?: string
  readonly few?: string
  readonly many?: string
  readonly other: string
}

/** A sentence with `{named}` holes, plain data that a translator can edit. */
export type Message = string | Plural

type NameIn<M> = M extends `${string}{${infer Name}}${infer Rest}` ? Name | NameIn<Rest> : never
type FormOf<M> = M extends string ? M : M extends { readonly other: infer Other } ? Other : never

/** The holes of a message, each with what may fill it. */
export type Holes<M extends Message, Value> = { readonly [Name in NameIn<FormOf<M>>]: Value }

/** Fills a message with text or markup. */
export function say<const M extends Message>(lang: string, message: M, holes: Holes<M, Child>): SafeHtml {
  return html`${piecesOf<Child>(lang, message, holes)}`
}

/** Fills a message with text alone, for titles and labels. */
export function sayText<const M extends Message>(lang: string, message: M, holes: Holes<M, string | number>): string {
  return piecesOf(lang, message, holes).join('')
}

function piecesOf<Value>(lang: string, message: Message, holes: Readonly<Record<string, Value>>): (Value | string)[] {
  const form = typeof message === 'string' ? message : pickForm(lang, message, holes)
  return form.split(/\{(\w+)\}/).map((piece, index) => (index % 2 === 0 ? piece : (holes[piece] ?? '')))
}

function pickForm(lang: string, message: Plural, holes: Readonly<Record<string, unknown>>): string {
  return message[new Intl.PluralRules(lang).select(Number(holes['n']))] ?? message.other
}
