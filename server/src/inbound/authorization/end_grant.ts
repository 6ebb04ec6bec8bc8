import type { Tenant } from '../../store/tenant.ts'
import type { FoundGrant } from '../../store/verbs/listed_grants.ts'
import { event } from '../event.ts'

/** Ends a grant with all that descends from it; false when it is over already. */
export function endGrant(tenant: Tenant, grant: FoundGrant, actor: string): Promise<boolean> {
  const { grant_id, client_id, user_id } = grant
  const reason = 'revoked_by_administrator'
  const revoked = event(tenant, 'grant.revoked', actor, { client_id, user_id, grant_id, detail: { reason } })
  return tenant.store.revokeGrant({ tenant_id: tenant.tenant_id, grant_id, reason, event: revoked })
}
