/** A message that depends on a number, by the plural categories of its language (Unicode CLDR); `n` picks the form. */
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

/** Messages in named groups. */
export interface Catalogue {
  readonly [key: string]: Message | Catalogue
}

type NameIn<M> = M extends `${string}{${infer Name}}${infer Rest}` ? Name | NameIn<Rest> : never
type FormOf<M> = M extends string ? M : M extends { readonly other: infer Other } ? Other : never

/** The holes of a message, each with what may fill it. */
export type Holes<M extends Message, Value> = { readonly [Name in NameIn<FormOf<M>>]: Value }

/** The plural forms that a language has. */
export function pluralForms(lang: string): readonly Intl.LDMLPluralRule[] {
  return habitsOf(lang).rules.resolvedOptions().pluralCategories
}

/** Whether a language is written from right to left. */
export function directionOf(lang: string): 'ltr' | 'rtl' {
  return habitsOf(lang).dir
}

/** A number with the digits and separators of a language. */
export function writeNumber(lang: string, n: number): string {
  return habitsOf(lang).numbers.format(n)
}

/** A message in pieces: what stands in it, and what fills its holes; numbers are written as the language writes them. */
export function piecesOf<Value>(
  lang: string,
  message: Message,
  holes: Readonly<Record<string, Value>>,
): (Value | string)[] {
  const form = typeof message === 'string' ? message : pickForm(lang, message, holes)
  return form.split(/\{(\w+)\}/).map((piece, index) => {
    if (index % 2 === 0) return piece
    const value = holes[piece] ?? ''
    return typeof value === 'number' ? writeNumber(lang, value) : value
  })
}

/** A message as one line of plain text; from right to left, what fills a hole is kept from moving its neighbours (UAX 9). */
export function textOf(lang: string, message: Message, holes: Readonly<Record<string, string | number>> = {}): string {
  if (directionOf(lang) === 'ltr') return piecesOf(lang, message, holes).join('')
  const kept = Object.entries(holes).map(([name, value]) => [name, typeof value === 'string' ? isolate(value) : value])
  return piecesOf(lang, message, Object.fromEntries(kept)).join('')
}

const isolate = (text: string) => (text === '' ? '' : `\u2068${text}\u2069`)

function pickForm(lang: string, message: Plural, holes: Readonly<Record<string, unknown>>): string {
  return message[habitsOf(lang).rules.select(Number(holes['n']))] ?? message.other
}

/** What the types of Intl do not tell of yet (ECMA-402, Intl Locale Info). */
interface WithTextInfo extends Intl.Locale {
  getTextInfo(): { readonly direction: 'ltr' | 'rtl' }
}

interface Habits {
  readonly dir: 'ltr' | 'rtl'
  readonly rules: Intl.PluralRules
  readonly numbers: Intl.NumberFormat
}

// To make one of these takes longer than to write a whole page; there are as many as there are languages.
const known = new Map<string, Habits>()

function habitsOf(lang: string): Habits {
  const habits: Habits = known.get(lang) ?? {
    dir: (new Intl.Locale(lang) as WithTextInfo).getTextInfo().direction,
    rules: new Intl.PluralRules(lang),
    numbers: new Intl.NumberFormat(lang),
  }
  known.set(lang, habits)
  return habits
}
