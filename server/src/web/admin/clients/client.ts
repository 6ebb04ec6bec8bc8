import { deleteAnyClient } from '../../../inbound/administration/throw_away.ts'
import { setClientDisabled } from '../../../inbound/clients/administer_clients.ts'
import { readClientRecord } from '../../../inbound/clients/client_record.ts'
import { describedBy } from '../../../inbound/clients/edit_client.ts'
import { isSelfRegistered } from '../../../inbound/clients/register_client.ts'
import { listSwitches } from '../../../inbound/clients/switch_client.ts'
import { hasSecret } from '../../../oauth/clients/authentication_metadata.ts'
import type { Client } from '../../../oauth/clients/client.ts'
import type { ListedClient } from '../../../store/verbs/clients.ts'
import { errorPage, ours, redirect, send, type Visit } from '../../page.ts'
import { isTold, redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { lintRedirects } from '../forms/lint_redirects.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { describeMembers } from './client_form.ts'
import { describeLogo } from './client_logo.ts'
import { listSnippets } from './client_snippet.ts'
import { type ClientData, renderClient } from './templates/client.ts'
import { type ClientType, DEVICE_CODE } from './templates/client_type.ts'

const MOST_COUNTED = 10_000

/** GET /admin/client?client_id=. */
export const clientPage = consolePage(async (visit) => {
  const record = await findClient(visit, visit.query['client_id'])
  return record ? showClient(visit, record) : errorPage(visit, 'not_found', 404)
})

/** POST /admin/client/disable and /admin/client/enable. */
export const setClientDisabledSubmit = (disabled: boolean) =>
  consoleSubmit(async (visit, actor, values) => {
    const { tenant } = visit.web
    const client_id = values['client_id'] ?? ''
    await setClientDisabled(tenant, client_id, { disabled, actor })
    return redirect(visit, ours(visit.web, paths.admin_client, { client_id }))
  })

/** POST /admin/client/delete: the client goes with its grants. */
export const deleteClientSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant } = visit.web
  const client_id = values['client_id'] ?? ''
  await deleteAnyClient(tenant, client_id, actor)
  return redirectTelling(visit, ours(visit.web, paths.admin_clients), 'client')
})

/** The client that a page is about. */
export async function findClient(visit: Visit, client_id: string | undefined): Promise<ListedClient | null> {
  const { tenant_id, store } = visit.web.tenant
  return client_id === undefined ? null : store.findClient({ tenant_id, client_id })
}

/** What the buttons of a client's page do, each as it would be done now. */
function scriptsOf(
  visit: Visit,
  record: ListedClient,
  switches: ReturnType<typeof listSwitches>,
): NonNullable<ClientData['scripts']> {
  const values = { client_id: record.client_id }
  return {
    switches: switches.map(({ name, on }) => scriptOf(visit, 'switchClient', values, { body: { name, on: !on } })),
    secrets: [scriptOf(visit, 'rotateClientSecret', values), scriptOf(visit, 'endFormerClientSecret', values)],
    endings: [
      scriptOf(visit, record.disabled_at === null ? 'disableClient' : 'enableClient', values),
      scriptOf(visit, 'deleteClient', values),
    ],
  }
}

async function showClient(visit: Visit, record: ListedClient): Promise<Response> {
  const { tenant_id, store } = visit.web.tenant
  const { client_id, client_name, created_at, last_used_at } = record
  const client = readClientRecord(record)
  const { grants, users } = await store.countGrantsOfClient({ tenant_id, client_id, most: MOST_COUNTED })
  const switches = listSwitches(record)
  const html = renderClient(visit.view, {
    ...{ client_id, client_name, type: typeOf(client), trusted: client.trusted },
    logo: await describeLogo(visit, record),
    members: describeMembers(client),
    redirects: lintRedirects(client.redirect_uris, client.application_type),
    described_by: describedBy(record),
    unverified: isSelfRegistered(record.source),
    ...{ switches, scripts: scriptsOf(visit, record, switches) },
    disabled: record.disabled_at !== null,
    created_at,
    last_used_at: last_used_at ?? undefined,
    grants,
    users,
    most: MOST_COUNTED,
    secrets: hasSecret(client.token_endpoint_auth_method)
      ? await store.listClientSecrets({ tenant_id, client_id })
      : [],
    seen: seenSecret(visit, record),
    ...{ saved: isTold(visit, 'saved'), twice: visit.query['twice'] === 'true' },
    snippets: listSnippets(visit.web.tenant.issuer, { ...client, client_id }),
  })
  return send(visit, html, { script: true })
}

/** Names a client's present secret in a form, and says nothing about it. */
export function seenSecret(visit: Visit, { client_secret_hash }: ListedClient): string {
  const { keys } = visit.web.tenant
  return client_secret_hash === null ? '' : keys.hashSecret(client_secret_hash).toString('base64url')
}

/** Where a client runs, by what is registered of it. */
export function typeOf(client: Client): ClientType {
  if (!client.grant_types.includes('authorization_code')) {
    if (!client.grant_types.includes(DEVICE_CODE)) return 'machine'
    return client.application_type === 'native' ? 'device' : 'script'
  }
  if (client.application_type === 'native') return 'native'
  return client.token_endpoint_auth_method === 'none' ? 'browser' : 'server'
}
