import { card, notice, pageHeader, section, sign } from '../../ui/components.ts'
import { button, buttonLink, field, form } from '../../ui/forms.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import { accountPage, narrowPage } from '../../ui/layout.ts'
import { code } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { link, tell, type View } from '../../ui/view.ts'

/** What the page shows. */
export interface OwnData {
  readonly may_administer: boolean
  readonly username: string
  readonly may_delete: boolean
  readonly wrong?: 'delete_confirm_wrong' | 'last_administrator' | undefined
}

/** Where somebody takes along what is known of them, or deletes it. */
export function renderOwnData(view: View, data: OwnData): SafeHtml {
  const { data: text } = view.text.own_data
  const download = buttonLink(text.export_submit, link(view, paths.account_export))
  const takes = section(
    text.export,
    card(html`<div class="row"><p class="grow hint">${text.export_lead}</p>${download}</div>`),
  )
  const content = html`${pageHeader(text.title)}${takes}${deletes(view, data)}`
  return accountPage(view, { title: text.title, content, entry: 'data', console: data.may_administer })
}

function deletes(view: View, { username, may_delete, wrong }: OwnData): SafeHtml {
  const { data: text } = view.text.own_data
  if (!may_delete) return section(text.delete, card(html`<p>${text.delete_administrators}</p>`))
  const ends = html`<ul class="rights">${Object.values(text.delete_ends).map((end) => html`<li>${end}</li>`)}</ul>`
  const confirm = field({
    name: 'username',
    label: tell(view, text.delete_confirm, { username: code(username) }),
    required: true,
    autocomplete: 'off',
    literal: true,
    error: wrong === 'delete_confirm_wrong' ? text.delete_confirm_wrong : undefined,
  })
  const refused = wrong === 'last_administrator' && notice('warning', html`<p>${text.last_administrator}</p>`)
  const asks = form(
    view,
    { action: link(view, paths.account_delete) },
    html`${refused}${ends}${confirm}${button(text.delete_submit, { kind: 'danger' })}`,
  )
  return section(text.delete, card(html`<div class="measure">${asks}</div>`), text.delete_lead)
}

/** The page of somebody who has no account any more. */
export function renderDeleted(view: View): SafeHtml {
  const { deleted_title: title, deleted } = view.text.own_data.data
  const content = html`<div class="heading">${sign('good')}<h1>${title}</h1><p class="lead">${deleted}</p></div>`
  return narrowPage(view, { title, content })
}
