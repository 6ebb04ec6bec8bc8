import { type Holes, type Message, writeNumber } from '../../languages/message.ts'
import { attrs, type Child, html, type SafeHtml } from './html.ts'
import type { Text } from './text/en.ts'
import { say, sayText } from './text/say.ts'

/** What every page of one request shares: whose it is, in which language, when, and the token its forms carry. */
export interface View {
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  readonly text: Text
  /** What the person may choose from. */
  readonly languages?: readonly { readonly tag: string; readonly name: string }[] | undefined
  /** Where whoever chooses another language comes back to: the path and query of this page, where it can be opened again. */
  readonly here?: string | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The path of the issuer, empty or `/hub`: it stands before every path of ours. */
  readonly base: string
  readonly tenant: Tenant
  /** Chosen by the switch; without it the page follows the system. */
  readonly theme?: 'light' | 'dark' | undefined
  /** The playground is there. */
  readonly playground?: boolean
  /** Bound to the session or the interaction; every posted form carries it. */
  readonly csrf_token: string
}

/** The branding of a tenant: a name, a colour `#rrggbb`, and a picture (data URL of a raster format, or a path of ours). */
export interface Tenant {
  readonly name: string
  readonly accent?: string | undefined
  readonly logo_uri?: string | undefined
}

/** A message of the catalogue with its holes filled by text or markup. */
export function tell<const M extends Message>(view: View, message: M, holes: Holes<M, Child>): SafeHtml {
  return say(view.lang, message, holes)
}

/** The same as plain text, for titles and labels. */
export function tellText<const M extends Message>(view: View, message: M, holes: Holes<M, string | number>): string {
  return sayText(view.lang, message, holes)
}

/** A path of ours under the issuer, with its query. */
export function link(view: View, path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, value.toWellFormed()])).toString()
  return view.base + path + (search === '' ? '' : `?${search}`)
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_557_600_000],
  ['month', 2_629_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** A moment as people say it ("3 days ago"), with the exact time behind it. */
export function ago(view: View, at: number): SafeHtml {
  const distance = at - view.now
  const [unit, length] = STEPS.find((step) => Math.abs(distance) >= step[1]) ?? ['minute', Number.POSITIVE_INFINITY]
  const words =
    length === Number.POSITIVE_INFINITY
      ? view.text.time.now
      : formatsOf(view.lang).relative.format(Math.trunc(distance / length), unit)
  return html`<time${attrs({ datetime: isoTime(at), title: momentText(view, at) })}>${words}</time>`
}

/** A moment with date and minute, in UTC. */
export function moment(view: View, at: number): SafeHtml {
  return html`<time datetime="${isoTime(at)}">${momentText(view, at)}</time>`
}

/** A number with the separators of the language. */
export function count(view: View, n: number): string {
  return writeNumber(view.lang, n)
}

/** A number that was counted only so far: from there on it is so many or more. */
export function countUpTo(view: View, n: number, most: number): string {
  return n < most ? count(view, n) : tellText(view, view.text.console.activity.at_least, { n: count(view, most) })
}

/** The hour and minute of a moment, in UTC. */
export function hourText(view: View, at: number): string {
  return formatsOf(view.lang).hour.format(at)
}

/** The same as plain text. */
export function momentText(view: View, at: number): string {
  return `${formatsOf(view.lang).moment.format(at)} UTC`
}

/** Words as a list of the language: "a, b and c". */
export function listed(view: View, words: readonly string[]): string {
  return formatsOf(view.lang).list.format(words)
}

interface Formats {
  readonly moment: Intl.DateTimeFormat
  readonly hour: Intl.DateTimeFormat
  readonly relative: Intl.RelativeTimeFormat
  readonly list: Intl.ListFormat
}

// To make one of these takes longer than to write a whole page; there are as many as there are languages.
const known = new Map<string, Formats>()

function formatsOf(lang: string): Formats {
  const formats = known.get(lang) ?? {
    moment: new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }),
    hour: new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'UTC' }),
    relative: new Intl.RelativeTimeFormat(lang, { numeric: 'auto' }),
    list: new Intl.ListFormat(lang),
  }
  known.set(lang, formats)
  return formats
}

/** A moment for machines. */
export function isoTime(at: number): string {
  return new Date(at).toISOString()
}
