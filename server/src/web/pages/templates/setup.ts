import { notice } from '../../ui/components.ts'
import { button, type Field, field, form } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { name } from '../../ui/name.ts'
import type { View } from '../../ui/view.ts'
import { newPasswordField } from './new_password_field.ts'
import { setupStep } from './setup_step.ts'

/** What the setup page shows: the first administrator, by a link that works once. */
export interface SetupData {
  readonly action: string
  /** From the link; posted as `setup_token`, so that it leaves the address bar with the form. */
  readonly setup_token: string
  readonly values?: { readonly username?: string; readonly name?: string; readonly email?: string }
  /** Sentences by field; `form` is about all of it. */
  readonly errors?: Readonly<Partial<Record<'username' | 'name' | 'email' | 'password' | 'form', string>>>
  readonly password_min_length: number
}

/** The page that makes the first administrator. */
export function renderSetup(view: View, data: SetupData): SafeHtml {
  const { setup } = view.text
  const values = data.values ?? {}
  const wrong = (key: keyof NonNullable<SetupData['errors']>): Child =>
    data.errors?.[key] && name(data.errors[key], 300)
  const one = (key: 'username' | 'name' | 'email', rest: Partial<Field>): SafeHtml =>
    field({ name: key, label: setup[key], value: values[key], error: wrong(key), ...rest })
  const password = newPasswordField(view, {
    label: setup.password,
    password_min_length: data.password_min_length,
    error: data.errors?.password,
  })
  const fields = [
    one('username', {
      hint: setup.username_hint,
      autocomplete: 'username',
      required: true,
      autofocus: true,
      literal: true,
    }),
    one('name', { autocomplete: 'name' }),
    one('email', { type: 'email', autocomplete: 'email' }),
    password,
  ]
  const hidden = { setup_token: data.setup_token }
  const content = html`<div class="heading">${setupStep(view, 1)}<h1>${setup.title}</h1><p class="lead">${setup.lead}</p></div>${
    wrong('form') && notice('danger', wrong('form'))
  }${form(view, { action: data.action, hidden }, html`${fields}${button(setup.submit)}`)}`
  return narrowPage(view, { title: setup.title, content, script: true })
}
