import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createApp } from '../../server/src/app.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { openStore } from '../../server/src/store/store.ts'
import { API_ROUTES } from '../../server/src/web/api/table.ts'
import { COMPAT_DOORS } from '../../server/src/web/compat/index.ts'
import { machineRoutes, pageRoutes } from '../../server/src/web/routes.ts'
import { stylesheet } from '../../server/src/web/ui/assets.ts'
import { BOB, type Bridge, startBridge } from '../parts/bridge.ts'
import { sendRaw } from '../parts/raw_http.ts'
import { dumpRows, printRow } from '../parts/snapshot.ts'
import type { UserAgent } from '../parts/user_agent.ts'

const ROOT = { username: 'root', password: 'correct horse battery' }
/** At the root of a host, and under a path of one. */
const PATHS = ['', '/hub'] as const
const bridges = new Map<string, Bridge>()

before(async () => {
  for (const path of PATHS) {
    const bridge = await startBridge({ path })
    await bridge.server.addUser({ ...ROOT, roles: ['administrator'] })
    bridges.set(path, bridge)
  }
})
after(async () => {
  for (const bridge of bridges.values()) await bridge.stop()
})

const API_PATHS = new RegExp(`^/api/(${[...new Set(API_ROUTES.map(({ path }) => path.split('/')[1]))].join('|')})(/|$)`)

/** Every URL of the router, from its own table: the path with something in its holes, and the methods it takes. */
function routes(): Map<string, string[]> {
  const table = new Map<string, string[]>()
  for (const { path, method } of pageRoutes(COMPAT_DOORS).routes) {
    // What is under it stands in a table of its own.
    if (path === '/api/*') continue
    const filled = path
      .replace(':connector/*', 'acme/x')
      .replace(':connector', 'acme')
      .replace(':connection_id/*', 'x/y')
      .replace(':connection_id', 'x')
      .replace('/assets/:file', stylesheet.path)
      .replace(/^\/$/, '')
    const known = table.get(filled) ?? []
    // What is registered for all methods last refuses those that are not taken.
    table.set(filled, method === 'ALL' && known.length > 0 ? known : [...known, method])
  }
  for (const { path, method } of API_ROUTES) {
    const filled = `/api${path.replaceAll(/\{\w+\}/g, 'x')}`
    table.set(filled, [...(table.get(filled) ?? []), method])
  }
  return table
}

