import { OAuthError } from '../../oauth/errors.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'

/** A tenant of the database, as whoever operates it sees it. */
export interface ListedTenant {
  readonly tenant_id: string
  readonly issuer: string
  readonly name: string
  readonly created_at: number
  readonly disabled_at: number | null
}

/** Every tenant of the database; only whoever operates the database sees others than their own. */
export async function listTenants({ store }: Pick<Tenant, 'store'>): Promise<ListedTenant[]> {
  return (await store.listTenants({})).map(({ tenant_id, issuer, name, settings, created_at, disabled_at }) => {
    const { brand_name } = JSON.parse(settings) as { brand_name?: string }
    return { tenant_id, issuer, name: brand_name || name, created_at, disabled_at }
  })
}

/**
 * Disables a tenant of the database or enables it again. Whatever was issued to it before is dead from the same commit on,
 * on every path of every replica, and stays dead. False when it was so already.
 */
export async function switchTenant(
  tenant: Tenant,
  { tenant_id, disabled, actor }: { readonly tenant_id: string; readonly disabled: boolean; readonly actor: string },
): Promise<boolean> {
  const there = await tenant.store.loadTenantState({ tenant_id })
  if (!there) throw new OAuthError('invalid_request', 'There is no tenant with this tenant_id')
  const type = disabled ? 'tenant.disabled' : 'tenant.enabled'
  return tenant.store.setTenantDisabled({ tenant_id, disabled, event: { ...event(tenant, type, actor), tenant_id } })
}
