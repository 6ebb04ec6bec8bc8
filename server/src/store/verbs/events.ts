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

/** Which events of the log are meant; a type is the beginning of one, and what is empty means any. */
export interface EventFilter {
  readonly type: string
  readonly actor: string
  readonly user_id?: string
  readonly connection_id?: string
}

/** Events of a tenant, newest first, from before a cursor. */
export const pageEvents = read(function* (
  args: EventFilter & { tenant_id: string; before_event_id: string; most: number },
): Run<EventRecord[]> {
  const { tenant_id, most } = args
  const found = yield* findEventIds(args)
  const ids = found.sort((a, b) => (a < b ? 1 : -1)).slice(0, most)
  const rows = yield* together(ids.map((event_id) => oneEvent(tenant_id, event_id)))
  return rows.flat()
})

/** One event of the log, or null. */
export const findEvent = read(function* (args: { tenant_id: string; event_id: string }): Run<EventRecord | null> {
  const [event] = yield* oneEvent(args.tenant_id, args.event_id)
  return event ?? null
})

function oneEvent(tenant_id: string, event_id: string) {
  return sql<EventRecord>`
    select event_id, at, type, actor, detail, client_id, user_id, grant_id, connection_id, request_id, sequence, chain
    from events where tenant_id = ${tenant_id} and event_id = ${event_id}`
}

type EventId = { readonly event_id: string }

// Each way has its index. There are few types, so the newest of each that is meant are merged: none is passed over one by one.
function* findEventIds(
  args: EventFilter & { tenant_id: string; before_event_id: string; most: number },
): Run<string[]> {
  const { tenant_id, before_event_id: before, type, actor, user_id = '', connection_id = '', most } = args
  const beyond = `${type}\u{10ffff}`
  let found: EventId[][]
  if (connection_id !== '' || user_id !== '') {
    const by = connection_id !== '' ? 'connection' : 'user'
    found = yield* together([
      sql<EventId>`
        select event_id from events where ${by} = 'connection' and tenant_id = ${tenant_id}
          and connection_id = ${connection_id} and event_id < ${before} and type >= ${type} and type < ${beyond}
          and (${actor} = '' or actor = ${actor}) and (${user_id} = '' or user_id = ${user_id})
        order by event_id desc limit ${most}`,
      sql<EventId>`
        select event_id from events where ${by} = 'user' and tenant_id = ${tenant_id} and user_id = ${user_id}
          and event_id < ${before} and type >= ${type} and type < ${beyond} and (${actor} = '' or actor = ${actor})
        order by event_id desc limit ${most}`,
    ])
  } else if (type === '' && actor === '') {
    found = [
      yield* sql<EventId>`
        select event_id from events where tenant_id = ${tenant_id} and event_id < ${before}
        order by event_id desc limit ${most}`,
    ]
  } else {
    const types = yield* actor === ''
      ? typesFrom(tenant_id, type, beyond)
      : typesOfActor(tenant_id, actor, type, beyond)
    found = yield* together(
      types.map((one) =>
        actor === ''
          ? sql<EventId>`
              select event_id from events where tenant_id = ${tenant_id} and type = ${one.type} and event_id < ${before}
              order by event_id desc limit ${most}`
          : sql<EventId>`
              select event_id from events where tenant_id = ${tenant_id} and actor = ${actor} and type = ${one.type}
                and event_id < ${before}
              order by event_id desc limit ${most}`,
      ),
    )
  }
  return found.flat().map(({ event_id }) => event_id)
}

// From each type the index leads to the next one, without a look at the events between.
function typesFrom(tenant_id: string, from: string, beyond: string) {
  return sql<{ type: string }>`
    with recursive known(type) as (
      select (select type from events where tenant_id = ${tenant_id} and type >= ${from} and type < ${beyond}
        order by type limit 1)
      union all
      select (select e.type from events e where e.tenant_id = ${tenant_id} and e.type > known.type
        and e.type < ${beyond} order by e.type limit 1)
      from known where known.type is not null
    )
    select type from known where type is not null`
}

function typesOfActor(tenant_id: string, actor: string, from: string, beyond: string) {
  return sql<{ type: string }>`
    with recursive known(type) as (
      select (select type from events where tenant_id = ${tenant_id} and actor = ${actor} and type >= ${from}
        and type < ${beyond} order by type limit 1)
      union all
      select (select e.type from events e where e.tenant_id = ${tenant_id} and e.actor = ${actor}
        and e.type > known.type and e.type < ${beyond} order by e.type limit 1)
      from known where known.type is not null
    )
    select type from known where type is not null`
}

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
