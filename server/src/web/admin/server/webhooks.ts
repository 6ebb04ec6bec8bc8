import { sha256 } from '../../../crypto/hash.ts'
import { refusal } from '../../../oauth/clients/metadata_member.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { EVENT_TYPE_NAMES } from '../../../webhooks/event_types.ts'
import { pageDeliveries, replayDelivery, replayTime } from '../../../webhooks/replay.ts'
import {
  deleteWebhook,
  findWebhook,
  listWebhooks,
  rotateWebhookSecret,
  type ShownWebhook,
  saveWebhook,
  setWebhookDisabled,
} from '../../../webhooks/webhooks.ts'
import { errorPage, ours, redirect, send, type Visit } from '../../page.ts'
import { readTold, redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { refusedField } from '../forms/refused_field.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { type FormValues, readTyped, refill, seenIn, statusOf, writeTyped } from '../forms/typed_form.ts'
import { DELIVERY_STATES, renderWebhook, type WebhookData } from './templates/webhook.ts'
import {
  type EditWebhookData,
  renderEditWebhook,
  renderMadeSecret,
  renderWebhooks,
  webhookFields,
} from './templates/webhooks.ts'

const PAGE = 50
/** Of a replay, each of many events: a person waits for seconds, and then goes on by hand. */
const MOST_CALLS = 50
const LAST_ID = '~'

/** GET /admin/webhooks. */
export const webhooksPage = consolePage(async (visit) => {
  const webhooks = (await listWebhooks(visit.web.webhooks)).map(row)
  return send(visit, renderWebhooks(visit.view, { webhooks, done: readTold(visit, visit.view.text.console.done) }))
})

/** GET /admin/webhook?webhook=&state=. */
export const webhookPage = consolePage(async (visit) => {
  const found = await find(visit, visit.query['webhook'])
  return found ? show(visit, found) : errorPage(visit, 'not_found', 404)
})

/** GET /admin/webhooks/new: on the way to a secret. */
export const newWebhookPage = consolePage(async (visit, _administrator, kept) =>
  showForm(visit, null, ...refill(kept, {})),
)

/** GET /admin/webhook/edit?webhook=. */
export const editWebhookPage = consolePage(async (visit, _administrator, kept) => {
  const found = await find(visit, visit.query['webhook'])
  if (!found) return errorPage(visit, 'not_found', 404)
  const { url, description, event_types } = found
  const kinds = webhookFields(EVENT_TYPE_NAMES, true)
  return showForm(visit, found, ...refill(kept, writeTyped(kinds, { url, description, event_types })))
})

/** POST /admin/webhooks/new: makes a webhook and shows its secret, once. */
export const newWebhookSubmit = consoleSubmit(async (visit, actor, values) => {
  try {
    const input = read(values, false)
    if (input.webhook === '') throw refusal('webhook', 'is missing')
    const { outcome, secret } = await saveWebhook(visit.web.webhooks, actor, input, { from_version: null })
    if (outcome === 'stale') {
      // Sent twice: the answer with the secret may be the one that nobody has seen.
      if (await isAsTyped(visit, actor, input)) return toWebhook(visit, input.webhook, { twice: 'true' })
      throw refusal('webhook', 'is that of a webhook that is there already')
    }
    return send(visit, renderMadeSecret(visit.view, { webhook: input.webhook, secret: secret ?? '' }), { script: true })
  } catch (error) {
    return refuse(visit, null, values, error)
  }
})

/** POST /admin/webhook/edit: the webhook is as it was typed, or nothing is changed. */
export const editWebhookSubmit = consoleSubmit(async (visit, actor, values) => {
  const found = await find(visit, values['webhook'])
  if (!found) return errorPage(visit, 'not_found', 404)
  const { webhook, version } = found
  if (values['seen'] !== String(version)) return overtaken(visit, actor, found, values)
  try {
    const { outcome } = await saveWebhook(visit.web.webhooks, actor, read(values, true), { from_version: version })
    return outcome === 'stale' ? overtaken(visit, actor, found, values) : toWebhook(visit, webhook)
  } catch (error) {
    return refuse(visit, found, values, error)
  }
})

/** POST /admin/webhook/rotate_secret: a further secret, shown once; the one before signs beside it for a day. */
export const rotateWebhookSubmit = consoleSubmit(async (visit, actor, values) => {
  const found = await find(visit, values['webhook'])
  if (!found) return errorPage(visit, 'not_found', 404)
  const { webhook, version } = found
  // The page was loaded again or sent twice: a second new secret would end the one that is in use.
  const again = () => toWebhook(visit, webhook, { twice: 'true' })
  if (values['seen'] !== seenKeys(found)) return again()
  const made = await rotateWebhookSecret(visit.web.webhooks, actor, webhook, version)
  return made ? send(visit, renderMadeSecret(visit.view, { webhook, ...made }), { script: true }) : again()
})

/** POST /admin/webhook/replay: one event is sent again. */
export const replayDeliverySubmit = consoleSubmit(async (visit, actor, values) => {
  const { webhook = '', event_id = '' } = values
  const done = await replayDelivery(visit.web.webhooks, actor, { webhook, event_id })
  return toWebhook(visit, webhook, { replayed: done ? '1' : '0' })
})

/** POST /admin/webhook/replay_time: what happened in a stretch of time is sent again. */
export const replayWebhookSubmit = consoleSubmit(async (visit, actor, values) => {
  const found = await find(visit, values['webhook'])
  if (!found) return errorPage(visit, 'not_found', 404)
  const { webhook } = found
  const { from = '', to = '' } = values
  const [from_at, to_at] = [readMoment(from), readMoment(to)]
  if (from_at === undefined) return show(visit, found, { from, to, wrong: 'from' })
  if (to_at === undefined) return show(visit, found, { from, to, wrong: 'to' })
  const undelivered_only = values['undelivered_only'] === 'true'
  const ask = { webhook, from_at, to_at, undelivered_only }
  let { replayed, next_cursor } = await replayTime(visit.web.webhooks, actor, ask)
  for (let calls = 1; next_cursor !== null && calls < MOST_CALLS; calls++) {
    const more = await replayTime(visit.web.webhooks, actor, { ...ask, cursor: next_cursor })
    replayed += more.replayed
    next_cursor = more.next_cursor
  }
  if (next_cursor !== null) {
    // A log as long as that is nothing to wait for: the form says where to go on.
    const reached = new Date(Number.parseInt(next_cursor, 10)).toISOString()
    return show(visit, found, { from: reached.slice(0, 16).replace('T', ' '), to })
  }
  return toWebhook(visit, webhook, { replayed: String(replayed) })
})

/** POST /admin/webhook/disable and /admin/webhook/enable. */
export const setWebhookDisabledSubmit = (disabled: boolean) =>
  consoleSubmit(async (visit, actor, { webhook = '' }) => {
    await setWebhookDisabled(visit.web.webhooks, actor, webhook, disabled)
    return toWebhook(visit, webhook)
  })

/** POST /admin/webhook/delete: the webhook goes with its deliveries. */
export const deleteWebhookSubmit = consoleSubmit(async (visit, actor, { webhook = '' }) => {
  await deleteWebhook(visit.web.webhooks, actor, webhook)
  return redirectTelling(visit, ours(visit.web, paths.admin_webhooks), 'webhook')
})

/** Whoever comes second is told what has changed; a form that was sent twice leads to what it made. */
async function overtaken(visit: Visit, actor: string, found: ShownWebhook, values: FormValues): Promise<Response> {
  if (await isAsTyped(visit, actor, read(values, true))) return toWebhook(visit, found.webhook)
  return showForm(visit, (await find(visit, found.webhook)) ?? found, values, 'stale')
}

/** Whether what a form asks for stands already. */
async function isAsTyped(visit: Visit, actor: string, input: ReturnType<typeof read>): Promise<boolean> {
  try {
    const { outcome } = await saveWebhook(visit.web.webhooks, actor, input, { dry_run: true })
    return outcome === 'unchanged'
  } catch (error) {
    if (error instanceof OAuthError && error.status < 500) return false
    throw error
  }
}

function find(visit: Visit, webhook = ''): Promise<ShownWebhook | null> {
  return findWebhook(visit.web.webhooks, webhook)
}

function toWebhook(visit: Visit, webhook: string, more: Readonly<Record<string, string>> = {}): Response {
  return redirect(visit, ours(visit.web, paths.admin_webhook, { webhook, ...more }))
}

function row({ webhook, url, description, event_types, failures, disabled_at }: ShownWebhook) {
  return { webhook, url, description, event_types, failures, disabled: disabled_at !== null }
}

function seenKeys({ keys }: ShownWebhook): string {
  return sha256(JSON.stringify(keys)).toString('base64url')
}

/** A day and a minute, by UTC. */
function readMoment(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}$/.test(text.trim())) return undefined
  const at = Date.parse(`${text.trim().replace(' ', 'T')}Z`)
  return Number.isNaN(at) || at < 0 ? undefined : at
}

