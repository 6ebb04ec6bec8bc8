import { newId } from '../../../crypto/random.ts'
import { makeClientKey } from '../../../inbound/clients/client_keys.ts'
import { readClientRecord, readMetadata } from '../../../inbound/clients/client_record.ts'
import { isSelfRegistered, readAdministratedClient, registerClient } from '../../../inbound/clients/register_client.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { findClientLogos } from '../../client_logos.ts'
import { ours, redirect, send, type Visit } from '../../page.ts'
import { readTold } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { readFormId } from '../forms/form_id.ts'
import { lintRedirects } from '../forms/lint_redirects.ts'
import { refusedField } from '../forms/refused_field.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { type FormValues, refill } from '../forms/typed_form.ts'
import { typeOf } from './client.ts'
import { listSnippets } from './client_snippet.ts'
import { CLIENT_TYPES, type ClientType, DEVICE_CODE, PROOFS, type Proof } from './templates/client_type.ts'
import { renderClients } from './templates/clients.ts'
import { renderCreatedClient } from './templates/created_client.ts'
import { type NewClientData, renderNewClient } from './templates/new_client.ts'

const PAGE = 50
/** A secret that ends within this time is shown to end. */
export const WEEK_MS = 7 * 86_400_000

const SIGN_IN = 'openid profile email offline_access'
/** What a client may ask for where nothing is said; a script for itself has nothing that would go without saying. */
const DEFAULT_SCOPES: Readonly<Record<ClientType, string | undefined>> = {
  ...{
    server: SIGN_IN,
    browser: SIGN_IN,
    native: SIGN_IN,
    agent: SIGN_IN,
    device: SIGN_IN,
    script: SIGN_IN,
    machine: undefined,
  },
}

/** GET /admin/clients. */
export const clientsPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const { cursor, secrets } = visit.query
  const { now } = visit.view
  const expiring = secrets === 'expiring'
  const found = await store.pageClients({
    ...{ tenant_id, after_client_id: cursor ?? '', most: PAGE + 1 },
    secrets_before: expiring ? now + WEEK_MS : undefined,
  })
  const shown = found.slice(0, PAGE)
  const logos = await findClientLogos(
    visit.web,
    shown.map(({ client_id, metadata }) => ({ client_id, logo_uri: readMetadata(metadata).logo_uri })),
  )
  const clients = shown.map((record) => {
    const { client_id, client_name, created_at, disabled_at, former_client_secret_expires_at: ends_at } = record
    const client = readClientRecord(record)
    return {
      client_id,
      client_name,
      logo_uri: logos.get(client_id),
      type: typeOf(client),
      trusted: client.trusted,
      unverified: isSelfRegistered(record.source),
      disabled: disabled_at !== null,
      secret_ends_at: ends_at !== null && ends_at > now && ends_at <= now + WEEK_MS ? ends_at : undefined,
      created_at,
    }
  })
  const next_cursor = found.length > PAGE ? shown.at(-1)!.client_id : undefined
  return send(
    visit,
    renderClients(visit.view, {
      clients,
      expiring,
      cursor,
      next_cursor,
      done: readTold(visit, visit.view.text.console.done),
    }),
  )
})

/** GET /admin/clients/new: on the way to a secret. */
export const newClientPage = consolePage(async (visit, _administrator, kept) => {
  const [typed, again] = refill(kept, {})
  const values = again === 'renewed' ? readTypedClient(typed) : {}
  const client_id = readFormId(typed['client_id']) ?? newId(visit.view.now)
  const script = scriptOfNew(visit, readTypedClient(typed))
  return send(
    visit,
    renderNewClient(visit.view, { values, client_id, again, script, first: visit.query['first'] === 'true' }),
  )
})

