import { button } from '../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../ui/html.ts'
import type { View } from '../../ui/view.ts'

/** What a page asks of the browser's passkeys. */
export interface PasskeyQuestion {
  /** Where the answer is posted. */
  readonly action: string
  /** The challenge, sealed for this browser. */
  readonly sealed: string
  /** For the browser: the JSON form of the request or creation options (WebAuthn section 5.1). */
  readonly options: object
}

/** The form that an island fills in with the browser's answer; hidden where the browser has no passkeys. */
export function passkeyForm(
  view: View,
  question: PasskeyQuestion,
  how: {
    readonly does: 'get' | 'create'
    readonly label: Child
    readonly primary?: boolean
    /** Offers passkeys where the username is typed. */
    readonly autofill?: boolean
    readonly fields?: Child
    /** Stand before and after it, where it is one way of several. */
    readonly before?: Child
    readonly after?: Child
    readonly boxed?: boolean
  },
): SafeHtml {
  const hidden = Object.entries({ csrf_token: view.csrf_token, challenge: question.sealed, credential: '' }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  const rest = attrs({ 'data-passkey': how.does, 'data-autofill': how.autofill })
  const failed = html`<p class="wrong" role="alert" hidden>${view.text.security.passkey.failed}</p>`
  const submit = button(how.label, { kind: how.primary ? 'primary' : 'plain' })
  return html`<div class="${how.boxed ? 'card' : 'way'}" data-needs-passkeys hidden>${how.before}<form method="post" action="${question.action}"${rest} data-options="${JSON.stringify(question.options)}">${hidden}${how.fields}${submit}${failed}</form>${how.after}</div>`
}
