import { button, form } from '../../ui/forms.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { clientName, name } from '../../ui/name.ts'
import { tell, type View } from '../../ui/view.ts'

/** What the page asks: whether the person, and not only some page, wants the end of the session. */
export interface SignOutData {
  /** Where the form posts; it names the request. */
  readonly action: string
  /** Who asks, if that is known. */
  readonly client: { readonly client_id: string; readonly client_name?: string | undefined } | undefined
  readonly username: string
}

/** The page that asks before it signs out (OpenID Connect RP-Initiated Logout 1.0 section 2, ASVS 10.6.2). */
export function renderSignOut(view: View, data: SignOutData): SafeHtml {
  const { sign_out } = view.text
  const user = html`<strong>${name(data.username)}</strong>`
  const lead = data.client
    ? tell(view, sign_out.by_client, { client: html`<strong>${name(clientName(data.client))}</strong>`, user })
    : tell(view, sign_out.lead, { user })
  const top = html`<div class="heading"><h1>${sign_out.title}</h1><p class="lead">${lead}</p></div>`
  const leave = button(sign_out.confirm, { name: 'decision', value: 'sign_out' })
  const stay = button(sign_out.stay, { kind: 'plain', name: 'decision', value: 'stay' })
  const answers = html`<div class="stack">${leave}${stay}</div>`
  const content = html`${top}${form(view, { action: data.action }, answers)}`
  return narrowPage(view, { title: sign_out.title, content })
}
