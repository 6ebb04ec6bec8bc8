import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener } from 'node:http'
import { test } from 'node:test'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { createCertificate } from '../../../test/parts/certificate.ts'
import { failureOf, startEgress } from '../../../test/parts/guarded.ts'
import { startLocalServer } from '../../../test/parts/local_server.ts'
import { createEgress } from './egress.ts'
import type { EgressError } from './egress_error.ts'

const certificate = createCertificate(['provider.example'])

test('an allow entry lets plain http through to its host and port alone', async (t) => {
  const { port, url } = await startLocalServer(t, (_, response) => response.end('hello'))
  for (const allow of [['127.0.0.1'], [`127.0.0.1:${port}`], ['127.0.0.0/8']]) {
    const egress = startEgress(t, { allow })
    assert.equal(await (await egress.fetch(url, { purpose: 'discovery' })).text(), 'hello', allow[0])
    assert.equal(egress.mayUseHttp(url), true)
    assert.equal(egress.mayUseHttp('http://8.8.8.8/'), false)
    assert.equal(egress.mayUseHttp(`https://127.0.0.1:${port}`), false)
  }
  for (const allow of [[], ['127.0.0.2'], [`127.0.0.1:${port + 1}`], ['10.0.0.0/8']]) {
    const egress = startEgress(t, { allow })
    assert.equal((await failureOf(egress.fetch(url, { purpose: 'discovery' }))).code, 'blocked_scheme')
    assert.equal(egress.mayUseHttp(url), false)
  }
})

test('a range lets a name through over http only where every address of the name is in it', async (t) => {
  const { port } = await startLocalServer(t, (_, response) => response.end('hello'))
  const answers: Record<string, string[]> = { good: ['127.0.0.1'], mixed: ['127.0.0.1', '8.8.8.8'], far: ['8.8.8.8'] }
  const egress = startEgress(t, { allow: ['127.0.0.0/8'], resolve: async (name) => answers[name]! })
  assert.equal(await (await egress.fetch(`http://good:${port}/`, { purpose: 'jwks' })).text(), 'hello')
  assert.equal(egress.mayUseHttp(`http://good:${port}/`), true)
  for (const name of ['mixed', 'far']) {
    assert.equal((await failureOf(egress.fetch(`http://${name}:${port}/`, { purpose: 'jwks' }))).code, 'blocked_scheme')
  }
})

test('TLS names and verifies the host although the connection goes to a checked address', async (t) => {
  const seen: string[] = []
  const { port } = await startLocalServer(
    t,
    (request, response) => {
      seen.push(`${(request.socket as TLSSocket & { servername: string }).servername} ${request.headers.host}`)
      response.end('over TLS')
    },
    certificate,
  )
  const resolve = async () => ['127.0.0.1']
  const connected: string[] = []
  const egress = startEgress(t, {
    allow: ['127.0.0.0/8'],
    ca: certificate.cert,
    resolve,
    onConnect: (address) => connected.push(address),
  })
  const response = await egress.fetch(`https://provider.example:${port}/`, { purpose: 'jwks' })
  assert.equal(await response.text(), 'over TLS')
  assert.deepEqual(seen, [`provider.example provider.example:${port}`])
  assert.deepEqual(connected, ['127.0.0.1'])

  const wrongName = await failureOf(egress.fetch(`https://other.example:${port}/`, { purpose: 'jwks' }))
  assert.equal(wrongName.code, 'tls')
  assert.equal(wrongName.sent, false)
  const trustsNobody = startEgress(t, { allow: ['127.0.0.0/8'], resolve })
  assert.equal(
    (await failureOf(trustsNobody.fetch(`https://provider.example:${port}/`, { purpose: 'jwks' }))).code,
    'tls',
  )
})

