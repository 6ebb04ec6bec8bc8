import type { UserRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'
import { ADMINISTRATOR } from '../tenants.ts'

const EVENTS_AT_ONCE = 500
// No request, no page that is open and no consent at a provider is under way for longer.
const SETTLED_MS = 15 * 60_000

/**
 * Deletes a user for good, with all that is known of them; says what came of it. The last administrator stays: nobody
 * could make another one. Their connections to other services are ended by whoever asks.
 */
export async function deleteUser(
  tenant: Tenant,
  { user_id }: Pick<UserRecord, 'user_id'>,
  actor: string,
): Promise<'deleted' | 'last' | 'unknown'> {
  const { tenant_id, store } = tenant
  const deleted = event(tenant, 'user.deleted', actor, { user_id })
  const outcome = await store.deleteUser({ tenant_id, user_id, indispensable_role: ADMINISTRATOR, event: deleted })
  if (outcome === 'deleted') await erase(tenant, user_id)
  return outcome
}

/** Erases what a process that died left of deleted users, and what was stored of them while they were deleted. */
export async function eraseDeletedUsers(tenant: Tenant): Promise<void> {
  const { tenant_id, store } = tenant
  for (const user_id of await store.listUsersToErase({ tenant_id })) {
    await erase(tenant, user_id)
    await store.finishErasure({ tenant_id, user_id, after_ms: SETTLED_MS })
  }
}

// Events may be many: each step is short, so that nobody waits for it.
async function erase({ tenant_id, store }: Tenant, user_id: string): Promise<void> {
  while ((await store.eraseDeletedUser({ tenant_id, user_id, most: EVENTS_AT_ONCE })) === EVENTS_AT_ONCE);
}
