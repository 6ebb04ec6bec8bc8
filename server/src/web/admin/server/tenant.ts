import { send } from '../../page.ts'
import { consolePage } from '../forms/administrator.ts'
import { renderTenant } from './templates/tenant.ts'

// Whoever has more knows that it is many.
const MOST_COUNTED = 10_000

/** GET /admin/tenant: the tenant that this console is of, and no other (ADR 49). */
export const tenantPage = consolePage(async (visit) => {
  const { tenant } = visit.web
  const { tenant_id, issuer, store } = tenant
  const { name, created_at, resources, roles } = visit.configuration
  const counted = await store.loadOverview({ tenant_id, most: MOST_COUNTED, secrets_before: 0 })
  const { clients, users, grants, connections } = counted
  const counts = { users, clients, grants, connections, resources: resources.size, roles: roles.size }
  const commands = { disable: `sallyport tenants disable ${issuer}`, enable: `sallyport tenants enable ${issuer}` }
  return send(
    visit,
    renderTenant(visit.view, { name, issuer, tenant_id, created_at, counts, most: MOST_COUNTED, commands }),
  )
})
