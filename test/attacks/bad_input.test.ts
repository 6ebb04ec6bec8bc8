import assert from 'node:assert/strict'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { basic, CALLBACK, type Platform, startPlatform, VERIFIER } from '../parts/platform.ts'
import { snapshotRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
let code: string
let refresh_token: string
let access_token: string
const authorization = basic('web', 'secret-of-web')
const FORM = 'application/x-www-form-urlencoded'

before(async () => {
  p = await startPlatform()
  const agent = new UserAgent()
  const tokens = await p.exchange('web', await p.getCode('web', {}, agent))
  ;({ refresh_token, access_token } = tokens.body)
  code = await p.getCode('web', {}, agent)
})
after(() => p.stop())

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
}
interface Received {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** One request as it is, any method and any bytes. */
function send(path: string, { method = 'POST', headers = {}, body }: Sent = {}): Promise<Received> {
  return new Promise((resolve, reject) => {
    const url = new URL(/^\/(\.|healthz|readyz)/.test(path) ? new URL(p.issuer).origin + path : p.issuer + path)
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  send(path, { body, headers: { authorization, 'content-type': FORM, ...headers } })

/** Asserts that an answer is the refusal of its RFC: code, sentence, JSON, not kept by anybody, nothing of the inside. */
function assertRefusal(answer: Received, status: number, error: string, what: string): string {
  assert.equal(answer.status, status, `${what}: ${answer.text}`)
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/, what)
  assert.equal(answer.headers['cache-control'], 'no-store', what)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff', what)
  const body = JSON.parse(answer.text)
  assert.deepEqual(Object.keys(body), ['error', 'error_description'], what)
  assert.equal(body.error, error, `${what}: ${answer.text}`)
  assert.match(body.error_description, /^[\x20\x21\x23-\x5b\x5d-\x7e]{5,300}$/, what)
  assert.doesNotMatch(answer.text, /\.ts\b|node:|\bat \w+ \(|secret-of|sp_[a-z]{2}_|Error:/, what)
  return body.error_description
}

/** The requests of machines, each good as it stands. */
const requests = (): [path: string, form: Record<string, string>, required: string[]][] => [
  [
    '/token',
    { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER },
    ['grant_type', 'code'],
  ],
  ['/token', { grant_type: 'refresh_token', refresh_token, scope: 'openid' }, ['grant_type', 'refresh_token']],
  [
    '/token',
    { grant_type: 'client_credentials', scope: 'api:read', resource: 'http://127.0.0.1:5000/mcp' },
    ['grant_type'],
  ],
  ['/introspect', { token: access_token, token_type_hint: 'access_token' }, ['token']],
  ['/revoke', { token: access_token, token_type_hint: 'access_token' }, ['token']],
]

test('2.2.1 15.3.7 each parameter of each endpoint: missing, empty, repeated, oversized, not UTF-8, NUL', async () => {
  const before = await snapshotRows(p.server.store)
  for (const [path, form, required] of requests()) {
    const whole = new URLSearchParams(form).toString()
    for (const name of Object.keys(form)) {
      const others = new URLSearchParams(Object.entries(form).filter(([key]) => key !== name)).toString()
      const cases: [string, string][] = [
        ['oversized', `${others}&${name}=${'x'.repeat(17_000)}`],
        ['not UTF-8', `${others}&${name}=%ff%fe`],
        ['overlong UTF-8', `${others}&${name}=%c0%af`],
        ['a lone surrogate', `${others}&${name}=%ed%a0%80`],
        ['half an escape', `${others}&${name}=%f`],
        ['NUL', `${others}&${name}=a%00b`],
      ]
      if (required.includes(name))
        cases.push(['missing', others], ['empty', `${others}&${name}=`], ['no value', `${others}&${name}`])
      if (name !== 'resource') {
        cases.push(
          ['repeated', `${whole}&${name}=x`],
          ['repeated alike', `${whole}&${name}=${encodeURIComponent(form[name]!)}`],
        )
        cases.push(['repeated encoded', `${whole}&%${name.charCodeAt(0).toString(16)}${name.slice(1)}=x`])
      }
      for (const [kind, body] of cases) {
        const what = `${path} ${form['grant_type'] ?? ''} ${name} ${kind}`
        const description = assertRefusal(await post(path, body), 400, 'invalid_request', what)
        assert.match(description, new RegExp(`\\b${name}\\b`), what)
      }
    }
    for (const body of [Buffer.from([...Buffer.from(`${whole}&x=`), 0xff]), Buffer.from([0xff, 0xfe, 0x00])]) {
      assertRefusal(await post(path, body), 400, 'invalid_request', `${path} raw bytes`)
    }
    assertRefusal(await post(path, `${whole}&${'n'.repeat(65)}=x`), 400, 'invalid_request', `${path} a long name`)
    assertRefusal(await post(path, `${whole}&%ff=x`), 400, 'invalid_request', `${path} a broken name`)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

test('4.1.1 a body that is not a form is refused, whatever is in it', async () => {
  const before = await snapshotRows(p.server.store)
  for (const [path, form] of requests()) {
    const bodies: [string, string][] = [
      ['application/json', JSON.stringify(form)],
      ['application/json', '{"grant_type":{"$ne":null},"__proto__":{"code":"x"}}'],
      ['text/plain', new URLSearchParams(form).toString()],
      ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="token"\r\n\r\nx\r\n--x--\r\n'],
      ['application/x-www-form-urlencodedx', new URLSearchParams(form).toString()],
      ['application/xml', '<x/>'],
      ['*/*', 'x'],
    ]
    for (const [type, body] of bodies) {
      const description = assertRefusal(
        await post(path, body, { 'content-type': type }),
        415,
        'invalid_request',
        `${path} ${type}`,
      )
      assert.match(description, /Content-Type/)
    }
    const untyped = await send(path, { headers: { authorization }, body: new URLSearchParams(form).toString() })
    assertRefusal(untyped, 415, 'invalid_request', `${path} without a type`)
    assertRefusal(await send(path, { headers: { authorization } }), 400, 'invalid_request', `${path} without a body`)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

test('14.2.1 CVE-2026-102596 secrets and tokens in the URL are refused, not read', async () => {
  const before = await snapshotRows(p.server.store)
  for (const [path, form] of requests()) {
    const query = new URLSearchParams({ ...form, client_id: 'web', client_secret: 'secret-of-web' })
    assertRefusal(
      await send(`${path}?${query}`, { headers: { 'content-type': FORM }, body: '' }),
      400,
      'invalid_request',
      path,
    )
    const secret = await send(`${path}?client_id=web&client_secret=secret-of-web`, {
      headers: { 'content-type': FORM },
      body: new URLSearchParams(form).toString(),
    })
    assert.match(assertRefusal(secret, 400, 'invalid_request', path), /client_secret/)
    for (const name of Object.keys(form).filter((name) => /code|token$|verifier/.test(name))) {
      const left = new URLSearchParams(Object.entries(form).filter(([key]) => key !== name)).toString()
      const split = await post(`${path}?${name}=${encodeURIComponent(form[name]!)}`, left)
      assert.match(assertRefusal(split, 400, 'invalid_request', `${path} ${name}`), new RegExp(name))
    }
  }
  for (const query of [`?access_token=${access_token}`, '?access_token=x&x']) {
    const answer = await send(`/userinfo${query}`, { method: 'GET' })
    assertRefusal(answer, 401, 'invalid_token', 'B-05 V-04')
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

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
  assert.equal((await send('/logout', { method: 'GET' })).status, 405)
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

test('4.2.1 what is not HTTP is 400 and nothing else', async () => {
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
    'POST /hub/token HTTP/1.1\r\n\r\n',
  ]) {
    const answer = await raw(text)
    assert.match(answer, /^HTTP\/1\.1 400 /, text)
    // A request without Host is answered by Node itself.
    if (/^Host/m.test(text) || !text.includes('HTTP/1.1')) assert.match(answer, /cache-control: no-store/i, text)
    assert.doesNotMatch(answer, /\.ts|node:/)
  }
})

test('RFC 6750 3.1 the Authorization header of a resource is Bearer and one token, else it says what is wrong', async () => {
  const none = await send('/userinfo', { method: 'GET' })
  assertRefusal(none, 401, 'invalid_token', 'no header')
  assert.equal(
    none.headers['www-authenticate'],
    `Bearer realm="${p.issuer}"`,
    'a request without a token learns no error',
  )
  for (const header of [
    'Bearer',
    'Bearer  ',
    'Bearer a b',
    `Bearer ${access_token}, x`,
    'Bearer "x"',
    'Token x',
    authorization,
    `${'x'.repeat(9000)}`,
  ]) {
    const answer = await send('/userinfo', { method: 'GET', headers: { authorization: header } })
    assertRefusal(answer, 400, 'invalid_request', header.slice(0, 30))
    assert.match(String(answer.headers['www-authenticate']), /^Bearer realm=".*", error="invalid_request"/)
  }
  for (const token of [
    'x',
    'x'.repeat(5000),
    'a.b.c',
    '....',
    `${access_token}x`,
    access_token.slice(1),
    'sp_at_AAAA',
    'null',
  ]) {
    const answer = await send('/userinfo', { method: 'GET', headers: { authorization: `Bearer ${token}` } })
    assertRefusal(answer, 401, 'invalid_token', token.slice(0, 30))
    assert.match(String(answer.headers['www-authenticate']), /error="invalid_token"/)
  }
  const body = await send('/userinfo', { headers: { 'content-type': FORM }, body: `access_token=${access_token}` })
  assertRefusal(body, 401, 'invalid_token', 'B-05 a token in the body')
})

test('Z-03 random requests get 4xx and never a failure of ours', async () => {
  const before = await snapshotRows(p.server.store)
  let seed = 20261121
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return (seed >>> 8) % below
  }
  const pieces = [
    'grant_type',
    'code',
    'refresh_token',
    'client_credentials',
    'token',
    '=',
    '&',
    '%00',
    '%ff',
    '%',
    '+',
    '\r\n',
    '\0',
    '[]',
    '{}',
    '"',
    "'",
    '__proto__',
    'constructor',
    'é',
    '%C3%A9',
    'sp_rt_',
    'sp_at_',
    '..',
    '://',
    'web',
    access_token.slice(0, 40),
    '\u{1f510}',
    'a'.repeat(300),
  ]
  const paths = [
    '/token',
    '/introspect',
    '/revoke',
    '/userinfo',
    '/authorize',
    '/login',
    '/consent',
    '/logout',
    '/login/switch',
    '/api/rest/services',
    '/api/rest/oauth2/auth',
    '/api/rest/oauth2/token',
  ]
  for (let i = 0; i < 600; i++) {
    const text = Array.from({ length: 1 + random(12) }, () => pieces[random(pieces.length)]).join('')
    const path = paths[random(paths.length)]!
    const inUrl = random(3) === 0
    const query = inUrl ? `?${encodeURI(text.toWellFormed()).replaceAll('#', '')}` : ''
    const headers: Record<string, string> = {
      'content-type': random(4) === 0 ? 'application/json' : FORM,
      'sec-fetch-site': 'same-origin',
    }
    if (random(2) === 0)
      headers['authorization'] = random(2) === 0 ? authorization : `Basic ${Buffer.from(text).toString('base64')}`
    const answer = await send(path + query, {
      method: random(4) === 0 ? 'GET' : 'POST',
      headers,
      body: inUrl ? '' : text,
    })
    assert.ok(
      answer.status >= 200 && answer.status < 500,
      `${path} ${JSON.stringify(text)}: ${answer.status} ${answer.text}`,
    )
    assert.doesNotMatch(answer.text, /\.ts:\d|node:internal/)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
  assert.deepEqual(
    p.server.log.filter((line) => (line as { level: string }).level === 'error'),
    [],
  )
})

test('2.3.3 after all of that the code and the refresh token are as good as they were', async () => {
  assert.equal((await p.exchange('web', code)).status, 200)
  assert.equal((await p.refresh('web', refresh_token)).status, 200)
  assert.equal((await p.introspect(access_token)).active, true)
})
