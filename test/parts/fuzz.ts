import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { COMPAT_DOORS } from '../../server/src/web/compat/index.ts'
import { machineRoutes, pageRoutes } from '../../server/src/web/routes.ts'
import { paths as page_paths } from '../../server/src/web/ui/paths.ts'
import { basic, CALLBACK, CLIENTS, JWT_API, OPAQUE_API, type Platform, startPlatform, VERIFIER } from './platform.ts'
import { csrfOf, open } from './sign_in_steps.ts'
import { UserAgent } from './user_agent.ts'

/** One request that the grammar made, as it can be told and made again. */
export interface FuzzedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** A platform with live values of every kind, to be put where they belong and where they do not. */
export interface FuzzWorld {
  readonly platform: Platform
  readonly paths: readonly (readonly [path: string, methods: readonly string[]])[]
  readonly values: Readonly<Record<string, readonly string[]>>
  readonly sessions: readonly { readonly cookie: string; readonly csrf_token: string }[]
}

/** A stream of numbers below 1 that a seed decides. */
export function createChance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Starts a platform and collects what is alive in it. */
export async function startFuzzWorld(): Promise<FuzzWorld> {
  const platform = await startPlatform()
  try {
    return await fillFuzzWorld(platform)
  } catch (error) {
    await platform.stop()
    throw error
  }
}

async function fillFuzzWorld(platform: Platform): Promise<FuzzWorld> {
  const { issuer, server } = platform
  await server.addUser({ username: 'root', password: 'root of this platform', roles: ['administrator'] })
  const tokens = await platform.getTokens('web')
  const opaque = await platform.getTokens('web', { resource: OPAQUE_API, scope: 'vault:open' })
  const spa = await platform.getTokens('spa')
  const people = [
    { username: 'alice', password: 'correct horse battery' },
    { username: 'root', password: 'root of this platform' },
  ]
  const sessions: { cookie: string; csrf_token: string }[] = []
  const requests: string[] = []
  for (const person of people) {
    const agent = new UserAgent()
    const login = await open(agent, platform.authorizeUrl('other'))
    requests.push(new URL(login.url).searchParams.get('request') ?? '')
    const { url, response } = await agent.submit(login, person, 'name="password"')
    requests.push(new URL(url).searchParams.get('request') ?? '')
    const csrf_token = csrfOf({ html: await response.text() })
    sessions.push({ cookie: [...agent.cookies].map(([name, value]) => `${name}=${value}`).join('; '), csrf_token })
  }
  const scopes = 'openid email profile offline_access mcp:tools api:read vault:open admin:read admin:write'
  const grant_types = server.app.web.grant_types.map(({ grant_type }) => grant_type)
  const values = {
    client_id: [...Object.values(CLIENTS).map(({ client_id }) => client_id), 'nobody'],
    client_secret: Object.values(CLIENTS).flatMap(({ client_secret }) => client_secret ?? []),
    redirect_uri: [...Object.values(CLIENTS).map(({ redirect_uri }) => redirect_uri), 'https://evil.example/cb'],
    grant_type: [...grant_types, 'password', 'implicit'],
    response_type: ['code', 'token', 'code token', 'id_token', 'none'],
    response_mode: ['query', 'fragment', 'form_post', 'query.jwt', 'web_message'],
    scope: [...scopes.split(' '), scopes],
    resource: [JWT_API, OPAQUE_API, issuer, `${issuer}/api`, `${issuer}/proxy/acme`],
    token: [tokens.access_token, tokens.refresh_token, tokens.id_token, opaque.access_token, spa.refresh_token],
    code: [await platform.getCode('web'), await platform.getCode('spa')],
    prompt: ['none', 'login', 'consent', 'select_account', 'create', 'none login'],
    request: requests.filter((request) => request !== ''),
    username: ['alice', 'root', 'nobody'],
    path: ['/', '/hub/account', '//evil.example', 'https://evil.example/', '/hub/../x'],
    code_challenge: ['A'.repeat(43), 'short'],
    code_verifier: [VERIFIER],
    token_type: ['access_token', 'refresh_token', 'id_token', 'jwt', 'saml2'].map(
      (type) => `urn:ietf:params:oauth:token-type:${type}`,
    ),
  }
  const base = new URL(issuer).pathname
  const paths = new Map<string, readonly string[]>()
  for (const [path, { methods }] of machineRoutes(issuer, COMPAT_DOORS)) paths.set(path, methods)
  for (const { path, method } of pageRoutes(COMPAT_DOORS).routes) {
    // What is followed has no end.
    if (method !== 'ALL' && path !== page_paths.admin_follow_events)
      paths.set(base + path, [...(paths.get(base + path) ?? []), method])
  }
  return { platform, paths: [...paths], values, sessions }
}

