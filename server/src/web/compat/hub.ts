import { newId } from '../../crypto/random.ts'
import { takeTurn } from '../../inbound/limits.ts'
import { readAdministratedClient, registerClient } from '../../inbound/register_client.ts'
import { requireAccessToken } from '../../inbound/require_access_token.ts'
import { event } from '../../inbound/users.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { readParams } from '../../oauth/params.ts'
import { toResourceRequest } from '../endpoints/direct_request.ts'
import { token } from '../endpoints/token.ts'
import { decodeUtf8, jsonAnswer, type MachineEndpoint, type MachineRequest } from '../machine.ts'
import { authorizePage } from '../pages/authorize.ts'
import type { Web } from '../web.ts'
import type { CompatDoor } from './door.ts'

/** Hub's own service: what it knows about the user. */
const HUB_SERVICE = '0-0-0-0-0'
const IDENTITY = `openid profile email offline_access ${HUB_SERVICE}`

/** POST <base>/api/rest/services?fields=id,secret: registers a service as JetBrains Hub does, and answers status 200. */
const services: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: false,
  async answer(web, request) {
    const { tenant } = web
    const fields = readFields(request.query)
    const administrator = await findAdministrator(web, request)
    const service = readService(request)
    const id = newId(tenant.clock())
    const resource = `${tenant.issuer}/api/rest/services/${id}`
    const trusted = administrator !== null && service.trusted
    const metadata = readAdministratedClient(
      {
        client_name: service.name,
        client_uri: service.homeUrl,
        redirect_uris: service.redirectUris,
        grant_types: ['authorization_code', 'refresh_token', ...(trusted ? ['client_credentials'] : [])],
        token_endpoint_auth_method: 'client_secret_basic',
        scope: `${IDENTITY} ${id}`,
        default_resource: resource,
        software_id: service.applicationName,
        software_version: service.version,
        contacts: service.vendor === undefined ? undefined : [service.vendor],
        trusted,
        // Services written for Hub send no PKCE; one that a stranger registered has to.
        require_pkce: administrator === null,
      },
      web.grant_types.map(({ grant_type }) => grant_type),
    )
    if (administrator === null) await admitStranger(web, request)
    const actor = administrator ?? 'anonymous'
    await tenant.store.saveResource({
      tenant_id: tenant.tenant_id,
      resource: {
        resource,
        name: service.name,
        scopes: JSON.stringify({ [id]: `Use ${service.name} in your name`, [HUB_SERVICE]: 'Know who you are here' }),
        default_scopes: JSON.stringify([id]),
        access_token_format: 'opaque',
        access_token_lifetime_seconds: 3600,
        every_user: 1,
        introspection_clients: JSON.stringify([id]),
      },
      event: event(tenant, 'resource.saved', actor, { client_id: id, detail: { resource } }),
    })
    const source = administrator === null ? 'open' : 'hub'
    const { client_secret } = await registerClient(tenant, { metadata, source, actor, client_id: id })
    const { name, homeUrl, redirectUris, applicationName, vendor, version } = service
    const whole = { id, secret: client_secret, name, homeUrl, redirectUris, applicationName, vendor, version, trusted }
    return jsonAnswer(Object.fromEntries(Object.entries(whole).filter(([key]) => fields.includes(key))))
  },
}

/** Reads a Hub authorization request as one of ours: `access_type=offline` asks for a refresh token that stays. */
function translateHubAuthorization(query: string): string {
  const { values } = readParams(query)
  const params = new URLSearchParams(query)
  if (values['access_type'] === 'offline') {
    const scope = (values['scope'] ?? '').split(' ').filter((name) => name !== '')
    if (scope.length > 0) params.set('scope', [...scope, 'offline_access'].join(' '))
  }
  const prompts: Record<string, string> = { silent: 'none', required: 'login' }
  const prompt = prompts[values['request_credentials'] ?? '']
  if (prompt !== undefined && values['prompt'] === undefined) params.set('prompt', prompt)
  return params.toString()
}

