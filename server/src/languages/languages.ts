import { directionOf } from './message.ts'

/** A language that people can be answered in. */
export interface Language<Text> {
  /** Its tag (BCP 47), as browsers and clients name it. */
  readonly tag: string
  /** What those who speak it call it. */
  readonly name: string
  readonly dir: 'ltr' | 'rtl'
  readonly text: Text
}

/** Who says which language it is to be, the first that names one of ours before the next. */
export interface Wishes {
  /** Chosen by the person while this very request of a client was under way. */
  readonly here?: string | undefined
  /** What the client asks for (OpenID Connect Core section 3.1.2.1), the best first. */
  readonly ui_locales?: readonly string[] | undefined
  /** Chosen by the person before, for good. */
  readonly chosen?: readonly (string | undefined)[] | undefined
  /** The header of the browser (RFC 9110 section 12.5.4). */
  readonly accept_language?: string | undefined
  readonly default_locale?: string | undefined
}

/** The languages of a server: English, and what it has been translated into. */
export class Languages<Text> {
  readonly #english: Language<Text>
  readonly #by_tag: ReadonlyMap<string, Language<Text>>

  constructor(english: Text, others: ReadonlyMap<string, Text>) {
    this.#english = describe('en', english)
    const all = [this.#english, ...[...others].map(([tag, text]) => describe(tag, text))]
    this.#by_tag = new Map(all.map((language) => [language.tag.toLowerCase(), language]))
  }

  /** All of them, in the order in which people are shown them. */
  get all(): readonly Language<Text>[] {
    return [...this.#by_tag.values()]
  }

  /** The language of this very tag. */
  find(tag: string | undefined): Language<Text> | undefined {
    return tag === undefined ? undefined : this.#by_tag.get(tag.toLowerCase())
  }

  /** The best for a list of ranges, the first before the next, each cut from its end until there is one (RFC 4647 section 3.4). */
  lookUp(ranges: readonly string[], refused: ReadonlySet<string> = new Set()): Language<Text> | undefined {
    for (const range of ranges) {
      if (range.length > LONGEST_RANGE) continue
      const subtags = range.toLowerCase().split('-')
      while (subtags.length > 0) {
        const tag = subtags.join('-')
        const found = refused.has(tag) ? undefined : this.#by_tag.get(tag)
        if (found) return found
        subtags.pop()
        // A single letter only introduces what follows it.
        if (subtags.at(-1)?.length === 1) subtags.pop()
      }
    }
    return undefined
  }

  /** The language to answer in; English when nobody names one of ours. */
  choose(wishes: Wishes): Language<Text> {
    const { here, ui_locales = [], chosen = [], accept_language, default_locale } = wishes
    const named = (...tags: readonly (string | undefined)[]) =>
      this.lookUp(tags.filter((tag) => typeof tag === 'string'))
    const accepted = () => {
      const { ranges, refused } = readAcceptLanguage(accept_language)
      return this.lookUp(ranges, refused)
    }
    return (
      named(here) ?? named(...ui_locales) ?? named(...chosen) ?? accepted() ?? named(default_locale) ?? this.#english
    )
  }
}

const MOST_RANGES = 32
// Far beyond any tag that there is; each cut of a range costs its length.
const LONGEST_RANGE = 100
const RANGE = /^([a-z]{1,8}(?:-[a-z\d]{1,8})*|\*)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i

/**
 * What a browser accepts, the best first, and what it will not have (RFC 9110 section 12.5.4). What is not written as
 * there is passed over; a `*` names no language, so that the server's own default stands in its place.
 */
export function readAcceptLanguage(header: string | undefined): {
  readonly ranges: readonly string[]
  readonly refused: ReadonlySet<string>
} {
  const weighed = (header ?? '').split(',', MOST_RANGES).flatMap((part) => {
    const [, range, weight] = (part.length <= LONGEST_RANGE && RANGE.exec(part.trim())) || []
    return range === undefined ? [] : [{ range: range.toLowerCase(), q: Number(weight ?? 1) }]
  })
  const wanted = weighed.filter(({ q }) => q > 0).sort((a, b) => b.q - a.q)
  const any = wanted.findIndex(({ range }) => range === '*')
  const ranges = (any === -1 ? wanted : wanted.slice(0, any)).map(({ range }) => range)
  return { ranges, refused: new Set(weighed.filter(({ q }) => q === 0).map(({ range }) => range)) }
}

/** A tag as BCP 47 writes it, or undefined for what is none. */
export function readTag(text: string): string | undefined {
  try {
    return text.length > 35 ? undefined : Intl.getCanonicalLocales(text)[0]
  } catch {
    return undefined
  }
}

function describe<Text>(tag: string, text: Text): Language<Text> {
  const name = new Intl.DisplayNames([tag], { type: 'language', languageDisplay: 'standard' }).of(tag) ?? tag
  return { tag, name, dir: directionOf(tag), text }
}
