import { type SameScript, sameByScript } from '../../../ui/components.ts'
import { html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { paths } from '../../../ui/paths.ts'
import { link, type View } from '../../../ui/view.ts'
import type { FieldKind, TypedForm } from '../../forms/templates/typed_field.ts'
import { typedPage } from '../../forms/templates/typed_page.ts'

/** How a user is typed, beside the roles that there are. */
export const NEW_USER_FIELDS = {
  username: 'literal',
  name: 'text',
  email: 'literal',
} as const satisfies Readonly<Record<string, FieldKind>>

/** What the form of a new user shows. */
export interface NewUserData extends TypedForm {
  /** What they will be called, so that a form that is sent twice makes one. */
  readonly user_id: string
  readonly roles: readonly string[]
  readonly script: SameScript
}

/** The form in which an administrator describes a user. */
export function renderNewUser(view: View, data: NewUserData): SafeHtml {
  const { new_user: words } = view.text.console
  const form = typedPage(view, data, {
    ...{
      words,
      kinds: { ...NEW_USER_FIELDS, roles: { some_of: data.roles } },
      hidden: { user_id: data.user_id },
      title: words.title,
    },
    action: link(view, paths.admin_new_user),
    back: link(view, paths.admin_users),
  })
  const content = html`${form}<div class="measure">${sameByScript(view, data.script)}</div>`
  return consolePage(view, { entry: 'users', under: [], title: words.title, content })
}
