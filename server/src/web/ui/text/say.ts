import { type Holes, type Message, piecesOf, textOf } from '../../../languages/message.ts'
import { type Child, html, type SafeHtml } from '../html.ts'

/** Fills a message with text or markup. */
export function say<const M extends Message>(lang: string, message: M, holes: Holes<M, Child>): SafeHtml {
  return html`${piecesOf<Child>(lang, message, holes)}`
}

/** Fills a message with text alone, for titles and labels. */
export function sayText<const M extends Message>(lang: string, message: M, holes: Holes<M, string | number>): string {
  return textOf(lang, message, holes)
}
