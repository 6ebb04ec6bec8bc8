import { askForLogo } from '../../../inbound/clients/client_logos.ts'
import { readMetadata } from '../../../inbound/clients/client_record.ts'
import { isSelfRegistered } from '../../../inbound/clients/register_client.ts'
import type { ListedClient } from '../../../store/verbs/clients.ts'
import { pathOfLogo } from '../../client_logos.ts'
import { ours, redirect, type Visit } from '../../page.ts'
import { paths } from '../../ui/paths.ts'
import { consoleSubmit } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import type { LogoData } from './templates/client_logo.ts'

/** POST /admin/client/logo: the picture of a client is fetched again, at the next turn of the upkeep. */
export const askForLogoSubmit = consoleSubmit(async (visit, actor, values) => {
  const client_id = values['client_id'] ?? ''
  await askForLogo(visit.web.tenant, client_id, actor)
  return redirect(visit, ours(visit.web, paths.admin_client, { client_id }))
})

/** What became of the picture that a client has registered; undefined where it has registered none. */
export async function describeLogo(visit: Visit, record: ListedClient): Promise<LogoData | undefined> {
  const { tenant_id, store } = visit.web.tenant
  const { client_id, metadata, source, disabled_at } = record
  if (readMetadata(metadata).logo_uri === undefined) return undefined
  if (isSelfRegistered(source)) return 'unverified'
  const logo = await store.findClientLogo({ tenant_id, client_id })
  return {
    logo_uri: logo?.file ? pathOfLogo(visit.web, logo.file) : undefined,
    fetched_at: logo?.fetched_at ?? undefined,
    failure: logo?.failure ?? undefined,
    failed_at: logo?.failed_at ?? undefined,
    next_at: disabled_at === null ? (logo?.due_at ?? visit.view.now) : undefined,
    script: scriptOf(visit, 'fetchClientLogo', { client_id }),
  }
}