for (const path of PATHS) {
  const where = path === '' ? 'at the root of a host' : `under ${path}`

  test(`4.1.4 ${where} each URL takes its methods, HEAD with GET, and refuses the others with Allow`, async () => {
    const { issuer } = bridges.get(path)!
    const table = routes()
    assert.ok(table.size >= 30)
    for (const [route, methods] of table) {
      if (methods.includes('ALL')) continue
      const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const answer = await fetch(issuer + route, { method, redirect: 'manual' })
        const text = await answer.text()
        const what = `${method} ${route} ${answer.status}`
        if (allow.includes(method)) assert.notEqual(answer.status, 405, what)
        else {
          assert.equal(answer.status, 405, what)
          assert.deepEqual(answer.headers.get('allow')!.split(', ').sort(), [...allow].sort(), what)
        }
        if (method === 'HEAD') assert.equal(text, '', what)
        const json = API_PATHS.test(route) && answer.status >= 400
        if (json && method !== 'HEAD') assert.equal(typeof JSON.parse(text).error, 'string', what)
        assert.ok(answer.headers.get('x-request-id'), what)
        assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', what)
        const kept = route.startsWith('/assets/') && answer.status === 200
        if (!kept) assert.equal(answer.headers.get('cache-control'), 'no-store', what)
      }
    }
  })

  test(`${where} what is not there is a page for people and JSON for programs`, async () => {
    const bridge = bridges.get(path)!
    const { origin } = new URL(bridge.issuer)
    for (const [url, accept, json] of [
      ['/nothing', 'text/html,application/xhtml+xml', false],
      ['/nothing', '*/*', false],
      ['/nothing', 'application/json', true],
      ['/nothing', 'application/problem+json, */*;q=0.1', true],
      ['/nothing', 'text/html, application/json', false],
      ['/proxy', '*/*', true],
      ['/.well-known/nothing', '*/*', true],
      ['/apiary', '*/*', false],
      ['/admin/nothing', '*/*', false],
      ['/%00', '*/*', false],
      ['/connect/%00', '*/*', false],
      ['/assets/%00', '*/*', false],
    ] as const) {
      const answer = await fetch(bridge.issuer + url, { headers: { accept } })
      const text = await answer.text()
      assert.equal(answer.status, 404, url)
      assert.match(answer.headers.get('content-type')!, json ? /^application\/json/ : /^text\/html/, `${url} ${accept}`)
      if (json)
        assert.deepEqual(JSON.parse(text), {
          error: 'invalid_request',
          error_description: 'There is nothing at this URL',
        })
      else assert.match(text, /There is no such page/)
    }
    for (const url of ['/api', '/api/', '/api/nothing', '/api/clients/x/nothing', '/api/clients//disable']) {
      const answer = await fetch(bridge.issuer + url, { headers: { accept: 'text/html' } })
      const { request_id, ...problem } = (await answer.json()) as Record<string, unknown>
      assert.equal(answer.headers.get('content-type'), 'application/problem+json', url)
      assert.equal(request_id, answer.headers.get('x-request-id'))
      assert.deepEqual(problem, {
        ...{ type: 'about:blank', title: 'Not Found', status: 404, detail: 'There is nothing at this URL' },
        ...{ error: 'invalid_request', error_description: 'There is nothing at this URL' },
      })
    }
    if (path !== '') {
      for (const outside of ['/', '/account', '/login', '/hubble/account', '/HUB/account']) {
        assert.equal((await fetch(origin + outside, { redirect: 'manual' })).status, 404, outside)
      }
    }
  })

  test(`${where} a parameter that cannot be read is refused by name, and never reaches the database`, async () => {
    const bridge = bridges.get(path)!
    const root = await bridge.signIn(ROOT)
    for (const query of ['x=%00', 'x=%ff', 'x=1&x=2', `x=${'a'.repeat(7000)}%00`]) {
      for (const [page, name] of [
        ...(['q', 'cursor'] as const).map((parameter) => ['/admin/users', parameter] as const),
        ...(['connector', 'state', 'cursor'] as const).map((parameter) => ['/admin/connections', parameter] as const),
        ...(['event', 'actor', 'user', 'connection', 'until', 'cursor'] as const).map(
          (parameter) => ['/admin/events', parameter] as const,
        ),
        ...(['user', 'client', 'cursor'] as const).map((parameter) => ['/admin/grants', parameter] as const),
        ['/admin/grant', 'grant_id'],
        ['/admin/event', 'event_id'],
        ['/admin/connection', 'connection_id'],
        ['/admin/webhook', 'webhook'],
        ['/admin/role/edit', 'role'],
        ['/admin/clients', 'cursor'],
        ['/admin/client', 'client_id'],
        ['/admin/connector', 'connector'],
        ['/connect/acme', 'connection_id'],
        ['/setup', 'token'],
        ['/login', 'return_to'],
        ['/consent', 'request'],
      ] as const) {
        const url = `${bridge.issuer}${page}?${query.replaceAll('x=', `${name}=`)}`
        const answer = await root.request(url)
        const text = await answer.text()
        assert.equal(answer.status, 400, `${page} ${name} ${query.slice(0, 20)}`)
        assert.ok(text.includes(`Parameter ${name}`), `${page} ${name}`)
      }
    }
    const failed = bridge.server.log.filter((line) => (line as { level: string }).level === 'error')
    assert.deepEqual(failed, [])
  })

  test(`3.5.1 5.7 3.5.2 ${where} each form refuses what another site, another browser or another session sends`, async () => {
    const bridge = bridges.get(path)!
    const { issuer } = bridge
    const root = await bridge.signIn(ROOT)
    const stranger = await bridge.signIn(BOB)
    const csrf_token = await readToken(root, `${issuer}/account`)
    const strange_token = await readToken(stranger, `${issuer}/account`)
    const mine = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }
    const forms = [...routes()].filter(
      ([route, methods]) => methods.includes('POST') && !/^\/(api|authorize|logout$)|\/callback$/.test(route),
    )
    assert.ok(forms.length >= 14)
    const { tenant_id, store } = bridge.server.app.tenant
    const count = async () =>
      (await store.pageEvents({ tenant_id, before_event_id: '~', type: '', actor: '', most: 1000 })).length
    const before = await count()
    const fields = { client_id: 'web', sid: 'x', connection_id: 'x', theme: 'dark', username: 'x', password: 'y' }
    const send = async (route: string, token: string | null, headers: Record<string, string>, body?: string) => {
      const form = new URLSearchParams({ ...fields, ...(token === null ? {} : { csrf_token: token }) })
      const answer = await root.request(issuer + route, { method: 'POST', headers, body: body ?? form.toString() })
      await answer.text()
      return answer.status
    }
    for (const [route] of forms) {
      for (const [what, token, headers, body] of [
        ['another site', csrf_token, { ...mine, 'sec-fetch-site': 'cross-site' }],
        ['another subdomain', csrf_token, { ...mine, 'sec-fetch-site': 'same-site' }],
        ['an address bar', csrf_token, { ...mine, 'sec-fetch-site': 'none' }],
        ['neither header', csrf_token, { 'content-type': mine['content-type'] }],
        ['another origin', csrf_token, { 'content-type': mine['content-type'], origin: 'https://evil.example' }],
        ['no origin', csrf_token, { 'content-type': mine['content-type'], origin: 'null' }],
        ['no token', null, mine],
        ['an empty token', '', mine],
        ['the token of another session', strange_token, mine],
        ['plain text', null, { ...mine, 'content-type': 'text/plain' }, `csrf_token=${csrf_token}&x=`],
        ['JSON', null, { ...mine, 'content-type': 'application/json' }, JSON.stringify({ csrf_token })],
        ['an empty body', null, mine, ''],
        ['two tokens', null, mine, `csrf_token=${csrf_token}&csrf_token=${csrf_token}`],
      ] as [string, string | null, Record<string, string>, string?][]) {
        const status = await send(route, token, headers, body)
        assert.ok([400, 403, 415].includes(status), `${route} from ${what}: ${status}`)
      }
    }
    assert.equal(await count(), before, 'nothing happened')
    assert.equal((await root.request(`${issuer}/account`)).status, 200, 'and nobody was signed out')
  })

  test(`3.5.3 ${where} no GET and no HEAD changes anything`, async () => {
    const bridge = bridges.get(path)!
    const root = await bridge.signIn(ROOT)
    const { tenant_id, store } = bridge.server.app.tenant
    const count = async () =>
      (await store.pageEvents({ tenant_id, before_event_id: '~', type: '', actor: '', most: 1000 })).length
    const before = await count()
    for (const [route, methods] of routes()) {
      // To begin a consent flow is what this link is for.
      if (!methods.includes('GET') || route === '/connect/acme' || route.endsWith('/callback')) continue
      for (const method of ['GET', 'HEAD']) {
        const answer = await root.request(bridge.issuer + route, { method })
        // What is followed has no end.
        await (answer.headers.get('content-type')?.startsWith('text/event-stream')
          ? answer.body?.cancel()
          : answer.text())
      }
    }
    assert.equal(await count(), before)
  })
}