function read(values: FormValues, known: boolean) {
  const json = readTyped(webhookFields(EVENT_TYPE_NAMES, known), values) as {
    url?: string
    description?: string
    event_types?: string[]
    signature?: string
  }
  return {
    webhook: (values['webhook'] ?? '').trim(),
    url: json.url,
    description: json.description ?? '',
    event_types: json.event_types ?? [],
    ...(!known && { signature: json.signature === 'v1a' ? ('v1a' as const) : ('v1' as const) }),
  }
}

function refuse(visit: Visit, found: ShownWebhook | null, values: FormValues, error: unknown): Response {
  if (!(error instanceof OAuthError) || error.status >= 500) throw error
  return showForm(visit, found, values, refusedField(error, { name: 'webhook' }))
}

function showForm(
  visit: Visit,
  found: ShownWebhook | null,
  values: FormValues,
  wrong?: EditWebhookData['wrong'],
): Response {
  const like = { webhook: 'crm', url: 'https://crm.example/hooks', event_types: ['grant.ended'] }
  const { webhook, ...typed } = values['url'] === undefined ? like : { ...like, ...read(values, found !== null) }
  const body = found ? typed : { webhook: webhook || like.webhook, ...typed }
  const script = found
    ? scriptOf(visit, 'updateWebhook', { webhook: found.webhook }, { body })
    : scriptOf(visit, 'createWebhook', {}, { body })
  const seen = seenIn(values, wrong, String(found?.version ?? ''))
  const data = { webhook: found?.webhook, event_types: EVENT_TYPE_NAMES, values, seen, wrong, script }
  return send(visit, renderEditWebhook(visit.view, data), { status: statusOf(wrong) })
}

