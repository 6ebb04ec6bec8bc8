import { readClientRecord } from '../../inbound/clients/client_record.ts'
import { FORMER_SECRET_LIVES_MS, rotateClientSecret } from '../../inbound/clients/client_secrets.ts'
import { isSelfRegistered, readAdministratedClient, registerClient } from '../../inbound/clients/register_client.ts'
import { listSwitches } from '../../inbound/clients/switch_client.ts'
import { event } from '../../inbound/event.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ListedClient } from '../../store/verbs/clients.ts'
import { errorPage, ours, redirect, send, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { consolePage, consoleSubmit } from './administrator.ts'
import { renderClient } from './templates/client.ts'
import { CLIENT_TYPES, type ClientType } from './templates/client_type.ts'
import { renderClients } from './templates/clients.ts'
import { renderCreatedClient } from './templates/created_client.ts'
import { type NewClientData, renderNewClient } from './templates/new_client.ts'

const PAGE = 50
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

const SIGN_IN = 'openid profile email offline_access'
/** What a client may ask for where nothing is said; a script for itself has nothing that would go without saying. */
const DEFAULT_SCOPES: Readonly<Record<ClientType, string | undefined>> = {
  ...{ server: SIGN_IN, browser: SIGN_IN, native: SIGN_IN, agent: SIGN_IN, script: SIGN_IN, machine: undefined },
}

/** GET /admin/clients. */
export const clientsPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const cursor = visit.query['cursor']
  const found = await store.pageClients({ tenant_id, after_client_id: cursor ?? '', most: PAGE + 1 })
  const shown = found.slice(0, PAGE)
  const clients = shown.map((record) => {
    const { client_id, client_name, created_at, disabled_at } = record
    const client = readClientRecord(record)
    return {
      client_id,
      client_name,
      type: typeOf(client),
      trusted: client.trusted,
      unverified: isSelfRegistered(record.source),
      disabled: disabled_at !== null,
      created_at,
    }
  })
  const next_cursor = found.length > PAGE ? shown.at(-1)!.client_id : undefined
  return send(visit, renderClients(visit.view, { clients, cursor, next_cursor }))
})

/** GET /admin/clients/new. */
export const newClientPage = consolePage(async (visit) => send(visit, renderNewClient(visit.view, {})))

/** POST /admin/clients/new: registers a client and shows its secret once. */
export const newClientSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant, grant_types } = visit.web
  const type = CLIENT_TYPES.find((known) => known === values['type']) ?? 'server'
  const { client_name, scope = DEFAULT_SCOPES[type] } = values
  const redirect_uris = (values['redirect_uris'] ?? '').split(/\s+/).filter((uri) => uri !== '')
  const trusted = values['trusted'] === 'true'
  const json = { client_name, redirect_uris, scope, trusted, ...metadataOf(type) }
  let made: Awaited<ReturnType<typeof registerClient>>
  let metadata: ReturnType<typeof readAdministratedClient>
  try {
    if (client_name === undefined) throw new OAuthError('invalid_client_metadata', 'Member client_name is missing')
    if (scope === undefined) throw new OAuthError('invalid_client_metadata', 'Member scope is missing')
    metadata = readAdministratedClient(
      json,
      grant_types.map(({ grant_type }) => grant_type),
    )
    made = await registerClient(tenant, { metadata, source: 'console', actor })
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    const shown: NewClientData = {
      values: {
        type,
        trusted,
        ...(client_name !== undefined && { client_name }),
        ...(scope !== undefined && { scope }),
        redirect_uris: redirect_uris.join('\n'),
      },
      errors: { [fieldOf(error)]: error.error_description },
    }
    return send(visit, renderNewClient(visit.view, shown), { status: 400 })
  }
  const { issuer } = tenant
  const discovery = `${issuer}/.well-known/openid-configuration`
  const html = renderCreatedClient(visit.view, {
    ...made,
    client_name,
    issuer,
    discovery,
    snippet: snippet(issuer, made, metadata),
  })
  return send(visit, html)
})

/** GET /admin/client?client_id=. */
export const clientPage = consolePage(async (visit) => {
  const record = await findClient(visit, visit.query['client_id'])
  return record ? showClient(visit, record) : errorPage(visit, 'not_found', 404)
})

/** POST /admin/client/rotate_secret: a new secret, shown once; the old one lives for a day. */
export const rotateSecretSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant } = visit.web
  const record = await findClient(visit, values['client_id'])
  if (!record || record.client_secret_hash === null) return errorPage(visit, 'not_found', 404)
  const { client_id, client_name } = record
  // The page was loaded again or sent twice: a second new secret would end the one that is in use.
  const again = () => redirect(visit, ours(visit.web, paths.admin_client, { client_id }))
  if (values['seen'] !== seenSecret(visit, record)) return again()
  const client_secret = await rotateClientSecret(tenant, { record, actor, now: visit.view.now })
  if (client_secret === null) return again()
  const { issuer } = tenant
  const client = readClientRecord(record)
  const html = renderCreatedClient(visit.view, {
    client_id,
    client_name,
    client_secret,
    rotated: true,
    issuer,
    discovery: `${issuer}/.well-known/openid-configuration`,
    snippet: snippet(issuer, { client_id }, client),
  })
  return send(visit, html)
})

/** POST /admin/client/disable and /admin/client/enable. */
export const setClientDisabledSubmit = (disabled: boolean) =>
  consoleSubmit(async (visit, actor, values) => {
    const { tenant } = visit.web
    const client_id = values['client_id'] ?? ''
    const changed = event(tenant, disabled ? 'client.disabled' : 'client.enabled', actor, { client_id })
    await tenant.store.setClientDisabled({ tenant_id: tenant.tenant_id, client_id, disabled, event: changed })
    return redirect(visit, ours(visit.web, paths.admin_client, { client_id }))
  })

