import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** Where events are told, as its row holds it; `event_types` is JSON, an empty list stands for all. */
export interface WebhookRecord {
  readonly webhook: string
  readonly url: string
  readonly description: string
  readonly event_types: string
  /** What signs: sealed for this version. */
  readonly sealed_secrets: Uint8Array
  readonly version: number
  /** The number of the event up to which deliveries have been made. */
  readonly spread_to: number
  /** In a row, and since when. */
  readonly failures: number
  readonly failing_since: number | null
  readonly retry_at: number | null
  readonly disabled_at: number | null
  readonly disabled_reason: string | null
  readonly created_at: number
  readonly updated_at: number
}

/** A webhook to make or change, its secrets sealed under its new version. */
export type SavedWebhook = Pick<
  WebhookRecord,
  'webhook' | 'url' | 'description' | 'event_types' | 'sealed_secrets' | 'version'
>

type WebhookKey = { readonly tenant_id: string; readonly webhook: string }

/** Makes a webhook, which hears of what is numbered from now on; false when the name is taken. */
export const createWebhook = write(function* (args: {
  tenant_id: string
  webhook: SavedWebhook
  event: NewEvent
}): Run<boolean> {
  const { tenant_id, webhook, event } = args
  const [made] = yield* sql<{ webhook: string }>`
    insert into webhooks (tenant_id, webhook, url, description, event_types, sealed_secrets, version, spread_to, failures,
      created_at, updated_at)
    select ${tenant_id}, ${webhook.webhook}, ${webhook.url}, ${webhook.description}, ${webhook.event_types},
      ${webhook.sealed_secrets}, ${webhook.version}, sequence, 0, ${NOW}, ${NOW}
    from event_chains where tenant_id = ${tenant_id}
    on conflict do nothing returning webhook`
  if (made) yield* insertEvent(event)
  return made !== undefined
})

/** Changes a webhook that is still at the version that was read; what is held against it is forgotten. */
export const updateWebhook = write(function* (args: {
  tenant_id: string
  webhook: SavedWebhook
  from_version: number
  event: NewEvent
}): Run<boolean> {
  const { tenant_id, webhook, event } = args
  const [changed] = yield* sql<{ webhook: string }>`
    update webhooks set url = ${webhook.url}, description = ${webhook.description}, event_types = ${webhook.event_types},
      sealed_secrets = ${webhook.sealed_secrets}, version = ${webhook.version}, failures = 0, failing_since = null,
      retry_at = null, updated_at = ${NOW}
    where tenant_id = ${tenant_id} and webhook = ${webhook.webhook} and version = ${args.from_version}
    returning webhook`
  if (changed) yield* insertEvent(event)
  return changed !== undefined
})

/**
 * Disables a webhook, or enables it again: then it hears of what is numbered from now on, and what still waited is given
 * up, for whoever wants it to replay.
 */
export const setWebhookDisabled = write(function* (
  args: WebhookKey & { disabled: boolean; reason: string; event: NewEvent },
): Run<boolean> {
  const { tenant_id, webhook } = args
  const [changed] = args.disabled
    ? yield* sql<{ webhook: string }>`
        update webhooks set disabled_at = ${NOW}, disabled_reason = ${args.reason}
        where tenant_id = ${tenant_id} and webhook = ${webhook} and disabled_at is null returning webhook`
    : yield* sql<{ webhook: string }>`
        update webhooks set disabled_at = null, disabled_reason = null, failures = 0, failing_since = null,
          retry_at = null, spread_to = (select sequence from event_chains where tenant_id = ${tenant_id})
        where tenant_id = ${tenant_id} and webhook = ${webhook} and disabled_at is not null returning webhook`
  if (!changed) return false
  const given_up = args.disabled
    ? []
    : yield* sql<{ event_id: string }>`
        update webhook_deliveries set state = 'failed', next_at = null, settled_at = ${NOW}
        where tenant_id = ${tenant_id} and webhook = ${webhook} and state = 'pending' returning event_id`
  const { event } = args
  const detail = { ...event.detail, ...(given_up.length > 0 && { given_up: given_up.length }) }
  yield* insertEvent({ ...event, detail })
  return true
})

