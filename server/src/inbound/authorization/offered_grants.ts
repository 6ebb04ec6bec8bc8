import type { Tenant } from '../../store/tenant.ts'
import type { GrantType } from './grant_type.ts'

// More clients than this may use legacy grants; which grants those are, so many of them tell.
const MOST_CLIENTS = 200

/** The grant types that discovery lists: a legacy one only while some client of the tenant may use it. */
export async function listOfferedGrants(
  tenant: Tenant,
  grant_types: readonly GrantType[],
): Promise<readonly GrantType[]> {
  const { settings } = await tenant.currentConfiguration()
  const used = new Set<string>()
  if (settings.legacy_grants !== 'off' && grant_types.some(({ legacy }) => legacy)) {
    const clients = await tenant.store.listLegacyClients({ tenant_id: tenant.tenant_id, most: MOST_CLIENTS })
    for (const { metadata } of clients) {
      for (const name of (JSON.parse(metadata) as { grant_types: string[] }).grant_types) used.add(name)
    }
  }
  return grant_types.filter(({ grant_type, legacy }) => !legacy || used.has(grant_type))
}