/** POST /admin/client/delete: the client goes with its grants. */
export const deleteClientSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant } = visit.web
  const client_id = values['client_id'] ?? ''
  const deleted = event(tenant, 'client.deleted', actor, { client_id })
  await tenant.store.deleteClient({ tenant_id: tenant.tenant_id, client_id, event: deleted })
  return redirect(visit, ours(visit.web, paths.admin_clients))
})

async function findClient(visit: Visit, client_id: string | undefined): Promise<ListedClient | null> {
  const { tenant_id, store } = visit.web.tenant
  return client_id === undefined ? null : store.findClient({ tenant_id, client_id })
}

async function showClient(visit: Visit, record: ListedClient): Promise<Response> {
  const { tenant_id, store } = visit.web.tenant
  const { client_id, client_name, created_at, last_used_at, former_client_secret_expires_at: former } = record
  const client = readClientRecord(record)
  const { grants, users } = await store.countGrantsOfClient({ tenant_id, client_id, most: 10_000 })
  // The former one got its end when the present one was made.
  const made_at = former === null ? created_at : former - FORMER_SECRET_LIVES_MS
  const secrets = record.client_secret_hash === null ? [] : [{ created_at: made_at }]
  const html = renderClient(visit.view, {
    client_id,
    client_name,
    type: typeOf(client),
    token_endpoint_auth_method: client.token_endpoint_auth_method,
    grant_types: client.grant_types,
    redirect_uris: client.redirect_uris,
    scope: client.scope,
    default_resource: client.default_resource,
    trusted: client.trusted,
    unverified: isSelfRegistered(record.source),
    switches: listSwitches(record),
    disabled: record.disabled_at !== null,
    created_at,
    last_used_at: last_used_at ?? undefined,
    grants,
    users,
    secrets: former !== null && former > visit.view.now ? [...secrets, { expires_at: former }] : secrets,
    seen: seenSecret(visit, record),
  })
  return send(visit, html)
}

/** Names a client's present secret in a form, and says nothing about it. */
function seenSecret(visit: Visit, { client_secret_hash }: ListedClient): string {
  const { keys } = visit.web.tenant
  return client_secret_hash === null ? '' : keys.hashSecret(client_secret_hash).toString('base64url')
}

/** What a client of a type may do, by where it runs. */
function metadataOf(type: ClientType): Record<string, unknown> {
  const code = { grant_types: ['authorization_code', 'refresh_token'] }
  switch (type) {
    case 'server':
      return { ...code, token_endpoint_auth_method: 'client_secret_basic' }
    case 'browser':
      return { ...code, token_endpoint_auth_method: 'none' }
    case 'native':
    case 'agent':
      return { ...code, token_endpoint_auth_method: 'none', application_type: 'native' }
    case 'script':
      return { grant_types: [DEVICE_CODE, 'refresh_token'], token_endpoint_auth_method: 'none' }
    case 'machine':
      return { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic' }
  }
}

function typeOf(client: Client): ClientType {
  if (!client.grant_types.includes('authorization_code')) {
    return client.grant_types.includes(DEVICE_CODE) ? 'script' : 'machine'
  }
  if (client.application_type === 'native') return 'native'
  return client.token_endpoint_auth_method === 'none' ? 'browser' : 'server'
}

function fieldOf(error: OAuthError): keyof NonNullable<NewClientData['errors']> {
  if (error.error === 'invalid_redirect_uri') return 'redirect_uris'
  const named = /^Member (\w+)/.exec(error.error_description)?.[1]
  return (['client_name', 'redirect_uris', 'scope', 'trusted'] as const).find((field) => field === named) ?? 'type'
}

const AUTHENTICATION: Readonly<Record<string, string>> = {
  none: 'client.None()',
  client_secret_basic: 'client.ClientSecretBasic(process.env.CLIENT_SECRET)',
  client_secret_post: 'client.ClientSecretPost(process.env.CLIENT_SECRET)',
  client_secret_jwt: 'client.ClientSecretJwt(process.env.CLIENT_SECRET)',
}

/** Code that uses a client as it is registered. */
function snippet(
  issuer: string,
  { client_id }: { readonly client_id: string },
  client: Omit<Client, 'client_id'>,
): string {
  const auth = AUTHENTICATION[client.token_endpoint_auth_method]
  const more = issuer.startsWith('http:') ? ', { execute: [client.allowInsecureRequests] }' : ''
  const head = `import * as client from 'openid-client'

const issuer = new URL(${JSON.stringify(issuer)})
const config = await client.discovery(issuer, ${JSON.stringify(client_id)}, undefined, ${auth}${more})
`
  const asked = `scope: ${JSON.stringify(client.scope)}`
  if (client.grant_types.includes(DEVICE_CODE) && !client.grant_types.includes('authorization_code'))
    return `${head}const device = await client.initiateDeviceAuthorization(config, { ${asked} })
console.log('Open', device.verification_uri, 'and type', device.user_code)
const tokens = await client.pollDeviceAuthorizationGrant(config, device)
`
  if (!client.grant_types.includes('authorization_code'))
    return `${head}const tokens = await client.clientCredentialsGrant(config, { ${asked} })\n`
  return `${head}
const code_verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: ${JSON.stringify(client.redirect_uris[0] ?? '')},
  ${asked},
  state,
  code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
  code_challenge_method: 'S256',
})
// Send the browser to url. When it comes back to the redirect URI:
// const tokens = await client.authorizationCodeGrant(config, currentUrl, { pkceCodeVerifier: code_verifier, expectedState: state })
`
}
