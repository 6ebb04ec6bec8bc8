import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { settleOutbound } from '../../server/src/outbound/context.ts'
import { BOB, type Bridge, PLATFORM, startBridge } from '../parts/bridge.ts'
import { sendRaw } from '../parts/raw_http.ts'
import type { UserAgent } from '../parts/user_agent.ts'
import { listEvents } from '../parts/vault.ts'

let bridge: Bridge
let alice: UserAgent
let token: string

before(async () => {
  bridge = await startBridge({ path: '/hub', certificate_header: 'x-ssl-cert' })
  alice = await bridge.signIn()
  await bridge.connect(alice)
  token = (await bridge.obtain(alice)).access_token
})
after(() => bridge.stop())
beforeEach(() => {
  bridge.api.received.length = 0
  bridge.api.answers.clear()
})

const proxied = (path: string, init: RequestInit = {}) => {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${token}`)
  return fetch(`${bridge.issuer}/proxy/acme${path}`, { redirect: 'manual', ...init, headers })
}

test('RFC 9440 4 the certificate of a client stays here, whatever header it comes in', async () => {
  await proxied('/me', { headers: { 'client-cert': ':AA:', 'x-ssl-cert': 'AA', 'x-mine': 'yes' } })
  const { headers } = bridge.api.received[0]!
  assert.deepEqual([headers['client-cert'], headers['x-ssl-cert'], headers['x-mine']], [undefined, undefined, 'yes'])
})

test('each method goes through with path, query and body as they are, and the token of the provider', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']) {
    const path = `/a%20b/c%2Fd;e=f/?x=1&x=%2F&y[]=z`
    let body = ''
    bridge.api.answers.set('/v1/a%20b/c%2Fd;e=f/', async (request, response) => {
      for await (const chunk of request) body += chunk
      response.writeHead(207, { 'x-of-api': 'yes', 'content-type': 'text/plain' }).end(`${method} done`)
    })
    const sent = method === 'GET' ? {} : { body: `{"m":"${method}"}` }
    const answer = await proxied(path, {
      method,
      ...sent,
      headers: { 'content-type': 'application/json', 'x-mine': '1' },
    })
    assert.equal(answer.status, 207)
    assert.equal(await answer.text(), `${method} done`)
    assert.equal(answer.headers.get('x-of-api'), 'yes')
    assert.equal(body, sent.body ?? '')
    const received = bridge.api.received.at(-1)!
    assert.equal(received.method, method)
    assert.equal(received.url, `/v1${path}`)
    assert.equal(received.headers['x-mine'], '1')
    assert.equal(received.headers['content-type'], 'application/json')
    assert.match(String(received.headers['authorization']), /^Bearer (?!eyJ)/)
  }
})

test('P-05 M-08 what speaks for us or for the caller never reaches the provider', async () => {
  const cookie = [...alice.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const { port } = new URL(bridge.issuer)
  const mine = {
    cookie,
    ...{ 'proxy-authorization': 'Basic eDp5', dpop: 'x', forwarded: 'for=1.2.3.4', 'x-forwarded-for': '1.2.3.4' },
    ...{
      'x-forwarded-host': 'evil.example',
      'x-real-ip': '1.2.3.4',
      origin: 'https://a.example',
      referer: 'https://b',
    },
    ...{ via: '1.1 x', 'x-original-url': '/admin', 'sec-fetch-site': 'none', connection: 'close, x-hop', 'x-hop': '1' },
  }
  const lines = Object.entries(mine).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `GET /hub/proxy/acme/me HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n`
  assert.match(await sendRaw(Number(port), `${head}${lines.join('')}\r\n`), /^HTTP\/1.1 200 /)
  const { headers } = bridge.api.received[0]!
  assert.equal(headers['host'], new URL(bridge.api.origin).host)
  for (const name of [...Object.keys(mine), 'x-request-id']) {
    if (name !== 'connection') assert.equal(headers[name], undefined, name)
  }
  const all = JSON.stringify(headers)
  for (const secret of [token, ...alice.cookies.values()]) assert.ok(!all.includes(secret))
})

test('a refusal of ours is known by a header that no provider can send', async () => {
  bridge.api.answers.set('/v1/forged', (request, response) => {
    request.resume()
    const headers = { 'content-type': 'application/json', 'x-sallyport-error': 'connection_required' }
    response.writeHead(403, headers).end('{"error":"connection_required","connect_url":"https://evil.example"}')
  })
  const forged = await proxied('/forged')
  assert.deepEqual([forged.status, forged.headers.get('x-sallyport-error')], [403, null])
  await forged.body?.cancel()
  for (const [path, init, error] of [
    ['/proxy/acme/me', {}, 'invalid_token'],
    ['/proxy/acme/x%5c', { headers: { authorization: `Bearer ${token}` } }, 'invalid_request'],
  ] as const) {
    const refused = await fetch(bridge.issuer + path, init)
    assert.equal(refused.headers.get('x-sallyport-error'), error)
    assert.equal(((await refused.json()) as { error: string }).error, error)
  }
})

test('what would act on our origin never reaches the caller', async () => {
  const hostile = {
    ...{
      'set-cookie': ['sallyport_session=x; Path=/', 'a=b'],
      'www-authenticate': 'Bearer realm="x"',
      refresh: '0; url=/',
    },
    ...{ 'access-control-allow-origin': '*', 'strict-transport-security': 'max-age=0', 'clear-site-data': '"*"' },
    ...{ 'content-security-policy': "default-src *; script-src * 'unsafe-inline'", 'service-worker-allowed': '/' },
    ...{ 'cross-origin-resource-policy': 'cross-origin', 'x-request-id': 'of the API', 'content-type': 'text/html' },
  }
  bridge.api.answers.set('/v1/hostile', (request, response) => {
    request.resume()
    response.writeHead(200, hostile).end('<script>alert(1)</script>')
  })
  const { headers } = await proxied('/hostile')
  assert.deepEqual(headers.getSetCookie(), [])
  for (const name of ['www-authenticate', 'refresh', 'access-control-allow-origin', 'clear-site-data']) {
    assert.equal(headers.get(name), null, name)
  }
  assert.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'")
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
  assert.notEqual(headers.get('x-request-id'), 'of the API')
  assert.equal(headers.get('strict-transport-security'), null)
})

test('Z-07 Q-03 over real sockets no spelling of a path leaves the base of the API or names another connector', async () => {
  const port = Number(new URL(bridge.issuer).port)
  const head = `Host: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`
  const get = (target: string) => sendRaw(port, `GET ${target} HTTP/1.1\r\n${head}`)
  for (const path of [
    ...[
      '/acme/../x',
      '/acme/%2e%2e/x',
      '/acme/a/%2E%2e/x',
      '/acme/a/..%2fx',
      '/acme/..%5cx',
      '/acme/a\\..\\x',
      '/acme/..',
    ],
    ...[
      '/acme/%252e%252e/x',
      '/acme/..;/x',
      '/acme/.%2e/x',
      '/acme/./x',
      '/acme/x/.',
      '/acme//x',
      '//acme/x',
      '/%2e%2e/x',
    ],
    ...[
      '/acme/%00',
      '/acme/a%',
      '/acme/a%zz',
      '/acme/%0d%0aHost:%20evil',
      '/acme/x?%0d%0aX: y',
      '/acme/x#y',
      '/%61cme/x',
    ],
    ...[
      '/acme%2fx',
      '/acme/%5c%5cevil.example',
      '/acme/a b',
      '/acme/\u00fc',
      '/acme@evil.example/x',
      '',
      '/',
      '/nobody/x',
    ],
  ]) {
    const answer = await get(`/hub/proxy${path}`)
    assert.match(answer, /^HTTP\/1\.1 (400|401|404) /, path)
    assert.doesNotMatch(answer, /<html/, path)
    assert.deepEqual(bridge.api.received, [], path)
  }
  for (const [target, url] of [
    [`http://evil.example/hub/proxy/acme/x`, '/v1/x'],
    [`${bridge.issuer}/proxy/acme/x`, '/v1/x'],
    ['/hub/proxy/acme', '/v1/'],
    ['/hub/proxy/acme/', '/v1/'],
    ['/hub/proxy/acme/x?y=/../z', '/v1/x?y=/../z'],
    ['/hub/proxy/acme/a//b', '/v1/a//b'],
    ['/hub/proxy/acme/https://evil.example/', '/v1/https://evil.example/'],
    ['/hub/proxy/acme/@evil.example/', '/v1/@evil.example/'],
  ]) {
    assert.match(await get(target!), /^HTTP\/1\.1 200 /, target)
    const [received] = bridge.api.received.splice(0)
    assert.equal(received!.url, url)
    assert.equal(received!.headers['host'], new URL(bridge.api.origin).host)
  }
})

