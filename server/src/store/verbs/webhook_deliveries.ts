import type { ChainedEvent } from '../event_chain.ts'
import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, together, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { noteWebhookFailure, noteWebhookWorks, type WebhookRecord } from './webhooks.ts'

type WebhookKey = { readonly tenant_id: string; readonly webhook: string }

/** An event that is to be told, and the type that it is told as. */
export interface ToldEvent {
  readonly event_id: string
  readonly type: string
}

/** How long a delivery is tried, and how long its row is kept. */
export interface DeliveryTimes {
  readonly give_up_ms: number
  readonly keep_ms: number
}

/**
 * Makes the deliveries of a stretch of events, once: false when another process was there first, or when the webhook has
 * changed, and may want others, since its `version` was read.
 */
export const spreadEvents = write(function* (
  args: WebhookKey &
    DeliveryTimes & {
      version: number
      from_sequence: number
      to_sequence: number
      deliveries: readonly ToldEvent[]
    },
): Run<boolean> {
  const { tenant_id, webhook, give_up_ms, keep_ms } = args
  const [moved] = yield* sql<{ webhook: string }>`
    update webhooks set spread_to = ${args.to_sequence}
    where tenant_id = ${tenant_id} and webhook = ${webhook} and version = ${args.version}
      and spread_to = ${args.from_sequence} and disabled_at is null
    returning webhook`
  if (!moved) return false
  yield* together(
    args.deliveries.map(
      ({ event_id, type }) => sql`
        insert into webhook_deliveries (tenant_id, webhook, event_id, type, state, attempts, next_at, give_up_at, tries,
          created_at, expires_at)
        values (${tenant_id}, ${webhook}, ${event_id}, ${type}, 'pending', 0, ${NOW}, ${NOW} + ${give_up_ms}, '[]',
          ${NOW}, ${NOW} + ${keep_ms})
        on conflict do nothing`,
    ),
  )
  return true
})

/** Makes deliveries once more, or for the first time; says how many: none for a webhook that is disabled. What still waits is left as it is. */
export const replayDeliveries = write(function* (
  args: WebhookKey &
    DeliveryTimes & {
      deliveries: readonly ToldEvent[]
      /** Only what never arrived. */
      undelivered_only: boolean
      event: NewEvent
    },
): Run<number> {
  const { tenant_id, webhook, give_up_ms, keep_ms } = args
  const [known] = yield* sql<{ webhook: string }>`
    select webhook from webhooks
    where tenant_id = ${tenant_id} and webhook = ${webhook} and disabled_at is null`
  if (!known) return 0
  const skipped = args.undelivered_only ? 'delivered' : 'pending'
  const made = yield* together(
    args.deliveries.map(
      ({ event_id, type }) => sql<{ event_id: string }>`
        insert into webhook_deliveries (tenant_id, webhook, event_id, type, state, attempts, next_at, give_up_at, tries,
          created_at, expires_at)
        values (${tenant_id}, ${webhook}, ${event_id}, ${type}, 'pending', 0, ${NOW}, ${NOW} + ${give_up_ms}, '[]',
          ${NOW}, ${NOW} + ${keep_ms})
        on conflict (tenant_id, webhook, event_id) do update set state = 'pending', attempts = 0, next_at = ${NOW},
          give_up_at = ${NOW} + ${give_up_ms}, settled_at = null, expires_at = ${NOW} + ${keep_ms}
        where webhook_deliveries.state <> 'pending' and webhook_deliveries.state <> ${skipped}
        returning event_id`,
    ),
  )
  const count = made.flat().length
  if (count > 0) yield* insertEvent({ ...args.event, detail: { ...args.event.detail, deliveries: count } })
  return count
})

/** A delivery whose turn it is, with the event that it tells; null when that is no longer kept. */
export interface LeasedDelivery {
  readonly event_id: string
  readonly type: string
  /** This one included. */
  readonly attempts: number
  readonly give_up_at: number
  readonly tries: string
  readonly event: (ChainedEvent & { readonly sequence: number | null }) | null
}

