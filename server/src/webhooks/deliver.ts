import { signWebhook } from '../crypto/webhook_signature.ts'
import { EgressError } from '../egress/egress_error.ts'
import type {
  DeliveryLease,
  LeasedDelivery,
  SettledDelivery,
  WebhookFailure,
} from '../store/verbs/webhook_deliveries.ts'
import type { WorkingWebhook } from '../store/verbs/webhooks.ts'
import type { WebhookContext } from './context.ts'
import { buildPayload, type EventTypeName, isEventType, toEventType } from './event_types.ts'
import { openWebhookKeys, webhookEvent } from './webhooks.ts'

const EVENTS_AT_ONCE = 500
const SENT_AT_ONCE = 8
const CALL_MS = 15_000
// Longer than a call may take: whoever sees the delivery again knows that the one who took it has failed.
const LEASE_MS = 30_000
const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
/** How long one delivery is tried, and how long what became of it is kept. */
export const DELIVERY_TIMES = { give_up_ms: 3 * DAY, keep_ms: 30 * DAY }
// After five days without one success, and more than a few tries, nobody is there any more.
const DISABLED_AFTER = { least_failures: 10, longest_ms: 5 * DAY }
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 12 * HOUR
const LONGEST_PAUSE_MS = 10 * MINUTE
const LONGEST_ASKED_MS = DAY
const TRIES_KEPT = 12

/** One try of a delivery, as the log keeps it: a status, or a word for why there was none. */
export interface DeliveryTry {
  readonly at: number
  readonly ms: number
  readonly status?: number
  readonly error?: string
}

/**
 * Makes deliveries of the events that have been numbered since, and begins to send what is due; each receiver is sent to
 * by itself, so that none waits for another. What was committed is told at least once, whichever process dies.
 */
export async function tendWebhooks(context: WebhookContext): Promise<void> {
  const { tenant_id, store } = context.tenant
  const working = await store.listWorkingWebhooks({ tenant_id })
  const spread = await makeDeliveries(context, working)
  for (const { webhook, is_due } of working) {
    if ((is_due === 0 && !spread.has(webhook)) || context.sending.has(webhook) || context.stop.signal.aborted) continue
    const sending = drain(context, webhook)
      .catch((cause: unknown) => context.report(`webhook ${webhook} was not sent to`, cause))
      .finally(() => context.sending.delete(webhook))
    context.sending.set(webhook, sending)
  }
}

/** Waits until nothing is being sent. */
export async function settleWebhooks({ sending }: WebhookContext): Promise<void> {
  while (sending.size > 0) await Promise.all(sending.values())
}

/** How long until the next try, after so many; jittered, and never less than was asked. */
export function waitAfter(attempts: number, random: number, asked_ms = 0, longest_ms = LONGEST_WAIT_MS): number {
  const longest = Math.min(longest_ms, FIRST_WAIT_MS * 4 ** Math.min(attempts - 1, 12))
  return Math.round(Math.max(longest * (0.75 + random / 4), Math.min(asked_ms, LONGEST_ASKED_MS)))
}

/** Answers for whom there is something new. */
async function makeDeliveries(
  context: WebhookContext,
  working: readonly WorkingWebhook[],
): Promise<ReadonlySet<string>> {
  const { tenant_id, store } = context.tenant
  const told = new Set<string>()
  let behind = working.filter(({ spread_to, head }) => spread_to < head)
  while (behind.length > 0) {
    // Webhooks mostly stand at the same number: the events of one stretch are read once for all of them.
    const from_sequence = Math.min(...behind.map(({ spread_to }) => spread_to))
    const events = await store.pageSealedEvents({ tenant_id, after_sequence: from_sequence, most: EVENTS_AT_ONCE })
    const to_sequence = events.at(-1)?.sequence
    if (to_sequence === undefined) return told
    const next: WorkingWebhook[] = []
    for (const one of behind) {
      if (one.spread_to !== from_sequence) {
        next.push(one)
        continue
      }
      const wanted = JSON.parse(one.event_types) as EventTypeName[]
      const deliveries = events.flatMap(({ event_id, type: audit_type }) => {
        const type = toEventType(audit_type)
        return type && (wanted.length === 0 || wanted.includes(type)) ? [{ event_id, type }] : []
      })
      const { webhook, version } = one
      const moved = { tenant_id, webhook, version, from_sequence, to_sequence, deliveries, ...DELIVERY_TIMES }
      // Whoever was first here goes on with it; of a webhook that has changed the next round reads what it wants.
      if (!(await store.spreadEvents(moved))) continue
      if (deliveries.length > 0) told.add(webhook)
      if (to_sequence < one.head) next.push({ ...one, spread_to: to_sequence })
    }
    behind = next
  }
  return told
}