// What stands under which name; names that are not here get a value of any kind.
const KIND_OF: Readonly<Record<string, string>> = {
  ...{ refresh_token: 'token', access_token: 'token', subject_token: 'token', actor_token: 'token' },
  ...{ id_token_hint: 'token', subject_token_type: 'token_type', requested_token_type: 'token_type' },
  ...{ return_to: 'path', post_logout_redirect_uri: 'redirect_uri', login_hint: 'username', q: 'username' },
}
const NAMES = [
  ...['grant_type', 'code', 'redirect_uri', 'code_verifier', 'client_id', 'client_secret', 'refresh_token', 'scope'],
  ...['resource', 'audience', 'token', 'token_type_hint', 'response_type', 'response_mode', 'state', 'nonce', 'prompt'],
  ...['max_age', 'ui_locales', 'login_hint', 'id_token_hint', 'acr_values', 'claims', 'code_challenge', 'request'],
  ...['code_challenge_method', 'request_uri', 'authorization_details', 'dpop_jkt', 'client_assertion', 'decision'],
  ...['client_assertion_type', 'subject_token', 'subject_token_type', 'actor_token', 'requested_token_type', 'shown'],
  ...['assertion', 'device_code', 'user_code', 'username', 'password', 'csrf_token', 'return_to', 'theme', 'error'],
  ...['connection_id', 'session_id', 'grant_id', 'user_id', 'client_name', 'redirect_uris', 'before', 'q', 'fields'],
  ...['post_logout_redirect_uri', 'logout_token', 'cursor', '$top', '$skip', 'query', 'iss', 'error_description'],
]
const JUNK = [
  ...[
    '',
    '0',
    '-1',
    '1e309',
    'null',
    'undefined',
    'true',
    '[]',
    '{}',
    '{"a":',
    '__proto__',
    'constructor',
    '../../etc',
  ],
  ...[
    "' or 1=1 --",
    '"><script>alert(1)</script>',
    '${7*7}',
    '{{7*7}}',
    '\r\nSet-Cookie: a=b',
    '%00',
    '%ff',
    '%',
    '%zz',
  ],
  ...['\u202e\u2066evil', '\ud83d\ude00', '\u0000', 'ﬀ', 'İ', 'a'.repeat(255), 'b'.repeat(5000), ' '.repeat(300)],
  ...['.'.repeat(3000), 'eyJhbGciOiJub25lIn0.e30.', 'javascript:alert(1)', 'http://[::1', 'http://localhost:80@evil'],
  ...[
    'urn:x',
    '9'.repeat(400),
    '{"id_token":{"sub":{"value":1}}}',
    '[{"type":"connection"}]',
    '[[[[[[[[[[[[]]]]]]]]]]]]',
  ],
]
const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']
const TYPES = [
  ...['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded', 'application/x-www-form-urlencoded'],
  ...['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'application/jwt', 'x', ''],
]

/** Makes one request out of the grammar: good parts in wrong places, and wrong parts in good places. */
export function fuzzRequest(world: FuzzWorld, chance: () => number): FuzzedRequest {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(chance() * from.length)]!
  const anyValue = () => pick(pick(Object.values(world.values)))
  const mutate = (text: string): string => {
    const at = Math.floor(chance() * (text.length + 1))
    const ways = [
      text.slice(0, at),
      text + pick(JUNK),
      text.slice(0, at) + pick(['x', '.', '=', '\n', 'é']) + text.slice(at),
    ]
    return pick([...ways, text.toUpperCase(), text.repeat(2)])
  }
  const session = chance() < 0.6 ? pick(world.sessions) : undefined
  const valueFor = (name: string): string => {
    if (name === 'csrf_token' && session && chance() < 0.85) return session.csrf_token
    const live = world.values[KIND_OF[name] ?? name]
    const roll = chance()
    if (roll < 0.6 && live) return pick(live)
    if (roll < 0.75) return mutate(anyValue())
    return roll < 0.9 ? pick(JUNK) : anyValue()
  }
  const pairs = (): [string, string][] => {
    const count = Math.floor(chance() ** 2 * 16)
    const names = Array.from({ length: count }, () => (chance() < 0.97 ? pick(NAMES) : mutate(pick(NAMES))))
    if (session && chance() < 0.8) names.push('csrf_token')
    return names.map((name) => [name, valueFor(name)])
  }
  const encode = (list: readonly [string, string][]) => {
    const text = list.map((pair) => pair.map((part) => encodeURIComponent(part.toWellFormed())).join('=')).join('&')
    return chance() < 0.95 ? text : mutate(text).replace(/[^\x21-\x7e]/g, '')
  }
  const origin = new URL(world.platform.issuer).origin
  const fill = (path: string) =>
    path
      .replace(/\/\*$/, () => `/${encodeURIComponent(valueFor('path').toWellFormed())}`)
      .replace(/:[a-z_]+/g, (name) =>
        encodeURIComponent(chance() < 0.5 ? valueFor(name.slice(1)).toWellFormed() : randomUUID()),
      )
  const [route, methods] = pick(world.paths)
  const path = fill(route)
  const query = chance() < 0.5 ? `?${encode(pairs())}` : ''
  const extra = chance() < 0.93 ? '' : pick(['/', '/x', '%2e%2e', ';a=b', '/%00', '/..%2f', '//'])
  const method = chance() < 0.9 ? pick(methods) : pick(METHODS)
  const headers: Record<string, string> = {}
  const say = (share: number, name: string, value: () => string) => {
    const text =
      chance() < share
        ? value()
            .replace(/[^\x20-\x7e]/g, '?')
            .trim()
        : ''
    if (text !== '') headers[name] = text
  }
  const client = pick(Object.values(CLIENTS))
  say(0.35, 'authorization', () =>
    pick([
      basic(client.client_id, client.client_secret ?? ''),
      basic(client.client_id, 'wrong'),
      `Bearer ${valueFor('token')}`,
      `DPoP ${valueFor('token')}`,
      mutate(basic(client.client_id, client.client_secret ?? '')),
      pick(JUNK),
    ]),
  )
  if (session) headers['cookie'] = session.cookie
  else say(0.2, 'cookie', () => mutate(pick(world.sessions).cookie))
  say(0.75, 'sec-fetch-site', () => pick(['same-origin', 'same-origin', 'same-origin', 'cross-site', 'none', 'x']))
  say(0.3, 'origin', () => pick([origin, origin, 'null', 'https://evil.example', 'x']))
  say(0.2, 'accept', () => pick(['application/json', 'text/html', '*/*', mutate('text/html')]))
  say(0.05, 'dpop', () => pick([valueFor('token'), pick(JUNK)]))
  say(0.1, 'x-forwarded-for', () => pick(['10.0.0.1', '::ffff:1.2.3.4', pick(JUNK)]))
  say(0.05, 'if-match', () => pick(JUNK))
  let body: string | undefined
  if (method !== 'GET' && method !== 'HEAD') {
    const type = pick(TYPES)
    if (type !== '')
      headers['content-type'] =
        chance() < 0.95
          ? type
          : mutate(type)
              .replace(/[^\x20-\x7e]/g, '?')
              .trim()
    const fields = pairs()
    if (type === 'application/json') {
      const text = JSON.stringify(Object.fromEntries(fields))
      body = chance() < 0.7 ? text : mutate(text)
    } else body = encode(fields)
  }
  return { method, url: origin + path + extra + query, headers, body }
}

