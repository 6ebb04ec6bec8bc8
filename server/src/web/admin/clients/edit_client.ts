import { listChangedNames } from '../../../inbound/changed_names.ts'
import { readMetadata } from '../../../inbound/clients/client_record.ts'
import { describedBy, editClient } from '../../../inbound/clients/edit_client.ts'
import { readAdministratedClient } from '../../../inbound/clients/register_client.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import type { ListedClient } from '../../../store/verbs/clients.ts'
import { errorPage, ours, send, type Visit } from '../../page.ts'
import { redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { lintRedirects } from '../forms/lint_redirects.ts'
import { refusedField } from '../forms/refused_field.ts'
import { scriptOf, sentOr } from '../forms/same_by_script.ts'
import { type FormValues, readLines, refill, seenIn, statusOf } from '../forms/typed_form.ts'
import { findClient } from './client.ts'
import { readForm, writeForm } from './client_form.ts'
import { listSnippets } from './client_snippet.ts'
import { renderCreatedClient } from './templates/created_client.ts'
import { type EditClientData, renderEditClient } from './templates/edit_client.ts'

/** GET /admin/client/edit?client_id=: on the way to rights and to a secret. */
export const editClientPage = consolePage(async (visit, _administrator, kept) => {
  const record = await findClient(visit, visit.query['client_id'])
  if (!record) return errorPage(visit, 'not_found', 404)
  if (describedBy(record) !== 'administrators') return toClient(visit, record)
  return show(visit, record, ...refill(kept, writeForm(readMetadata(record.metadata))))
})

/** POST /admin/client/edit: what is registered becomes what was typed, or nothing changes and all of it is shown again. */
export const editClientSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant, grant_types } = visit.web
  const record = await findClient(visit, values['client_id'])
  if (!record) return errorPage(visit, 'not_found', 404)
  if (values['seen'] !== seenMetadata(visit, record)) return overtaken(visit, record, values)
  try {
    const json = readForm(values)
    const known = grant_types.map(({ grant_type }) => grant_type)
    const edited = await editClient(tenant, record, { json, grant_types: known, actor })
    if (edited === 'stale') return overtaken(visit, record, values)
    const { client_secret } = edited
    return client_secret === undefined
      ? toClient(visit, record, { done: 'saved' })
      : showSecret(visit, record.client_id, client_secret)
  } catch (error) {
    if (!(error instanceof OAuthError) || !/^invalid_(client_metadata|redirect_uri)$/.test(error.error)) throw error
    const wrong = refusedField(error)
    const uris = readLines(values['redirect_uris'] ?? '')
    const type = values['application_type'] === 'native' ? ('native' as const) : ('web' as const)
    const redirects = wrong.member === 'redirect_uris' ? { redirects: lintRedirects(uris, type) } : {}
    return show(visit, record, values, { ...wrong, ...redirects })
  }
})

/** Whoever comes second is told what has changed; a form that was sent twice leads to what it changed. */
async function overtaken(visit: Visit, record: ListedClient, values: FormValues): Promise<Response> {
  const standing = (await findClient(visit, record.client_id)) ?? record
  const grant_types = visit.web.grant_types.map(({ grant_type }) => grant_type)
  const wanted = sentOr(() => readAdministratedClient(readForm(values), grant_types), null)
  const done = wanted && listChangedNames(readMetadata(standing.metadata), wanted).length === 0
  if (!done) return show(visit, standing, values, 'stale')
  // The answer with a secret that this change has made may be the one that nobody has seen.
  const { tenant_id, store } = visit.web.tenant
  const [newest] = await store.listClientSecrets({ tenant_id, client_id: standing.client_id })
  const made = newest !== undefined && newest.made_at === standing.updated_at
  return toClient(visit, standing, made ? { twice: 'true' } : { done: 'saved' })
}

function show(visit: Visit, record: ListedClient, values: FormValues, wrong?: EditClientData['wrong']): Response {
  const { client_id, client_name } = record
  const grant_types = visit.web.grant_types.map(({ grant_type }) => grant_type)
  const like = { metadata: readMetadata(record.metadata) }
  const body = sentOr(() => ({ metadata: readForm(values) }), like)
  const html = renderEditClient(visit.view, {
    ...{ client_id, client_name, grant_types, values, wrong },
    seen: seenIn(values, wrong, seenMetadata(visit, record)),
    script: scriptOf(visit, 'updateClient', { client_id }, { body }),
  })
  return send(visit, html, { status: statusOf(wrong) })
}

async function showSecret(visit: Visit, client_id: string, client_secret: string): Promise<Response> {
  const { issuer } = visit.web.tenant
  const record = await findClient(visit, client_id)
  if (!record) return errorPage(visit, 'not_found', 404)
  const html = renderCreatedClient(visit.view, {
    ...{ client_id, client_name: record.client_name, client_secret, secret: 'replaced', issuer },
    discovery: `${issuer}/.well-known/openid-configuration`,
    snippets: listSnippets(issuer, { ...readMetadata(record.metadata), client_id }),
  })
  return send(visit, html, { script: true })
}

function toClient(
  visit: Visit,
  { client_id }: ListedClient,
  { done, ...more }: { readonly done?: 'saved'; readonly twice?: 'true' } = {},
): Response {
  return redirectTelling(visit, ours(visit.web, paths.admin_client, { client_id, ...more }), done)
}

/** Names what is registered now: whoever saves has seen it, or is told of the change. */
function seenMetadata(visit: Visit, { metadata }: ListedClient): string {
  return visit.web.tenant.keys.hashSecret(metadata).toString('base64url')
}
