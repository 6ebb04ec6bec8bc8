import { card, emptyState, pageHeader, pagination } from '../../ui/components.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { accountPage } from '../../ui/layout.ts'
import { clientName, code, name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { ago, link, tell, type View } from '../../ui/view.ts'

/** One thing that happened. */
export interface ShownActivity {
  readonly at: number
  /** The event's own name, such as `session.started`. */
  readonly type: string
  readonly by: 'you' | 'app' | 'administrator' | 'system' | 'anybody'
  readonly client?: { readonly client_id: string; readonly client_name?: string | undefined } | undefined
  readonly provider_name?: string | undefined
  /** Where alike events are one. */
  readonly times?: number | undefined
}

/** What the page shows. */
export interface ActivityData {
  readonly may_administer: boolean
  readonly activities: readonly ShownActivity[]
  readonly cursor?: string | undefined
  readonly next_cursor?: string | undefined
}

/** What happened in an account, in its owner's words (ASVS 7.5.2 names the sessions; this is what they and others did). */
export function renderActivity(view: View, data: ActivityData): SafeHtml {
  const { activity } = view.text.own_data
  const rows = data.activities.map((one) => html`<li>${line(view, one)}</li>`)
  const list =
    rows.length === 0 ? emptyState(activity.empty, activity.empty_body) : card(html`<ul class="rows">${rows}</ul>`)
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.account_activity),
    next: data.next_cursor && link(view, paths.account_activity, { cursor: data.next_cursor }),
  })
  const content = html`${pageHeader(activity.title, activity.lead)}${list}${pages}`
  return accountPage(view, { title: activity.title, content, entry: 'activity', console: data.may_administer })
}

function line(view: View, one: ShownActivity): Child {
  const { activity } = view.text.own_data
  const { sentences } = activity
  const known = Object.hasOwn(sentences, one.type) ? sentences[one.type as keyof typeof sentences] : undefined
  const facts = [
    ago(view, one.at),
    (one.by !== 'app' || !one.client) && activity[`by_${one.by}`],
    one.client && tell(view, activity.app, { client: name(clientName(one.client)) }),
    one.provider_name && tell(view, activity.account, { provider: name(one.provider_name) }),
    one.times !== undefined && one.times > 1 && tell(view, activity.times, { n: one.times }),
  ].filter(Boolean)
  return html`<p><strong>${known ?? tell(view, activity.unknown, { type: code(one.type) })}</strong></p><p class="facts">${facts.map((fact) => html`<span>${fact}</span>`)}</p>`
}
