import { notice } from '../../../ui/components.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { code } from '../../../ui/name.ts'
import type { View } from '../../../ui/view.ts'
import { refusalText } from './refusal.ts'

/** What would be better done in another way, although it may be registered. */
export type RedirectWarning = 'start_page' | 'ip_host' | 'private_use' | 'localhost' | 'this_machine'

/** A redirect URI, why it is refused, and what it is warned of. */
export interface LintedRedirect {
  readonly uri: string
  readonly refused?: string
  readonly warnings: readonly RedirectWarning[]
}

/** Why redirect URIs were refused: each that is wrong, not the first alone. */
export function refusedRedirects(view: View, linted: readonly LintedRedirect[]): SafeHtml | undefined {
  const wrong = linted.flatMap(({ uri, refused }) => (refused === undefined ? [] : [{ uri, refused }]))
  if (wrong.length === 0) return undefined
  return html`${wrong.map(({ uri, refused }, i) => html`${i > 0 && html`<br>`}${code(uri)}: ${refusalText(view, refused)}`)}`
}

/** What is to be said of redirect URIs that stand. */
export function redirectWarnings(view: View, linted: readonly LintedRedirect[]): Child {
  const { redirect_lint: words } = view.text.console
  const lines = linted.flatMap(({ uri, warnings }) =>
    warnings.map((warning) => html`<li>${code(uri)} ${words[warning]}</li>`),
  )
  return lines.length > 0 && notice('warning', html`<p>${words.title}</p><ul>${lines}</ul>`)
}