test('an answer streams as it comes', async () => {
  const { promise: goOn, resolve: letGo } = Promise.withResolvers<void>()
  bridge.api.answers.set('/v1/events', async (request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: one\n\n')
    await goOn
    response.end('data: two\n\n')
  })
  const answer = await proxied('/events')
  assert.equal(answer.headers.get('content-type'), 'text/event-stream')
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  assert.equal((await reader.read()).value, 'data: one\n\n')
  letGo()
  assert.equal((await reader.read()).value, 'data: two\n\n')
  assert.equal((await reader.read()).done, true)
})

test('large bodies pass in both directions, unchanged', async () => {
  const large = randomBytes(8 * 2 ** 20)
  bridge.api.answers.set('/v1/large', async (request, response) => {
    const hash = createHash('sha256')
    for await (const chunk of request) hash.update(chunk)
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'x-hash': hash.digest('hex') }).end(large)
  })
  const answer = await proxied('/large', { method: 'PUT', body: large })
  assert.equal(answer.headers.get('x-hash'), createHash('sha256').update(large).digest('hex'))
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), large)
})

test('a compressed answer arrives as what it says', async () => {
  bridge.api.answers.set('/v1/zipped', (request, response) => {
    request.resume()
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' }).end(gzipSync('plain words'))
  })
  assert.equal(await (await proxied('/zipped')).text(), 'plain words')
})

