import { newId } from '../../crypto/random.ts'
import { readClientRecord } from '../../inbound/clients/client_record.ts'
import { readAdministratedClient, registerClient } from '../../inbound/clients/register_client.ts'
import { listServiceFlows } from '../../inbound/clients/switch_client.ts'
import { updateClient } from '../../inbound/clients/update_client.ts'
import { event } from '../../inbound/event.ts'
import { takeTurn } from '../../inbound/limits.ts'
import type { ClientMetadata } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { readParams } from '../../oauth/params.ts'
import type { ResourceRecord } from '../../store/records.ts'
import type { ListedService } from '../../store/verbs/hub.ts'
import { type Answer, jsonAnswer, type MachineEndpoint, type MachineRequest } from '../machine.ts'
import type { Web } from '../web.ts'
import { pickFields, pickPage, readFields } from './hub_fields.ts'
import {
  DELETED,
  findCaller,
  HUB_SERVICE,
  hubResource,
  notFound,
  readJsonBody,
  readPage,
  requireAdministrator,
  serviceResource,
} from './hub_rest.ts'
import { type HubService, listRedirectUris, readFlag, readHubService } from './hub_service.ts'

const LIFETIME_SECONDS = 3600

/** GET and POST <base>/api/rest/services: the list, and registration as JetBrains Hub does it, which answers 200. */
export const services: MachineEndpoint<Web> = {
  methods: ['GET', 'POST'],
  cors: true,
  answer: (web, request) => (request.method === 'POST' ? register(web, request) : list(web, request)),
}

/** GET, POST and DELETE <base>/api/rest/services/{id}; `me` is the service whose token it is. */
export const service = (param: (name: string) => string): MachineEndpoint<Web> => ({
  methods: ['GET', 'POST', 'DELETE'],
  cors: true,
  async answer(web, request) {
    const id = param('id')
    if (request.method === 'POST') return change(web, request, id)
    if (request.method === 'DELETE') return remove(web, request, id)
    return show(web, request, id)
  },
})

/** GET <base>/api/rest/settings/public: what anybody may know; Hub's browser library asks it whether Hub is up. */
export const publicSettings: MachineEndpoint<Web> = {
  methods: ['GET'],
  cors: true,
  answer: ({ tenant }, request) => answerFields(request, { id: HUB_SERVICE, baseUrl: tenant.issuer }),
}

async function list(web: Web, request: MachineRequest): Promise<Answer> {
  await requireAdministrator(web, request, 'admin:read')
  const { tenant_id, store } = web.tenant
  const { values } = readParams(request.query)
  const { skip, top } = readPage(values)
  const query = (values['query'] ?? '').replace(/^name:\s*/, '').toLowerCase()
  const order = ORDERS.get(values['orderBy'] ?? 'name')
  if (order === undefined)
    throw new OAuthError('invalid_request', `Parameter orderBy must be ${[...ORDERS.keys()].join(', ')}`)
  const page = await store.pageHubServices({ tenant_id, query, order, skip, top })
  const items = page.services.map(describe)
  return jsonAnswer(pickPage({ skip, top, total: page.total }, 'services', items, readFields(values['fields'])))
}

const ORDERS: ReadonlyMap<string, 'name' | 'id' | 'created'> = new Map([
  ['name', 'name'],
  ['id', 'id'],
  ['creationTime', 'created'],
])

async function show(web: Web, request: MachineRequest, id: string): Promise<Answer> {
  const caller = await findCaller(web, request, 'admin:read')
  const own = id === 'me' || id === caller.client_id
  if (!own && !caller.administrates) throw new OAuthError('insufficient_scope', 'A service may see itself alone')
  const found = await find(web, id === 'me' ? caller.client_id : id)
  return answerFields(request, describe(found))
}

async function register(web: Web, request: MachineRequest): Promise<Answer> {
  const { tenant } = web
  const { settings } = await tenant.currentConfiguration()
  const stranger = request.header('authorization') === undefined && settings.service_registration === 'open'
  const caller = stranger ? null : await requireAdministrator(web, request, 'admin:write')
  const members = readJsonBody(request)
  const described = readHubService(members)
  const id = newId(tenant.clock())
  const trusted = caller !== null && readFlag(members, 'trusted') === true
  const flow = {
    trusted,
    grant_types: listServiceFlows({ settings, trusted, stranger, before: [], asks: asksOf(described) }),
  }
  const metadata = toMetadata(web, id, described, { ...flow, stranger })
  if (stranger) await admitStranger(web, request)
  const actor = caller?.actor ?? 'anonymous'
  await ensureHubResource(web, actor)
  const { client_secret } = await registerClient(tenant, {
    ...{ metadata, source: stranger ? 'open' : 'hub', actor, client_id: id },
    resource: toResource(tenant.issuer, id, described.name),
  })
  await tenant.store.saveHubService({ tenant_id: tenant.tenant_id, client_id: id, service: JSON.stringify(described) })
  return answerFields(request, { ...describe(await find(web, id)), secret: client_secret })
}

