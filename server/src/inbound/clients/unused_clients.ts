import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'

const DAY_MS = 86_400_000
const CLIENTS_AT_ONCE = 100

/**
 * Deletes clients that nobody of the tenant registered, and that were without use and without a grant for as long as the
 * tenant's setting says (T-07). Answers how many.
 */
export async function sweepUnusedClients({ tenant }: InboundContext): Promise<number> {
  const { tenant_id, store } = tenant
  const { settings } = await tenant.currentConfiguration()
  const unused_since = (await store.ping({})) - settings.dynamic_client_unused_days * DAY_MS
  let swept = 0
  for (;;) {
    const found = await store.listUnusedClients({ tenant_id, unused_since, most: CLIENTS_AT_ONCE })
    for (const { client_id } of found) {
      const deleted = event(tenant, 'client.deleted', 'system', { client_id, detail: { reason: 'unused' } })
      if (await store.deleteUnusedClient({ tenant_id, client_id, unused_since, event: deleted })) swept++
    }
    if (found.length < CLIENTS_AT_ONCE) return swept
  }
}
