import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { failureOf, startEgress } from '../../../test/parts/guarded.ts'
import { startLocalServer } from '../../../test/parts/local_server.ts'

test('one deadline covers head, body and every hop', async (t) => {
  const { url } = await startLocalServer(t, (request, response) => {
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
  const { url } = await startLocalServer(t, (_, response) => void response.write('first'))
  const response = await startEgress(t).fetch(url, { purpose: 'proxy', idleMs: 30 })
  assert.equal((await failureOf(response.text())).code, 'timeout')
})

test('an endless body is cut at the limit, and one of exactly the limit passes', async (t) => {
  let closed = 0
  const { url } = await startLocalServer(t, (request, response) => {
    if (request.url === '/exact') return response.end('x'.repeat(1_000))
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
  const { url } = await startLocalServer(t, (request, response) => {
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
  const { url } = await startLocalServer(t, (request, response) => {
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

test('13.2.6 calls at once to one host are bounded, then they wait, then they are refused', async (t) => {
  const held: ServerResponse[] = []
  let most = 0
  const { url } = await startLocalServer(t, (_, response) => {
    held.push(response)
    most = Math.max(most, held.length)
  })
  const egress = startEgress(t, { perHost: 2, perHostWaiting: 2 })
  const calls = Array.from({ length: 5 }, () => egress.fetch(url, { purpose: 'proxy' }))
  const busy = await failureOf(calls[4]!)
  assert.deepEqual([busy.code, busy.sent], ['busy', false])
  while (most < 2) await new Promise((resolve) => setTimeout(resolve, 5))
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
  const { url } = await startLocalServer(t, (_, response) => void response.write('endless'))
  const egress = startEgress(t, { perHost: 1 })
  await egress.fetch(url, { purpose: 'jwks', timeoutMs: 40 })
  const second = await egress.fetch(url, { purpose: 'jwks', timeoutMs: 500 })
  assert.equal(second.status, 200)
  await second.body?.cancel()
})

test('an answer without a body ends its call', async (t) => {
  const { url } = await startLocalServer(t, (_, response) => response.writeHead(204).end())
  const egress = startEgress(t, { perHost: 1 })
  for (let i = 0; i < 3; i++) {
    const response = await egress.fetch(url, { purpose: 'revocation', method: 'POST', body: 'token=x' })
    assert.deepEqual([response.status, response.body], [204, null])
  }
})
