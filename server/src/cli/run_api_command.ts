import * as z from 'zod'
import { ACCESS_TOKEN_VARIABLE } from '../config/settings.ts'
import { randomSecret } from '../crypto/random.ts'
import type { ApiRoute } from '../web/api/route.ts'
import { API_ROUTES } from '../web/api/table.ts'
import { type ApiCommand, type Given, toWords } from './api_commands.ts'
import { CommandError, EXIT } from './exit_codes.ts'
import { livingToken } from './login.ts'
import { describeRefusal, type Json, type RemoteServer, reachServer, readJson } from './remote_server.ts'
import { readRouteInput } from './route_input.ts'
import { describeList, describeThing } from './show_answer.ts'
import { confirm } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Where a command of the API runs, and how its answer is shown. */
export interface ApiSurroundings {
  readonly issuer: string
  readonly env: Env
  readonly json: boolean
}

const MOST_OF_A_PAGE = 200

/** Runs one command of the table, and prints what the server answers. */
export async function runApiCommand({ route }: ApiCommand, given: Given, at: ApiSurroundings): Promise<number> {
  const server = reachServer(at.issuer)
  const api: Api = { server, env: at.env, issuer: at.issuer }
  try {
    if (route.media_type !== undefined) return await copyOut(api, route, given)
    if (route.query && 'cursor' in route.query) return await list(api, route, given, at.json)
    const { body, if_match } = await prepare(api, route, given)
    if (route.method === 'DELETE' && given.options['yes'] !== true) {
      await confirm(`${route.summary}: ${Object.values(given.params).join(', ')}. Go on?`)
    }
    const { json } = await ask(api, route, { params: given.params, query: queryOf(route, given), body, if_match })
    show(json, at.json)
    return EXIT.done
  } finally {
    await server.close()
  }
}

/** What asks the API: a server, and whose token. */
export interface Api {
  readonly server: RemoteServer
  readonly issuer: string
  readonly env: Env
}

interface Asked {
  readonly params: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly if_match?: string | undefined
}

/** Asks one route; a token that is not good any more is renewed once. */
export async function ask(
  api: Api,
  route: ApiRoute,
  asked: Asked,
): Promise<{ json: Json | null; etag: string | null }> {
  const response = await sendTo(api, route, asked)
  const json = response.status === 204 ? null : await readJson(response)
  return { json, etag: response.headers.get('etag') }
}

/** Sends what asks a route, and answers what came, unless it is a refusal. */
export async function sendTo(api: Api, route: ApiRoute, asked: Asked): Promise<Response> {
  const { method, repeatable, media_type } = route
  const url = `${api.issuer}/api${fillPath(route.path, asked.params)}${writeQuery(asked.query)}`
  const headers = {
    accept: media_type ?? 'application/json',
    ...(asked.body !== undefined && { 'content-type': 'application/json' }),
    ...(asked.if_match !== undefined && { 'if-match': asked.if_match }),
    ...(method === 'POST' && !repeatable && { 'idempotency-key': randomSecret() }),
  }
  const body = asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }
  const attempt = (token: string) =>
    api.server.fetch(url, {
      ...{ method, headers: { ...headers, authorization: `Bearer ${token}` }, endless: media_type !== undefined },
      ...body,
    })
  const given = api.env[ACCESS_TOKEN_VARIABLE]
  const token = given || (await livingToken(api.server, api.env))
  let response = await attempt(token)
  if (response.status === 401 && !given) response = await attempt(await livingToken(api.server, api.env, true))
  if (response.ok) return response
  throw await readRefusal(response)
}

async function readRefusal(response: Response): Promise<CommandError> {
  const { status } = response
  const json = await readJson(response)
  const errors = Array.isArray(json['errors']) ? (json['errors'] as Json[]) : []
  const more = errors.slice(1).map(({ pointer, parameter, detail }) => `\n  ${pointer ?? parameter}: ${detail}`)
  return new CommandError(describeRefusal(json, status) + more.join(''), CODES[status] ?? EXIT.failed)
}

