import type { NewEvent } from '../records.ts'
import { int, NOW, type Run, read, type Statement, sql, together, write } from '../sql.ts'

/** No access token lives longer, whatever its resource or client is set to; and what clocks may differ by. */
export const LONGEST_TOKEN_MS = 86_400_000
const SKEW_MS = 60_000

/** What a resource server compares with a token's claims: they have the same names. */
export type RevocationKind = 'jti' | 'grant_id' | 'client_id' | 'sub' | 'iss' | 'kid'

/** One thing that resource servers must refuse. */
export interface NewRevocation {
  readonly kind: RevocationKind
  readonly value: string
  /** Tokens born under a lower one are dead. */
  readonly epoch?: number
  /** When the last token that it concerns ends by itself; without it, when the longest may. */
  readonly expires_at?: number
}

/** The statement that revokes inside the verb of the event that causes it. */
export function revocationStatement(event: NewEvent, revoked: NewRevocation): Statement<never> {
  const { kind, value, epoch, expires_at } = revoked
  return sql`
    insert into revocations (tenant_id, revocation_id, sequence, kind, value, epoch, created_at, expires_at)
    values (${event.tenant_id}, ${`${event.event_id}/${value}`}, null, ${kind}, ${value}, ${int(epoch)},
      ${NOW}, coalesce(${int(expires_at)}, ${NOW} + ${LONGEST_TOKEN_MS}) + ${SKEW_MS})
    on conflict do nothing`
}

/** A grant that has just ended, as `returning` gives it. */
export interface EndedGrant {
  readonly grant_id: string
}

/** Revokes what descends from grants that have just ended. */
export function* revokeTokensOf(event: NewEvent, grants: readonly EndedGrant[]): Run<void> {
  yield* together(grants.map(({ grant_id }) => revocationStatement(event, { kind: 'grant_id', value: grant_id })))
}

/** A revocation with its number. */
export interface RevocationRecord {
  readonly sequence: number
  readonly kind: RevocationKind
  readonly value: string
  readonly epoch: number | null
}

/** Some revocations in their order, and whether others wait for a number. */
export interface RevocationPage {
  readonly now: number
  readonly last_sequence: number
  readonly unnumbered: boolean
  /** How long what is said may concern a token: longer than asked for where a lifetime has just become shorter. */
  readonly keep_ms: number
  readonly revocations: readonly RevocationRecord[]
}

/** Revocations after a number that may still concern a token: those that are younger than the longest of them lives. */
export const pageRevocations = read(function* (args: {
  tenant_id: string
  after_sequence: number
  youngest_ms: number
  most: number
}): Run<RevocationPage> {
  const { tenant_id } = args
  const [head] = yield* sql<{ now: number; last_sequence: number; unnumbered: number; former_seconds: number | null }>`
    select ${NOW} as now, c.revocation_sequence as last_sequence,
      (select max(former_lifetime_seconds) from resources r
        where r.tenant_id = c.tenant_id and r.former_lifetime_until > ${NOW}) as former_seconds,
      case when exists (select 1 from revocations r where r.tenant_id = c.tenant_id and r.sequence is null)
        then 1 else 0 end as unnumbered
    from event_chains c where c.tenant_id = ${tenant_id}`
  if (!head) throw new Error(`tenant ${tenant_id} is gone`)
  const { now, last_sequence, unnumbered, former_seconds } = head
  const keep_ms = Math.max(args.youngest_ms, (former_seconds ?? 0) * 1000) + SKEW_MS
  const since = now - keep_ms
  const after = args.after_sequence || (yield* findStart(tenant_id, since, last_sequence))
  const revocations = yield* sql<RevocationRecord>`
    select sequence, kind, value, epoch from revocations
    where tenant_id = ${tenant_id} and sequence > ${after} and sequence <= ${last_sequence}
      and created_at > ${since}
    order by sequence limit ${args.most}`
  return { now, last_sequence, unnumbered: unnumbered === 1, keep_ms, revocations }
})

// Who begins does not walk through a day of what concerns them no more.
function* findStart(tenant_id: string, since: number, last_sequence: number): Run<number> {
  const [first] = yield* sql<{ sequence: number | null }>`
    select min(sequence) as sequence from revocations
    where tenant_id = ${tenant_id} and created_at > ${since} and sequence is not null`
  return (first?.sequence ?? last_sequence + 1) - 1
}

/**
 * Numbers committed revocations. The head is locked until the commit, so a number is given only when all lower ones can
 * be seen: a cursor misses nothing, in whatever order the revocations were committed.
 */
export const numberRevocations = write(
  function* ({ tenant_id, most }: { tenant_id: string; most: number }): Run<number> {
    const [head] = yield* sql<{ revocation_sequence: number }>`
      update event_chains set revocation_sequence = revocation_sequence where tenant_id = ${tenant_id}
      returning revocation_sequence`
    if (!head) return 0
    const waiting = yield* sql<{ revocation_id: string }>`
      select revocation_id from revocations where tenant_id = ${tenant_id} and sequence is null
      order by revocation_id limit ${most}`
    yield* together(
      waiting.map(
        ({ revocation_id }, i) => sql`
          update revocations set sequence = ${head.revocation_sequence + 1 + i}
          where tenant_id = ${tenant_id} and revocation_id = ${revocation_id}`,
      ),
    )
    if (waiting.length > 0) {
      yield* sql`
        update event_chains set revocation_sequence = ${head.revocation_sequence + waiting.length}
        where tenant_id = ${tenant_id}`
    }
    return waiting.length
  },
  { repeatable: true },
)