/** POST /admin/clients/new: registers a client and shows its private key or its secret once. */
export const newClientSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant, grant_types } = visit.web
  const typed = readTypedClient(values)
  const client_id = readFormId(values['client_id'])
  const { type, trusted, client_name, scope = DEFAULT_SCOPES[type] } = typed
  const redirect_uris = typed.redirect_uris.split('\n').filter((uri) => uri !== '')
  const described = metadataOf(type, typed.token_endpoint_auth_method)
  const key = described['token_endpoint_auth_method'] === 'private_key_jwt' ? await makeClientKey() : undefined
  const json = { client_name, redirect_uris, scope, trusted, ...described, ...(key && { jwks: key.jwks }) }
  let made: Awaited<ReturnType<typeof registerClient>>
  let metadata: ReturnType<typeof readAdministratedClient>
  try {
    if (client_name === undefined) throw new OAuthError('invalid_client_metadata', 'Member client_name is missing')
    if (scope === undefined) throw new OAuthError('invalid_client_metadata', 'Member scope is missing')
    metadata = readAdministratedClient(
      json,
      grant_types.map(({ grant_type }) => grant_type),
    )
    made = await registerClient(tenant, { metadata, source: 'console', actor, client_id })
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    const { tenant_id, store } = tenant
    if (client_id && (await store.findClient({ tenant_id, client_id }))) {
      return redirect(visit, ours(visit.web, paths.admin_client, { client_id, twice: 'true' }))
    }
    const shown: NewClientData = {
      client_id: client_id ?? newId(visit.view.now),
      values: { ...typed, ...(scope !== undefined && { scope }) },
      errors: { [fieldOf(error)]: error.error_description },
      redirects: lintRedirects(redirect_uris, described['application_type'] === 'native' ? 'native' : 'web'),
      script: scriptOfNew(visit, typed),
    }
    return send(visit, renderNewClient(visit.view, shown), { status: 400 })
  }
  const { issuer } = tenant
  const discovery = `${issuer}/.well-known/openid-configuration`
  const html = renderCreatedClient(visit.view, {
    ...made,
    private_key: key && JSON.stringify(key.private_jwk),
    client_name,
    issuer,
    discovery,
    snippets: listSnippets(issuer, { ...metadata, client_id: made.client_id }),
  })
  return send(visit, html, { script: true })
})

/** What the form does, with what was typed; by API one brings the public half of one's own key. */
function scriptOfNew(visit: Visit, typed: ReturnType<typeof readTypedClient>) {
  const { type, trusted, client_name = 'Notes', scope = DEFAULT_SCOPES[type] ?? 'notes:read' } = typed
  const described = metadataOf(type, typed.token_endpoint_auth_method)
  const typed_uris = typed.redirect_uris.split('\n').filter((uri) => uri !== '')
  const like = type === 'native' || type === 'agent' ? 'http://127.0.0.1/callback' : 'https://notes.example/callback'
  const metadata = {
    client_name,
    ...(type !== 'device' &&
      type !== 'script' &&
      type !== 'machine' && { redirect_uris: typed_uris.length > 0 ? typed_uris : [like] }),
    scope,
    ...(trusted && { trusted }),
    ...described,
    ...(described['token_endpoint_auth_method'] === 'private_key_jwt' && {
      jwks_uri: 'https://notes.example/jwks.json',
    }),
  }
  return scriptOf(visit, 'createClient', {}, { body: { metadata } })
}

/** What was typed, one redirect URI a line. */
function readTypedClient(values: FormValues) {
  const { client_name, scope } = values
  return {
    type: CLIENT_TYPES.find((known) => known === values['type']) ?? ('server' as const),
    token_endpoint_auth_method: PROOFS.find((known) => known === values['token_endpoint_auth_method']) ?? PROOFS[0],
    trusted: values['trusted'] === 'true',
    ...(client_name !== undefined && { client_name }),
    ...(scope !== undefined && { scope }),
    redirect_uris: (values['redirect_uris'] ?? '')
      .split(/\s+/)
      .filter((uri) => uri !== '')
      .join('\n'),
  }
}

/** What a client of a type may do, by where it runs. */
function metadataOf(type: ClientType, token_endpoint_auth_method: Proof): Record<string, unknown> {
  const code = { grant_types: ['authorization_code', 'refresh_token'] }
  const asked_elsewhere = { grant_types: [DEVICE_CODE, 'refresh_token'], token_endpoint_auth_method: 'none' }
  switch (type) {
    case 'server':
      return { ...code, token_endpoint_auth_method }
    case 'browser':
      return { ...code, token_endpoint_auth_method: 'none' }
    case 'native':
    case 'agent':
      return { ...code, token_endpoint_auth_method: 'none', application_type: 'native' }
    case 'device':
      return { ...asked_elsewhere, application_type: 'native' }
    case 'script':
      return asked_elsewhere
    case 'machine':
      return { grant_types: ['client_credentials'], token_endpoint_auth_method }
  }
}

function fieldOf(error: OAuthError): keyof NonNullable<NewClientData['errors']> {
  const { member } = refusedField(error)
  return (['client_name', 'redirect_uris', 'scope', 'trusted'] as const).find((field) => field === member) ?? 'type'
}
