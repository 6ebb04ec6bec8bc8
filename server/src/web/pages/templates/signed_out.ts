import { buttonLink } from '../../ui/forms.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { clientName, displayName, name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { link, tell, type View } from '../../ui/view.ts'

/** What the page offers: the way back to the client that asked, where nothing proves that it did. */
export interface SignedOutData {
  readonly back?: string
  readonly client?: { readonly client_id: string; readonly client_name?: string | undefined }
}

/** The page after signing out (OpenID Connect RP-Initiated Logout section 2, where no address to return to is registered). */
export function renderSignedOut(view: View, data: SignedOutData = {}): SafeHtml {
  const { title, body, again, back_to } = view.text.signed_out
  const back =
    data.back !== undefined &&
    data.client &&
    buttonLink(tell(view, back_to, { client: name(displayName(clientName(data.client))) }), data.back)
  const ways = html`${back}${buttonLink(again, link(view, paths.account))}`
  const content = html`<div class="heading"><h1>${title}</h1><p class="lead">${body}</p></div><div class="stack">${ways}</div>`
  return narrowPage(view, { title, content })
}
