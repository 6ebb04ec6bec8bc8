import type { Context } from 'hono'
import { requireAccessToken } from '../../inbound/tokens/require_access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { toResourceRequest } from '../endpoints/direct_request.ts'
import {
  type Answer,
  answerMachine,
  decodeUtf8,
  jsonAnswer,
  type MachineEndpoint,
  type MachineRequest,
} from '../machine.ts'
import { type PageEnv, readBody } from '../page.ts'
import type { Web } from '../web.ts'

/** Hub's own service: the scope by which a token may ask Hub who its user is. */
export const HUB_SERVICE = '0-0-0-0-0'

/** Hub's REST API as a resource (RFC 8707): tokens with the scope of Hub's own service are for it. */
export function hubResource(issuer: string): string {
  return `${issuer}/api/rest`
}

/** The resource that a service stands for; its one scope is the id of the service. */
export function serviceResource(issuer: string, id: string): string {
  return `${hubResource(issuer)}/services/${id}`
}

/** Who calls the REST API. */
export interface Caller {
  readonly client_id: string
  /** Whose token it is; null where a client acts on its own behalf. */
  readonly user_id: string | null
  readonly administrates: boolean
  /** As the audit log names it. */
  readonly actor: string
}

/**
 * The caller of a request: an administrator's token for the administration, or a token for Hub itself, whose user may
 * see to what is their own. `scope` is what an administrator needs.
 */
export async function findCaller(
  web: Web,
  request: MachineRequest,
  scope: 'admin:read' | 'admin:write',
): Promise<Caller> {
  const { issuer } = web.tenant
  const audience = [`${issuer}/api`, hubResource(issuer)]
  const {
    claims,
    user_id,
    scope: held,
  } = await requireAccessToken(web.inbound, toResourceRequest(web, request), {
    audience,
    scope: [],
  })
  const aud = [claims.aud].flat()
  const administrates = aud.includes(`${issuer}/api`) && held.includes(scope)
  if (!administrates && !(aud.includes(hubResource(issuer)) && held.includes(HUB_SERVICE))) {
    throw new OAuthError('insufficient_scope', `The access token needs scope ${scope} or ${HUB_SERVICE}`)
  }
  const actor = user_id === null ? `client:${claims.client_id}` : `user:${user_id}`
  return { client_id: claims.client_id, user_id, administrates, actor }
}

/** The caller, who must be an administrator. */
export async function requireAdministrator(
  web: Web,
  request: MachineRequest,
  scope: 'admin:read' | 'admin:write',
): Promise<Caller> {
  const caller = await findCaller(web, request, scope)
  if (caller.administrates) return caller
  throw new OAuthError('insufficient_scope', `The access token needs scope ${scope}`)
}

/** The user of a path, `me` or an id: the caller, or anybody where an administrator asks. */
export async function findPathUser(web: Web, caller: Caller, id: string) {
  const user_id = id === 'me' ? caller.user_id : id
  if (user_id === null) throw new OAuthError('invalid_request', 'The access token has no user', { status: 404 })
  if (user_id !== caller.user_id && !caller.administrates) {
    throw new OAuthError('insufficient_scope', 'Only an administrator may see to another user')
  }
  const user = await web.tenant.store.findUser({ tenant_id: web.tenant.tenant_id, user_id })
  if (!user) throw notFound('user')
  return user
}

/**
 * Refuses a caller who may know who the user is, and no more: consents, refresh tokens and permanent tokens are seen and
 * changed by trusted services, by the user's own permanent tokens and by administrators. Any service gets a token for Hub
 * by a consent that speaks of the user's name alone.
 */
export async function requireOwnMatters(web: Web, { client_id, administrates }: Caller): Promise<void> {
  const { issuer, tenant_id, store } = web.tenant
  if (administrates || client_id === issuer) return
  const client = await store.findClient({ tenant_id, client_id })
  if (client?.trusted === 1) return
  throw new OAuthError('insufficient_scope', "Only a trusted service may see to a user's tokens and approvals")
}

/** The refusal of what is not there. */
export function notFound(what: string): OAuthError {
  return new OAuthError('invalid_request', `There is no such ${what}`, { status: 404 })
}

/** The JSON object of a body. */
export function readJsonBody(request: MachineRequest): Record<string, unknown> {
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
  return json as Record<string, unknown>
}

/** Hub answers a deletion with 200 and nothing. */
export const DELETED: Answer = { ...jsonAnswer({}), body: '' }

const MOST_ITEMS = 100

/** Where a page of a collection begins, and how many it has. */
export function readPage(values: Readonly<Record<string, string>>): { skip: number; top: number } {
  const read = (name: string, fallback: number, most: number) => {
    const text = values[name]
    if (text === undefined) return fallback
    if (!/^\d{1,9}$/.test(text)) throw new OAuthError('invalid_request', `Parameter ${name} must be a whole number`)
    return Math.min(Number(text), most)
  }
  return { skip: read('$skip', 0, 1_000_000_000), top: read('$top', MOST_ITEMS, MOST_ITEMS) }
}

/** Serves an endpoint whose URL holds names, by the same rules as any endpoint for machines. */
export function rest(endpoint: (param: (name: string) => string) => MachineEndpoint<Web>) {
  return async (c: Context<PageEnv>): Promise<Response> => {
    const web = c.get('web')
    const url = new URL(c.req.url)
    const request: MachineRequest = {
      ...{ method: c.req.method, path: url.pathname, query: url.search.slice(1), request_id: c.get('request_id') },
      header: (name) => c.req.header(name),
      body: await readBody(c),
      sender: c.env ?? {},
    }
    const answer = await answerMachine(
      endpoint((name) => c.req.param(name) ?? ''),
      web,
      request,
      web.log,
    )
    return new Response(answer.body === '' ? null : answer.body, { status: answer.status, headers: answer.headers })
  }
}