// Whoever asks: sign-in, what leads to it, and files. Everything else needs somebody, or a token.
const PUBLIC = [
  '',
  '/authorize',
  '/api/openapi.json',
  '/api/rest/oauth2/auth',
  '/consent',
  '/login',
  '/login/answer',
  '/login/link/open',
  '/login/with',
  '/logout',
  '/setup',
  stylesheet.path,
  '/sign_up',
  '/sign_up/account',
  '/reset',
  '/reset/password',
  // Of a browser that holds the cookie of a connect session, or of whoever was sent a link.
  ...['/connect/session', '/connect/session/start', '/connect/invitation'],
]
// Whoever is signed in; the rest of the console is for administrators.
const PERSONAL = [
  ...['/account', '/account/security', '/account/security/totp', '/account/security/password', '/device'],
  ...['/account/activity', '/account/data', '/account/data/export'],
  ...['/account/security/email/confirm', '/connect/acme', '/connect/acme/callback'],
  ...['/connect/acme/finish', '/connect/acme/key', '/connect/acme/allow'],
  ...['/connect/acme/ask', '/connect/acme/device'],
  // Of whoever has given the right password, signed in or not.
  ...['/login/factor', '/login/enrol'],
]

test('5.17 8.3.1 CVE-2025-67717 each route is public, personal, an administrator’s, or takes a token; none is forgotten', async () => {
  const bridge = bridges.get('/hub')!
  const bob = await bridge.signIn(BOB)
  for (const [route, methods] of routes()) {
    if (!methods.includes('GET') && !methods.includes('ALL')) continue
    const url = bridge.issuer + route
    const anonymous = await fetch(url, { redirect: 'manual' })
    await anonymous.text()
    const location = anonymous.headers.get('location') ?? ''
    if (PUBLIC.includes(route)) assert.doesNotMatch(location, /return_to/, route)
    else if (/^\/(api|proxy)\//.test(route)) assert.equal(anonymous.status, 401, route)
    else {
      assert.equal(anonymous.status, 303, route)
      assert.ok(location.startsWith('/hub/login?return_to='), route)
      const personal = await bob.request(url)
      await personal.text()
      if (PERSONAL.includes(route)) assert.notEqual(personal.status, 403, route)
      else assert.equal(personal.status, 403, route)
    }
  }
})

test('8.2.2 CVE-2025-61928 who somebody is comes from the session or the token, and from nothing else that is sent', async () => {
  const bridge = bridges.get('/hub')!
  const { issuer, server, users } = bridge
  const alice = await bridge.signIn()
  await bridge.connect(alice)
  await bridge.obtain(alice)
  const user_id = users['alice']!
  const rowsOfAlice = async () => {
    const tables = [...(await dumpRows(server.store))].filter(([table]) => table !== 'guesses')
    const hers = tables.flatMap(([table, rows]) =>
      rows.filter((row) => row['user_id'] === user_id).map((row) => `${table} ${printRow(row, ['last_seen_at'])}`),
    )
    return hers.sort()
  }
  const of = async (table: string) =>
    (await dumpRows(server.store)).get(table)!.find((row) => row['user_id'] === user_id)!
  const [session, grant, [connection]] = [await of('sessions'), await of('grants'), await bridge.connections()]
  const ids = { sid: session['session_id'], grant_id: grant['grant_id'], connection_id: connection!.connection_id }
  const names = ['user_id', 'userId', 'user', 'uid', 'id', 'sub', 'owner', 'account', 'actor', 'session_id']
  const claimed = { ...Object.fromEntries(names.map((name) => [name, user_id])), ...(ids as Record<string, string>) }
  const headers = {
    ...Object.fromEntries(['x-user-id', 'x-user', 'x-forwarded-user', 'remote-user'].map((name) => [name, user_id])),
    ...{ 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' },
  }
  const before = await rowsOfAlice()
  assert.ok(before.length > 4)
  let by_api: UserAgent | undefined
  for (const [route, methods] of routes()) {
    if (!methods.includes('POST') && !methods.includes('ALL')) continue
    const url = `${issuer}${route}?${new URLSearchParams(claimed)}`
    // What a form may end is begun anew for each; the API knows no session to end.
    const bob: UserAgent = (route.startsWith('/api/') ? by_api : undefined) ?? (await bridge.signIn(BOB))
    if (route.startsWith('/api/')) by_api = bob
    const csrf_token = await readToken(bob, `${issuer}/account`)
    const body = new URLSearchParams({ client_id: 'web', scope: 'openid', ...claimed, csrf_token }).toString()
    for (const send of [fetch, bob.request.bind(bob)]) {
      const answer = await send(url, { method: 'POST', headers, body, redirect: 'manual' })
      assert.doesNotMatch(await answer.text(), /Alice Example|alice@/, route)
      assert.ok(answer.status !== 200 || !route.startsWith('/api/'), route)
      assert.ok(answer.status < 500, `${route} ${answer.status}`)
    }
  }
  assert.deepEqual(await rowsOfAlice(), before)
  const own = { ...ids, csrf_token: await readToken(alice, `${issuer}/account`) } as Record<string, string>
  const done = await alice.request(`${issuer}/account/connections/disconnect`, {
    ...{ method: 'POST', headers, body: new URLSearchParams(own).toString() },
  })
  assert.equal(done.status, 303)
  assert.notDeepEqual(await rowsOfAlice(), before, 'her own session changes what they cannot')
})

// Where machines read what everybody may know.
const PUBLISHED = /\/(jwks|healthz|readyz|settings\/public|openapi\.json)$|\/\.well-known\//

test('5.17 CVE-2026-102596 CVE-2026-70478 whoever shows nothing gets nothing of any endpoint for programs, by any method', async () => {
  const { issuer } = bridges.get('/hub')!
  const table = routes()
  const api = [...table.keys()].filter((route) => /^\/(api|proxy)\//.test(route) && !route.endsWith('/oauth2/auth'))
  const machines = [...machineRoutes(issuer, COMPAT_DOORS).keys()].map((path) => path.replace(/\/$/, '/x'))
  const guarded = [...api.map((route) => issuer + route), ...machines.map((path) => new URL(path, issuer).href)].filter(
    (url) => !PUBLISHED.test(new URL(url).pathname),
  )
  assert.ok(guarded.length >= 20)
  for (const url of guarded) {
    // That the API's table takes no other method is asked above.
    const own = table.get(url.slice(issuer.length))
    const methods =
      API_PATHS.test(url.slice(issuer.length)) && own ? own : ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
    for (const method of methods) {
      for (const authorization of [undefined, 'Bearer ', 'Bearer null', 'Basic Og==']) {
        const body = ['GET', 'HEAD'].includes(method) ? null : new URLSearchParams({ client_id: 'web', token: 'x' })
        const answer = await fetch(url, { method, body, headers: authorization === undefined ? {} : { authorization } })
        const text = await answer.text()
        const what = `${method} ${url} ${authorization}: ${answer.status} ${text}`
        assert.ok([400, 401, 403, 404, 405, 415].includes(answer.status), what)
        assert.doesNotMatch(text, /access_token"|refresh_token"|secret"/, what)
      }
    }
  }
})

test('the address of the server leads to the account', async () => {
  for (const [path, bridge] of bridges) {
    for (const url of [bridge.issuer, `${bridge.issuer}/`]) {
      const { status, headers } = await fetch(url, { redirect: 'manual' })
      assert.equal(status, 303)
      assert.equal(headers.get('location'), `${path}/account`)
    }
  }
})

test('a Host header, a forwarded host and an absolute request line lead nobody elsewhere', async () => {
  const { issuer } = bridges.get('/hub')!
  const port = Number(new URL(issuer).port)
  for (const [request, status] of [
    // A public name that was pointed at this computer: nothing of a server for development is shown under it.
    ['GET /hub/account HTTP/1.1\r\nHost: evil.example\r\n', 421],
    ['GET http://evil.example/hub/account HTTP/1.1\r\nHost: evil.example\r\n', 421],
    ['GET http://localhost/hub/account HTTP/1.1\r\nHost: localhost\r\n', 303],
    [
      'GET /hub/account HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n',
      303,
    ],
  ] as const) {
    const answer = await sendRaw(port, `${request}Connection: close\r\n\r\n`)
    assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), answer)
    if (status === 303) assert.match(answer, /\r\nlocation: \/hub\/login\?return_to=%2Fhub%2Faccount\r\n/i)
    assert.doesNotMatch(answer, /evil/)
  }
})

test('4.1.2 nothing that programs call sends a request on from http to https', async () => {
  const store = await openStore({ sqlite: ':memory:' })
  const quiet = () => {}
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const issuer = 'https://id.example.test'
  const app = await createApp({ issuer, store, root: new RootKey(new Uint8Array(32).fill(7)), log })
  try {
    const api = [...routes().keys()].filter((route) => /^\/(api|proxy)\//.test(route))
    for (const path of [...machineRoutes(issuer, COMPAT_DOORS).keys(), ...api]) {
      for (const method of ['GET', 'POST']) {
        const headers = { authorization: 'Bearer x', 'x-forwarded-proto': 'http' }
        const answer = await app.fetch(new Request(`http://id.example.test${path}`, { method, headers }))
        await answer.text()
        assert.ok(answer.status < 300 || answer.status >= 400, `${method} ${path} ${answer.status}`)
        assert.equal(answer.headers.get('location'), null, path)
      }
    }
  } finally {
    await app.close()
    await store.close()
  }
})

for (const [issuer, prefix, cookiePath] of [
  ['https://id.example.test', '__Host-', '/'],
  ['https://example.test/hub', '__Secure-', '/hub'],
] as const) {
  test(`3.3.1 3.3.3 3.4.1 3.4.4 Q-04 ${issuer} keeps its cookies and browsers to https`, async () => {
    const store = await openStore({ sqlite: ':memory:' })
    const quiet = () => {}
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
    const app = await createApp({ issuer, store, root: new RootKey(new Uint8Array(32).fill(7)), log })
    try {
      const urls = [...routes().keys()].map((route) => issuer + route)
      const machines = [...machineRoutes(issuer, COMPAT_DOORS).keys()].map((route) => new URL(route, issuer).href)
      let cookies = 0
      for (const url of [...urls, ...machines, `${issuer}/nothing`, `${issuer}/api/nothing`]) {
        const answer = await app.fetch(new Request(url))
        assert.match(answer.headers.get('strict-transport-security') ?? '', /^max-age=63072000/, url)
        assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', url)
        for (const cookie of answer.headers.getSetCookie()) {
          cookies++
          assert.ok(cookie.startsWith(`${prefix}sallyport_`), cookie)
          assert.match(cookie, /; Secure(;|$)/)
          assert.match(cookie, /; HttpOnly(;|$)/)
          assert.match(cookie, /; SameSite=Lax(;|$)/)
          assert.match(cookie, new RegExp(`; Path=${cookiePath}(;|$)`))
          assert.doesNotMatch(cookie, /Domain/i)
        }
      }
      assert.ok(cookies > 10)
    } finally {
      await app.close()
      await store.close()
    }
  })
}

async function readToken(person: UserAgent, url: string): Promise<string> {
  const html = await (await person.request(url)).text()
  return /name="csrf_token" value="([^"]+)"/.exec(html)![1]!
}
