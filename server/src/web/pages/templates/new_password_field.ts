import { field } from '../../ui/forms.ts'
import type { Child, SafeHtml } from '../../ui/html.ts'
import { name } from '../../ui/name.ts'
import { tell, type View } from '../../ui/view.ts'
import { showButton } from './login.ts'

/** Where a password is chosen; its rule stands beside it before anything is typed. */
interface NewPassword {
  readonly label: Child
  readonly password_min_length: number
  readonly error?: string | undefined
  readonly autofocus?: boolean
}

/** The field of a new password. */
export function newPasswordField(view: View, { label, password_min_length, error, autofocus }: NewPassword): SafeHtml {
  return field({
    name: 'password',
    label,
    type: 'password',
    autocomplete: 'new-password',
    required: true,
    ...(autofocus && { autofocus }),
    minlength: password_min_length,
    after: showButton(view),
    hint: tell(view, view.text.setup.password_hint, { n: password_min_length }),
    error: error && name(error, 300),
  })
}
