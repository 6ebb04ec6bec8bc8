import { notice } from '../../ui/components.ts'
import { button, field, form } from '../../ui/forms.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { name } from '../../ui/name.ts'
import { tell, type View } from '../../ui/view.ts'
import { type PasskeyQuestion, passkeyForm } from './passkey.ts'

/** Why the page is shown again. */
export type SecondFactorRefusal =
  | { readonly reason: 'wrong' | 'missing' | 'refused' }
  | { readonly reason: 'too_many_tries'; readonly minutes: number }

/** What the page of the second factor shows, after the right password. */
export interface SecondFactorData {
  readonly action: string
  readonly username: string
  readonly passkey?: PasskeyQuestion | undefined
  /** A code may be typed: of an app, or a recovery code, or only the latter; false where the client wants a passkey. */
  readonly code: 'totp' | 'recovery' | false
  readonly refusal?: SecondFactorRefusal | undefined
  readonly back_href: string
}

/** The page that asks for the second factor. */
export function renderSecondFactor(view: View, data: SecondFactorData): SafeHtml {
  const { second_factor, passkey } = view.text.security
  const { refusal } = data
  const wrong = refusal?.reason === 'wrong' || refusal?.reason === 'missing' ? second_factor[refusal.reason] : undefined
  const general =
    refusal?.reason === 'too_many_tries'
      ? tell(view, view.text.login.too_many_tries, { n: refusal.minutes })
      : refusal?.reason === 'refused' && passkey.refused
  const code = field({
    name: 'code',
    label: data.code === 'totp' ? second_factor.code : second_factor.recovery_code,
    autocomplete: 'one-time-code',
    hint: data.code === 'totp' ? second_factor.code_hint : second_factor.recovery_hint,
    required: true,
    autofocus: data.passkey === undefined,
    literal: true,
    error: wrong,
  })
  // Whoever has passkeys alone is asked for one first; a recovery code is for the day when they are lost.
  const key_first = data.code !== 'totp'
  const kind = key_first && data.passkey ? 'plain' : 'primary'
  const byCode =
    data.code && form(view, { action: data.action }, html`${code}${button(second_factor.submit, { kind })}`)
  const or = html`<p class="or"><span>${view.text.login.or}</span></p>`
  const place = key_first ? { after: data.code && or } : { before: or }
  const byKey =
    data.passkey &&
    passkeyForm(view, data.passkey, { does: 'get', label: passkey.confirm, primary: key_first, ...place })
  const lead = tell(view, second_factor.lead, { user: html`<strong>${name(data.username)}</strong>` })
  const only = !data.code && html`<p>${second_factor.passkey_only}</p>`
  const content = html`<div class="heading"><h1>${second_factor.title}</h1><p class="lead">${lead}</p>${only}</div>${
    general && notice('danger', general)
  }${key_first ? [byKey, byCode] : [byCode, byKey]}`
  const below = html`<a href="${data.back_href}">${second_factor.start_again}</a>`
  const frame = { title: second_factor.title, content, below, here: data.action }
  return narrowPage(view, { ...frame, passkeys: data.passkey !== undefined })
}