/** Deletes a webhook with its deliveries; false when there is none. */
export const deleteWebhook = write(function* (args: WebhookKey & { event: NewEvent }): Run<boolean> {
  const { tenant_id, webhook } = args
  const [gone] = yield* sql<{ webhook: string }>`
    delete from webhooks where tenant_id = ${tenant_id} and webhook = ${webhook} returning webhook`
  if (!gone) return false
  yield* sql`delete from webhook_deliveries where tenant_id = ${tenant_id} and webhook = ${webhook}`
  yield* insertEvent(args.event)
  return true
})

/** The webhooks of a tenant, by name. */
export const listWebhooks = read(function* (args: { tenant_id: string }): Run<WebhookRecord[]> {
  return yield* sql<WebhookRecord>`
    select webhook, url, description, event_types, sealed_secrets, version, spread_to, failures, failing_since, retry_at,
      disabled_at, disabled_reason, created_at, updated_at
    from webhooks where tenant_id = ${args.tenant_id} order by webhook limit 1000`
})

/** One webhook, or null. */
export const findWebhook = read(function* (args: WebhookKey): Run<WebhookRecord | null> {
  const [found] = yield* sql<WebhookRecord>`
    select webhook, url, description, event_types, sealed_secrets, version, spread_to, failures, failing_since, retry_at,
      disabled_at, disabled_reason, created_at, updated_at
    from webhooks where tenant_id = ${args.tenant_id} and webhook = ${args.webhook}`
  return found ?? null
})

/** What of a webhook says whether there is something to do for it. */
export interface WorkingWebhook extends Pick<WebhookRecord, 'webhook' | 'event_types' | 'version' | 'spread_to'> {
  /** The number of the newest event. */
  readonly head: number
  /** 1 when a delivery is due, and the webhook is not left alone. */
  readonly is_due: number
}

/** The webhooks that are not disabled, and what there is to do for them: a read, so that a server at rest writes nothing. */
export const listWorkingWebhooks = read(function* (args: { tenant_id: string }): Run<WorkingWebhook[]> {
  return yield* sql<WorkingWebhook>`
    select w.webhook, w.event_types, w.version, w.spread_to, h.sequence as head,
      case when (w.retry_at is null or w.retry_at <= ${NOW}) and exists (select 1 from webhook_deliveries d
        where d.tenant_id = w.tenant_id and d.webhook = w.webhook and d.next_at <= ${NOW}) then 1 else 0 end as is_due
    from webhooks w join event_chains h on h.tenant_id = w.tenant_id
    where w.tenant_id = ${args.tenant_id} and w.disabled_at is null
    order by w.webhook limit 1000`
})

/** Counts a failure of a webhook that is as it was, and leaves it alone for a while; ends it when that has gone on for too long. */
export function* noteWebhookFailure(
  args: WebhookKey & {
    version: number
    /** In a row, this one included, for whoever took what failed: what fails together is one. */
    failures: number
    pause_ms: number
    /** The receiver wants no more: it ends at once. */
    gone: boolean
    least_failures: number
    longest_ms: number
    disabled_event: NewEvent
  },
): Run<void> {
  const { tenant_id, webhook } = args
  const [failing] = yield* sql<{ failures: number; since_ms: number }>`
    update webhooks set failures = case when failures < ${args.failures} then ${args.failures} else failures end,
      failing_since = coalesce(failing_since, ${NOW}), retry_at = ${NOW} + ${args.pause_ms}
    where tenant_id = ${tenant_id} and webhook = ${webhook} and version = ${args.version} and disabled_at is null
    returning failures, ${NOW} - failing_since as since_ms`
  if (!failing) return
  const lasts = failing.failures >= args.least_failures && failing.since_ms >= args.longest_ms
  if (!args.gone && !lasts) return
  const reason = args.gone ? 'gone' : 'failing'
  yield* sql`
    update webhooks set disabled_at = ${NOW}, disabled_reason = ${reason}
    where tenant_id = ${tenant_id} and webhook = ${webhook}`
  yield* insertEvent({ ...args.disabled_event, detail: { ...args.disabled_event.detail, reason } })
}

/** Forgets what is held against a webhook that works again. */
export function* noteWebhookWorks({ tenant_id, webhook, version }: WebhookKey & { version: number }): Run<void> {
  yield* sql`
    update webhooks set failures = 0, failing_since = null, retry_at = null
    where tenant_id = ${tenant_id} and webhook = ${webhook} and version = ${version}
      and (failing_since is not null or retry_at is not null)`
}
