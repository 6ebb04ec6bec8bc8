import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { ago, tell, type View } from '../../ui/view.ts'

/** What is to be known of one thing, in a line; what is not known is left out. */
export function facts(items: readonly Child[]): SafeHtml {
  return html`<p class="facts">${items.filter(Boolean).map((item) => html`<span>${item}</span>`)}</p>`
}

/** When something was used last. */
export function lastUsed(view: View, at: number | undefined): Child {
  const { account } = view.text
  return at === undefined ? account.never_used : tell(view, account.last_used, { when: ago(view, at) })
}
