import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { createCertificate } from '../../../test/parts/certificate.ts'
import { createEgress, type EgressOptions } from './egress.ts'
import { EgressError } from './egress_error.ts'

const certificate = createCertificate(['provider.example'])

async function startServer(t: TestContext, listener: RequestListener, tls = false) {
  const server = tls ? createTlsServer(certificate, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}`, server }
}

function startEgress(t: TestContext, options: EgressOptions = {}) {
  const egress = createEgress({ allow: ['127.0.0.1'], ...options })
  t.after(() => egress.close())
  return egress
}

async function failureOf(promise: Promise<unknown>): Promise<EgressError> {
  const error = await promise.then(
    () => assert.fail('the call should have failed'),
    (error) => error,
  )
  assert.ok(error instanceof EgressError, String(error))
  return error
}

const answer = (response: ServerResponse, body: string) => response.end(body)

test('an allow entry lets plain http through to its host and port alone', async (t) => {
  const { port, url } = await startServer(t, (_, response) => answer(response, 'hello'))
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
  const { port } = await startServer(t, (_, response) => answer(response, 'hello'))
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
  const { port } = await startServer(
    t,
    (request, response) => {
      seen.push(`${(request.socket as TLSSocket & { servername: string }).servername} ${request.headers.host}`)
      answer(response, 'over TLS')
    },
    true,
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

test('a closed port and an unknown name fail as never sent', async (t) => {
  const { port, url, server } = await startServer(t, () => {})
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
  const { port } = await startServer(t, (_, response) => answer(response, 'second'))
  const connected: string[] = []
  const egress = startEgress(t, {
    allow: ['127.0.0.0/8'],
    resolve: async () => ['127.0.0.2', '127.0.0.1'],
    onConnect: (address) => connected.push(address),
  })
  assert.equal(await (await egress.fetch(`http://name:${port}/`, { purpose: 'jwks' })).text(), 'second')
  assert.deepEqual(connected, ['127.0.0.2', '127.0.0.1'])
})

test('a redirect is an answer unless the caller asked to follow', async (t) => {
  const { url } = await startServer(t, (request, response) => {
    if (request.url === '/') response.writeHead(302, { location: '/end' }).end()
    else answer(response, 'end')
  })
  const egress = startEgress(t)
  const moved = await egress.fetch(url, { purpose: 'jwks' })
  assert.deepEqual([moved.status, moved.headers.get('location'), await moved.text()], [302, '/end', ''])
  const followed = await egress.fetch(url, { purpose: 'jwks', redirects: 1 })
  assert.equal(await followed.text(), 'end')
  assert.equal(followed.url, `${url}/end`)
  await assert.rejects(egress.fetch(url, { purpose: 'token', method: 'POST', redirects: 1 }), TypeError)
})