interface HubService {
  readonly name: string
  readonly homeUrl: string | undefined
  readonly redirectUris: readonly string[]
  readonly applicationName: string | undefined
  readonly vendor: string | undefined
  readonly version: string | undefined
  readonly trusted: boolean
}

/** Who registers: an administrator by token, or null where the tenant lets anybody. */
async function findAdministrator(web: Web, request: MachineRequest): Promise<string | null> {
  const authorization = request.header('authorization')
  const { settings } = await web.tenant.currentConfiguration()
  if (authorization === undefined && settings.service_registration === 'open') return null
  const audience = [`${web.tenant.issuer}/api`]
  const { claims } = await requireAccessToken(web.inbound, toResourceRequest(web, request), {
    audience,
    scope: ['admin:write'],
  })
  return claims.grant_id === undefined ? `client:${claims.client_id}` : `user:${claims.sub}`
}

/** Lets somebody unknown register: not a page of another site through its visitor's browser, and not without measure. */
async function admitStranger({ inbound, origin }: Web, request: MachineRequest): Promise<void> {
  const from = request.header('origin')
  if (from !== undefined && from !== origin) {
    throw new OAuthError('access_denied', 'A page of another site may not register services', { status: 403 })
  }
  await takeTurn(inbound, 'service_registration', { address: request.sender.address })
}

function readFields(query: string): string[] {
  const { fields } = readParams(query).values
  return (fields ?? 'id,name,homeUrl,redirectUris,applicationName,vendor,version,trusted').split(',')
}

function readService(request: MachineRequest): HubService {
  let json: unknown
  try {
    json = JSON.parse(decodeUtf8(request.body))
  } catch (cause) {
    if (cause instanceof OAuthError) throw cause
    throw new OAuthError('invalid_request', 'The body is not JSON', { cause })
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    throw new OAuthError('invalid_request', 'The body must be a JSON object')
  }
  const members = json as Record<string, unknown>
  const text = (name: string): string | undefined => {
    const value = members[name]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value !== 'string') throw new OAuthError('invalid_request', `Member ${name} must be a string`)
    return value
  }
  const name = text('name')
  if (name === undefined) throw new OAuthError('invalid_request', 'Member name is missing')
  const homeUrl = text('homeUrl')
  const listed = members['redirectUris'] ?? []
  if (!Array.isArray(listed) || listed.some((uri) => typeof uri !== 'string')) {
    throw new OAuthError('invalid_request', 'Member redirectUris must be an array of strings')
  }
  const redirectUris = (listed as string[]).map((uri) => absoluteUri(homeUrl, uri))
  const { vendor, version } = { vendor: text('vendor'), version: text('version') }
  return {
    name,
    homeUrl,
    redirectUris,
    applicationName: text('applicationName'),
    vendor,
    version,
    trusted: members['trusted'] === true,
  }
}

// A relative redirect URI hangs on homeUrl: one slash, and it must stay at that origin.
function absoluteUri(homeUrl: string | undefined, uri: string): string {
  if (!uri.startsWith('/')) return uri
  if (uri.startsWith('//') || homeUrl === undefined || !URL.canParse(homeUrl)) {
    throw new OAuthError('invalid_redirect_uri', 'A relative redirect URI starts with one slash and needs homeUrl')
  }
  const whole = homeUrl.replace(/\/$/, '') + uri
  if (!URL.canParse(whole) || new URL(whole).origin !== new URL(homeUrl).origin) {
    throw new OAuthError('invalid_redirect_uri', 'A relative redirect URI must stay at the origin of homeUrl')
  }
  return whole
}

/** JetBrains Hub's URLs (its REST API, version 1): registration, authorization and token endpoint. */
export const hub: CompatDoor = {
  machines: (base) => [
    [`${base}/api/rest/services`, services],
    [`${base}/api/rest/oauth2/token`, token],
  ],
  pages(pages) {
    pages.on(['GET', 'POST'], '/api/rest/oauth2/auth', authorizePage(translateHubAuthorization))
  },
}
