import type { NewEvent } from '../records.ts'
import { NOW, type Run, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { grantKey } from './grants.ts'

/** A connection that a grant may use, as its row holds it: the JSON of `connections`. */
interface Allowed {
  readonly connector: string
  readonly connection_id: string
  readonly resource?: string
  readonly last_used_at?: number
}

interface Row {
  readonly connections: string | null
  readonly authorization_details: string | null
}

interface Detail {
  readonly type: 'connection'
  readonly connector: string
  readonly actions?: readonly string[]
  readonly locations?: readonly string[]
}

interface OfGrant {
  readonly tenant_id: string
  readonly grant_id: string
}

/**
 * Adds to one living grant of a client and user what they may use of now on, in place of what stood there for the same
 * connector and resource; `gone` when the grant has ended meanwhile. Nothing else learns of it.
 */
export const allowConnection = write(
  function* (
    args: OfGrant & {
      readonly client_id: string
      readonly user_id: string
      readonly connection: Allowed & Readonly<Record<string, unknown>>
      /** As introspection says it (RFC 9396 section 9.2). */
      readonly detail: Detail
      readonly event: NewEvent
    },
  ): Run<'allowed' | 'gone'> {
    const { tenant_id, grant_id, connection, detail } = args
    // Updating the row locks it: of two answers at once none is lost.
    const [grant] = yield* sql<Row>`
      update grants set connections = connections
      where tenant_id = ${tenant_id} and grant_id = ${grant_id} and client_id = ${args.client_id}
        and user_id = ${args.user_id} and revoked_at is null and expires_at > ${NOW}
      returning connections, authorization_details`
    if (!grant) return 'gone'
    const kept = parse<Allowed>(grant.connections).filter((one) => !isSamePlace(one, connection))
    const details = parse<Detail>(grant.authorization_details).filter(
      (one) => one.connector !== detail.connector || one.locations?.[0] !== detail.locations?.[0],
    )
    yield* sql`
      update grants set connections = ${JSON.stringify([...kept, connection])},
        authorization_details = ${JSON.stringify([...details, detail])}
      where tenant_id = ${tenant_id} and grant_id = ${grant_id}`
    yield* insertEvent(args.event)
    return 'allowed'
  },
  { key: grantKey },
)

/** Takes a connection from every grant of a user with a client, and from what is remembered; says from how many grants. */
export const takeBackConnection = write(function* (args: {
  tenant_id: string
  user_id: string
  client_id: string
  connection_id: string
  event: NewEvent
}): Run<number> {
  const { tenant_id, user_id, client_id, connection_id } = args
  const rest = (json: string | null) => {
    const kept = parse<Allowed>(json).filter((one) => one.connection_id !== connection_id)
    return text(kept.length > 0 ? JSON.stringify(kept) : null)
  }
  // First the consent: a grant that is being made rests on it, and is then seen here.
  const [consent] = yield* sql<{ connections: string | null }>`
    update consents set updated_at = updated_at
    where tenant_id = ${tenant_id} and user_id = ${user_id} and client_id = ${client_id} returning connections`
  if (consent?.connections?.includes(connection_id)) {
    yield* sql`
      update consents set connections = ${rest(consent.connections)}
      where tenant_id = ${tenant_id} and user_id = ${user_id} and client_id = ${client_id}`
  }
  const grants = yield* sql<Row & { grant_id: string }>`
    update grants set connections = connections
    where tenant_id = ${tenant_id} and user_id = ${user_id} and client_id = ${client_id} and revoked_at is null
      and connections is not null
    returning grant_id, connections, authorization_details`
  const changed = grants.filter(({ connections }) =>
    parse<Allowed>(connections).some((one) => one.connection_id === connection_id),
  )
  for (const { grant_id, connections, authorization_details } of changed) {
    const gone = parse<Allowed>(connections).filter((one) => one.connection_id === connection_id)
    const details = parse<Detail>(authorization_details).filter(
      ({ connector, locations }) => !gone.some((one) => one.connector === connector && one.resource === locations?.[0]),
    )
    yield* sql`
      update grants set connections = ${rest(connections)},
        authorization_details = ${text(authorization_details === null ? null : JSON.stringify(details))}
      where tenant_id = ${tenant_id} and grant_id = ${grant_id}`
  }
  if (changed.length > 0) yield* insertEvent(args.event)
  return changed.length
})

/** Notes the use of a connection by a grant, with an event where nothing else tells it, unless that was done within the hour; says whether it was now. */
export const noteConnectionUse = write(
  function* (
    args: OfGrant & {
      readonly connection_id: string
      readonly resource: string | null
      readonly event: NewEvent | null
    },
  ): Run<boolean> {
    const { tenant_id, grant_id, connection_id, resource } = args
    const [grant] = yield* sql<{ connections: string | null; now: number }>`
      update grants set connections = connections
      where tenant_id = ${tenant_id} and grant_id = ${grant_id} and revoked_at is null
      returning connections, ${NOW} as now`
    const now = Number(grant?.now)
    let is_noted = false
    const connections = parse<Allowed>(grant?.connections ?? null).map((one) => {
      const is_it = one.connection_id === connection_id && (one.resource ?? null) === resource
      if (!is_it || (one.last_used_at ?? 0) + HOUR_MS > now) return one
      is_noted = true
      return { ...one, last_used_at: now }
    })
    if (!is_noted) return false
    yield* sql`
      update grants set connections = ${JSON.stringify(connections)}
      where tenant_id = ${tenant_id} and grant_id = ${grant_id}`
    if (args.event) yield* insertEvent(args.event)
    return true
  },
  { key: grantKey },
)

const HOUR_MS = 3_600_000

function parse<One>(json: string | null): readonly One[] {
  return JSON.parse(json ?? '[]') as One[]
}

function isSamePlace(one: Allowed, other: Allowed): boolean {
  return one.connector === other.connector && one.resource === other.resource
}
