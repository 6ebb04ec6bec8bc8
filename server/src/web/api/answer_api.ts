import type { Context } from 'hono'
import * as z from 'zod'
import { renewNonce } from '../../inbound/client_authentication/sender_constraint.ts'
import { requireAccessToken } from '../../inbound/tokens/require_access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { protectedResourceMetadataUrl } from '../../oauth/metadata.ts'
import { methodNotAllowed } from '../machine.ts'
import { type PageEnv, readQuery } from '../page.ts'
import { readResourceRequest } from './api.ts'
import { answerOnce, type KeptAnswer } from './idempotency.ts'
import { checkIfMatch, entityTag } from './preconditions.ts'
import { notThere } from './problem.ts'
import { readRouteBody, readRouteQuery } from './read_input.ts'
import type { ApiCall, ApiRequest, ApiRoute, Reply } from './route.ts'
import { API_ROUTES } from './table.ts'

/** Answers a request under `<issuer>/api` by the table of its routes; undefined where the table has no such path. */
export async function answerApi(c: Context<PageEnv>): Promise<Response | undefined> {
  const found = findRoutes(c)
  if (!found) return undefined
  const method = c.req.method === 'HEAD' ? 'GET' : c.req.method
  const match = found.find(({ route }) => route.method === method)
  if (!match) throw methodNotAllowed([...new Set(found.map(({ route }) => route.method))])
  return run(c, match.route, match.params)
}

interface Match {
  readonly route: ApiRoute
  readonly params: Readonly<Record<string, string>>
}

function findRoutes(c: Context<PageEnv>): Match[] | undefined {
  const { pathname } = new URL(c.req.url)
  const segments = pathname.slice(`${c.get('web').base}/api/`.length).split('/')
  const found = (BY_LENGTH.get(segments.length) ?? []).flatMap(({ route, names }): Match[] => {
    const fits = names.every((name, i) => (isHole(name) ? segments[i] !== '' : name === segments[i]))
    return fits ? [{ route, params: readParams(names, segments) }] : []
  })
  // A path of words is meant before one with a hole: /users/me is nobody of this name.
  const holes = Math.min(...found.map(({ params }) => Object.keys(params).length))
  const nearest = found.filter(({ params }) => Object.keys(params).length === holes)
  return nearest.length === 0 ? undefined : nearest
}

function readParams(names: readonly string[], segments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name, i) => (isHole(name) ? [[name.slice(1, -1), decodeSegment(segments[i]!)]] : [])),
  )
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    throw new OAuthError('invalid_request', 'The path is not UTF-8 in percent-encoding', { cause })
  }
}

const isHole = (name: string) => name.startsWith('{')

const BY_LENGTH = Map.groupBy(
  API_ROUTES.map((route) => ({ route, names: route.path.slice(1).split('/') })),
  ({ names }) => names.length,
)

async function run(c: Context<PageEnv>, route: ApiRoute, params: Match['params']): Promise<Response> {
  const request = await authorize(c, route, params)
  const fields = readFields(c, route)
  const query = readRouteQuery(c, route)
  const { bytes, body } = await readRouteBody(c, route)
  const act = async () => {
    const found = await findSubject(c, route, request)
    return route.run({ ...request, query, body, found } satisfies ApiCall<string, unknown, unknown, unknown>)
  }
  const key = c.req.header('idempotency-key')
  if (route.method !== 'POST' || route.repeatable || key === undefined) {
    const answer = await act()
    return answer instanceof Response ? answer : send(c, toAnswer(route, answer, fields))
  }
  const { client_id } = request.token.claims
  const { pathname, search } = new URL(c.req.url)
  const keyed = { key, actor: request.actor, client_id, method: route.method, target: pathname + search, bytes }
  // The answer that was given comes before what is asked now: what it did has changed what If-Match names, or ended it.
  const answer = async () => {
    const given = await act()
    return given instanceof Response ? readAnswer(given) : toAnswer(route, given, fields)
  }
  return send(c, await answerOnce(request.web.tenant, keyed, answer))
}

async function authorize(c: Context<PageEnv>, route: ApiRoute, params: Match['params']): Promise<ApiRequest> {
  const web = c.get('web')
  const scope = route.scope === null ? [] : [route.scope].flat()
  // What needs no token has nothing to do with one.
  if (route.scope === null) return { c, web, params } as unknown as ApiRequest
  const request = readResourceRequest(c)
  const resource = `${web.tenant.issuer}/api`
  const token = await requireAccessToken(web.inbound, request, {
    audience: [resource],
    resource_metadata: protectedResourceMetadataUrl(resource),
    scope: scope.slice(0, 1),
    or_scope: scope.slice(1),
  })
  for (const [name, value] of Object.entries(renewNonce(web.inbound, request.dpop))) c.header(name, value)
  const { client_id, sub, grant_id } = token.claims
  // The log knows users by our own name for them, whatever a client knows them by.
  const actor = grant_id === undefined ? `client:${client_id}` : `user:${token.user_id ?? sub}`
  return { c, web, params, token, actor }
}

async function findSubject(c: Context<PageEnv>, route: ApiRoute, request: ApiRequest): Promise<unknown> {
  const { subject, method } = route
  if (!subject) return undefined
  const found: unknown = await subject.find(request)
  if (found === null) throw notThere(subject.name)
  if (method !== 'GET') {
    checkIfMatch(c.req.header('if-match'), subject.version(found), method === 'PUT' || method === 'PATCH')
  }
  return found
}

/** The members that are wanted of an answer, or of each item of a list. */
function readFields(c: Context<PageEnv>, { answer, method }: ApiRoute): readonly string[] | undefined {
  const fields = readQuery(c)['fields']
  if (fields === undefined) return undefined
  const names = method === 'GET' ? memberNames(answer) : []
  const wanted = fields.split(',').map((name) => name.trim())
  const wrong = wanted.find((name) => !names.includes(name))
  if (wrong === undefined) return wanted
  const known = names.length === 0 ? 'is not known here' : `may hold only ${names.join(', ')}`
  throw new OAuthError('invalid_request', `Parameter fields ${known}`)
}

/** The members of an object, or of the items of a page. */
function memberNames(schema: z.ZodType | undefined): string[] {
  if (!(schema instanceof z.ZodObject)) return []
  const { items } = schema.shape as Record<string, z.ZodType>
  return items instanceof z.ZodArray ? memberNames(items.element as z.ZodType) : Object.keys(schema.shape)
}

function toAnswer(
  route: ApiRoute,
  reply: Reply<unknown> | undefined,
  fields: readonly string[] | undefined,
): KeptAnswer {
  if (reply === undefined) return { status: 204, headers: {}, body: '' }
  const { value, version, headers } = reply
  return {
    status: route.status ?? 200,
    headers: {
      'Content-Type': 'application/json',
      ...(version !== undefined && { ETag: entityTag(version) }),
      ...headers,
    },
    body: JSON.stringify(fields ? pick(value as object, fields) : value),
  }
}

async function readAnswer(response: Response): Promise<KeptAnswer> {
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
}

function pick(value: object, fields: readonly string[]): unknown {
  if ('items' in value && Array.isArray(value.items)) {
    return { ...value, items: value.items.map((item: object) => pick(item, fields)) }
  }
  return Object.fromEntries(Object.entries(value).filter(([name]) => fields.includes(name)))
}

function send(c: Context<PageEnv>, { status, headers, body }: KeptAnswer): Response {
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
  return status === 204 ? c.body(null, 204) : c.body(body, status as 200)
}
