import { switchClient } from '../../../inbound/clients/switch_client.ts'
import { errorPage, ours, redirect } from '../../page.ts'
import { paths } from '../../ui/paths.ts'
import { consoleSubmit } from '../forms/administrator.ts'

/** POST /admin/client/switch: turns Trust or a legacy grant of a client on or off. */
export const switchClientSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant, grant_types } = visit.web
  const { client_id = '', name = '', on } = values
  const record = await tenant.store.findClient({ tenant_id: tenant.tenant_id, client_id })
  if (!record) return errorPage(visit, 'not_found', 404)
  const known = grant_types.map(({ grant_type }) => grant_type)
  await switchClient(tenant, record, { name, on: on === 'true', actor, grant_types: known })
  return redirect(visit, ours(visit.web, paths.admin_client, { client_id }))
})