async function change(web: Web, request: MachineRequest, id: string): Promise<Answer> {
  const { actor } = await requireAdministrator(web, request, 'admin:write')
  const { tenant } = web
  const { tenant_id, store } = tenant
  const { settings } = await tenant.currentConfiguration()
  const members = readJsonBody(request)
  const found = await find(web, id)
  const stranger = found.source === 'open'
  const described = readHubService(members, readStored(found))
  const trusted = !stranger && (readFlag(members, 'trusted') ?? found.trusted === 1)
  const { grant_types: before } = readClientRecord(found)
  const flow = {
    trusted,
    grant_types: listServiceFlows({ settings, trusted, stranger, before, asks: asksOf(described) }),
  }
  const metadata = toMetadata(web, id, described, { ...flow, stranger })
  await updateClient(tenant, { client_id: id, metadata, actor, changed: Object.keys(members).sort() })
  await store.saveHubService({ tenant_id, client_id: id, service: JSON.stringify(described) })
  if (described.name !== found.client_name) {
    const resource = toResource(tenant.issuer, id, described.name)
    const saved = event(tenant, 'resource.saved', actor, { client_id: id, detail: { resource: resource.resource } })
    await store.saveResource({ tenant_id, resource: { ...resource, client_id: id }, event: saved })
  }
  return answerFields(request, describe(await find(web, id)))
}

async function remove(web: Web, request: MachineRequest, id: string): Promise<Answer> {
  const { actor } = await requireAdministrator(web, request, 'admin:write')
  const { tenant } = web
  const { client_id } = await find(web, id)
  const deleted = event(tenant, 'client.deleted', actor, { client_id })
  await tenant.store.deleteClient({ tenant_id: tenant.tenant_id, client_id, event: deleted })
  return DELETED
}

async function find({ tenant }: Web, client_id: string): Promise<ListedService> {
  const found = await tenant.store.findHubService({ tenant_id: tenant.tenant_id, client_id })
  if (!found) throw notFound('service')
  return found
}

/** Lets somebody unknown register: not a page of another site through its visitor's browser, and not without measure. */
async function admitStranger({ inbound, origin }: Web, request: MachineRequest): Promise<void> {
  const from = request.header('origin')
  if (from !== undefined && from !== origin) {
    throw new OAuthError('access_denied', 'A page of another site may not register services', { status: 403 })
  }
  await takeTurn(inbound, 'service_registration', { address: request.sender.address })
}

function asksOf({ implicitFlowEnabled, resourceOwnerFlowEnabled }: HubService) {
  return { implicit: implicitFlowEnabled, password: resourceOwnerFlowEnabled }
}

function toMetadata(
  { tenant, grant_types }: Web,
  id: string,
  described: HubService,
  flow: { grant_types: readonly string[]; trusted: boolean; stranger: boolean },
): ClientMetadata {
  const { name, homeUrl, applicationName, vendor, version } = described
  const redirect_uris = listRedirectUris(described)
  const json = {
    ...{ client_name: name, client_uri: homeUrl, redirect_uris, grant_types: flow.grant_types, trusted: flow.trusted },
    token_endpoint_auth_method: 'client_secret_basic',
    scope: `openid profile email offline_access ${HUB_SERVICE} ${id}`,
    default_resource: serviceResource(tenant.issuer, id),
    ...{
      software_id: applicationName,
      software_version: version,
      contacts: vendor === undefined ? undefined : [vendor],
    },
    // Services written for Hub send no PKCE; one that a stranger registered has to, and asks for itself alone.
    require_pkce: flow.stranger,
    every_service: !flow.stranger,
    offline_refresh_only: true,
    // Hub's browser library renews what has less than ten minutes to live.
    access_token_lifetime_seconds: LIFETIME_SECONDS,
  }
  return readAdministratedClient(
    json,
    grant_types.map(({ grant_type }) => grant_type),
  )
}

function toResource(issuer: string, id: string, name: string): ResourceRecord {
  return {
    ...{ resource: serviceResource(issuer, id), name, default_scopes: JSON.stringify([id]), every_user: 1 },
    scopes: JSON.stringify({ [id]: `Use ${name} in your name` }),
    ...{ access_token_format: 'opaque', access_token_lifetime_seconds: LIFETIME_SECONDS },
    introspection_clients: JSON.stringify([id]),
  }
}

/** Hub's own resource, made with the first service of a tenant. */
async function ensureHubResource({ tenant }: Web, actor: string): Promise<void> {
  const resource = hubResource(tenant.issuer)
  const { resources } = await tenant.currentConfiguration()
  if (resources.has(resource)) return
  await tenant.store.saveResource({
    tenant_id: tenant.tenant_id,
    resource: {
      ...{ resource, name: 'Hub', scopes: JSON.stringify({ [HUB_SERVICE]: 'Know who you are here' }), every_user: 1 },
      ...{ default_scopes: '[]', access_token_format: 'opaque', access_token_lifetime_seconds: LIFETIME_SECONDS },
    },
    event: event(tenant, 'resource.saved', actor, { detail: { resource } }),
  })
}

function readStored({ service: text, client_name, metadata }: ListedService): HubService {
  if (text !== null) return JSON.parse(text) as HubService
  const { redirect_uris, client_uri } = JSON.parse(metadata) as ClientMetadata
  return { name: client_name, homeUrl: client_uri, redirectUris: redirect_uris }
}

/** A service as Hub shows it; its secret is in the answer to its registration alone. */
function describe(found: ListedService): Record<string, unknown> {
  const { grant_types } = readClientRecord(found)
  return {
    id: found.client_id,
    ...readStored(found),
    trusted: found.trusted === 1,
    implicitFlowEnabled: grant_types.includes('implicit'),
    resourceOwnerFlowEnabled: grant_types.includes('password'),
    untrustedRedirectUris: JSON.parse(found.untrusted_redirect_uris ?? '[]') as unknown,
    creationTime: found.created_at,
  }
}

function answerFields(request: MachineRequest, whole: Record<string, unknown>): Answer {
  const { fields } = readParams(request.query).values
  const { secret, ...shown } = whole
  // A secret is shown to who asks for it by name.
  return jsonAnswer(fields === undefined ? shown : pickFields(whole, readFields(fields)))
}
