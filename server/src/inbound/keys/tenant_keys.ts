import { OAuthError } from '../../oauth/errors.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'

/** Longer than any replica goes without looking at the configuration. */
const KNOWN_MS = 60_000

/** Adds a tenant key: from now on every replica opens with it, and seals with it once all of them know it. */
export async function addTenantKey(tenant: Tenant, actor: string): Promise<void> {
  await tenant.currentConfiguration()
  const { tenant_id, store } = tenant
  const key = tenant.newKey()
  const added = event(tenant, 'tenant_key.added', actor, { detail: { kid: key.kid } })
  if (await store.addTenantKey({ tenant_id, key, event: added })) return
  throw new OAuthError('invalid_request', 'Another key has just been added')
}

/** Lets added keys seal whose time has come. */
export async function useAddedTenantKeys(tenant: Tenant): Promise<boolean> {
  const { tenant_id, store } = tenant
  if (!(await store.hasWaitingTenantKey({ tenant_id, known_ms: KNOWN_MS }))) return false
  const used = event(tenant, 'tenant_key.used', 'system')
  return store.sealWithTenantKeys({ tenant_id, known_ms: KNOWN_MS, event: used })
}
