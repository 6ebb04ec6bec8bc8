import { mark, notice } from '../../ui/components.ts'
import { button, buttonLink, field, form } from '../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { clientName, displayName, name } from '../../ui/name.ts'
import { tell, type View } from '../../ui/view.ts'
import { type PasskeyQuestion, passkeyForm } from './passkey.ts'

/** Why the page is shown again. Unknown user and wrong password are one reason (ASVS 6.3.8). */
export type LoginRefusal =
  | {
      readonly reason:
        | 'wrong_credentials'
        | 'username_missing'
        | 'password_missing'
        | 'stale'
        | 'passkey_refused'
        | 'passkey_expired'
        | 'factor_over'
    }
  | { readonly reason: 'too_many_tries'; readonly minutes: number }

/** What the sign-in page shows. */
export interface LoginData {
  /** Where the form posts; it names the interaction. */
  readonly action: string
  /** Absent when somebody signs in to the account page or the console. */
  readonly client?:
    | {
        readonly client_id: string
        readonly client_name?: string | undefined
        /** A path of ours. */
        readonly logo_uri?: string | undefined
      }
    | undefined
  /** What was typed before, or `login_hint`. */
  readonly username?: string | undefined
  /** The person must prove again who they are (`prompt=login`, `max_age`): the username is fixed. */
  readonly reauthenticate?: boolean
  readonly refusal?: LoginRefusal | undefined
  /** Asks the browser for a passkey; absent where the issuer's host is no name. */
  readonly passkey?: PasskeyQuestion | undefined
  /** Where the same form asks for a link to the mailbox; absent where none signs in. */
  readonly link_action?: string | undefined
  /** Where a forgotten password is reset; absent where this server sends no e-mail. */
  readonly reset_href?: string | undefined
  /** Where people make accounts for themselves, if they may. */
  readonly sign_up_href?: string | undefined
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
  const top = html`<div class="heading">${clientLogo(data.client)}<h1>${title}</h1><p class="lead">${lead}</p></div>`
  const content = html`${top}${form(view, { action: data.action, id: 'by_password' }, credentials(view, data, again))}${otherWays(view, data, again)}`
  const cancel = data.cancel_href && data.client && cancelLink(view, data.cancel_href, clientName(data.client))
  const reset = data.reset_href && html`<a href="${data.reset_href}">${view.text.security.reset.forgot}</a>`
  const sign_up = !again && data.sign_up_href && html`<a href="${data.sign_up_href}">${view.text.sign_up.offer}</a>`
  const below = (sign_up || reset || cancel) && html`${sign_up} ${reset} ${cancel}`
  const islands = { script: true, passkeys: data.passkey !== undefined }
  return narrowPage(view, { title, content, below, here: data.action, ...islands })
}

/** The logo of the client that somebody signs in to; nothing where it has none. */
export function clientLogo(client: LoginData['client']): SafeHtml | undefined {
  return client?.logo_uri ? html`<div class="marks">${mark(clientName(client), client.logo_uri)}</div>` : undefined
}

function credentials(view: View, data: LoginData, again: boolean): SafeHtml {
  const { login } = view.text
  const reason = data.refusal?.reason
  const refusal = refusalText(view, data.refusal)
  const at_password = reason === 'password_missing' || reason === 'wrong_credentials'
  const general = refusal !== undefined && reason !== 'username_missing' && !at_password
  const username = field({
    name: 'username',
    label: login.username,
    value: data.username,
    autocomplete: data.passkey ? 'username webauthn' : 'username',
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
    error: at_password && refusal,
  })
  const fixed = html`<input type="hidden" name="username" value="${data.username ?? ''}">`
  return html`${general && notice('danger', refusal)}${again ? fixed : username}${password}${button(login.submit)}`
}

/** The button that shows what is typed into the field `password`; hidden until its script runs. */
export function showButton(view: View): SafeHtml {
  const label = attrs({ 'aria-label': view.text.login.show_password_long })
  return html`<button type="button" class="button quiet" data-shows="password" aria-pressed="false" hidden${label}>${view.text.login.show_password}</button>`
}

/** All other ways, below one line that says so; a browser without passkeys may have none. */
function otherWays(view: View, data: LoginData, again: boolean): Child {
  const { login, sign_in_link } = view.text
  const or = html`<p class="or"><span>${login.or}</span></p>`
  // It stands after the button of the form, so that the enter key signs in by the password.
  const byLink =
    data.link_action &&
    button(sign_in_link.offer, { kind: 'plain', form: 'by_password', action: data.link_action, unchecked: true })
  const providers = data.providers?.map(({ label, href }) =>
    buttonLink(tell(view, login.sign_in_with, { provider: name(label) }), href),
  )
  if (!byLink && !providers?.length) return byPasskey(view, data, again, or)
  return html`${or}<div class="stack">${byPasskey(view, data, again)}${byLink}${providers}</div>`
}

function byPasskey(view: View, data: LoginData, again: boolean, before?: Child): Child {
  const { security } = view.text
  if (!data.passkey) return ''
  const label = again ? security.passkey.confirm : security.passkey.sign_in
  // One that was refused just now is not offered anew by itself.
  const autofill = !again && data.refusal?.reason !== 'passkey_refused'
  return passkeyForm(view, data.passkey, { does: 'get', label, before, autofill })
}

function cancelLink(view: View, to: string, client: string): SafeHtml {
  return html`<a href="${to}">${tell(view, view.text.login.cancel, { client: name(displayName(client)) })}</a>`
}

function refusalText(view: View, refusal: LoginRefusal | undefined): Child {
  if (!refusal) return undefined
  const { login } = view.text
  if (refusal.reason === 'too_many_tries') return tell(view, login.too_many_tries, { n: refusal.minutes })
  const { passkey, second_factor } = view.text.security
  if (refusal.reason === 'passkey_refused') return passkey.refused
  if (refusal.reason === 'passkey_expired') return passkey.expired
  return refusal.reason === 'factor_over' ? second_factor.over : login[refusal.reason]
}