test('1.3.6 every redirect is judged like the first URL, and their number is bounded', async (t) => {
  let sunk = 0
  const sink = await startServer(t, (_, response) => {
    sunk++
    answer(response, 'secret')
  })
  let location = ''
  let hops = 0
  const { url } = await startServer(t, (_, response) => {
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
  const other = await startServer(t, (request, response) => {
    seen.push(request.headers)
    answer(response, 'other')
  })
  const { url } = await startServer(t, (request, response) => {
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

test('one deadline covers head, body and every hop', async (t) => {
  const { url } = await startServer(t, (request, response) => {
    if (request.url === '/silent') return
    if (request.url === '/hop') {
      setTimeout(() => response.writeHead(302, { location: '/hop' }).end(), 40)
      return
    }
    response.write('first')
    const drip = setInterval(() => response.write('.'), 10)
    response.on('close', () => clearInterval(drip))
  })
  const egress = startEgress(t)
  const silent = await failureOf(egress.fetch(`${url}/silent`, { purpose: 'token', method: 'POST', timeoutMs: 50 }))
  assert.deepEqual([silent.code, silent.sent], ['timeout', true])
  assert.equal(
    (await failureOf(egress.fetch(`${url}/hop`, { purpose: 'jwks', redirects: 3, timeoutMs: 60 }))).code,
    'timeout',
  )
  const slow = await egress.fetch(`${url}/slow`, { purpose: 'jwks', timeoutMs: 80 })
  assert.equal((await failureOf(slow.text())).code, 'timeout')
})

test('a pause in a streamed body is bounded apart from its length', async (t) => {
  const { url } = await startServer(t, (_, response) => void response.write('first'))
  const response = await startEgress(t).fetch(url, { purpose: 'proxy', idleMs: 30 })
  assert.equal((await failureOf(response.text())).code, 'timeout')
})

test('an endless body is cut at the limit, and one of exactly the limit passes', async (t) => {
  let closed = 0
  const { url } = await startServer(t, (request, response) => {
    if (request.url === '/exact') return answer(response, 'x'.repeat(1_000))
    response.on('close', () => closed++)
    const write = () => {
      while (response.write('x'.repeat(10_000)) && !response.destroyed);
    }
    response.on('drain', write)
    write()
  })
  const egress = startEgress(t)
  const endless = await egress.fetch(url, { purpose: 'jwks', maxBytes: 50_000 })
  assert.equal((await failureOf(endless.text())).code, 'too_large')
  for (let i = 0; i < 50 && closed === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(closed, 1, 'the connection is given up')
  assert.equal((await (await egress.fetch(`${url}/exact`, { purpose: 'jwks', maxBytes: 1_000 })).text()).length, 1_000)
  const over = await egress.fetch(`${url}/exact`, { purpose: 'jwks', maxBytes: 999 })
  assert.equal((await failureOf(over.text())).code, 'too_large')
})

test('a compressed body is counted after decompression and handed on without its encoding', async (t) => {
  const bomb = gzipSync(Buffer.alloc(20_000_000))
  const { url } = await startServer(t, (request, response) => {
    const body = request.url === '/bomb' ? bomb : gzipSync('small')
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body)
  })
  const egress = startEgress(t)
  assert.ok(bomb.length < 64 * 1024, 'the bomb itself is under the limit')
  const response = await egress.fetch(`${url}/bomb`, { purpose: 'discovery' })
  assert.equal((await failureOf(response.arrayBuffer())).code, 'too_large')
  const small = await egress.fetch(url, { purpose: 'discovery' })
  assert.equal(small.headers.get('content-encoding'), null)
  assert.equal(small.headers.get('content-length'), null)
  assert.equal(await small.text(), 'small')
})

test('a head that is too large, garbage instead of HTTP and a cut body are told apart', async (t) => {
  const { url } = await startServer(t, (request, response) => {
    const socket = request.socket
    if (request.url === '/head') {
      response.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end()
    } else if (request.url === '/garbage') {
      socket.end('SSH-2.0-OpenSSH_9.6\r\n\r\n')
    } else if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => socket.destroy())
    } else socket.destroy()
  })
  const egress = startEgress(t)
  assert.equal((await failureOf(egress.fetch(`${url}/head`, { purpose: 'jwks' }))).code, 'too_large')
  assert.equal((await failureOf(egress.fetch(`${url}/garbage`, { purpose: 'jwks' }))).code, 'protocol')
  const closed = await failureOf(egress.fetch(`${url}/closed`, { purpose: 'token', method: 'POST', body: 'a=b' }))
  assert.deepEqual([closed.code, closed.sent], ['cut', true])
  const cut = await egress.fetch(`${url}/cut`, { purpose: 'jwks' })
  assert.equal((await failureOf(cut.text())).code, 'cut')
})

test('a call that must not be repeated has a connection of its own', async (t) => {
  const ports = new Set<number>()
  const { url } = await startServer(t, (request, response) => {
    ports.add(request.socket.remotePort!)
    answer(response, 'ok')
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
  const { url } = await startServer(t, (request, response) => {
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
  const { url } = await startServer(t, () => {})
  const egress = startEgress(t)
  const before = await failureOf(egress.fetch(url, { purpose: 'jwks', signal: AbortSignal.abort() }))
  assert.deepEqual([before.code, before.sent], ['aborted', false])
  const control = new AbortController()
  const pending = egress.fetch(url, { purpose: 'jwks', signal: control.signal })
  setTimeout(() => control.abort(), 20)
  assert.equal((await failureOf(pending)).code, 'aborted')
})

test('calls at once to one host are bounded, then they wait, then they are refused', async (t) => {
  const held: ServerResponse[] = []
  let most = 0
  const { url } = await startServer(t, (_, response) => {
    held.push(response)
    most = Math.max(most, held.length)
  })
  const egress = startEgress(t, { perHost: 2, perHostWaiting: 2 })
  const calls = Array.from({ length: 5 }, () => egress.fetch(url, { purpose: 'proxy' }))
  const busy = await failureOf(calls[4]!)
  assert.deepEqual([busy.code, busy.sent], ['busy', false])
  const texts = Promise.all(calls.slice(0, 4).map(async (call) => (await call).text()))
  for (let done = 0; done < 4; ) {
    const response = held.shift()
    if (response) {
      response.end('ok')
      done++
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.deepEqual(await texts, ['ok', 'ok', 'ok', 'ok'])
  assert.equal(most, 2)
})

test('a body that nobody reads gives its slot back at the deadline', async (t) => {
  const { url } = await startServer(t, (_, response) => void response.write('endless'))
  const egress = startEgress(t, { perHost: 1 })
  await egress.fetch(url, { purpose: 'jwks', timeoutMs: 40 })
  const second = await egress.fetch(url, { purpose: 'jwks', timeoutMs: 500 })
  assert.equal(second.status, 200)
  await second.body?.cancel()
})

test('an answer without a body ends its call', async (t) => {
  const { url } = await startServer(t, (_, response) => response.writeHead(204).end())
  const egress = startEgress(t, { perHost: 1 })
  for (let i = 0; i < 3; i++) {
    const response = await egress.fetch(url, { purpose: 'revocation', method: 'POST', body: 'token=x' })
    assert.deepEqual([response.status, response.body], [204, null])
  }
})

test('an error names the host and nothing else of the URL', async (t) => {
  const egress = startEgress(t, { allow: [] })
  const refusal = await failureOf(egress.fetch('https://127.0.0.1/path?token=secret', { purpose: 'jwks' }))
  assert.equal(refusal.host, '127.0.0.1')
  assert.doesNotMatch(refusal.message + refusal.stack, /token|secret|path\?/)
})
