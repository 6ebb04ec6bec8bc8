import { readFileSync } from 'node:fs'
import { Languages, readTag } from '../../../languages/languages.ts'
import type { Catalogue } from '../../../languages/message.ts'
import { translate } from '../../../languages/translate.ts'
import { asText, en, type Text } from './en.ts'

/** The tags of the translations that come with the server; each is a file beside this one. */
export const BUNDLED = ['de', 'ar'] as const

/** Translations by tag, as their files say them. */
export type Translations = Readonly<Record<string, unknown>>

/** What a translation that comes with the server says. */
export function readBundled(tag: (typeof BUNDLED)[number]): unknown {
  return JSON.parse(readFileSync(new URL(`${tag}.json`, import.meta.url), 'utf8'))
}

const bundled: ReadonlyMap<string, Catalogue> = new Map(
  BUNDLED.map((tag) => [tag, translate(en, en, readBundled(tag), tag).text]),
)

/**
 * The languages of a server: those that come with it, changed by what `own` says of them, and further ones. What `own`
 * leaves out is as in the language that it is a variety of (`de-AT`: `de`), or else English. Each fault is told.
 */
export function createLanguages(own: Translations = {}, tell: (fault: string) => void = () => {}): Languages<Text> {
  const catalogues = new Map<string, Catalogue>([['en', en], ...bundled])
  // A language before its varieties.
  for (const written of Object.keys(own).sort((a, b) => a.length - b.length)) {
    const tag = readTag(written)
    if (tag === undefined) {
      tell(`${written} is no tag of a language (BCP 47)`)
      continue
    }
    const parts = tag.split('-')
    const bases = parts.map((_, i) => catalogues.get(parts.slice(0, parts.length - i).join('-')))
    const base = bases.find((catalogue) => catalogue !== undefined)
    const { text, faults, missing } = translate(en, base ?? en, own[written], tag)
    catalogues.set(tag, text)
    for (const fault of faults) tell(`${written}: ${fault}`)
    if (!base && missing.length > 0) {
      tell(`${written}: ${missing.length} messages are not translated and stand in English, such as ${missing[0]}`)
    }
  }
  const { en: english, ...others } = Object.fromEntries([...catalogues].map(([tag, text]) => [tag, asText(text)]))
  return new Languages(english!, new Map(Object.entries(others)))
}
