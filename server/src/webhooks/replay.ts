import { OAuthError } from '../oauth/errors.ts'
import type { ListedDelivery, ToldEvent } from '../store/verbs/webhook_deliveries.ts'
import type { WebhookContext } from './context.ts'
import { DELIVERY_TIMES, type DeliveryTry } from './deliver.ts'
import { type EventTypeName, toEventType } from './event_types.ts'
import { findWebhook, type ShownWebhook, webhookEvent } from './webhooks.ts'

/** A delivery as it is shown. */
export interface ShownDelivery extends Omit<ListedDelivery, 'tries'> {
  /** What stands in the header webhook-id: the same at each try, replays included. */
  readonly webhook_id: string
  readonly tries: readonly DeliveryTry[]
}

const EVENTS_AT_ONCE = 500
/** So many events at most are read by one call, however few of them are wanted. */
export const MOST_READ = 10_000

/** The deliveries of a webhook, the newest events first, from before a cursor. */
export async function pageDeliveries(
  { tenant }: WebhookContext,
  page: { webhook: string; state: ListedDelivery['state'] | ''; before_event_id: string; most: number },
): Promise<ShownDelivery[]> {
  const found = await tenant.store.pageDeliveries({ tenant_id: tenant.tenant_id, ...page })
  return found.map(({ tries, ...shown }) => ({
    ...{ ...shown, webhook_id: `msg_${shown.event_id}` },
    tries: JSON.parse(tries) as DeliveryTry[],
  }))
}

/** Sends one event again, delivered or not; false when it waits anyway, or is none that a receiver is told. */
export async function replayDelivery(
  context: WebhookContext,
  actor: string,
  ask: { readonly webhook: string; readonly event_id: string },
): Promise<boolean> {
  const { tenant_id, store } = context.tenant
  const { webhook, event_id } = ask
  await findReplayed(context, webhook)
  const audit_type = await store.findEventType({ tenant_id, event_id })
  const type = audit_type === null ? undefined : toEventType(audit_type)
  return type !== undefined && (await replay(context, actor, webhook, [{ event_id, type }], false)) > 0
}

/** What a replay of a stretch of time came to. */
export interface Replayed {
  readonly replayed: number
  /** The cursor of the next call: not everything fitted into one. */
  readonly next_cursor: string | null
}

/** Sends what happened in a stretch of time, `from_at` included and `to_at` not: what never arrived, or all of it. */
export async function replayTime(
  context: WebhookContext,
  actor: string,
  ask: {
    readonly webhook: string
    readonly from_at: number
    readonly to_at: number
    readonly undelivered_only: boolean
    /** The next_cursor of the call before. */
    readonly cursor?: string | undefined
  },
): Promise<Replayed> {
  const { tenant_id, store } = context.tenant
  const { webhook, from_at, to_at, undelivered_only } = ask
  const wanted: readonly EventTypeName[] = (await findReplayed(context, webhook)).event_types
  let replayed = 0
  let after = ask.cursor === undefined ? { at: from_at, event_id: '' } : readCursor(ask.cursor)
  for (let read = 0; read < MOST_READ; read += EVENTS_AT_ONCE) {
    const events = await store.pageEventsOfTime({ tenant_id, from_at, to_at, after, most: EVENTS_AT_ONCE })
    const deliveries = events.flatMap(({ event_id, type: audit_type }) => {
      const type = toEventType(audit_type)
      return type && (wanted.length === 0 || wanted.includes(type)) ? [{ event_id, type }] : []
    })
    replayed += await replay(context, actor, webhook, deliveries, undelivered_only)
    if (events.length < EVENTS_AT_ONCE) return { replayed, next_cursor: null }
    after = events.at(-1)!
  }
  return { replayed, next_cursor: `${after.at}.${after.event_id}` }
}

function readCursor(cursor: string): { at: number; event_id: string } {
  const [, at, event_id] = /^(\d{1,15})\.([\w-]{1,64})$/.exec(cursor) ?? []
  if (event_id === undefined) throw new OAuthError('invalid_request', 'Member cursor is no next_cursor of ours')
  return { at: Number(at), event_id }
}

async function findReplayed(context: WebhookContext, webhook: string): Promise<ShownWebhook> {
  const found = await findWebhook(context, webhook)
  if (!found) throw new OAuthError('invalid_request', 'There is no such webhook', { status: 404 })
  if (found.disabled_at === null) return found
  throw new OAuthError('invalid_request', 'The webhook is disabled: enable it, then replay', { status: 409 })
}

async function replay(
  { tenant }: WebhookContext,
  actor: string,
  webhook: string,
  deliveries: readonly ToldEvent[],
  undelivered_only: boolean,
): Promise<number> {
  if (deliveries.length === 0) return 0
  const event = webhookEvent(tenant, 'webhook.replayed', actor, { webhook })
  const args = { tenant_id: tenant.tenant_id, webhook, deliveries, undelivered_only, event, ...DELIVERY_TIMES }
  return tenant.store.replayDeliveries(args)
}
