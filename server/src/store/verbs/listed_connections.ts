import { NOW, type Run, read, sql, together } from '../sql.ts'
import type { ConnectionState } from './connections.ts'

/** A connection as lists show it: no keys, no tokens. */
export interface ListedConnection {
  readonly connection_id: string
  readonly connector: string
  readonly provider: string
  readonly user_id: string | null
  readonly username: string | null
  /** The platform and its user, where the owner is no user of ours. */
  readonly client_id: string | null
  readonly end_user_id: string | null
  readonly state: ConnectionState
  readonly reason: string | null
  readonly account: string | null
  readonly account_name: string | null
  readonly scope: string
  readonly issued_at: number | null
  readonly access_expires_at: number | null
  readonly refresh_expires_at: number | null
  readonly intent_deadline_at: number | null
  readonly refresh_failures: number
  readonly retry_at: number | null
  readonly last_error: string | null
  readonly connector_error: string | null
  readonly connector_disabled_at: number | null
  readonly last_used_at: number | null
  /** When the owner was told that the tokens will end soon; null when they will not. */
  readonly warned_at: number | null
  /** The end that was chosen for it. */
  readonly ends_at: number | null
  readonly created_at: number
  readonly updated_at: number
}

/** What a list of connections is filtered by; `error` is seen from the connector. */
export type ListedState = ConnectionState | 'error'

/** Which connections are meant; what is empty means any. */
export interface ConnectionFilter {
  readonly connector: string
  readonly state?: ListedState | ''
  /** Of the users of one platform, or of one of them. */
  readonly client_id?: string
  readonly end_user_id?: string
}

/** Connections by id, ended ones included, from after a cursor. */
export const pageConnections = read(function* (
  args: ConnectionFilter & { tenant_id: string; after_connection_id: string; most: number },
): Run<ListedConnection[]> {
  const { tenant_id, state = '', client_id = '', most } = args
  const found = yield* client_id !== ''
    ? findOfPlatform({ ...args, client_id })
    : state === ''
      ? findInAnyState(args)
      : findInState({ ...args, state })
  const ids = found.sort((a, b) => (a < b ? -1 : 1)).slice(0, most)
  const rows = yield* together(ids.map((connection_id) => oneConnection(tenant_id, connection_id)))
  return rows.flat()
})

/** One connection as it is listed, or null. */
export const findListedConnection = read(function* (args: {
  tenant_id: string
  connection_id: string
}): Run<ListedConnection | null> {
  const [row] = yield* oneConnection(args.tenant_id, args.connection_id)
  return row ?? null
})

/** The connections of a user that are not ended, oldest first. */
export const listConnectionsOfUser = read(function* (args: {
  tenant_id: string
  user_id: string
}): Run<ListedConnection[]> {
  const { tenant_id, user_id } = args
  const found = yield* sql<ConnectionId>`
    select connection_id from connections
    where tenant_id = ${tenant_id} and user_id = ${user_id} and state <> 'disconnected'
      and (ends_at is null or ends_at > ${NOW})
    order by connector limit 500`
  // In the order of the index: asked for by their ids, SQLite would read every connection there is.
  const ids = found.map(({ connection_id }) => connection_id).sort()
  return (yield* together(ids.map((connection_id) => oneConnection(tenant_id, connection_id)))).flat()
})

const STATES = ['pending', 'ready', 'needs_reconsent', 'disconnected'] as const

/** How many connections are in each state; each count stops at `most`, so that it stays fast. */
export const countConnections = read(function* (args: {
  tenant_id: string
  most: number
}): Run<{ state: ListedState; count: number }[]> {
  const { tenant_id, most } = args
  const connectors = yield* connectorsOf(tenant_id)
  const kinds = STATES.flatMap((state) => connectors.map(({ connector, failing }) => ({ state, connector, failing })))
  const shownAs = ({ state, failing }: (typeof kinds)[number]) => (state === 'ready' && failing === 1 ? 'error' : state)
  const sums = new Map<ListedState, number>()
  // Many connectors come to the most by a part of each; only where they do not, those that have more are counted on.
  const part = Math.ceil(most / 10)
  const first = yield* countEach(tenant_id, kinds, part)
  for (const [i, kind] of kinds.entries()) sums.set(shownAs(kind), (sums.get(shownAs(kind)) ?? 0) + first[i]!)
  const more = kinds.filter((kind, i) => first[i] === part && sums.get(shownAs(kind))! < most)
  for (const [i, count] of (yield* countEach(tenant_id, more, most)).entries()) {
    const shown = shownAs(more[i]!)
    sums.set(shown, sums.get(shown)! + count - part)
  }
  return [...sums].map(([state, count]) => ({ state, count: Math.min(count, most) }))
})

/** How many connections that are not disconnected each of some connectors has; each count stops at `most`. */
export const countConnectionsThrough = read(function* (args: {
  tenant_id: string
  connectors: readonly string[]
  most: number
}): Run<number[]> {
  const { tenant_id, connectors, most } = args
  const living = STATES.filter((state) => state !== 'disconnected')
  const kinds = connectors.flatMap((connector) => living.map((state) => ({ state, connector })))
  const counts = yield* countEach(tenant_id, kinds, most)
  return connectors.map((_, i) => {
    const own = counts.slice(i * living.length, (i + 1) * living.length)
    return Math.min(
      own.reduce((sum, count) => sum + count, 0),
      most,
    )
  })
})

