import { fetchClientLogos } from '../clients/client_logos.ts'
import { sweepUnusedClients } from '../clients/unused_clients.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { rotateSigningKeys } from '../keys/signing_keys.ts'
import { useAddedTenantKeys } from '../keys/tenant_keys.ts'
import { deliverLogouts } from '../sessions/backchannel_logout.ts'
import { deleteExpiredTokens } from '../tokens/personal_access_tokens.ts'
import { eraseDeletedUsers } from '../users/delete_user.ts'
import { sweepThrownAwayClients } from './throw_away.ts'

/** Work behind the requests: how often to look, whether there is something, and what to do. */
export interface Chore {
  readonly name: string
  readonly every_ms: number
  /** False where every replica does it for itself, or where the work itself keeps replicas apart. */
  readonly alone: boolean
  run(): Promise<unknown>
}

const SESSIONS_AT_ONCE = 100

/** What the authorization server does by itself. */
export function inboundChores(context: InboundContext): readonly Chore[] {
  const { tenant } = context
  const { tenant_id, store } = tenant
  return [
    // A replica that nobody asks anything still knows new keys before they are used.
    { name: 'configuration', every_ms: 10_000, alone: false, run: () => tenant.currentConfiguration() },
    { name: 'keys', every_ms: 300_000, alone: true, run: () => rotateSigningKeys(tenant) },
    { name: 'tenant_keys', every_ms: 30_000, alone: false, run: () => useAddedTenantKeys(tenant) },
    { name: 'unused_clients', every_ms: 600_000, alone: true, run: () => sweepUnusedClients(context) },
    { name: 'thrown_away_clients', every_ms: 600_000, alone: true, run: () => sweepThrownAwayClients(context) },
    { name: 'expired_tokens', every_ms: 600_000, alone: true, run: () => deleteExpiredTokens(tenant) },
    { name: 'client_logos', every_ms: 5000, alone: false, run: () => fetchClientLogos(context) },
    { name: 'deleted_users', every_ms: 60_000, alone: true, run: () => eraseDeletedUsers(tenant) },
    { name: 'logouts', every_ms: 1000, alone: false, run: () => deliverLogouts(context) },
    {
      name: 'sessions',
      every_ms: 30_000,
      alone: false,
      async run() {
        if (!(await store.hasUnusedSessions({ tenant_id }))) return
        const end = () =>
          store.endUnusedSessions({
            tenant_id,
            most: SESSIONS_AT_ONCE,
            event: event(tenant, 'session.expired', 'system'),
          })
        while ((await end()) === SESSIONS_AT_ONCE);
      },
    },
  ]
}
