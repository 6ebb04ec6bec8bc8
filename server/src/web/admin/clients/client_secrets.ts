import { readClientRecord } from '../../../inbound/clients/client_record.ts'
import { endFormerClientSecret, rotateClientSecret } from '../../../inbound/clients/client_secrets.ts'
import { errorPage, ours, redirect, send } from '../../page.ts'
import { paths } from '../../ui/paths.ts'
import { consoleSubmit } from '../forms/administrator.ts'
import { findClient, seenSecret } from './client.ts'
import { listSnippets } from './client_snippet.ts'
import { renderCreatedClient } from './templates/created_client.ts'

/** POST /admin/client/rotate_secret: a new secret, shown once; the old one lives on for a while. */
export const rotateSecretSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant } = visit.web
  const record = await findClient(visit, values['client_id'])
  if (!record) return errorPage(visit, 'not_found', 404)
  const { client_id, client_name } = record
  // The page was loaded again or sent twice: a second new secret would end the one that is in use.
  const again = () => redirect(visit, ours(visit.web, paths.admin_client, { client_id, twice: 'true' }))
  if (values['seen'] !== seenSecret(visit, record)) return again()
  const client_secret = await rotateClientSecret(tenant, { record, actor, now: visit.view.now })
  if (client_secret === null) return again()
  const { issuer } = tenant
  const client = readClientRecord(record)
  const html = renderCreatedClient(visit.view, {
    client_id,
    client_name,
    client_secret,
    secret: 'rotated',
    issuer,
    discovery: `${issuer}/.well-known/openid-configuration`,
    snippets: listSnippets(issuer, { ...client, client_id }),
  })
  return send(visit, html, { script: true })
})

/** POST /admin/client/end_secret: the older of two secrets works no more; of the only one nothing changes. */
export const endSecretSubmit = consoleSubmit(async (visit, actor, values) => {
  const record = await findClient(visit, values['client_id'])
  if (!record) return errorPage(visit, 'not_found', 404)
  const { client_id } = record
  // A page of before a rotation means another secret than the one that is now the older.
  if (values['seen'] === seenSecret(visit, record)) await endFormerClientSecret(visit.web.tenant, client_id, actor)
  return redirect(visit, ours(visit.web, paths.admin_client, { client_id }))
})
