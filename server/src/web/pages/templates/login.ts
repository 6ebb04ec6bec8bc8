import { notice } from '../../ui/components.ts'
import { button, buttonLink, field, form } from '../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { clientName, displayName, name } from '../../ui/name.ts'
import { tell, type View } from '../../ui/view.ts'

/** Why the page is shown again. Unknown user and wrong password are one reason (ASVS 6.3.8). */
export type LoginRefusal =
  | { readonly reason: 'wrong_credentials' | 'username_missing' | 'password_missing' | 'stale' }
  | { readonly reason: 'too_many_tries'; readonly minutes: number }

/** What the sign-in page shows. */
export interface LoginData {
  /** Where the form posts; it names the interaction. */
  readonly action: string
  /** Absent when somebody signs in to the account page or the console. */
  readonly client?: { readonly client_id: string; readonly client_name?: string | undefined } | undefined
  /** What was typed before, or `login_hint`. */
  readonly username?: string | undefined
  /** The person must prove again who they are (`prompt=login`, `max_age`): the username is fixed. */
  readonly reauthenticate?: boolean
  readonly refusal?: LoginRefusal | undefined
  /** Other ways to sign in. */
  readonly providers?: readonly { readonly label: string; readonly href: string }[]
  /** A path of ours that answers the client with `access_denied`. */
  readonly cancel_href?: string | undefined
}

/** The sign-in page: one form with `username` and `password`. */
export function renderLogin(view: View, data: LoginData): SafeHtml {
  const { login } = view.text
  const again = data.reauthenticate === true && data.username !== undefined
  const lead = again
    ? tell(view, login.again, { user: html`<strong>${name(data.username)}</strong>` })
    : data.client
      ? tell(view, login.to_client, { client: html`<strong>${name(clientName(data.client))}</strong>` })
      : tell(view, login.to_tenant, { tenant: html`<strong>${name(view.tenant.name)}</strong>` })
  const title = again ? login.again_title : login.title
  const top = html`<div class="heading"><h1>${title}</h1><p class="lead">${lead}</p></div>`
  const content = html`${top}${form(view, { action: data.action }, credentials(view, data, again))}${otherWays(view, data)}`
  const below = data.cancel_href && data.client && cancelLink(view, data.cancel_href, clientName(data.client))
  return narrowPage(view, { title, content, below, script: true })
}

function credentials(view: View, data: LoginData, again: boolean): SafeHtml {
  const { login } = view.text
  const reason = data.refusal?.reason
  const refusal = refusalText(view, data.refusal)
  const general = reason === 'stale' || reason === 'too_many_tries'
  const username = field({
    name: 'username',
    label: login.username,
    value: data.username,
    autocomplete: 'username',
    required: true,
    autofocus: !data.username,
    literal: true,
    error: reason === 'username_missing' && refusal,
  })
  const password = field({
    name: 'password',
    label: login.password,
    type: 'password',
    autocomplete: 'current-password',
    required: true,
    autofocus: Boolean(data.username),
    after: showButton(view),
    // It stands at the password, which is empty again, and says nothing about which of the two is wrong.
    error: (reason === 'password_missing' || reason === 'wrong_credentials') && refusal,
  })
  const fixed = html`<input type="hidden" name="username" value="${data.username ?? ''}">`
  return html`${general && notice('danger', refusal)}${again ? fixed : username}${password}${button(login.submit)}`
}

/** The button that shows what is typed into the field `password`; hidden until its script runs. */
export function showButton(view: View): SafeHtml {
  const label = attrs({ 'aria-label': view.text.login.show_password_long })
  return html`<button type="button" class="button quiet" data-shows="password" aria-pressed="false" hidden${label}>${view.text.login.show_password}</button>`
}

function otherWays(view: View, data: LoginData): Child {
  if (!data.providers?.length) return ''
  const ways = data.providers.map(({ label, href }) =>
    buttonLink(tell(view, view.text.login.sign_in_with, { provider: name(label) }), href),
  )
  return html`<p class="or"><span>${view.text.login.or}</span></p><div class="stack">${ways}</div>`
}

function cancelLink(view: View, to: string, client: string): SafeHtml {
  return html`<a href="${to}">${tell(view, view.text.login.cancel, { client: name(displayName(client)) })}</a>`
}

function refusalText(view: View, refusal: LoginRefusal | undefined): Child {
  if (!refusal) return undefined
  const { login } = view.text
  if (refusal.reason === 'too_many_tries') return tell(view, login.too_many_tries, { n: refusal.minutes })
  return login[refusal.reason]
}
