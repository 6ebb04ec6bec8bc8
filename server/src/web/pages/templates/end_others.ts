import { ending } from '../../ui/components.ts'
import type { SafeHtml } from '../../ui/html.ts'
import { paths } from '../../ui/paths.ts'
import { link, type View } from '../../ui/view.ts'

/** The action that signs a user out everywhere but here. */
export function endOthers(view: View): SafeHtml {
  const { account } = view.text
  return ending(view, {
    id: 'end-others',
    label: account.end_others,
    title: account.end_others_title,
    consequences: [account.end_others_ends],
    action: link(view, paths.account_end_other_sessions),
    hidden: {},
  })
}