test('HEAD, 204 and 304 have no body, and keep what they say of it', async () => {
  bridge.api.answers.set('/v1/file', (request, response) => {
    request.resume()
    const known = request.headers['if-none-match'] === '"v1"'
    response.writeHead(known ? 304 : 200, { etag: '"v1"', 'content-length': known ? 0 : 5 })
    response.end(request.method === 'HEAD' || known ? undefined : 'hello')
  })
  bridge.api.answers.set('/v1/gone', (request, response) => {
    request.resume()
    response.writeHead(204).end()
  })
  const head = await proxied('/file', { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal(head.headers.get('etag'), '"v1"')
  assert.equal(head.headers.get('content-length'), '5')
  assert.equal(await head.text(), '')
  assert.equal((await proxied('/file', { headers: { 'if-none-match': '"v1"' } })).status, 304)
  const gone = await proxied('/gone', { method: 'DELETE' })
  assert.equal(gone.status, 204)
  assert.equal(await gone.text(), '')
})

test('no cache on the way keeps an answer, whatever the API allows', async () => {
  for (const [theirs, ours] of [
    ['public, max-age=600', 'private, no-cache'],
    ['s-maxage=9', 'private, no-cache'],
    ['no-store', 'no-store'],
    ['private, NO-STORE', 'no-store'],
    [undefined, 'no-store'],
  ] as const) {
    bridge.api.answers.set('/v1/cached', (request, response) => {
      request.resume()
      response
        .writeHead(200, { ...(theirs && { 'cache-control': theirs }), expires: 'Thu, 01 Jan 2099 00:00:00 GMT' })
        .end('{}')
    })
    const { headers } = await proxied('/cached')
    assert.equal(headers.get('cache-control'), ours)
    assert.equal(headers.get('expires'), null)
  }
})

test('a redirect is passed on, not followed', async () => {
  bridge.api.answers.set('/v1/moved', (request, response) => {
    request.resume()
    response.writeHead(302, { location: `${bridge.api.origin}/elsewhere` }).end()
  })
  const { status, headers } = await proxied('/moved')
  assert.equal(status, 302)
  assert.equal(headers.get('location'), `${bridge.api.origin}/elsewhere`)
  assert.equal(bridge.api.received.length, 1)
})

test('429 and 503 come through with Retry-After, and are not repeated', async () => {
  for (const status of [503, 429]) {
    bridge.api.answers.set('/v1/busy', (request, response) => {
      request.resume()
      response.writeHead(status, { 'retry-after': '7' }).end('slow down')
    })
    const answer = await proxied('/busy')
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('retry-after'), '7')
    assert.equal(answer.headers.get('x-sallyport-error'), null)
    assert.equal(await answer.text(), 'slow down')
  }
  assert.equal(bridge.api.received.length, 2)
  bridge.clock.offset += 7_000
})

test('a 429 with Retry-After holds back the calls by this connection for so long, and no other ones', async () => {
  const bob = await bridge.signIn(BOB)
  await bridge.connect(bob, '/connect/acme', 'bob-at-acme')
  const { access_token: of_bob } = await bridge.obtain(bob)
  bridge.api.answers.set('/v1/busy', (request, response) => {
    request.resume()
    response.writeHead(429, { 'retry-after': '60' }).end()
  })
  await (await proxied('/busy', { method: 'POST', body: 'x' })).text()
  bridge.clock.offset += 20_500
  const held = await proxied('/other')
  assert.deepEqual(
    [held.status, held.headers.get('retry-after'), held.headers.get('x-sallyport-error'), await held.json()],
    [
      ...[429, '40', 'rate_limited'],
      { error: 'rate_limited', error_description: 'The provider wants no calls for so long' },
    ],
  )
  assert.equal(bridge.api.received.length, 1)
  assert.equal((await bridge.get('/proxy/acme/other', of_bob)).status, 200)
  bridge.clock.offset += 39_500
  assert.equal((await proxied('/other')).status, 200)
  for (const retry_after of [undefined, '0', '-1', 'soon', 'Thu, 01 Jan 1970 00:00:00 GMT']) {
    bridge.api.answers.set('/v1/busy', (request, response) => {
      request.resume()
      response.writeHead(429, retry_after === undefined ? {} : { 'retry-after': retry_after }).end()
    })
    assert.equal((await proxied('/busy')).status, 429)
    assert.equal((await proxied('/other')).status, 200, retry_after)
  }
  bridge.api.answers.set('/v1/busy', (request, response) => {
    request.resume()
    response.writeHead(429, { 'retry-after': '999999999' }).end()
  })
  await (await proxied('/busy')).text()
  assert.equal((await proxied('/other')).headers.get('retry-after'), '3600', 'nobody is held back for ever')
  bridge.clock.offset += 3_600_000
  token = (await bridge.obtain(await bridge.signIn())).access_token
  assert.equal((await proxied('/other')).status, 200)
})

test('a token that the API refuses is renewed once, and the request repeated with its body', async () => {
  const bodies: string[] = []
  bridge.api.answers.set('/v1/strict', async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    bodies.push(body)
    response.writeHead(bodies.length === 1 ? 401 : 200, { 'content-type': 'application/json' }).end('{"n":1}')
  })
  const refreshes = () => bridge.foreign.ledger.filter(({ grant_type }) => grant_type === 'refresh_token').length
  const before = refreshes()
  const answer = await proxied('/strict', { method: 'POST', body: 'x'.repeat(60_000) })
  assert.equal(answer.status, 200)
  assert.deepEqual(bodies, ['x'.repeat(60_000), 'x'.repeat(60_000)])
  assert.equal(refreshes(), before + 1)
  const [first, second] = bridge.api.received
  assert.notEqual(first!.headers['authorization'], second!.headers['authorization'])
})

