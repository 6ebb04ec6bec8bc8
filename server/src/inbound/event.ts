import { newId } from '../crypto/random.ts'
import type { NewEvent } from '../store/records.ts'
import type { Tenant } from '../store/tenant.ts'

/** An audit event of a tenant, with its id and time. */
export function event(
  tenant: Tenant,
  type: string,
  actor: string,
  about: Partial<Omit<NewEvent, 'tenant_id' | 'event_id' | 'at' | 'type' | 'actor'>> = {},
): NewEvent {
  const at = tenant.clock()
  return { tenant_id: tenant.tenant_id, event_id: newId(at), at, type, actor, ...about }
}
