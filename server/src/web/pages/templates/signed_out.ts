import { buttonLink } from '../../ui/forms.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { paths } from '../../ui/paths.ts'
import { link, type View } from '../../ui/view.ts'

/** The page after signing out (OpenID Connect RP-Initiated Logout section 2, where no address to return to is registered). */
export function renderSignedOut(view: View): SafeHtml {
  const { title, body, again } = view.text.signed_out
  const content = html`<div class="heading"><h1>${title}</h1><p class="lead">${body}</p></div><div class="stack">${buttonLink(again, link(view, paths.account))}</div>`
  return narrowPage(view, { title, content })
}