async function drain(context: WebhookContext, webhook: string): Promise<void> {
  const { tenant } = context
  const { tenant_id, store } = tenant
  while (!context.stop.signal.aborted) {
    const given_up_event = webhookEvent(tenant, 'webhook.given_up', 'system', { webhook })
    const take = { tenant_id, webhook, most: SENT_AT_ONCE, lease_ms: LEASE_MS, given_up_event }
    const lease = await store.leaseDeliveries(take)
    if (!lease || lease.deliveries.length === 0) return
    await Promise.all(lease.deliveries.map((delivery) => deliver(context, lease, delivery)))
  }
}

async function deliver(context: WebhookContext, lease: DeliveryLease, delivery: LeasedDelivery): Promise<void> {
  const { tenant, random } = context
  const { webhook, version } = lease.webhook
  const { event_id, attempts } = delivery
  const began = tenant.clock()
  const { event, type } = delivery
  // A type that is not known here is for a newer version of this software, which will come by.
  const body = event && isEventType(type) ? buildPayload(tenant.issuer, type, event) : null
  const unsent: Answer = { error: event ? 'unknown_type' : 'event_gone' }
  const answer = body === null ? unsent : await send(context, lease, event_id, body)
  // Whoever stops leaves the delivery to the next one.
  if (context.stop.signal.aborted && answer.error === 'aborted') return
  const made: DeliveryTry = { at: began, ms: tenant.clock() - began, ...describe(answer) }
  const tries = JSON.stringify([...(JSON.parse(delivery.tries) as DeliveryTry[]), made].slice(-TRIES_KEPT))
  const failures = lease.webhook.failures + 1
  const asked_ms = answer.retry_after_ms ?? 0
  const settled: SettledDelivery = {
    ...{ tenant_id: tenant.tenant_id, webhook, version, event_id, attempts, tries },
    ...decide(delivery, answer, lease.now, waitAfter(attempts, random(), asked_ms)),
  }
  const about = { webhook, event_id, type, attempts }
  const failure: WebhookFailure | null =
    answer === unsent
      ? null
      : {
          ...{ ...DISABLED_AFTER, failures },
          pause_ms: waitAfter(failures, random(), asked_ms, LONGEST_PAUSE_MS),
          gone: answer.status === 410,
          disabled_event: webhookEvent(tenant, 'webhook.disabled', 'system', { webhook }),
        }
  const given_up_event = webhookEvent(tenant, 'webhook.given_up', 'system', about)
  await tenant.store.settleDelivery({ ...settled, failure, given_up_event })
}

interface Answer {
  readonly status?: number
  readonly error?: string
  readonly retry_after_ms?: number
}

function decide(
  { give_up_at }: LeasedDelivery,
  { status = 0, error }: Answer,
  now: number,
  next_in_ms: number,
): Pick<SettledDelivery, 'outcome' | 'next_in_ms'> {
  if (status >= 200 && status < 300) return { outcome: 'delivered', next_in_ms: 0 }
  if (error === 'event_gone' || now + next_in_ms >= give_up_at) return { outcome: 'given_up', next_in_ms: 0 }
  return { outcome: 'retry', next_in_ms }
}

function describe({ status, error }: Answer): Pick<DeliveryTry, 'status' | 'error'> {
  return { ...(status !== undefined && { status }), ...(error !== undefined && { error }) }
}

/** Sends one message. Of the answer only the status and Retry-After are read: whoever receives may be hostile. */
async function send(context: WebhookContext, lease: DeliveryLease, event_id: string, body: string): Promise<Answer> {
  const { tenant, egress, stop } = context
  const now = tenant.clock()
  try {
    const keys = openWebhookKeys(tenant, lease.webhook, now)
    const signed = signWebhook(keys, { id: `msg_${event_id}`, now, body })
    const response = await egress.fetch(lease.webhook.url, {
      ...{ purpose: 'webhook', method: 'POST', body, timeoutMs: CALL_MS, signal: stop.signal },
      headers: { 'content-type': 'application/json', ...signed },
    })
    await response.body?.cancel()
    return { status: response.status, retry_after_ms: readRetryAfter(response.headers.get('retry-after'), now) }
  } catch (error) {
    if (error instanceof EgressError) return { error: error.code }
    throw error
  }
}

function readRetryAfter(text: string | null, now: number): number {
  if (text === null) return 0
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : 0
}
