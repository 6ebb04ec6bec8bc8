import { notice } from '../../ui/components.ts'
import { button, check, field, form, group, radio } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { name } from '../../ui/name.ts'
import type { View } from '../../ui/view.ts'
import { newPasswordField } from './new_password_field.ts'

/** What the page that changes a password shows. */
export interface ChangePasswordData {
  readonly action: string
  readonly back_href: string
  readonly username: string
  readonly password_min_length: number
  readonly other_sessions: boolean
  readonly apps: boolean
  /** Sentences by field; `form` is about all of it. */
  readonly errors?: Readonly<Partial<Record<'present_password' | 'password' | 'form', string>>>
}

/** The page that changes a password; it asks what is to end with the old one (ASVS 7.4.3). */
export function renderChangePassword(view: View, data: ChangePasswordData): SafeHtml {
  const { change_password: text, new_password } = view.text.security
  const wrong = (key: keyof NonNullable<ChangePasswordData['errors']>): Child =>
    data.errors?.[key] && name(data.errors[key], 300)
  const present = field({
    name: 'present_password',
    label: text.present,
    type: 'password',
    autocomplete: 'current-password',
    required: true,
    autofocus: true,
    error: wrong('present_password'),
  })
  const password = newPasswordField(view, {
    label: new_password,
    password_min_length: data.password_min_length,
    error: data.errors?.password,
  })
  const others =
    data.other_sessions &&
    check({ name: 'end_sessions', value: 'yes', label: text.end_sessions, hint: text.end_sessions_hint, checked: true })
  const apps =
    data.apps &&
    group(
      text.apps,
      html`<div class="choices">${radio({ name: 'apps', value: 'keep', label: text.keep_apps, hint: text.keep_apps_hint, checked: true })}${radio({ name: 'apps', value: 'end', label: text.end_apps, hint: text.end_apps_hint })}</div>`,
    )
  const who = html`<input type="hidden" name="username" autocomplete="username" value="${data.username}">`
  const content = html`<div class="heading"><h1>${text.title}</h1></div>${
    wrong('form') && notice('danger', wrong('form'))
  }${form(view, { action: data.action }, html`${who}${present}${password}${others}${apps}${button(text.submit)}`)}`
  const below = html`<a href="${data.back_href}">${text.cancel}</a>`
  return narrowPage(view, { title: text.title, content, below, script: true })
}