test('a body too long to keep is not sent twice: the API’s 401 is passed on, without its challenge', async () => {
  bridge.clock.offset += 30_000
  bridge.api.answers.set('/v1/strict', async (request, response) => {
    for await (const _ of request);
    response
      .writeHead(401, { 'www-authenticate': 'Bearer realm="api"', 'content-type': 'application/json' })
      .end('{"no":1}')
  })
  const answer = await proxied('/strict', { method: 'POST', body: 'x'.repeat(70_000) })
  assert.equal(answer.status, 401)
  assert.deepEqual(await answer.json(), { no: 1 })
  assert.equal(answer.headers.get('www-authenticate'), null)
  assert.equal(bridge.api.received.length, 1)
})

test('a caller who leaves ends the call at the API', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  bridge.api.answers.set('/v1/long', (request, response) => {
    request.resume()
    response.writeHead(200)
    response.write('first')
    response.on('close', resolve)
  })
  const leave = new AbortController()
  const answer = await proxied('/long', { signal: leave.signal })
  await answer.body!.getReader().read()
  leave.abort()
  await closed
})

test('an API that breaks off or is not there is 502 as JSON, and the answer names no address', async () => {
  bridge.api.answers.set('/v1/cut', (request) => void request.socket.destroy())
  const cut = await proxied('/cut')
  assert.equal(cut.status, 502)
  const body = (await cut.json()) as { error: string }
  assert.equal(body.error, 'provider_unreachable')
  assert.doesNotMatch(JSON.stringify(body), /127\.0\.0\.1|localhost/)
  assert.equal(cut.headers.get('cache-control'), 'no-store')
})

