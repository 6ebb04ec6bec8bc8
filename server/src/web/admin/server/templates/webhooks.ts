import {
  badge,
  card,
  copyable,
  definitions,
  emptyState,
  notice,
  pageHeader,
  type SameScript,
  sameByScript,
  table,
} from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, displayName, exactText, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, moment, tell, tellText, type View } from '../../../ui/view.ts'
import { type Done, doneNotice } from '../../forms/templates/done.ts'
import type { FieldKind, TypedForm } from '../../forms/templates/typed_field.ts'
import { typedPage } from '../../forms/templates/typed_page.ts'

/** One line of the list. */
export interface WebhookRow {
  readonly webhook: string
  readonly url: string
  readonly description: string
  /** Empty for all that there are. */
  readonly event_types: readonly string[]
  readonly failures: number
  readonly disabled: boolean
}

/** The webhooks there are. */
export function renderWebhooks(
  view: View,
  data: { readonly webhooks: readonly WebhookRow[]; readonly done?: Done | undefined },
): SafeHtml {
  const { webhooks: words } = view.text.console
  const add = buttonLink(words.add, link(view, paths.admin_new_webhook), 'primary')
  const rows = data.webhooks.map((row): Child[] => [
    html`<a href="${link(view, paths.admin_webhook, { webhook: row.webhook })}">${name(row.webhook)}</a>${row.description !== '' && html` <small>${name(row.description)}</small>`}`,
    code(row.url),
    toldOf(view, row.event_types),
    webhookBadge(view, row),
  ])
  const columns = [words.name, words.url, words.types, words.status]
  const list = rows.length === 0 ? emptyState(words.empty, words.empty_body, add) : table(words.title, columns, rows)
  const content = html`${pageHeader(words.title, words.lead, rows.length > 0 && add)}${doneNotice(view, data.done)}${list}`
  return consolePage(view, { entry: 'webhooks', title: words.title, content })
}

/** What a webhook is told of. */
export function toldOf(view: View, event_types: readonly string[]): SafeHtml {
  if (event_types.length === 0) return html`${view.text.console.webhooks.every_type}`
  return html`<span class="codes">${event_types.map((type) => html`${code(type)} `)}</span>`
}

/** How a webhook stands, as a word with a colour. */
export function webhookBadge(view: View, { disabled, failures }: Pick<WebhookRow, 'disabled' | 'failures'>): SafeHtml {
  const { webhooks: words } = view.text.console
  if (disabled) return badge(words.disabled, 'danger')
  return failures > 0 ? badge(words.failing, 'warning') : badge(words.working, 'good')
}

/** How the members of a webhook are typed, those of a new one first. */
export function webhookFields(event_types: readonly string[], known: boolean): Readonly<Record<string, FieldKind>> {
  const common = { url: 'literal', description: 'text', event_types: { some_of: event_types } } as const
  return known ? common : { webhook: 'literal', ...common, signature: { one_of: ['v1', 'v1a'] } }
}

/** What the form of a webhook shows. */
export interface EditWebhookData extends TypedForm {
  /** Without it a new one is described. */
  readonly webhook?: string | undefined
  readonly event_types: readonly string[]
  readonly seen: string
  readonly script: SameScript
}

/** The form in which a webhook is described. */
export function renderEditWebhook(view: View, data: EditWebhookData): SafeHtml {
  const { webhook: words } = view.text.console
  const { webhook, seen } = data
  const known = webhook !== undefined
  const form = typedPage(view, data, {
    ...{ words, kinds: webhookFields(data.event_types, known) },
    action: link(view, known ? paths.admin_edit_webhook : paths.admin_new_webhook),
    back: known ? link(view, paths.admin_webhook, { webhook }) : link(view, paths.admin_webhooks),
    hidden: { seen, ...(known && { webhook }) },
    title: known ? tell(view, words.edit_title, { webhook: name(webhook) }) : words.new_title,
  })
  const title = known ? tellText(view, words.edit_title, { webhook: displayName(webhook) }) : words.new_title
  const content = html`${form}<div class="measure">${sameByScript(view, data.script)}</div>`
  const under = known ? [[name(webhook), link(view, paths.admin_webhook, { webhook })] as const] : []
  return consolePage(view, { entry: 'webhooks', under, title, content })
}

/** What the page shows on which a secret is shown, once. */
export interface MadeSecretData {
  readonly webhook: string
  readonly secret: string
  /** When the one before it signs no more; without it this is the first. */
  readonly former_ends_at?: number | undefined
}

/** The page that shows a secret once. */
export function renderMadeSecret(view: View, { webhook, secret, former_ends_at }: MadeSecretData): SafeHtml {
  const { webhook: words } = view.text.console
  const first = former_ends_at === undefined
  const title = first ? words.made_title : words.rotated_title
  const lead = first ? words.made_lead : tell(view, words.rotated_lead, { when: moment(view, former_ends_at) })
  const values = card(definitions([[words.secret, copyable(secret)]]))
  const on = buttonLink(words.go_on, link(view, paths.admin_webhook, { webhook }), 'primary')
  const content = html`${pageHeader(tell(view, title, { webhook: name(webhook) }), lead)}${notice('warning', html`<p>${words.once}</p>`)}${values}<div class="actions start">${on}</div>`
  return consolePage(view, {
    ...{ entry: 'webhooks', under: [], copies: true },
    title: tellText(view, title, { webhook: exactText(webhook) }),
    content,
  })
}
