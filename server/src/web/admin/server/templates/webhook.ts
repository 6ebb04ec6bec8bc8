import {
  badge,
  card,
  codeBlock,
  definitions,
  emptyState,
  ending,
  notice,
  pageHeader,
  pagination,
  type SameScript,
  sameByScript,
  section,
  type Tone,
  table,
  toldNotice,
} from '../../../ui/components.ts'
import { button, buttonLink, check, field, form, select } from '../../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, count, link, moment, tell, type View } from '../../../ui/view.ts'
import { toldOf, type WebhookRow, webhookBadge } from './webhooks.ts'

/** The states of a delivery. */
export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const

/** A state of a delivery. */
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** What became of telling one event. */
export interface DeliveryRow {
  readonly event_id: string
  readonly type: string
  readonly state: DeliveryState
  readonly created_at: number
  readonly next_at?: number | undefined
  /** The latest ones. */
  readonly tries: readonly {
    readonly at: number
    readonly ms: number
    readonly status?: number
    readonly error?: string
  }[]
}

/** What the page of one webhook shows. */
export interface WebhookData extends WebhookRow {
  readonly disabled_reason?: string | undefined
  readonly failing_since?: number | undefined
  readonly created_at: number
  /** The newest first. */
  readonly keys: readonly {
    readonly signature: string
    readonly public_key?: string | undefined
    readonly made_at: number
    readonly ends_at?: number | undefined
  }[]
  /** What was shown when a new secret is asked for: a page that is posted once more asks for nothing. */
  readonly seen: string
  readonly deliveries: readonly DeliveryRow[]
  readonly state?: DeliveryState | undefined
  readonly cursor?: string | undefined
  readonly next_cursor?: string | undefined
  /** The form that made it was sent twice. */
  readonly twice?: boolean
  /** How many were sent again just now. */
  readonly replayed?: number | undefined
  readonly replay?:
    | { readonly from?: string | undefined; readonly to?: string | undefined; readonly wrong?: 'from' | 'to' }
    | undefined
  readonly scripts: {
    readonly replay: SameScript
    readonly rotate: SameScript
    readonly disable: SameScript
    readonly delete: SameScript
  }
}

/** The page of one webhook: how it stands, what signs, and what became of each message. */
export function renderWebhook(view: View, data: WebhookData): SafeHtml {
  const { webhook: words } = view.text.console
  const { webhook } = data
  const edit = buttonLink(words.edit, link(view, paths.admin_edit_webhook, { webhook }))
  const facts = definitions([
    [words.url, code(data.url)],
    [words.description, data.description !== '' && name(data.description, 500)],
    [words.types, toldOf(view, data.event_types)],
    [words.made, moment(view, data.created_at)],
  ])
  const content = html`${pageHeader(name(webhook), webhookBadge(view, data), edit)}${told(view, data)}${section(words.details, card(facts))}${deliveries(view, data)}${replayTime(view, data)}${keys(view, data)}${endings(view, data)}`
  return consolePage(view, { entry: 'webhooks', under: [], title: displayName(webhook), content })
}

function told(view: View, data: WebhookData): Child {
  const { webhook: words } = view.text.console
  const { replayed, disabled, disabled_reason, failures, failing_since } = data
  const again =
    replayed !== undefined &&
    (replayed > 0
      ? notice('good', html`<p>${tell(view, words.replayed, { n: replayed })}</p>`)
      : notice('note', html`<p>${words.replayed_none}</p>`))
  const why =
    disabled_reason === 'failing'
      ? words.disabled_failing
      : disabled_reason === 'gone'
        ? words.disabled_gone
        : words.disabled
  const off = disabled && notice('warning', html`<p>${why}</p>`)
  const failing =
    !disabled &&
    failures > 0 &&
    notice(
      'warning',
      html`<p>${tell(view, words.failing, { n: count(view, failures), when: ago(view, failing_since ?? view.now) })}</p>`,
    )
  const twice = data.twice && toldNotice('note', view.text.console.again.twice)
  return html`${twice}${again}${off}${failing}`
}

const TONES: Readonly<Record<DeliveryState, Tone>> = { pending: 'note', delivered: 'good', failed: 'danger' }

