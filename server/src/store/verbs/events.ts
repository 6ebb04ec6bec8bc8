import { type ChainedEvent, type ChainHead, type SealedEvent, sealInOrder } from '../event_chain.ts'
import type { NewEvent } from '../records.ts'
import { type Run, read, type Statement, sql, text, together, write } from '../sql.ts'

/** Writes an audit event inside the verb that causes it. */
export function* insertEvent(event: NewEvent): Run<void> {
  yield* eventStatement(event)
}

/** The statement that writes an audit event, for verbs that send it together with others. */
export function eventStatement(event: NewEvent): Statement<never> {
  return sql`
    insert into events (tenant_id, event_id, at, type, actor, client_id, user_id, grant_id, connection_id, request_id, detail, sequence, chain)
    values (${event.tenant_id}, ${event.event_id}, ${event.at}, ${event.type}, ${event.actor}, ${text(event.client_id)},
      ${text(event.user_id)}, ${text(event.grant_id)}, ${text(event.connection_id)}, ${text(event.request_id)},
      ${JSON.stringify(event.detail ?? {})}, null, null)`
}

/** Whether an event was written before: its identifier is random, so only the same call wrote it. */
export function* isRecorded(event: NewEvent): Run<boolean> {
  const [known] = yield* sql<{ event_id: string }>`
    select event_id from events where tenant_id = ${event.tenant_id} and event_id = ${event.event_id}`
  return known !== undefined
}

/** Writes an audit event that changes nothing else, such as a refusal. */
export const recordEvent = write(
  function* (event: NewEvent): Run<void> {
    if (!(yield* isRecorded(event))) yield* insertEvent(event)
  },
  { key: ({ tenant_id, event_id }) => `${tenant_id}/${event_id}`, repeatable: true },
)

/** Numbers and chains committed events of a tenant, oldest first; returns how many it sealed. */
export const sealEvents = write(
  function* ({ tenant_id, most }: { tenant_id: string; most: number }): Run<number> {
    // Updating the head locks it: one sealer at a time, whoever runs it.
    const [head] = yield* sql<ChainHead>`
      update event_chains set sequence = sequence where tenant_id = ${tenant_id} returning sequence, chain`
    if (!head) return 0
    const events = yield* sql<ChainedEvent>`
      select event_id, at, type, actor, client_id, user_id, grant_id, connection_id, request_id, detail from events
      where tenant_id = ${tenant_id} and sequence is null order by event_id limit ${most}`
    const links = sealInOrder(head, events)
    yield* together(
      links.map(
        ({ event_id, sequence, detail_salt, detail_digest, chain }) => sql`
          update events set sequence = ${sequence}, detail_salt = ${detail_salt}, detail_digest = ${detail_digest},
            chain = ${chain}
          where tenant_id = ${tenant_id} and event_id = ${event_id}`,
      ),
    )
    const last = links.at(-1)
    if (last) {
      yield* sql`
        update event_chains set sequence = ${last.sequence}, chain = ${last.chain} where tenant_id = ${tenant_id}`
    }
    return events.length
  },
  { repeatable: true },
)

/** The newest link of a tenant's chain, or null without the tenant. */
export const loadChainHead = read(function* (args: { tenant_id: string }): Run<ChainHead | null> {
  const [head] = yield* sql<ChainHead>`
    select sequence, chain from event_chains where tenant_id = ${args.tenant_id}`
  return head ?? null
})

/** An audit event as the log lists it. */
export interface EventRecord extends ChainedEvent {
  readonly sequence: number | null
  readonly chain: Uint8Array | null
}

/** Events of a tenant, newest first, from before a cursor; a type is the beginning of one, an empty actor means any. */
export const pageEvents = read(function* (args: {
  tenant_id: string
  before_event_id: string
  type: string
  actor: string
  most: number
}): Run<EventRecord[]> {
  return yield* sql<EventRecord>`
    select event_id, at, type, actor, detail, client_id, user_id, grant_id, connection_id, request_id, sequence, chain
    from events where tenant_id = ${args.tenant_id} and event_id < ${args.before_event_id}
      and type >= ${args.type} and type < ${`${args.type}\u{10ffff}`}
      and (${args.actor} = '' or actor = ${args.actor})
    order by event_id desc limit ${args.most}`
})

/** Sealed events in their order, for verifying the chain. */
export const pageSealedEvents = read(function* (args: {
  tenant_id: string
  after_sequence: number
  most: number
}): Run<SealedEvent[]> {
  return yield* sql<SealedEvent>`
    select event_id, at, type, actor, detail, client_id, user_id, grant_id, connection_id, request_id, sequence,
      detail_salt, detail_digest, chain
    from events where tenant_id = ${args.tenant_id} and sequence > ${args.after_sequence}
    order by sequence limit ${args.most}`
})

/** Whether events of a tenant wait for the sealer: a read, so that a server at rest writes nothing. */
export const hasUnsealedEvents = read(function* (args: { tenant_id: string }): Run<boolean> {
  const [event] = yield* sql<{ event_id: string }>`
    select event_id from events where tenant_id = ${args.tenant_id} and sequence is null limit 1`
  return event !== undefined
})
