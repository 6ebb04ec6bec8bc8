import { html, type SafeHtml } from '../../../ui/html.ts'
import { code, name } from '../../../ui/name.ts'
import { enRefusals } from '../../../ui/text/en_refusals.ts'
import { tell, type View } from '../../../ui/view.ts'

type RefusalKey = keyof typeof enRefusals

/** A refusal that is known, and what stands in its holes. */
export interface KnownRefusal {
  readonly key: RefusalKey
  readonly holes: Readonly<Record<string, string>>
}

const LONGEST = 300
/** A longer sentence repeats what was typed, and is shown as it is. */
const LONGEST_SENTENCE = 2000
/** What a hole takes: numbers, several words with something between them, an example, or a word; between quotes anything. */
const HOLES: Readonly<Record<string, string>> = {
  least: '\\d+',
  most: '\\d+',
  position: '\\d+',
  example: '.+?',
  values: "[\\w:./+-]+(?:(?:, | or | and )[\\w:./+'-]+)*",
}

const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

function compile(message: string): { readonly pattern: RegExp; readonly holes: readonly string[]; fixed: number } {
  const pieces = message.split(/\{(\w+)\}/)
  const pattern = pieces.map((piece, i) => {
    if (i % 2 === 0) return literal(piece)
    return `(${HOLES[piece] ?? (pieces[i - 1]!.endsWith("'") ? '.+?' : '\\S+')})`
  })
  const fixed = pieces.reduce((sum, piece, i) => (i % 2 === 0 ? sum + piece.length : sum), 0)
  return { pattern: new RegExp(`^${pattern.join('')}$`, 's'), holes: pieces.filter((_, i) => i % 2 === 1), fixed }
}

/** Those with the most words of their own first: what they leave open is the least. */
const KNOWN = (Object.keys(enRefusals) as RefusalKey[])
  .map((key) => ({ key, ...compile(enRefusals[key]) }))
  .sort((a, b) => b.fixed - a.fixed)

const SUBJECT = /^(?:A redirect URI |The webhook's |(?:Member |Parameter )?[a-z][\w.]*:? )/
/** A member, of a list in it, of a redirect URI: no refusal names more. */
const MOST_SUBJECTS = 3

/** The refusal that a sentence of the API tells, whatever it is about; undefined where none is known. */
export function findRefusal(sentence: string): KnownRefusal | undefined {
  if (sentence.length > LONGEST_SENTENCE) return undefined
  let rest = sentence
  for (let subjects = 0; subjects <= MOST_SUBJECTS; subjects++) {
    for (const { key, pattern, holes } of KNOWN) {
      const match = pattern.exec(rest)
      if (match) return { key, holes: Object.fromEntries(holes.map((hole, i) => [hole, match[i + 1]!])) }
    }
    const shorter = rest.replace(SUBJECT, '')
    if (shorter === rest) return undefined
    rest = shorter
  }
  return undefined
}

/**
 * Why a form was refused, in the language of the page; what has no translation stands as the API says it. Where no field
 * stands beside it, `member` says what it is about.
 */
export function refusalText(view: View, sentence: string, member?: string | undefined): SafeHtml {
  const known = findRefusal(sentence)
  const message = known && view.text.console.refusals[known.key]
  if (known === undefined || message === undefined || message === enRefusals[known.key]) {
    return view.lang.startsWith('en')
      ? name(sentence, LONGEST)
      : html`<span lang="en" dir="ltr">${name(sentence, LONGEST)}</span>`
  }
  const holes = Object.fromEntries(Object.entries(known.holes).map(([hole, text]) => [hole, fill(hole, text)]))
  const told = tell(view, message as string, holes as never)
  return member === undefined ? told : html`${code(member)}: ${told}`
}

function fill(hole: string, text: string): SafeHtml | number {
  if (/^\d+$/.test(text)) return Number(text)
  if (hole !== 'values') return code(text.slice(0, LONGEST))
  const words = text.split(/, | or | and /)
  return html`${words.map((word, i) => html`${i > 0 && ', '}${code(word)}`)}`
}