function deliveries(view: View, data: WebhookData): SafeHtml {
  const { webhook: words } = view.text.console
  const { webhook, state } = data
  const rows = data.deliveries.map((row): Child[] => [
    html`<a href="${link(view, paths.admin_event, { event_id: row.event_id })}">${code(row.type)}</a>`,
    html`${ago(view, row.created_at)}`,
    html`${badge(words.states[row.state], TONES[row.state])}${row.next_at !== undefined && html`<small>${tell(view, words.next_try, { when: ago(view, row.next_at) })}</small>`}`,
    tries(view, row),
    row.state === 'pending' ? '–' : again(view, data, row),
  ])
  const columns = [words.event, words.happened, words.state, words.tries, words.action]
  const list =
    rows.length === 0
      ? emptyState(words.deliveries_empty, words.deliveries_empty_body)
      : table(words.deliveries, columns, rows)
  const choices = [
    { value: '', label: words.all },
    ...DELIVERY_STATES.map((value) => ({ value, label: words.states[value] })),
  ]
  const filter = html`<form class="filters" action="${link(view, paths.admin_webhook)}"><input type="hidden" name="webhook"${attrs({ value: webhook })}>${select({ name: 'state', label: words.filter, value: state, choices })}<button class="button plain">${words.apply}</button></form>`
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.admin_webhook, { webhook, state }),
    next: data.next_cursor && link(view, paths.admin_webhook, { webhook, state, cursor: data.next_cursor }),
  })
  return section(words.deliveries, html`${filter}${list}${pages}`, words.deliveries_lead)
}

function tries(view: View, row: DeliveryRow): Child {
  const { webhook: words } = view.text.console
  if (row.tries.length === 0) return words.no_try
  const items = row.tries.map(({ at, ms, status, error }) => {
    const answer =
      status === undefined ? code(error ?? '') : tell(view, words.answered, { status: code(String(status)) })
    return html`<li>${ago(view, at)} · ${answer} <small>${tell(view, words.took, { ms: count(view, ms) })}</small></li>`
  })
  return html`<ul>${items}</ul>`
}

function again(view: View, { webhook }: WebhookData, { event_id, type }: DeliveryRow): SafeHtml {
  const { webhook: words } = view.text.console
  const label = html`${words.replay}<span class="unseen"> ${code(type)}</span>`
  const to = { action: link(view, paths.admin_replay_delivery), hidden: { webhook, event_id } }
  return form(view, to, button(label, { kind: 'quiet' }))
}

function replayTime(view: View, data: WebhookData): SafeHtml {
  const { webhook: words } = view.text.console
  const { replay } = data
  const when = (which: 'from' | 'to', label: string) =>
    field({
      ...{ name: which, label, value: replay?.[which], hint: words.time_hint, literal: true, autocomplete: 'off' },
      ...{ required: true, error: replay?.wrong === which && words.time_wrong },
    })
  const only = check({ name: 'undelivered_only', value: 'true', label: words.undelivered_only, checked: true })
  const fields = html`${when('from', words.from)}${when('to', words.to)}${only}<div class="actions start">${button(words.replay_submit, { kind: 'plain' })}</div>`
  const to = { action: link(view, paths.admin_replay_webhook), hidden: { webhook: data.webhook } }
  const content = html`<div class="measure">${form(view, to, fields)}${sameByScript(view, data.scripts.replay)}</div>`
  return section(words.replay_time, content, words.replay_time_lead)
}

function keys(view: View, data: WebhookData): SafeHtml {
  const { webhook: words } = view.text.console
  const rows = data.keys.map(({ signature, public_key, made_at, ends_at }, i) => {
    const facts = html`<p class="facts"><span>${code(signature)}</span><span>${tell(view, words.key_made, { when: ago(view, made_at) })}</span>${ends_at !== undefined && html`<span>${tell(view, words.key_until, { when: moment(view, ends_at) })}</span>`}</p>`
    const shown = public_key !== undefined && html`<p class="hint">${words.public_key}</p>${codeBlock(public_key)}`
    return html`<li><p><strong>${i === 0 ? words.key_newest : words.key_older}</strong></p>${facts}${shown}</li>`
  })
  const rotate = ending(view, {
    ...{ id: 'rotate', label: words.rotate, title: words.rotate_title },
    consequences: [words.rotate_shown, words.rotate_both],
    action: link(view, paths.admin_rotate_webhook),
    hidden: { webhook: data.webhook, seen: data.seen },
  })
  const content = html`${card(html`<ul class="rows">${rows}</ul>`)}${sameByScript(view, data.scripts.rotate)}`
  return section(words.keys, content, words.keys_lead, rotate)
}

function endings(view: View, data: WebhookData): SafeHtml {
  const { webhook: words } = view.text.console
  const { webhook } = data
  const hidden = { webhook }
  const toggle = data.disabled
    ? form(view, { action: link(view, paths.admin_enable_webhook), hidden }, button(words.enable, { kind: 'plain' }))
    : ending(view, {
        id: 'disable',
        label: words.disable,
        title: tell(view, words.disable_title, { webhook: name(webhook) }),
        consequences: [words.disable_stops],
        action: link(view, paths.admin_disable_webhook),
        hidden,
      })
  const remove = ending(view, {
    id: 'delete',
    label: words.delete,
    title: tell(view, words.delete_title, { webhook: name(webhook) }),
    consequences: [words.delete_deliveries, words.delete_secret],
    action: link(view, paths.admin_delete_webhook),
    hidden,
  })
  const scripts = sameByScript(view, data.scripts.disable, data.scripts.delete)
  return section(words.danger, html`<div class="actions start">${toggle}${remove}</div>${scripts}`)
}