async function show(visit: Visit, found: ShownWebhook, replay?: WebhookData['replay']): Promise<Response> {
  const { webhook } = found
  const { cursor, state: asked, replayed } = visit.query
  const state = DELIVERY_STATES.find((known) => known === asked)
  const page = { webhook, state: state ?? ('' as const), before_event_id: cursor ?? LAST_ID, most: PAGE + 1 }
  const deliveries = await pageDeliveries(visit.web.webhooks, page)
  const shown = deliveries.slice(0, PAGE)
  const at = visit.view.now - (visit.view.now % 3_600_000)
  const html = renderWebhook(visit.view, {
    ...row(found),
    disabled_reason: found.disabled_reason ?? undefined,
    failing_since: found.failing_since ?? undefined,
    created_at: found.created_at,
    keys: found.keys.map(({ signature, public_key, made_at, ends_at }) => ({
      ...{ signature, public_key: public_key ?? undefined, made_at, ends_at: ends_at ?? undefined },
    })),
    seen: seenKeys(found),
    deliveries: shown.map(({ event_id, type, state, created_at, next_at, tries }) => ({
      ...{ event_id, type, state, created_at, next_at: next_at ?? undefined, tries },
    })),
    ...{ state, cursor, replay, twice: visit.query['twice'] === 'true' },
    next_cursor: deliveries.length > PAGE ? shown.at(-1)!.event_id : undefined,
    replayed: replayed !== undefined && /^\d{1,6}$/.test(replayed) ? Number(replayed) : undefined,
    scripts: {
      replay: scriptOf(visit, 'replayWebhook', { webhook }, { body: { from_at: at - 3_600_000, to_at: at } }),
      rotate: scriptOf(visit, 'rotateWebhookSecret', { webhook }),
      disable: scriptOf(visit, 'updateWebhook', { webhook }, { body: { disabled: found.disabled_at === null } }),
      delete: scriptOf(visit, 'deleteWebhook', { webhook }),
    },
  })
  return send(visit, html, { status: replay?.wrong ? 400 : 200 })
}
