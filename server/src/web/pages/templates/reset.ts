import { sign } from '../../ui/components.ts'
import { button, buttonLink, field, form } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { clock, mail } from '../../ui/icons.ts'
import { narrowPage } from '../../ui/layout.ts'
import { name } from '../../ui/name.ts'
import { tell, type View } from '../../ui/view.ts'
import { newPasswordField } from './new_password_field.ts'

/** What the page that asks for a reset link shows. */
export interface ResetData {
  readonly action: string
  readonly login_href: string
  /** Whether this server sends e-mail. */
  readonly on: boolean
  readonly missing?: boolean
  /** What was typed; it is the same page for an account and for none (ASVS 6.3.8). */
  readonly sent_to?: string | undefined
}

/** The page that asks for a link to a new password. */
export function renderReset(view: View, data: ResetData): SafeHtml {
  const { reset } = view.text.security
  const back = buttonLink(reset.back, data.login_href)
  if (data.sent_to !== undefined) {
    const lead = tell(view, reset.sent, { name: html`<strong>${name(data.sent_to)}</strong>` })
    return plainPage(view, reset.sent_title, lead, html`<div class="stack">${back}</div>`, { sign: sign('note', mail) })
  }
  if (!data.on) return plainPage(view, reset.title, reset.off, html`<div class="stack">${back}</div>`)
  const username = field({
    name: 'username',
    label: reset.name,
    autocomplete: 'username',
    required: true,
    autofocus: true,
    literal: true,
    error: data.missing && reset.name_missing,
  })
  const asks = form(view, { action: data.action }, html`${username}${button(reset.submit)}`)
  const below = html`<a href="${data.login_href}">${reset.back}</a>`
  return plainPage(view, reset.title, reset.lead, asks, { below })
}

/** What the page behind a reset link shows. */
export interface NewPasswordData {
  readonly action: string
  /** From the link; posted, so that it leaves the address bar with the form. */
  readonly token: string
  readonly username: string
  readonly password_min_length: number
  readonly error?: string | undefined
  /** Somebody who was invited chooses the first one. */
  readonly first: boolean
}

/** The page behind a reset link. */
export function renderNewPassword(view: View, data: NewPasswordData): SafeHtml {
  const { reset, new_password } = view.text.security
  const user = html`<strong>${name(data.username)}</strong>`
  const lead = data.first
    ? tell(view, reset.invited_lead, { user, tenant: name(view.tenant.name) })
    : tell(view, reset.new_lead, { user })
  const password = newPasswordField(view, {
    label: new_password,
    password_min_length: data.password_min_length,
    error: data.error,
    autofocus: true,
  })
  // For password managers, which keep it under this name.
  const who = html`<input type="hidden" name="username" autocomplete="username" value="${data.username}">`
  const hidden = { token: data.token }
  const content = form(
    view,
    { action: data.action, hidden },
    html`${who}${password}${button(data.first ? reset.submit_invited : reset.submit_new)}`,
  )
  return plainPage(view, data.first ? reset.invited_title : reset.new_title, lead, content, { script: true })
}

/** What came of a reset: done, or a link that is over. */
export function renderResetOutcome(view: View, data: { done: boolean; first: boolean; href: string }): SafeHtml {
  const { reset } = view.text.security
  const way = html`<div class="stack">${buttonLink(data.done ? reset.sign_in : reset.again, data.href, 'primary')}</div>`
  return data.done
    ? plainPage(
        view,
        data.first ? reset.invited_done_title : reset.done_title,
        data.first ? reset.invited_done : reset.done,
        way,
        { sign: sign('good') },
      )
    : plainPage(view, reset.over_title, reset.over, way, { sign: sign('warning', clock) })
}

/** The page behind a link that confirms an address. */
export function renderConfirmEmail(
  view: View,
  data: { action: string; token: string; email: string; back_href: string },
): SafeHtml {
  const { page, change_password } = view.text.security
  const lead = tell(view, page.confirm_email_lead, { email: html`<strong>${name(data.email)}</strong>` })
  const confirm = form(view, { action: data.action, hidden: { token: data.token } }, button(page.confirm_email))
  const below = html`<a href="${data.back_href}">${change_password.cancel}</a>`
  return plainPage(view, page.confirm_email_title, lead, confirm, { below })
}

/** A page with a heading, a sentence and one thing to do. */
export function plainPage(
  view: View,
  title: string,
  lead: Child,
  content: Child,
  { sign, ...rest }: { sign?: Child; below?: Child; script?: boolean } = {},
): SafeHtml {
  const body = html`<div class="heading">${sign}<h1>${title}</h1><p class="lead">${lead}</p></div>${content}`
  return narrowPage(view, { title, content: body, ...rest })
}
