import { notice, sign } from '../../ui/components.ts'
import { button, buttonLink, type Field, field, form } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { clock, mail } from '../../ui/icons.ts'
import { clientName, name } from '../../ui/name.ts'
import { tell, type View } from '../../ui/view.ts'
import { clientLogo, type LoginData } from './login.ts'
import { newPasswordField } from './new_password_field.ts'
import { plainPage } from './reset.ts'
import type { SetupData } from './setup.ts'

/** What the pages of a new account show. */
export interface SignUpData extends Pick<SetupData, 'action' | 'values' | 'errors' | 'password_min_length'> {
  /** Everything at once, the address alone, or the rest behind the link that went there. */
  readonly asks: 'all' | 'email' | { readonly email: string; readonly token: string }
  readonly client: LoginData['client']
  readonly login_href: string
}

/** The page that asks what an account is made of. */
export function renderSignUp(view: View, data: SignUpData): SafeHtml {
  const { sign_up, setup } = view.text
  const { asks, values = {}, errors = {} } = data
  const wrong = (key: keyof typeof errors): Child => errors[key] && name(errors[key], 300)
  const one = (key: 'username' | 'name' | 'email', rest: Partial<Field>): SafeHtml =>
    field({ name: key, label: sign_up[key], value: values[key], error: wrong(key), ...rest })
  const email = (rest: Partial<Field>) => one('email', { type: 'email', autocomplete: 'email', ...rest })
  const full_name = one('name', { autocomplete: 'name', hint: sign_up.name_hint, autofocus: typeof asks === 'object' })
  const password = newPasswordField(view, {
    label: setup.password,
    password_min_length: data.password_min_length,
    error: errors.password,
  })
  const username = { autocomplete: 'username', required: true, autofocus: true, literal: true }
  const fields =
    asks === 'email'
      ? email({ hint: sign_up.email_only_hint, required: true, autofocus: true })
      : asks === 'all'
        ? [
            one('username', { ...username, hint: sign_up.username_hint }),
            full_name,
            email({ hint: sign_up.email_hint }),
            password,
          ]
        : // For password managers, which keep the password under this name.
          [
            html`<input type="hidden" name="username" autocomplete="username" value="${asks.email}">`,
            full_name,
            password,
          ]
  const hidden = typeof asks === 'object' ? { token: asks.token } : undefined
  const submit = button(asks === 'email' ? sign_up.submit_email : sign_up.submit)
  const problem = wrong('form') && notice('danger', wrong('form'))
  const content = html`${problem}${form(view, { action: data.action, hidden }, html`${fields}${submit}`)}`
  const below = html`<a href="${data.login_href}">${sign_up.known}</a>`
  return plainPage(view, sign_up.title, leadOf(view, data), content, {
    ...{ sign: clientLogo(data.client), below, script: true },
  })
}

function leadOf(view: View, { asks, client }: SignUpData): Child {
  const { sign_up } = view.text
  if (typeof asks === 'object')
    return tell(view, sign_up.of_email, { email: html`<strong>${name(asks.email)}</strong>` })
  if (client) return tell(view, sign_up.to_client, { client: html`<strong>${name(clientName(client))}</strong>` })
  return tell(view, sign_up.at_tenant, { tenant: html`<strong>${name(view.tenant.name)}</strong>` })
}

/** The page after the address was given: the same for one that has an account (ASVS 6.3.8). */
export function renderSignUpSent(view: View, data: { email: string; login_href: string }): SafeHtml {
  const { sign_up, security } = view.text
  const lead = tell(view, sign_up.sent, { email: html`<strong>${name(data.email)}</strong>` })
  const back = html`<div class="stack">${buttonLink(security.reset.back, data.login_href)}</div>`
  return plainPage(view, sign_up.sent_title, lead, back, { sign: sign('note', mail) })
}

/** The page behind a link that is over. */
export function renderSignUpOver(view: View, data: { sign_up_href: string; login_href: string }): SafeHtml {
  const { sign_up, login } = view.text
  const ways = [buttonLink(login.submit, data.login_href, 'primary'), buttonLink(sign_up.again, data.sign_up_href)]
  const over = { sign: sign('warning', clock) }
  return plainPage(view, sign_up.over_title, sign_up.over, html`<div class="stack">${ways}</div>`, over)
}
