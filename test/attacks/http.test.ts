import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { basic, type Platform, startPlatform } from '../parts/platform.ts'
import { assertRefusal, type Sent, sendRaw } from '../parts/raw_request.ts'
import { snapshotRows } from '../parts/snapshot.ts'

let p: Platform
const authorization = basic('web', 'secret-of-web')
const FORM = 'application/x-www-form-urlencoded'

before(async () => {
  p = await startPlatform()
})
after(() => p.stop())

/** One request to a path under the issuer, or to one of the host's own. */
const send = (path: string, sent: Sent = {}) =>
  sendRaw(/^\/(\.|healthz|readyz)/.test(path) ? new URL(p.issuer).origin + path : p.issuer + path, sent)

const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  send(path, { body, headers: { authorization, 'content-type': FORM, ...headers } })

test('4.1.4 13.4.4 every other method is 405 with Allow, an override header is nothing', async () => {
  const before = await snapshotRows(p.server.store)
  const all = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH']
  const allowed: Record<string, string[]> = {
    '/token': ['POST', 'OPTIONS'],
    '/introspect': ['POST'],
    '/revoke': ['POST', 'OPTIONS'],
    '/userinfo': ['GET', 'HEAD', 'POST', 'OPTIONS'],
    '/jwks': ['GET', 'HEAD', 'OPTIONS'],
    '/.well-known/openid-configuration': ['GET', 'HEAD', 'OPTIONS'],
    '/healthz': ['GET', 'HEAD'],
  }
  for (const [path, methods] of Object.entries(allowed)) {
    for (const method of all) {
      const target = path.startsWith('/.') ? `/.well-known/openid-configuration/hub` : path
      const answer = await send(path === '/.well-known/openid-configuration' ? target : path, {
        method,
        headers: { authorization, 'x-http-method-override': 'POST', 'x-method-override': 'POST' },
      })
      if (methods.includes(method)) assert.notEqual(answer.status, 405, `${method} ${path}`)
      else {
        assert.equal(answer.status, 405, `${method} ${path}`)
        assert.ok(answer.headers['allow'], `${method} ${path}`)
        assert.equal(answer.headers['cache-control'], 'no-store')
        if (method !== 'HEAD') assertRefusal(answer, 405, 'invalid_request', `${method} ${path}`)
        assert.doesNotMatch(answer.text, /x-http-method-override/i, 'TRACE echoes nothing')
      }
    }
  }
  for (const path of ['/authorize', '/login', '/consent', '/logout', '/account', '/assets/app.css']) {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND']) {
      const answer = await send(path, { method })
      assert.equal(answer.status, 405, `${method} ${path}: ${answer.text.slice(0, 200)}`)
      assert.ok(answer.headers['allow'], `${method} ${path}`)
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
  }
  assert.equal((await send('/logout/confirm', { method: 'GET' })).status, 405)
  assert.equal((await send('/nothing', { method: 'GET' })).status, 404)
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

test('a HEAD is a GET without a body', async () => {
  for (const path of ['/jwks', '/healthz', '/readyz', '/.well-known/openid-configuration/hub']) {
    const [get, head] = [await send(path, { method: 'GET' }), await send(path, { method: 'HEAD' })]
    assert.deepEqual([head.status, head.text], [200, ''], path)
    assert.equal(head.headers['content-length'], get.headers['content-length'])
  }
})

test('RFC 9110 8.6 a preflight is answered without content and without a length', async () => {
  const headers = { origin: 'https://spa.example', 'access-control-request-method': 'POST' }
  for (const path of ['/token', '/revoke', '/userinfo']) {
    const answer = await send(path, { method: 'OPTIONS', headers })
    assert.equal(answer.status, 204)
    assert.equal(answer.headers['content-length'], undefined)
    assert.equal(answer.headers['access-control-allow-origin'], '*')
    assert.equal(answer.headers['access-control-allow-credentials'], undefined, 'Q-01')
  }
})

test('5.22 a body over 64 kB is refused before it is read, a declared one and a streamed one', async () => {
  const before = await snapshotRows(p.server.store)
  const large = `x=${'x'.repeat(70_000)}`
  for (const path of ['/token', '/introspect', '/revoke', '/userinfo']) {
    const declared = await post(path, large)
    assert.match(assertRefusal(declared, 413, 'invalid_request', path), /65536/)
    assert.equal(declared.headers['connection'], 'close')
  }
  for (const path of ['/authorize', '/login', '/consent', '/logout']) {
    const headers = { 'content-type': FORM, 'sec-fetch-site': 'same-origin' }
    const answer = await send(path, { headers, body: large })
    assert.equal(answer.status, 413, path)
    assert.equal(answer.headers['cache-control'], 'no-store', path)
  }
  const many = Array.from({ length: 8000 }, (_, i) => `a${i}`).join('&')
  const started = performance.now()
  assert.equal((await post('/introspect', `token=x&${many}`)).status, 200, 'unknown ones are ignored')
  await send(`/authorize`, { headers: { 'content-type': FORM }, body: 'a=1&'.repeat(16_000) })
  assert.ok(performance.now() - started < 2000)
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

test('5.22 a client that never stops sending is cut off', async () => {
  const { hostname, port } = new URL(p.issuer)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk))
  socket.on('error', () => {})
  socket.write(`POST /hub/token HTTP/1.1\r\nHost: x\r\nContent-Type: ${FORM}\r\nTransfer-Encoding: chunked\r\n\r\n`)
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
  let sent = 0
  await new Promise<void>((resolve) => {
    socket.on('close', () => resolve())
    const more = () => {
      if (socket.destroyed) return
      sent += chunk.length
      socket.write(chunk, () => setImmediate(more))
    }
    more()
  })
  assert.match(answer, /^HTTP\/1\.1 413/)
  assert.ok(sent < 50_000_000, `${sent} bytes were taken`)
})

test('5.22 a header block over 16 kB is 431, a URL over 8 kB is 414, and nobody keeps either', async () => {
  const headers = await send('/token', { method: 'GET', headers: { 'x-long': 'x'.repeat(17_000) } })
  assert.equal(headers.status, 431)
  assert.equal(headers.headers['cache-control'], 'no-store')
  const url = await send(`/userinfo?${'x'.repeat(8200)}`, { method: 'GET' })
  assert.equal(url.status, 414)
  assert.equal(url.headers['cache-control'], 'no-store')
  assert.equal((await send('/healthz', { method: 'GET' })).status, 200)
})

test('CVE-2024-24814 cookies that are many, long, repeated or count their own pieces cost nothing', async () => {
  const names = (await send('/login', { method: 'GET' })).headers['set-cookie']!.map((text) => text.split('=')[0]!)
  const session = names[0]!.replace('browser', 'session')
  const hostile = [
    'a=1;'.repeat(3500),
    ';'.repeat(15_000),
    '='.repeat(15_000),
    `${session}=x;`.repeat(400),
    `${session}=${'A'.repeat(15_000)}`,
    `${session}=%${'25'.repeat(7000)}`,
    `${session}_chunks=99999999; ${session}_0=A`,
    `${session}=chunks:2147483647`,
    `${names[0]}=${'%F0'.repeat(4000)}`,
    '"'.repeat(15_000),
  ]
  const started = performance.now()
  for (const cookie of hostile) {
    for (let i = 0; i < 5; i++) {
      const { status, headers } = await send('/account', { method: 'GET', headers: { cookie } })
      assert.deepEqual(
        [status, headers['location']],
        [303, '/hub/login?return_to=%2Fhub%2Faccount'],
        cookie.slice(0, 40),
      )
    }
  }
  assert.ok(performance.now() - started < 2000)
})

test('4.2.1 4.2.3 4.2.4 what is not HTTP/1.1 is 400 and nothing else: no second length, no line inside of a header, no HTTP/2', async () => {
  const { hostname, port } = new URL(p.issuer)
  const raw = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.write(text))
      let answer = ''
      socket.on('data', (chunk) => (answer += chunk))
      socket.on('error', () => {})
      socket.on('close', () => resolve(answer))
    })
  const start = 'POST /hub/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
  for (const text of [
    'GARBAGE\r\n\r\n',
    `${start}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${start}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    `${start}Content-Length: +5\r\n\r\nhello`,
    `${start}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `${start}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`,
    `${start}Bad Header: x\r\n\r\n`,
    `${start}X-A: a\rX-B: b\r\n\r\n`,
    `${start}X-A: a\0b\r\n\r\n`,
    `${start}X-A: a\r\n X-B: b\r\n\r\n`,
    `${start}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    `${start}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    `${start}Content-Length: 5, 5\r\n\r\nhello`,
    `${start}Content-Length: 0x5\r\n\r\nhello`,
    `${start}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET /hub/jwks HTTP/3.0\r\nHost: x\r\n\r\n',
    'POST /hub/token HTTP/1.1\r\n\r\n',
  ]) {
    const answer = await raw(text)
    assert.match(answer, /^HTTP\/1\.1 400 /, text)
    // A request without Host is answered by Node itself.
    if (/^Host/m.test(text) || !text.includes('HTTP/1.1')) assert.match(answer, /cache-control: no-store/i, text)
    assert.doesNotMatch(answer, /\.ts|node:/)
  }
})