const STACK = /\n\s+at .+:\d+|node:internal|file:\/\/\/|\.ts:\d+|SQLITE_|syntax error at or near/
const CONTENT_TYPES =
  /^(application\/json|text\/html|text\/plain|text\/css|text\/javascript|image\/[a-z+.-]+|font\/woff2|application\/[a-z+.-]+)(;|$)/

/** Sends a request and holds the answer against what must be true of every answer. */
export async function checkRequest(world: FuzzWorld, sent: FuzzedRequest): Promise<number> {
  const { platform } = world
  const { method, url, headers, body } = sent
  const request = new Request(url, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body }) })
  const timer = new AbortController()
  const late = new Promise<never>((_, reject) => {
    const timeout = setTimeout(() => reject(new Error('no answer in 10 s')), 10_000)
    timer.signal.addEventListener('abort', () => clearTimeout(timeout))
  })
  const response = await Promise.race([platform.server.app.fetch(request), late]).finally(() => timer.abort())
  const text = await response.text()
  assert.ok(response.status < 500, `${response.status}: ${text.slice(0, 300)}`)
  assert.doesNotMatch(text, STACK)
  assert.ok(!text.includes('<script>alert(1)'), 'what was sent stands in a page unescaped')
  if (text !== '') assert.match(response.headers.get('content-type') ?? 'none', CONTENT_TYPES)
  for (const name of response.headers.keys()) assert.notEqual(name, 'a', 'a header was injected')
  const location = response.headers.get('location')
  if (location !== null) {
    const { origin } = new URL(platform.issuer)
    const to = new URL(location, url)
    const known = [
      ...Object.values(CLIENTS).map(({ redirect_uri }) => redirect_uri),
      CALLBACK,
      'com.example.app:/callback',
    ]
    const registered = known.some(
      (uri) => new URL(uri).hostname === to.hostname && new URL(uri).pathname === to.pathname,
    )
    assert.ok(to.origin === origin || registered, `an open redirect to ${location}`)
  }
  return response.status
}

/** Sends so many requests of a seed, each platform for a part of them; answers how many had each status. */
export async function runFuzz(
  seed: number,
  requests: number,
  per_world = 5000,
): Promise<{ statuses: Map<number, number>; complaints: string[] }> {
  const chance = createChance(seed)
  const statuses = new Map<number, number>()
  const complaints: string[] = []
  for (let done = 0; done < requests; ) {
    const world = await startFuzzWorld()
    const { server } = world.platform
    const seen = server.log.length
    for (const until = Math.min(requests, done + per_world); done < until; done++) {
      const sent = fuzzRequest(world, chance)
      try {
        const status = await checkRequest(world, sent)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      } catch (error) {
        complaints.push(`request ${done}: ${(error as Error).message}\n${JSON.stringify(sent).slice(0, 3000)}`)
      }
    }
    const errors = server.log.slice(seen).filter((entry) => (entry as { level: string }).level === 'error')
    for (const entry of errors.slice(0, 5)) {
      const { err } = entry as { err?: Error }
      complaints.push(`the log has an error: ${err?.stack ?? JSON.stringify(entry).slice(0, 2000)}`)
    }
    await world.platform.stop()
  }
  return { statuses, complaints }
}