test('a method that is not forwarded is 405 with those that are', async () => {
  const port = Number(new URL(bridge.issuer).port)
  for (const method of ['TRACE', 'PROPFIND']) {
    const head = `Host: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`
    const answer = await sendRaw(port, `${method} /hub/proxy/acme/x HTTP/1.1\r\n${head}`)
    assert.match(answer, /^HTTP\/1\.1 405 /)
    assert.match(answer, /\r\nallow: GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE, QUERY\r\n/i)
  }
  assert.deepEqual(bridge.api.received, [])
})

test('a connector that is not there is 404 for a token that would be good for it', async () => {
  const { access_token } = await bridge.obtain(alice, { resource: bridge.issuer })
  const answer = await bridge.get('/proxy/nobody/x', access_token)
  assert.equal(answer.status, 404)
  assert.equal(answer.body.error, 'invalid_target')
  assert.equal(answer.body.connect_url, undefined)
})

describe('for a platform, which names the connection', () => {
  let connection_id: string
  const named = (path: string, access_token: string, init: RequestInit = {}) =>
    bridge.get(`/proxy/connections/${path}`, access_token, init)
  const ownToken = async (form: Record<string, string>) =>
    (await bridge.post('/token', { grant_type: 'client_credentials', ...form }, PLATFORM.client_id)).body.access_token
  const platformToken = () => ownToken({ resource: `${bridge.issuer}/api`, scope: 'vault:proxy' })

  before(async () => {
    const client = { ...PLATFORM, scope: 'vault:proxy vault:token', grant_types: ['client_credentials'] }
    await bridge.server.addClient(client)
    connection_id = (await bridge.connections())[0]!.connection_id
  })

  test('its API is called with the token of the provider', async () => {
    const answer = await named(`${connection_id}/me?x=1`, await platformToken(), { method: 'PUT', body: '{}' })
    assert.deepEqual([answer.status, answer.body], [200, { ok: true }])
    const [received] = bridge.api.received
    assert.deepEqual([received!.method, received!.url], ['PUT', '/v1/me?x=1'])
    assert.match(String(received!.headers['authorization']), /^Bearer (?!sp_)/)
  })

  test('8.2.1 the scope is one of its own, and the tokens of users and of other resources are none', async () => {
    for (const [access_token, status] of [
      [token, 401],
      [await ownToken({ resource: `${bridge.issuer}/api`, scope: 'vault:token' }), 403],
      ['nonsense', 401],
    ] as const) {
      const refused = await named(`${connection_id}/me`, access_token)
      assert.deepEqual([refused.status, refused.headers.get('x-sallyport-error')], [status, refused.body.error])
    }
    const mine = await platformToken()
    assert.equal((await bridge.get('/proxy/acme/me', mine)).status, 401, 'and it opens no connector')
    assert.equal((await bridge.get(`/api/connections/${connection_id}/token`, mine)).status, 403, 'nor the vault')
    for (const path of ['nobody/me', `${connection_id}x/me`, `%20${connection_id}/me`, `acme/me`]) {
      assert.deepEqual([(await named(path, mine)).status, bridge.api.received.length], [404, 0], path)
    }
    const escaped = `%${connection_id.charCodeAt(0).toString(16)}${connection_id.slice(1)}`
    assert.deepEqual([(await named(`${escaped}/me`, mine)).status, bridge.api.received.length], [400, 0])
  })

  test('16.2.1 the audit log says who used it, once an hour however often', async () => {
    const uses = async () => {
      await settleOutbound(bridge.server.app.web.outbound)
      const events = await listEvents(bridge.server.app.tenant)
      return events.filter((event) => event.type === 'connection.used' && event.client_id === PLATFORM.client_id)
    }
    const known = (await uses()).length
    const mine = await platformToken()
    for (let i = 0; i < 10; i++) assert.equal((await named(`${connection_id}/me`, mine)).status, 200)
    const told = (await uses()).slice(known)
    assert.deepEqual(
      told.map(({ actor, user_id, connection_id, grant_id, detail }) => [
        actor,
        user_id,
        connection_id,
        grant_id,
        detail,
      ]),
      [1, 9].map((requests) => [
        ...[`client:${PLATFORM.client_id}`, bridge.users.alice, connection_id, null],
        JSON.stringify({ connector: 'acme', via: 'proxy', requests }),
      ]),
    )
  })
})