/** What one process is to send now. */
export interface DeliveryLease {
  readonly webhook: WebhookRecord
  readonly deliveries: readonly LeasedDelivery[]
  readonly now: number
}

/**
 * Takes deliveries before they are sent, so that another process sends them again if this one dies over it. Of a webhook
 * that fails one at a time is taken. What has waited past its end is given up instead, with one event.
 */
export const leaseDeliveries = write(function* (
  args: WebhookKey & { most: number; lease_ms: number; given_up_event: NewEvent },
): Run<DeliveryLease | null> {
  const { tenant_id, webhook: name } = args
  // Updating the row locks it: two processes take different deliveries, and of a failing webhook one of them probes.
  const [webhook] = yield* sql<WebhookRecord & { now: number }>`
    update webhooks set retry_at = case when failing_since is null then null else ${NOW} + ${args.lease_ms} end
    where tenant_id = ${tenant_id} and webhook = ${name} and disabled_at is null
      and (retry_at is null or retry_at <= ${NOW})
    returning webhook, url, description, event_types, sealed_secrets, version, spread_to, failures, failing_since,
      retry_at, disabled_at, disabled_reason, created_at, updated_at, ${NOW} as now`
  if (!webhook) return null
  const { now, ...record } = webhook
  const given_up = yield* giveUp(args, MOST_GIVEN_UP)
  if (given_up > 0) {
    const event = args.given_up_event
    yield* insertEvent({ ...event, detail: { ...event.detail, deliveries: given_up } })
  }
  const leased = yield* sql<Omit<LeasedDelivery, 'event'>>`
    update webhook_deliveries set attempts = attempts + 1, next_at = ${NOW} + ${args.lease_ms}
    where tenant_id = ${tenant_id} and webhook = ${name} and next_at <= ${NOW} and give_up_at > ${NOW} and event_id in
      (select event_id from webhook_deliveries
        where tenant_id = ${tenant_id} and webhook = ${name} and next_at <= ${NOW} and give_up_at > ${NOW}
        order by next_at, event_id limit ${record.failing_since === null ? args.most : 1})
    returning event_id, type, attempts, give_up_at, tries`
  const events = yield* together(
    leased.map(
      ({ event_id }) => sql<NonNullable<LeasedDelivery['event']>>`
        select event_id, at, type, actor, client_id, user_id, grant_id, connection_id, request_id, detail, sequence
        from events where tenant_id = ${tenant_id} and event_id = ${event_id}`,
    ),
  )
  const deliveries = leased.map((delivery, i) => ({ ...delivery, event: events[i]?.[0] ?? null }))
  return { webhook: record, now, deliveries: deliveries.sort((a, b) => (a.event_id < b.event_id ? -1 : 1)) }
})

// So that what a long pause has left is no long transaction.
const MOST_GIVEN_UP = 1000

/** Gives up deliveries that have waited past their end; says how many. */
function* giveUp({ tenant_id, webhook }: WebhookKey, most: number): Run<number> {
  const given_up = yield* sql<{ event_id: string }>`
    update webhook_deliveries set state = 'failed', next_at = null, settled_at = ${NOW}
    where tenant_id = ${tenant_id} and webhook = ${webhook} and state = 'pending' and event_id in
      (select event_id from webhook_deliveries
        where tenant_id = ${tenant_id} and webhook = ${webhook} and next_at <= ${NOW} and give_up_at <= ${NOW}
        order by next_at, event_id limit ${most})
    returning event_id`
  return given_up.length
}

/** What became of a try; `attempts` is that of the lease: whoever replays meanwhile begins anew. */
export interface SettledDelivery extends WebhookKey {
  /** Of the webhook that was sent to: what one address answers says nothing of another. */
  readonly version: number
  readonly event_id: string
  readonly attempts: number
  readonly tries: string
  readonly outcome: 'delivered' | 'retry' | 'given_up'
  /** Until the next try. */
  readonly next_in_ms: number
}

