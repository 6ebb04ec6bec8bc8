import { sign } from '../../ui/components.ts'
import { button, buttonLink, form } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { clientName, displayName, name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { link, tell, type View } from '../../ui/view.ts'

/** What the page offers: the way back to the client that asked, where nothing proves that it did. */
export interface SignedOutData {
  /** Where the form posts; it names the request. No page links to another site by itself. */
  readonly action: string
  readonly client: { readonly client_id: string; readonly client_name?: string | undefined }
}

/** The page after signing out (OpenID Connect RP-Initiated Logout section 2, where no address to return to is registered). */
export function renderSignedOut(view: View, way_back?: SignedOutData): SafeHtml {
  const { title, body, again } = view.text.signed_out
  const ways = html`${way_back && backTo(view, way_back)}${buttonLink(again, link(view, paths.account))}`
  const content = html`<div class="heading">${sign('good')}<h1>${title}</h1><p class="lead">${body}</p></div><div class="stack">${ways}</div>`
  return narrowPage(view, { title, content })
}

function backTo(view: View, { action, client }: SignedOutData): Child {
  const label = tell(view, view.text.signed_out.back_to, { client: name(displayName(clientName(client))) })
  return form(view, { action }, button(label, { name: 'decision', value: 'sign_out' }))
}
