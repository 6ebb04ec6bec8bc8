import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'

/** Disables or enables a client; false when it already is, or is not there. */
export function setClientDisabled(
  tenant: Tenant,
  client_id: string,
  args: { readonly disabled: boolean; readonly actor: string },
): Promise<boolean> {
  const { disabled, actor } = args
  const changed = event(tenant, disabled ? 'client.disabled' : 'client.enabled', actor, { client_id })
  return tenant.store.setClientDisabled({ tenant_id: tenant.tenant_id, client_id, disabled, event: changed })
}

/** Deletes a client with its grants; false when there is none. */
export function deleteClient(tenant: Tenant, client_id: string, actor: string): Promise<boolean> {
  const deleted = event(tenant, 'client.deleted', actor, { client_id })
  return tenant.store.deleteClient({ tenant_id: tenant.tenant_id, client_id, event: deleted })
}