/** What a failed try means for its webhook; null for one that says nothing of it. */
export type WebhookFailure = Omit<Parameters<typeof noteWebhookFailure>[0], 'tenant_id' | 'webhook' | 'version'>

/** Keeps what became of a try, and what it says of the webhook. */
export const settleDelivery = write(
  function* (args: SettledDelivery & { failure: WebhookFailure | null; given_up_event: NewEvent }): Run<void> {
    const { tenant_id, webhook, version, event_id, attempts, outcome } = args
    const state = outcome === 'given_up' ? 'failed' : outcome === 'retry' ? 'pending' : outcome
    const [settled] = yield* sql<{ event_id: string }>`
      update webhook_deliveries set state = ${state}, tries = ${args.tries},
        next_at = case when ${state} = 'pending' then ${NOW} + ${args.next_in_ms} end,
        settled_at = case when ${state} = 'pending' then null else ${NOW} end
      where tenant_id = ${tenant_id} and webhook = ${webhook} and event_id = ${event_id} and state = 'pending'
        and attempts = ${attempts}
      returning event_id`
    if (settled && outcome === 'given_up') yield* insertEvent(args.given_up_event)
    if (outcome === 'delivered') yield* noteWebhookWorks(args)
    else if (args.failure) yield* noteWebhookFailure({ ...args.failure, tenant_id, webhook, version })
  },
  { key: ({ tenant_id, webhook }) => `${tenant_id}/${webhook}` },
)

/** A delivery as the log shows it; `tries` is JSON. */
export interface ListedDelivery
  extends Pick<LeasedDelivery, 'event_id' | 'type' | 'attempts' | 'give_up_at' | 'tries'> {
  readonly state: 'pending' | 'delivered' | 'failed'
  readonly next_at: number | null
  readonly created_at: number
  readonly settled_at: number | null
}

/** The deliveries of a webhook, the newest events first, from before a cursor; an empty state means any. */
export const pageDeliveries = read(function* (
  args: WebhookKey & { state: ListedDelivery['state'] | ''; before_event_id: string; most: number },
): Run<ListedDelivery[]> {
  const { tenant_id, webhook, state, before_event_id: before, most } = args
  // One statement for both would keep both databases from the index by state.
  return yield* state === ''
    ? sql<ListedDelivery>`
        select event_id, type, state, attempts, next_at, give_up_at, tries, created_at, settled_at
        from webhook_deliveries
        where tenant_id = ${tenant_id} and webhook = ${webhook} and event_id < ${before}
        order by event_id desc limit ${most}`
    : sql<ListedDelivery>`
        select event_id, type, state, attempts, next_at, give_up_at, tries, created_at, settled_at
        from webhook_deliveries
        where tenant_id = ${tenant_id} and webhook = ${webhook} and state = ${state} and event_id < ${before}
        order by event_id desc limit ${most}`
})

/** Numbered events of a stretch of time, oldest first, from after a place in it. */
export const pageEventsOfTime = read(function* (args: {
  tenant_id: string
  from_at: number
  to_at: number
  after: { readonly at: number; readonly event_id: string }
  most: number
}): Run<Pick<ChainedEvent, 'event_id' | 'at' | 'type'>[]> {
  const { tenant_id, from_at, to_at, after } = args
  return yield* sql<Pick<ChainedEvent, 'event_id' | 'at' | 'type'>>`
    select event_id, at, type from events
    where tenant_id = ${tenant_id} and sequence is not null and at >= ${from_at} and at < ${to_at}
      and (at, event_id) > (${after.at}, ${after.event_id})
    order by at, event_id limit ${args.most}`
})

/** One numbered event's type, or null. */
export const findEventType = read(function* (args: { tenant_id: string; event_id: string }): Run<string | null> {
  const [found] = yield* sql<{ type: string }>`
    select type from events where tenant_id = ${args.tenant_id} and event_id = ${args.event_id}
      and sequence is not null`
  return found?.type ?? null
})
