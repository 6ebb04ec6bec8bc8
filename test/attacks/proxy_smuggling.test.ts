import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { sendRaw } from '../parts/raw_http.ts'
import type { UserAgent } from '../parts/user_agent.ts'
import { startWireLedger, type WireLedger } from '../parts/wire_ledger.ts'

let ledger: WireLedger
let bridge: Bridge
let alice: UserAgent
let port: number
let token: string
let cookie: string
let theirs: string

before(async () => {
  ledger = await startWireLedger()
  bridge = await startBridge({ path: '/hub', connector: { fields: { api_base_url: `${ledger.origin}/v1` } } })
  alice = await bridge.signIn()
  await bridge.connect(alice)
  token = (await bridge.obtain(alice)).access_token
  cookie = [...alice.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  port = Number(new URL(bridge.issuer).port)
  await sendRaw(port, request('GET', '/x'))
  theirs = ledger.requests[0]!.headers.find(([name]) => name === 'authorization')![1]
})
after(async () => {
  await bridge.stop()
  await ledger.close()
})
beforeEach(() => {
  ledger.requests.length = 0
  ledger.answers.length = 0
  ledger.cut.length = 0
})

/** A request as it should be, with more lines of head, and a body. */
function request(method: string, path: string, lines: readonly string[] = [], body = ''): string {
  const target = path.startsWith('/hub') || !path.startsWith('/') ? path : `/hub/proxy/acme${path}`
  const head = [`${method} ${target} HTTP/1.1`, 'Host: id.example', `Authorization: Bearer ${token}`, ...lines]
  return `${[...head, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`
}

const post = (lines: readonly string[], body: string) => request('POST', '/x', lines, body)
const get = (...lines: string[]) => request('GET', '/x', lines)
const SMUGGLED = 'GET /v1/smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n'

/** What the API has seen of one case: nothing, or at most one that broke off, or one request with this line and body. */
type Seen = 'nothing' | 'nothing whole' | readonly [line: string, body: string]
type Case = readonly [name: string, send: () => string, seen: Seen, status: RegExp | null]

// Whatever else holds: what reached the API is whole requests below its base, for its own host, with its own token alone.
function assertClean(name: string): void {
  assert.equal(ledger.rest(), '', `${name}: bytes that are no request`)
  for (const { request_line, headers, raw } of ledger.requests) {
    assert.match(request_line, /^[A-Z]+ \/v1\/[^\s]* HTTP\/1\.1$/, name)
    assert.doesNotMatch(request_line.split('?')[0]!, /smuggled|\/\.{1,2}[/ ;]|%2e|\\/i, name)
    const names = headers.map(([header]) => header)
    for (const header of ['host', 'authorization']) {
      assert.equal(names.filter((other) => other === header).length, 1, `${name}: ${header}`)
    }
    assert.equal(headers.find(([header]) => header === 'host')![1], new URL(ledger.origin).host, name)
    assert.equal(headers.find(([header]) => header === 'authorization')![1], theirs, name)
    const framing = names.filter((header) => header === 'content-length' || header === 'transfer-encoding')
    assert.ok(framing.length <= 1, `${name}: ${framing}`)
    for (const header of names) assert.doesNotMatch(header, NEVER, name)
    for (const secret of [token, ...alice.cookies.values()])
      assert.ok(!raw.includes(secret), `${name}: a secret of ours`)
    assert.doesNotMatch(raw, /evil-header|sp_[a-z]{2}_/, name)
    for (const line of raw.slice(0, raw.indexOf('\r\n\r\n')).split('\r\n').slice(1))
      assert.match(line, /^[!#$%&'*+.^`|~\w-]+: /, name)
  }
}

const NEVER =
  /^(cookie2?|dpop|te|trailer|upgrade|expect|keep-alive|http2-settings|forwarded|via|x[-_]forwarded.*|x[-_]real[-_]ip|x-original-.*|x-rewrite-.*|proxy-.*|sec-(?!fetch-mode).*|origin|referer|x-http-method.*|x-method-override|x-sallyport.*|client-cert.*)$/

function runCases(cases: readonly Case[]): void {
  for (const [name, send, seen, status] of cases) {
    test(name, async () => {
      const answer = await sendRaw(port, send()).catch((error: Error) => error.message)
      if (status !== null) assert.match(answer, status, answer.slice(0, 300))
      // What breaks off here breaks off there.
      for (let turns = 0; turns < 1000 && ledger.rest() !== ''; turns++)
        await new Promise((resolve) => setImmediate(resolve))
      assertClean(name)
      assert.ok(ledger.cut.length <= (seen === 'nothing whole' ? 1 : 0), ledger.cut.join())
      const found = ledger.requests.map(({ request_line, body }) => [request_line.replace(/ HTTP\/1\.1$/, ''), body])
      assert.deepEqual(found, typeof seen === 'string' ? [] : [seen], answer.slice(0, 300))
      // What follows belongs to nobody else's request.
      ledger.requests.length = 0
      assert.match(await sendRaw(port, request('GET', '/after')), /^HTTP\/1\.1 200 /)
      assert.deepEqual(
        ledger.requests.map(({ request_line }) => request_line),
        ['GET /v1/after HTTP/1.1'],
        'what came after is not what was asked',
      )
    })
  }
}

const REFUSED = /^HTTP\/1\.1 (400|501) /
const CHUNKED = 'Transfer-Encoding: chunked'
const HELLO = '5\r\nhello\r\n0\r\n\r\n'
const POSTED = ['POST /v1/x', 'hello'] as const
const GOT = ['GET /v1/x', ''] as const
const OK = /^HTTP\/1\.1 200 /
const TOO_LARGE = /^HTTP\/1\.1 4(13|00|31) /

describe('4.2.1 4.2.2 Q-03 where a body ends is never in doubt', () => {
  runCases([
    ['CL.TE', () => post(['Content-Length: 6', CHUNKED], '0\r\n\r\nG'), 'nothing', REFUSED],
    ['TE.CL', () => post([CHUNKED, 'Content-Length: 4'], `5c\r\n${SMUGGLED}\r\n0\r\n\r\n`), 'nothing', REFUSED],
    ['a length twice', () => post(['Content-Length: 5', 'Content-Length: 5'], 'hello'), 'nothing', REFUSED],
    ['two lengths', () => post(['Content-Length: 5', 'Content-Length: 6'], 'hello!'), 'nothing', REFUSED],
    ['a list of lengths', () => post(['Content-Length: 5, 5'], 'hello'), 'nothing', REFUSED],
    ['+5', () => post(['Content-Length: +5'], 'hello'), 'nothing', REFUSED],
    ['-5', () => post(['Content-Length: -5'], 'hello'), 'nothing', REFUSED],
    ['0x5', () => post(['Content-Length: 0x5'], 'hello'), 'nothing', REFUSED],
    ['5e0', () => post(['Content-Length: 5e0'], 'hello'), 'nothing', REFUSED],
    ['5 5', () => post(['Content-Length: 5 5'], 'hello'), 'nothing', REFUSED],
    ['no number', () => post(['Content-Length: '], 'hello'), 'nothing', REFUSED],
    ['2 to the 64', () => post(['Content-Length: 18446744073709551621'], 'hello'), 'nothing', REFUSED],
    ['blanks round a length', () => post(['Content-Length:  5 '], 'hello'), POSTED, OK],
    ['a coding of another name', () => post(['Transfer-Encoding: xchunked'], HELLO), 'nothing', REFUSED],
    ['identity', () => post(['Transfer-Encoding: identity', 'Content-Length: 5'], 'hello'), 'nothing', REFUSED],
    ['chunked, identity', () => post(['Transfer-Encoding: chunked, identity'], HELLO), 'nothing', REFUSED],
    ['gzip, chunked', () => post(['Transfer-Encoding: gzip, chunked'], HELLO), 'nothing', REFUSED],
    ['chunked, chunked', () => post(['Transfer-Encoding: chunked, chunked'], HELLO), 'nothing', REFUSED],
    ['chunked in two headers', () => post([CHUNKED, CHUNKED], HELLO), 'nothing', REFUSED],
    ['a vertical tab', () => post(['Transfer-Encoding: \x0bchunked'], HELLO), 'nothing', REFUSED],
    ['in capitals', () => post(['TRANSFER-ENCODING: CHUNKED'], HELLO), POSTED, OK],
    ['a blank before the colon', () => post(['Transfer-Encoding : chunked'], HELLO), 'nothing', REFUSED],
    ['a folded coding', () => post(['Transfer-Encoding:\r\n chunked', 'Content-Length: 5'], HELLO), 'nothing', REFUSED],
    ['a folded header', () => get('X-A: 1\r\n X-Evil-Header: 2'), 'nothing', REFUSED],
    ['a header that begins with a blank', () => get(' Transfer-Encoding: chunked'), 'nothing', REFUSED],
    ['lines that end with LF', () => get().replaceAll('\r\n', '\n'), 'nothing', REFUSED],
    ['one line that ends with LF', () => get('X-A: 1\nTransfer-Encoding: chunked'), 'nothing', REFUSED],
    ['CR alone', () => get('X-A: 1\rX-Evil-Header: 2'), 'nothing', REFUSED],
    ['an extension of a chunk', () => post([CHUNKED], '5;evil-header=1\r\nhello\r\n0\r\n\r\n'), POSTED, OK],
    [
      'a very long extension',
      () => post([CHUNKED], `5;a="${'x'.repeat(20_000)}"\r\nhello\r\n0\r\n\r\n`),
      'nothing',
      TOO_LARGE,
    ],
    ['an extension that ends with LF', () => post([CHUNKED], `5;a\nhello\r\n0\r\n\r\n`), 'nothing whole', null],
    ['a chunk of 0x5', () => post([CHUNKED], '0x5\r\nhello\r\n0\r\n\r\n'), 'nothing whole', null],
    ['a chunk of -5', () => post([CHUNKED], '-5\r\nhello\r\n0\r\n\r\n'), 'nothing whole', null],
    ['a chunk of 2 to the 68', () => post([CHUNKED], 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'), 'nothing whole', null],
    ['a chunk that is longer than it says', () => post([CHUNKED], '3\r\nhello\r\n0\r\n\r\n'), 'nothing whole', null],
    ['a chunk that ends with LF', () => post([CHUNKED], '5\r\nhello\n0\r\n\r\n'), 'nothing whole', null],
    [
      'trailers',
      () =>
        post(
          [CHUNKED, 'Trailer: authorization, x-t'],
          `5\r\nhello\r\n0\r\nAuthorization: evil-header\r\nX-T: evil-header\r\n\r\n`,
        ),
      POSTED,
      OK,
    ],
    ['a request in a body', () => post([`Content-Length: ${SMUGGLED.length}`], SMUGGLED), ['POST /v1/x', SMUGGLED], OK],
    [
      'a request in the body of a GET',
      () => request('GET', '/x', [`Content-Length: ${SMUGGLED.length}`], SMUGGLED),
      GOT,
      OK,
    ],
    [
      'a request in the body of a HEAD',
      () => request('HEAD', '/x', [`Content-Length: ${SMUGGLED.length}`], SMUGGLED),
      ['HEAD /v1/x', ''],
      OK,
    ],
    ['a request behind a body', () => post(['Content-Length: 5'], `hello${SMUGGLED}`), POSTED, null],
    ['HTTP/1.0 in chunks', () => post([CHUNKED], HELLO).replace('HTTP/1.1', 'HTTP/1.0'), POSTED, OK],
  ])
})

describe('4.2.1 Z-07 a request is for whom its line says', () => {
  runCases([
    ['HTTP/0.9', () => `GET /hub/proxy/acme/x\r\n\r\n`, 'nothing', null],
    ['HTTP/2.0', () => get().replace('HTTP/1.1', 'HTTP/2.0'), GOT, OK],
    ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'nothing', REFUSED],
    ['two versions', () => get().replace('HTTP/1.1', 'HTTP/1.1 HTTP/1.1'), 'nothing', REFUSED],
    ['a tab in the line', () => get().replace('GET /', 'GET\t/'), 'nothing', REFUSED],
    ['a method in small letters', () => get().replace('GET', 'get'), 'nothing', null],
    ['no Host', () => get().replace('Host: id.example\r\n', ''), 'nothing', REFUSED],
    ['two Hosts', () => get('Host: evil.example'), 'nothing', REFUSED],
    ['another Host', () => get().replace('id.example', '169.254.169.254'), GOT, OK],
    ['a Host with a name of somebody', () => get().replace('id.example', 'a@b'), 'nothing', REFUSED],
    ['CONNECT', () => request('CONNECT', '169.254.169.254:80'), 'nothing', null],
    ['CONNECT to a path', () => request('CONNECT', '/x'), 'nothing', null],
    ['OPTIONS *', () => request('OPTIONS', '*'), 'nothing', null],
    ['an authority', () => request('GET', 'evil.example:80'), 'nothing', REFUSED],
    ['an absolute URL of a private host', () => request('GET', 'http://169.254.169.254/hub/proxy/acme/x'), GOT, OK],
    [
      'one with a name of somebody',
      () => request('GET', 'http://a:b@evil.example/hub/proxy/acme/x'),
      'nothing',
      REFUSED,
    ],
    ['one of another scheme', () => request('GET', 'file:///hub/proxy/acme/x'), 'nothing', /^HTTP\/1\.1 4/],
    ['a host behind two slashes', () => request('GET', '/hub/proxy/acme//evil.example/x'), 'nothing', REFUSED],
    [
      'a whole URL behind the connector',
      () => request('GET', '/hub/proxy/acme/http://evil.example/'),
      ['GET /v1/http://evil.example/', ''],
      OK,
    ],
    ['a host behind @', () => request('GET', '/hub/proxy/acme@evil.example/x'), 'nothing', /^HTTP\/1\.1 4/],
    ['a port behind the connector', () => request('GET', '/hub/proxy/acme:81/x'), 'nothing', /^HTTP\/1\.1 4/],
    ...(
      [
        ...['/..', '/../x', '/a/../../x', '/%2e%2e/x', '/%2e%2e%2fx', '/.%2E/x', '/%252e%252e/x', '/%252e%252e%252fx'],
        ...[
          '/%25252e%25252e/x',
          '/..;/x',
          '/..;a=1/x',
          '/%2e%2e;/x',
          '/%2e%2e%3b/x',
          '/..%5cx',
          '/..\\x',
          '/\\evil.example/x',
        ],
        ...[
          '/%5c%5cevil.example/x',
          '/a%5c..%5c..%5cx',
          '/%255c..%255cx',
          '/x%00',
          '/x%00.json',
          '/%2500',
          '/x%0d%0aX-A:%201',
        ],
        ...[
          '/x%0aX-A:1',
          '/%250d%250aX',
          '/%c0%ae%c0%ae/x',
          '/%c0%af..%c0%afx',
          '/%e0%80%ae%e0%80%ae/x',
          '/%f0%80%80%ae%f0%80%80%ae/x',
        ],
        ...[
          '/%ef%bc%8e%ef%bc%8e/x',
          '/%e2%80%a4%e2%80%a4/x',
          '/..%ef%bc%8fx',
          '/%e2%80%a5/x',
          '/.%ef%bc%8e%ef%bc%bcx',
          '/%25ef%25bc%258e./x',
        ],
        ...['/x#y', '/x%', '/x%g0', '/x%u002e', '/\u00fc', '/x y'],
      ] as const
    ).map((path): Case => [`the path ${JSON.stringify(path)}`, () => request('GET', path), 'nothing', /^HTTP\/1\.1 4/]),
    ['dots that are a name', () => request('GET', '/.../..a/x..'), ['GET /v1/.../..a/x..', ''], OK],
    [
      'letters of the world',
      () => request('GET', '/%e6%96%87/%c3%bc%e2%80%a6'),
      ['GET /v1/%e6%96%87/%c3%bc%e2%80%a6', ''],
      OK,
    ],
    [
      'a query that goes up',
      () => request('GET', '/x?y=%2e%2e/&z=http://a/'),
      ['GET /v1/x?y=%2e%2e/&z=http://a/', ''],
      OK,
    ],
    ['a line break in a query', () => request('GET', '/x?a=%0d%0aX-A:%201'), ['GET /v1/x?a=%0d%0aX-A:%201', ''], OK],
    ['a line that is too long', () => request('GET', `/x?${'a'.repeat(8192)}`), 'nothing', /^HTTP\/1\.1 414 /],
  ])
})

describe('4.1.3 P-05 what a header says of hops, hosts and credentials stays here', () => {
  const dropped = (...lines: string[]): Case => [lines.join(', ').slice(0, 60), () => get(...lines), GOT, OK]
  runCases([
    ['Connection names Authorization', () => get('Connection: Authorization, X-A', 'X-A: evil-header'), GOT, OK],
    [
      'Connection names Host and lengths',
      () => post(['Connection: host, content-length', 'Content-Length: 5'], 'hello'),
      POSTED,
      OK,
    ],
    ['Connection names the coding', () => post(['Connection: transfer-encoding', CHUNKED], HELLO), POSTED, OK],
    dropped('Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__', 'Connection: Upgrade, HTTP2-Settings'),
    dropped(
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    ),
    ['Expect', () => post(['Expect: 100-continue', 'Content-Length: 5'], 'hello'), POSTED, /^HTTP\/1\.1 100 /],
    ['an Expect of another kind', () => get('Expect: evil-header'), 'nothing', /^HTTP\/1\.1 417 /],
    dropped('TE: trailers', 'Keep-Alive: timeout=9', 'Proxy-Connection: keep-alive'),
    dropped(
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Prefix: /',
    ),
    dropped('X_Forwarded_For: 127.0.0.1', 'X_Real_IP: 127.0.0.1', 'Proxy_Authorization: evil-header'),
    dropped('Forwarded: for=127.0.0.1;host=evil.example', 'Via: 1.1 evil-header', 'X-Real-IP: 127.0.0.1'),
    dropped('X-Original-URL: /v1/smuggled', 'X-Rewrite-URL: /v1/smuggled', 'X-Original-Host: evil.example'),
    dropped('X-HTTP-Method-Override: DELETE', 'X-HTTP-Method: DELETE', 'X-Method-Override: DELETE'),
    dropped(
      'X-Sallyport-Error: evil-header',
      'Client-Cert: :AA:',
      'Origin: https://evil.example',
      'Referer: https://evil.example/',
    ),
    dropped('Proxy-Authorization: Basic evil-header', 'DPoP: evil-header', 'Sec-Fetch-Site: none'),
    ['our cookies', () => get(`Cookie: ${cookie}`, 'Cookie2: $Version=1'), GOT, OK],
    ['two Authorization headers', () => get('Authorization: Bearer other'), 'nothing', /^HTTP\/1\.1 40[01] /],
    ['our token in a header', () => get(`X-Api-Key: ${token}`), 'nothing', REFUSED],
    ['our token with more in a header', () => get(`X-Auth: Bearer ${token}, realm=x`), 'nothing', REFUSED],
    ['our token in a query', () => request('GET', `/x?access_token=${token}`), 'nothing', REFUSED],
    ['our token in a query, in escapes', () => request('GET', `/x?a=${escapeAll(token)}`), 'nothing', REFUSED],
    ['our token in a path', () => request('GET', `/x/${token}/y`), 'nothing', REFUSED],
    ['another token of ours in a header', () => get(`X-Api-Key: sp_rt_${'a'.repeat(43)}`), 'nothing', REFUSED],
    [
      'a cookie of ours in a header',
      () => get(`Cookie: ${cookie}`, `X-Session: ${[...alice.cookies.values()][0]}`),
      'nothing',
      REFUSED,
    ],
    [
      'a cookie of ours in a query',
      () => request('GET', `/x?s=${[...alice.cookies.values()][0]}`, [`Cookie: ${cookie}`]),
      'nothing',
      REFUSED,
    ],
    ['NUL in a value', () => get('X-A: a\0b'), 'nothing', REFUSED],
    ['NUL in a name', () => get('X-\0A: b'), 'nothing', REFUSED],
    ['a colon too few', () => get('X-A'), 'nothing', REFUSED],
    ['a name with a blank', () => get('X A: b'), 'nothing', REFUSED],
    ['an empty name', () => get(': b'), 'nothing', REFUSED],
    ['headers without end', () => get(`X-A: ${'a'.repeat(20_000)}`), 'nothing', /^HTTP\/1\.1 431 /],
  ])
})

// The API is somebody else's, and may be taken over: its answer is bytes that nobody here has to believe.
describe('4.2.1 an answer ends where it says, and is nobody else’s', () => {
  for (const [name, answer, expected] of [
    ['both framings', `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${CHUNKED}\r\n\r\n${HELLO}`, /^HTTP\/1\.1 (502|200)/],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!', /^HTTP\/1\.1 502 /],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello', /^HTTP\/1\.1 502 /],
    ['lines that end with LF', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello', /^HTTP\/1\.1 (502|200) /],
    ['NUL in a header', 'HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n', /^HTTP\/1\.1 502 /],
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello',
      /^HTTP\/1\.1 502 /,
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH_9\r\n', /^HTTP\/1\.1 502 /],
    ['a status that is none', 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n', /^HTTP\/1\.1 (502|500|999) /],
    [
      'headers without end',
      `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(20_000)}\r\nContent-Length: 0\r\n\r\n`,
      /^HTTP\/1\.1 502 /,
    ],
    [
      'early hints',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      /^HTTP\/1\.1 200 [\s\S]*hello/,
    ],
    [
      'a second answer behind the first',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned',
      /^HTTP\/1\.1 200 [\s\S]*hello/,
    ],
  ] as const) {
    test(name, async () => {
      ledger.answers.push(answer)
      const answered = await sendRaw(port, request('GET', '/odd'))
      assert.match(answered, expected)
      assert.doesNotMatch(answered, /poisoned|\nUpgrade:/i)
      for (let i = 0; i < 3; i++) {
        const next = await sendRaw(port, request('GET', `/next${i}`))
        assert.match(next, /^HTTP\/1\.1 200 [\s\S]*\{"ok":true\}/)
      }
      assert.deepEqual(
        ledger.requests.map(({ request_line }) => request_line.split(' ')[1]),
        ['/v1/odd', '/v1/next0', '/v1/next1', '/v1/next2'],
        'no request is repeated',
      )
    })
  }
})

function escapeAll(text: string): string {
  return [...text].map((char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
}