function* countEach(
  tenant_id: string,
  kinds: readonly { readonly state: ConnectionState; readonly connector: string }[],
  most: number,
): Run<number[]> {
  const counts = yield* together(
    kinds.map(
      ({ state, connector }) => sql<{ count: number }>`
        select count(*) as count from (select 1 from connections where tenant_id = ${tenant_id} and state = ${state}
          and connector = ${connector} limit ${most}) found`,
    ),
  )
  return counts.map(([row]) => row!.count)
}

type Page = ConnectionFilter & { tenant_id: string; after_connection_id: string; most: number }
type ConnectionId = { readonly connection_id: string }

function* findOfPlatform(args: Page & { client_id: string }): Run<string[]> {
  const { tenant_id, client_id, end_user_id = '', connector, state = '', after_connection_id: after, most } = args
  const by = end_user_id === '' ? 'platform' : 'user'
  const found = yield* together([
    sql<ConnectionId>`
      select c.connection_id from connections c
      join connectors k on k.tenant_id = c.tenant_id and k.connector = c.connector
      where ${by} = 'platform' and c.tenant_id = ${tenant_id} and c.client_id = ${client_id} and c.connection_id > ${after}
        and (${connector} = '' or c.connector = ${connector})
        and (${state} = '' or ${state} = case when c.ends_at <= ${NOW} then 'disconnected'
          when c.state = 'ready' and (k.error is not null or k.disabled_at is not null) then 'error' else c.state end)
      order by c.connection_id limit ${most}`,
    sql<ConnectionId>`
      select c.connection_id from connections c
      join connectors k on k.tenant_id = c.tenant_id and k.connector = c.connector
      where ${by} = 'user' and c.tenant_id = ${tenant_id} and c.client_id = ${client_id}
        and c.end_user_id = ${end_user_id} and c.connection_id > ${after}
        and (${connector} = '' or c.connector = ${connector})
        and (${state} = '' or ${state} = case when c.ends_at <= ${NOW} then 'disconnected'
          when c.state = 'ready' and (k.error is not null or k.disabled_at is not null) then 'error' else c.state end)
      order by c.connection_id limit ${most}`,
  ])
  return found.flat().map(({ connection_id }) => connection_id)
}

function* findInAnyState({ tenant_id, connector, after_connection_id: after, most }: Page): Run<string[]> {
  const rows = yield* connector === ''
    ? sql<ConnectionId>`
        select connection_id from connections where tenant_id = ${tenant_id} and connection_id > ${after}
        order by connection_id limit ${most}`
    : sql<ConnectionId>`
        select connection_id from connections where tenant_id = ${tenant_id} and connector = ${connector}
          and connection_id > ${after}
        order by connection_id limit ${most}`
  return rows.map(({ connection_id }) => connection_id)
}

// Above every identifier.
const LAST_ID = '~'

// A state that is shown is not always the one that is stored: what a failing connector has does not work, and what has
// reached its end is over although nobody got round to it. The index is asked for each connector by itself, and by rows:
// by single columns a planner may prefer another index, and pass over a million rows for a few.
function* findInState(args: Page & { state: ListedState }): Run<string[]> {
  const { tenant_id, connector, state, after_connection_id: after, most } = args
  const connectors = (yield* connectorsOf(tenant_id)).filter(
    (one) =>
      (connector === '' || one.connector === connector) &&
      (state === 'error' ? one.failing === 1 : state !== 'ready' || one.failing === 0),
  )
  const stored = state === 'error' ? 'ready' : state
  const found = yield* together([
    ...connectors.map(
      (one) => sql<ConnectionId>`
        select connection_id from connections where tenant_id = ${tenant_id}
          and (state, connector, connection_id) > (${stored}, ${one.connector}, ${after})
          and (state, connector, connection_id) < (${stored}, ${one.connector}, ${LAST_ID})
          and (state = 'disconnected' or ends_at is null or ends_at > ${NOW})
        order by state, connector, connection_id limit ${most}`,
    ),
    ...(state === 'disconnected' ? [endedUnseen(tenant_id, connector, after, most)] : []),
  ])
  return found.flat().map(({ connection_id }) => connection_id)
}

// They are few, and found by their end: no index of ids is of use once something is added to them.
function endedUnseen(tenant_id: string, connector: string, after: string, most: number) {
  return sql<ConnectionId>`
    select connection_id from connections where tenant_id = ${tenant_id} and ends_at <= ${NOW}
      and state <> 'disconnected' and connection_id || '' > ${after} and (${connector} = '' or connector = ${connector})
    order by connection_id || '' limit ${most}`
}

function connectorsOf(tenant_id: string) {
  return sql<{ connector: string; failing: number }>`
    select connector, case when error is not null or disabled_at is not null then 1 else 0 end as failing from connectors
    where tenant_id = ${tenant_id} order by connector`
}

function oneConnection(tenant_id: string, connection_id: string) {
  return sql<ListedConnection>`
    select c.connection_id, c.connector, k.provider, c.user_id, u.username, c.client_id, c.end_user_id,
      case when c.ends_at <= ${NOW} then 'disconnected' else c.state end as state,
      case when c.ends_at <= ${NOW} and c.state <> 'disconnected' then 'ended' else c.reason end as reason,
      c.account, c.account_name,
      c.scope, c.issued_at, c.access_expires_at, c.refresh_expires_at, c.intent_deadline_at, c.refresh_failures,
      c.retry_at, c.last_error, k.error as connector_error, k.disabled_at as connector_disabled_at, c.last_used_at,
      c.warned_at, c.ends_at, c.created_at, c.updated_at
    from connections c
    join connectors k on k.tenant_id = c.tenant_id and k.connector = c.connector
    left join users u on u.tenant_id = c.tenant_id and u.user_id = c.user_id
    where c.tenant_id = ${tenant_id} and c.connection_id = ${connection_id}`
}
