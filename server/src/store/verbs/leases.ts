import { NOW, type Run, sql, write } from '../sql.ts'

/** Takes or renews a lease by database time; answers its fence, or null while another owner holds it. */
export const takeLease = write(
  function* (args: { tenant_id: string; name: string; owner: string; duration_ms: number }): Run<number | null> {
    const [renewed] = yield* sql<{ fence: number }>`
      update leases set fence = case when owner = ${args.owner} then fence else fence + 1 end, owner = ${args.owner},
        until_at = ${NOW} + ${args.duration_ms}
      where tenant_id = ${args.tenant_id} and name = ${args.name} and (until_at <= ${NOW} or owner = ${args.owner})
      returning fence`
    if (renewed) return renewed.fence
    const [taken] = yield* sql<{ fence: number }>`
      insert into leases (tenant_id, name, owner, until_at, fence)
      values (${args.tenant_id}, ${args.name}, ${args.owner}, ${NOW} + ${args.duration_ms}, 1)
      on conflict do nothing returning fence`
    return taken?.fence ?? null
  },
  { key: (args) => `${args.tenant_id}/${args.name}`, repeatable: true },
)
