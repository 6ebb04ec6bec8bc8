import { NOW, type Run, read, sql, together, write } from '../sql.ts'

const HOUR_MS = 3_600_000

/** How often something routine happened in an hour. */
export interface HourlyCount {
  readonly hour_at: number
  readonly kind: string
  readonly label: string
  readonly count: number
}

/** Adds what was counted to the present hour, by the database's time. */
export const addHourlyCounts = write(
  function* (args: { tenant_id: string; counts: readonly Omit<HourlyCount, 'hour_at'>[] }): Run<void> {
    // In one order, so that two replicas wait for each other and never in a circle.
    const counts = args.counts.toSorted((a, b) => (a.kind + a.label < b.kind + b.label ? -1 : 1))
    yield* together(
      counts.map(
        ({ kind, label, count }) => sql`
          insert into hourly_counts (tenant_id, hour_at, kind, label, count)
          values (${args.tenant_id}, ${NOW} - ${NOW} % ${HOUR_MS}, ${kind}, ${label}, ${count})
          on conflict (tenant_id, hour_at, kind, label) do update set count = hourly_counts.count + excluded.count`,
      ),
    )
  },
  { key: ({ tenant_id }) => `${tenant_id}/` },
)

/** What happened in each of the latest hours, the present one included, and when that one began. */
export const listHourlyCounts = read(function* (args: {
  tenant_id: string
  hours: number
}): Run<{ this_hour_at: number; counts: HourlyCount[] }> {
  const [clock] = yield* sql<{ hour_at: number }>`select ${NOW} - ${NOW} % ${HOUR_MS} as hour_at`
  const this_hour_at = clock!.hour_at
  const counts = yield* sql<HourlyCount>`
    select hour_at, kind, label, count from hourly_counts
    where tenant_id = ${args.tenant_id} and hour_at > ${this_hour_at - args.hours * HOUR_MS}
    order by hour_at, kind, label`
  return { this_hour_at, counts }
})
