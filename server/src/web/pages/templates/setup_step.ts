import { html, type SafeHtml } from '../../ui/html.ts'
import { tell, type View } from '../../ui/view.ts'

/** Which of the three steps of a first run a page is: the administrator, the issuer, the first client. */
export function setupStep(view: View, n: 1 | 2 | 3): SafeHtml {
  return html`<p class="facts">${tell(view, view.text.setup.step, { n })}</p>`
}