const CODES: Readonly<Record<number, number>> = {
  401: EXIT.not_allowed,
  403: EXIT.not_allowed,
  404: EXIT.not_there,
  409: EXIT.conflict,
  412: EXIT.conflict,
}

function fillPath(path: string, params: Asked['params']): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name] ?? ''
    // Dots would climb out of the path, and nothing at all is the path of another route.
    if (/^\.{0,2}$/.test(value)) throw new CommandError(`${name} must be the name of something`)
    return encodeURIComponent(value)
  })
}

function writeQuery(query: Asked['query'] = {}): string {
  const search = new URLSearchParams(query).toString()
  return search === '' ? '' : `?${search}`
}

function queryOf({ query = {} }: ApiRoute, { options }: Given): Record<string, string> {
  return Object.fromEntries(
    Object.keys(query).flatMap((name) => {
      const value = options[toWords(name).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())]
      return value === undefined || name === 'cursor' || name === 'limit' ? [] : [[name, String(value)]]
    }),
  )
}

/** Pages on until there are as many as were wanted, or no more. */
async function list(api: Api, route: ApiRoute, given: Given, json: boolean): Promise<number> {
  const { limit, all } = given.options
  if (!/^[1-9]\d{0,6}$/.test(String(limit))) throw new CommandError('--limit must be a whole number')
  const most = all === true ? Number.POSITIVE_INFINITY : Number(limit)
  const items: Json[] = []
  for (let cursor: string | undefined; ; ) {
    const wanted = Math.min(MOST_OF_A_PAGE, most - items.length)
    const query = { ...queryOf(route, given), limit: String(wanted), ...(cursor !== undefined && { cursor }) }
    const { json: page } = await ask(api, route, { params: given.params, query })
    items.push(...((page?.['items'] ?? []) as Json[]))
    cursor = page?.['next_cursor'] as string | undefined
    if (cursor === undefined || items.length >= most) {
      show({ items, ...(cursor !== undefined && { next_cursor: cursor }) }, json)
      if (cursor !== undefined && !json) process.stderr.write('There is more: --all, or a larger --limit\n')
      return EXIT.done
    }
  }
}

async function copyOut(api: Api, route: ApiRoute, given: Given): Promise<number> {
  const response = await sendTo(api, route, { params: given.params, query: queryOf(route, given) })
  for await (const chunk of response.body ?? []) {
    if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
  return EXIT.done
}

/** What is sent: as given, and of a change, where not all of it is given, what stands beside it. */
async function prepare(api: Api, route: ApiRoute, given: Given): Promise<{ body?: unknown; if_match?: string }> {
  const changes = route.method === 'PUT' || route.method === 'PATCH'
  const current = changes ? API_ROUTES.find(({ method, path }) => method === 'GET' && path === route.path) : undefined
  const stands = current && (await ask(api, current, { params: given.params }))
  const if_match = stands?.etag == null ? {} : { if_match: stands.etag }
  if (!route.body) return if_match
  // PUT says all of a thing: what is not named stays as it was seen.
  const base = route.method === 'PUT' ? (stands?.json ?? {}) : {}
  return { ...if_match, body: await readRouteInput(z.toJSONSchema(route.body, { io: 'input' }), base, given.options) }
}

function show(json: Json | null, as_json: boolean): void {
  if (as_json) process.stdout.write(`${JSON.stringify(json ?? {}, null, 2)}\n`)
  else if (json === null) {
    if (process.stdout.isTTY) process.stdout.write('Done\n')
  } else if (Array.isArray(json['items'])) {
    process.stdout.write(
      describeList(json['items'] as Json[], process.stdout.isTTY ? process.stdout.columns : undefined),
    )
  } else process.stdout.write(describeThing(json))
}
