import { html, type SafeHtml } from './html.ts'

const LONGEST_NAME = 80
const LONGEST_VALUE = 500

/** Shows nothing, or changes what its neighbours show. */
const INVISIBLE = String.raw`\p{Cf}\p{Co}\p{Cn}\u115f\u1160\u3164\uffa0`
// Zero-width joiners stay in names: Persian and emoji are written with them.
const INVISIBLE_IN_NAMES = new RegExp(`(?![\\u200c\\u200d])[${INVISIBLE}]`, 'gu')
const UNCLEAR_IN_VALUES = new RegExp(`[${INVISIBLE}\\p{Zl}\\p{Zp}]|(?![\\n\\t])\\p{Cc}|(?<=\\p{M}{3})\\p{M}`, 'gu')

/**
 * A name somebody else chose, made fit to stand in our sentences (RFC 6749 section 10.2, RFC 7591 section 5): no
 * characters that are invisible, turn the direction of text or break the line, no towers of combining marks, and cut.
 */
export function displayName(text: string, longest = LONGEST_NAME): string {
  const plain = text
    .slice(0, longest * 8)
    .toWellFormed()
    .replace(INVISIBLE_IN_NAMES, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .trim()
  if (plain.length <= longest) return plain
  let cut = ''
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(plain)) {
    if (cut.length + segment.length >= longest) break
    cut += segment
  }
  return `${cut.trimEnd()}…`
}

/** A name in a page: cleaned, and isolated so that its direction cannot move its neighbours (Unicode UAX 9). */
export function name(text: string, longest = LONGEST_NAME): SafeHtml {
  return html`<bdi>${displayName(text, longest)}</bdi>`
}

/**
 * An identifier as it is, for reading letter by letter: what would be invisible or change the direction of text is
 * written as an escape such as `\\u{202e}`. Only what is very long is cut.
 */
export function exactText(text: string, longest = LONGEST_VALUE): string {
  const shown = text.length > longest ? `${text.slice(0, longest)}…` : text
  return shown
    .toWellFormed()
    .replace(UNCLEAR_IN_VALUES, (c) => `\\u{${c.codePointAt(0)!.toString(16).padStart(4, '0')}}`)
}

/** An identifier in a page, from left to right in every language. */
export function code(text: string): SafeHtml {
  return html`<code dir="ltr">${exactText(text)}</code>`
}

/** What a client is called: its name, or its client_id when the name is missing or shows nothing (RFC 7591 section 2). */
export function clientName(client: { client_id: string; client_name?: string | undefined }): string {
  return shownOrElse(client.client_name, client.client_id)
}

/** What a user is called: the name, or the username. */
export function userName(user: { username: string; name?: string | undefined }): string {
  return shownOrElse(user.name, user.username)
}

/** One letter that stands for a name, for the mark beside it. */
export function initial(text: string): string {
  return /[\p{L}\p{N}]/u.exec(displayName(text))?.[0].toLocaleUpperCase('en') ?? '·'
}

function shownOrElse(text: string | undefined, otherwise: string): string {
  const shown = displayName(text ?? '').replace(/[\u200c\u200d]/g, '')
  return shown === '' ? otherwise : (text ?? otherwise)
}