test('12.1.1 12.1.2 TLS is 1.2 or 1.3 with forward secrecy and authenticated encryption, or there is no call', async (t) => {
  const speaks = async (options: SecureContextOptions) => {
    const listener: RequestListener = (_, response) => response.end('spoken')
    const { port } = await startLocalServer(t, listener, { ...certificate, ...options })
    const resolve = async () => ['127.0.0.1']
    const egress = startEgress(t, { allow: ['127.0.0.0/8'], ca: certificate.cert, resolve })
    const call = egress.fetch(`https://provider.example:${port}/`, { purpose: 'token' })
    return call.then(
      (response) => response.text(),
      ({ code }: EgressError) => code,
    )
  }
  const old = { minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const
  assert.equal(await speaks({ ...old, maxVersion: 'TLSv1.3' }), 'spoken')
  assert.equal(await speaks({ ...old, maxVersion: 'TLSv1.2' }), 'spoken')
  for (const maxVersion of ['TLSv1.1', 'TLSv1'] as const) assert.equal(await speaks({ ...old, maxVersion }), 'tls')
  const weak = ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE-RSA-AES128-SHA', 'AES128-GCM-SHA256']
  for (const ciphers of [...weak, 'DHE-RSA-AES128-GCM-SHA256', 'AECDH-AES128-SHA', 'ECDHE-ECDSA-NULL-SHA']) {
    const refused = speaks({ maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` })
    assert.equal(await refused, 'tls', ciphers)
  }
})

test('a closed port and an unknown name fail as never sent', async (t) => {
  const { port, url, server } = await startLocalServer(t, () => {})
  await new Promise((resolve) => server.close(resolve))
  const egress = startEgress(t, { resolve: () => Promise.reject(new Error('NXDOMAIN')) })
  const refused = await failureOf(egress.fetch(url, { purpose: 'token', method: 'POST', body: 'a=b' }))
  assert.deepEqual([refused.code, refused.sent], ['connect', false])
  const unknown = await failureOf(egress.fetch(`https://nowhere.example/`, { purpose: 'token' }))
  assert.deepEqual([unknown.code, unknown.sent], ['dns', false])
  const silent = startEgress(t, { resolve: () => new Promise(() => {}), connectTimeoutMs: 20 })
  assert.equal((await failureOf(silent.fetch('https://nowhere.example/', { purpose: 'token' }))).code, 'dns')
  assert.ok(port > 0)
})

test('the next address is tried when one refuses the connection', async (t) => {
  const { port } = await startLocalServer(t, (_, response) => response.end('second'))
  const connected: string[] = []
  const egress = startEgress(t, {
    allow: ['127.0.0.0/8'],
    resolve: async () => ['127.0.0.2', '127.0.0.1'],
    onConnect: (address) => connected.push(address),
  })
  assert.equal(await (await egress.fetch(`http://name:${port}/`, { purpose: 'jwks' })).text(), 'second')
  assert.deepEqual(connected, ['127.0.0.2', '127.0.0.1'])
})

test('15.3.2 a redirect is an answer unless the caller asked to follow', async (t) => {
  const { url } = await startLocalServer(t, (request, response) => {
    if (request.url === '/') response.writeHead(302, { location: '/end' }).end()
    else response.end('end')
  })
  const egress = startEgress(t)
  const moved = await egress.fetch(url, { purpose: 'jwks' })
  assert.deepEqual([moved.status, moved.headers.get('location'), await moved.text()], [302, '/end', ''])
  const followed = await egress.fetch(url, { purpose: 'jwks', redirects: 1 })
  assert.equal(await followed.text(), 'end')
  assert.equal(followed.url, `${url}/end`)
  await assert.rejects(egress.fetch(url, { purpose: 'token', method: 'POST', redirects: 1 }), TypeError)
})

test('1.3.6 CVE-2026-55671 every redirect is judged like the first URL, and their number is bounded', async (t) => {
  let sunk = 0
  const sink = await startLocalServer(t, (_, response) => {
    sunk++
    response.end('secret')
  })
  let location = ''
  let hops = 0
  const { url } = await startLocalServer(t, (_, response) => {
    hops++
    response.writeHead(307, { location }).end('elsewhere')
  })
  const egress = startEgress(t, { allow: [url.slice('http://'.length)] })
  const cases: Array<[string, string]> = [
    [`${sink.url}/`, 'blocked_scheme'],
    [`https://127.0.0.1:8443/`, 'blocked_address'],
    [`https://2130706433/`, 'blocked_address'],
    ['https://[::ffff:169.254.169.254]/', 'blocked_address'],
    ['//127.1:443/', 'blocked_scheme'],
    ['file:///etc/passwd', 'blocked_scheme'],
    ['https://user:pass@example.com/', 'blocked_url'],
    ['https://[', 'blocked_url'],
  ]
  for (const [target, code] of cases) {
    location = target
    assert.equal((await failureOf(egress.fetch(url, { purpose: 'jwks', redirects: 3 }))).code, code, target)
  }
  location = '/again'
  for (const redirects of [1, 2, 3] as const) {
    hops = 0
    assert.equal((await failureOf(egress.fetch(url, { purpose: 'jwks', redirects }))).code, 'redirect')
    assert.equal(hops, redirects + 1)
  }
  assert.equal(sunk, 0)
})

test('a redirect to another origin loses Authorization and Cookie', async (t) => {
  const seen: IncomingMessage['headers'][] = []
  const other = await startLocalServer(t, (request, response) => {
    seen.push(request.headers)
    response.end('other')
  })
  const { url } = await startLocalServer(t, (request, response) => {
    seen.push(request.headers)
    response.writeHead(302, { location: request.url === '/' ? '/same' : other.url }).end()
  })
  const headers = { authorization: 'Bearer secret', cookie: 'a=b', 'x-kept': 'yes' }
  const response = await startEgress(t).fetch(url, { purpose: 'jwks', redirects: 2, headers })
  assert.equal(await response.text(), 'other')
  assert.deepEqual(
    seen.map((each) => [each.authorization, each.cookie, each['x-kept']]),
    [
      ['Bearer secret', 'a=b', 'yes'],
      ['Bearer secret', 'a=b', 'yes'],
      [undefined, undefined, 'yes'],
    ],
  )
})

test('a call that must not be repeated has a connection of its own', async (t) => {
  const ports = new Set<number>()
  const { url } = await startLocalServer(t, (request, response) => {
    ports.add(request.socket.remotePort!)
    response.end('ok')
  })
  const egress = startEgress(t)
  for (let i = 0; i < 3; i++) {
    await (await egress.fetch(url, { purpose: 'token', method: 'POST', body: new URLSearchParams({ a: 'b' }) })).text()
  }
  assert.equal(ports.size, 3)
  for (let i = 0; i < 3; i++) {
    await (await egress.fetch(url, { purpose: 'jwks' })).text()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.equal(ports.size, 4)
})

test('bodies pass as streams both ways, as a Request or as arguments', async (t) => {
  const { url } = await startLocalServer(t, (request, response) => {
    response.writeHead(200, { 'x-method': request.method!, 'x-type': String(request.headers['content-type']) })
    request.pipe(response)
  })
  const egress = startEgress(t)
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  writer.write(new TextEncoder().encode('ping'))
  const init = { method: 'PUT', body: readable, headers: { 'content-type': 'text/plain' } }
  const response = await egress.fetch(url, { purpose: 'proxy', ...init })
  const reader = response.body!.getReader()
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'ping')
  writer.write(new TextEncoder().encode('pong'))
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'pong')
  writer.close()
  assert.equal((await reader.read()).done, true)

  const request = new Request(url, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } })
  const echoed = await egress.fetch(request, { purpose: 'proxy' })
  assert.equal(await echoed.text(), '{"a":1}')
  assert.deepEqual([echoed.headers.get('x-method'), echoed.headers.get('x-type')], ['POST', 'application/json'])

  const long = new Blob(['x'.repeat(2_000)]).stream()
  const over = await failureOf(egress.fetch(url, { purpose: 'webhook', method: 'POST', body: long, maxBytes: 1_000 }))
  assert.equal(over.code, 'too_large')
})

test('the caller can give up, before and during a call', async (t) => {
  const { url } = await startLocalServer(t, () => {})
  const egress = startEgress(t)
  const before = await failureOf(egress.fetch(url, { purpose: 'jwks', signal: AbortSignal.abort() }))
  assert.deepEqual([before.code, before.sent], ['aborted', false])
  const control = new AbortController()
  const pending = egress.fetch(url, { purpose: 'jwks', signal: control.signal })
  setTimeout(() => control.abort(), 20)
  assert.equal((await failureOf(pending)).code, 'aborted')
})

test('an error names the host and nothing else of the URL', async (t) => {
  const egress = startEgress(t, { allow: [] })
  const refusal = await failureOf(egress.fetch('https://127.0.0.1/path?token=secret', { purpose: 'jwks' }))
  assert.equal(refusal.host, '127.0.0.1')
  assert.doesNotMatch(refusal.message + refusal.stack, /token|secret|path\?/)
})

test('a guard that was closed before its first call refuses it', async () => {
  const egress = createEgress({ allow: ['127.0.0.1'] })
  await egress.close()
  const failure = await failureOf(egress.fetch('http://127.0.0.1:9/', { purpose: 'token' }))
  assert.deepEqual([failure.code, failure.sent], ['aborted', false])
})
