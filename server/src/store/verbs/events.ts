import { hash } from 'node:crypto'
import type { NewEvent } from '../records.ts'
import { type Run, read, sql, text, write } from '../sql.ts'

/** Writes an audit event inside the verb that causes it. */
export function* insertEvent(event: NewEvent): Run<void> {
  yield* sql`
    insert into events (tenant_id, event_id, at, type, actor, client_id, user_id, grant_id, connection_id, request_id, detail, sequence, chain)
    values (${event.tenant_id}, ${event.event_id}, ${event.at}, ${event.type}, ${event.actor}, ${text(event.client_id)},
      ${text(event.user_id)}, ${text(event.grant_id)}, ${text(event.connection_id)}, ${text(event.request_id)},
      ${JSON.stringify(event.detail ?? {})}, null, null)`
}

/** Writes an audit event that changes nothing else, such as a refusal. */
export const recordEvent = write(function* (event: NewEvent): Run<void> {
  yield* insertEvent(event)
})

interface UnsealedEvent {
  readonly event_id: string
  readonly at: number
  readonly type: string
  readonly actor: string
  readonly detail: string
}

/**
 * Numbers and chains committed events of a tenant: each link hashes the one before it and the digest of the payload,
 * so that a payload can be erased and the chain still verifies. Returns how many it sealed.
 */
export const sealEvents = write(
  function* ({ tenant_id, most }: { tenant_id: string; most: number }): Run<number> {
    // Updating the head locks it: one sealer at a time, whoever runs it.
    const [head] = yield* sql<{ sequence: number; chain: Uint8Array }>`
      update event_chains set sequence = sequence where tenant_id = ${tenant_id} returning sequence, chain`
    if (!head) return 0
    const events = yield* sql<UnsealedEvent>`
      select event_id, at, type, actor, detail from events
      where tenant_id = ${tenant_id} and sequence is null order by event_id limit ${most}`
    let { sequence, chain } = head
    for (const event of events) {
      sequence++
      chain = linkEvent(chain, sequence, event)
      yield* sql`
        update events set sequence = ${sequence}, chain = ${chain}
        where tenant_id = ${tenant_id} and event_id = ${event.event_id}`
    }
    if (events.length > 0) {
      yield* sql`update event_chains set sequence = ${sequence}, chain = ${chain} where tenant_id = ${tenant_id}`
    }
    return events.length
  },
  { repeatable: true },
)

/** One link of the chain: SHA-256 over the previous link, the number and the digest of the payload. */
export function linkEvent(previous: Uint8Array, sequence: number, event: UnsealedEvent): Buffer {
  const digest = hash('sha256', JSON.stringify([event.event_id, event.at, event.type, event.actor, event.detail]))
  return hash('sha256', `${Buffer.from(previous).toString('hex')}/${sequence}/${digest}`, 'buffer')
}

/** An audit event as the log lists it. */
export interface EventRecord extends UnsealedEvent {
  readonly client_id: string | null
  readonly user_id: string | null
  readonly grant_id: string | null
  readonly connection_id: string | null
  readonly request_id: string | null
  readonly sequence: number | null
  readonly chain: Uint8Array | null
}

/** Events of a tenant, newest first, from before a cursor. */
export const pageEvents = read(function* (args: {
  tenant_id: string
  before_event_id: string
  most: number
}): Run<EventRecord[]> {
  return yield* sql<EventRecord>`
    select event_id, at, type, actor, detail, client_id, user_id, grant_id, connection_id, request_id, sequence, chain
    from events where tenant_id = ${args.tenant_id} and event_id < ${args.before_event_id}
    order by event_id desc limit ${args.most}`
})

/** Sealed events in their order, for verifying the chain. */
export const pageSealedEvents = read(function* (args: {
  tenant_id: string
  after_sequence: number
  most: number
}): Run<EventRecord[]> {
  return yield* sql<EventRecord>`
    select event_id, at, type, actor, detail, client_id, user_id, grant_id, connection_id, request_id, sequence, chain
    from events where tenant_id = ${args.tenant_id} and sequence > ${args.after_sequence}
    order by sequence limit ${args.most}`
})
