import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { listen } from '../../server/src/node_server.ts'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { freePort } from '../parts/sallyport.ts'

const MIB = 2 ** 20
const LIMITS = { timeout_ms: 60_000, idle_ms: 1_500, largest_body: 64 * MIB, largest_header: 2_000 }

let bridge: Bridge
let token: string
const opened: ClientRequest[] = []

before(async () => {
  bridge = await startBridge({ path: '/hub', app: { proxy_limits: LIMITS } })
  const alice = await bridge.signIn()
  await bridge.connect(alice)
  token = (await bridge.obtain(alice)).access_token
})
after(() => bridge.stop())
beforeEach(() => {
  bridge.api.received.length = 0
  bridge.api.answers.clear()
})
afterEach(() => {
  for (const request of opened.splice(0)) request.destroy()
})

/** Begins a request through the proxy; its body is written by the test. */
function begin(method: string, headers: Record<string, string> = {}): ClientRequest {
  const authorization = `Bearer ${token}`
  const url = `${bridge.issuer}/proxy/acme/x`
  const request = httpRequest(url, { method, agent: false, headers: { authorization, ...headers } })
  request.on('error', () => {})
  opened.push(request)
  return request
}
const CHUNKED = { 'transfer-encoding': 'chunked' }
const answerOf = async (request: ClientRequest) => (await once(request, 'response'))[0] as IncomingMessage
const textOf = async (request: ClientRequest) => {
  const answer = await answerOf(request)
  return { status: answer.statusCode, headers: answer.headers, text: Buffer.concat(await answer.toArray()).toString() }
}

/** Takes the request of the API as a test wants it. */
function atApi(): Promise<[IncomingMessage, ServerResponse]> {
  const { promise, resolve } = Promise.withResolvers<[IncomingMessage, ServerResponse]>()
  bridge.api.answers.set('/v1/x', (...both) => resolve(both))
  return promise
}

test('the first byte of a request is at the API before the last was sent, and the answer’s before its own last', async () => {
  const there = atApi()
  const request = begin('POST', CHUNKED)
  request.write('1')
  const [asked, answer] = await there
  const chunks = asked[Symbol.asyncIterator]()
  const read = async () => String((await chunks.next()).value)
  assert.equal(await read(), '1')
  for (const part of ['2', '3']) {
    request.write(part)
    assert.equal(await read(), part)
  }
  answer.write('a')
  const answered = (await answerOf(request))[Symbol.asyncIterator]()
  assert.equal(String((await answered.next()).value), 'a', 'while the request goes on')
  request.end('4')
  assert.equal(await read(), '4')
  assert.equal((await chunks.next()).done, true)
  answer.write('b')
  assert.equal(String((await answered.next()).value), 'b')
  answer.end()
  assert.equal((await answered.next()).done, true)
  assert.equal(asked.headers['transfer-encoding'], 'chunked')
})

test('a large body whose length is known has it over there as well, and streams', async () => {
  const there = atApi()
  const request = begin('PUT', { 'content-length': '200000' })
  request.write(Buffer.alloc(1000))
  const [asked, answer] = await there
  assert.deepEqual([asked.headers['content-length'], asked.headers['transfer-encoding']], ['200000', undefined])
  assert.equal((await once(asked, 'data'))[0].length, 1000)
  asked.resume().on('end', () => answer.end('done'))
  request.end(Buffer.alloc(199_000))
  assert.equal((await textOf(request)).text, 'done')
})

test('who reads slowly holds back who writes, both ways: nothing piles up here', async () => {
  const there = atApi()
  const request = begin('POST', CHUNKED)
  const piece = Buffer.alloc(64 * 1024)
  const sent = await fill((done) => request.write(piece, done))
  const [asked, answer] = await there
  assert.ok(sent < 32 * MIB, `${sent} bytes were taken of a body that nobody reads`)
  asked.resume()
  request.end()
  await once(asked, 'end')
  const answering = answerOf(request)
  answer.writeHead(200)
  const written = await fill((done) => answer.write(piece, done))
  assert.ok(written < 32 * MIB, `${written} bytes were taken of an answer that nobody reads`)
  const answered = await answering
  assert.ok(answered.readableFlowing !== true)
  answered.resume()
  answer.end()
  await once(answered, 'end')
})

/** Writes pieces until one is not taken for a while; how many bytes were taken. */
async function fill(write: (done: () => void) => void): Promise<number> {
  for (let bytes = 0; ; bytes += 64 * 1024) {
    const taken = await Promise.race([new Promise<true>((resolve) => write(() => resolve(true))), sleep(150)])
    if (taken !== true || bytes > 64 * MIB) return bytes
  }
}

test('a body that breaks off here breaks off at the API, and is never a whole one', async () => {
  for (const headers of [CHUNKED, { 'content-length': '1000000' }]) {
    const there = atApi()
    const request = begin('POST', headers)
    request.write('half a body')
    const [asked] = await there
    assert.equal(String((await once(asked, 'data'))[0]), 'half a body')
    const closed = closing(asked)
    request.destroy()
    await closed
    assert.equal(asked.complete, false)
  }
})

/** Resolves when a message is over, whole or not. */
function closing(message: IncomingMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  message.on('error', () => {}).once('close', resolve)
  return promise
}

test('a caller who leaves before the answer ends the call, and one who leaves within it as well', async () => {
  for (const begun of [false, true]) {
    const there = atApi()
    const request = begin('GET')
    request.end()
    const [asked, answer] = await there
    if (begun) {
      answer.write('first')
      await once(await answerOf(request), 'data')
    }
    const closed = once(asked.socket, 'close')
    request.destroy()
    await closed
  }
})

test('an answer that breaks off at the API breaks off here, and is never a whole one', async () => {
  for (const headers of [{}, { 'content-length': '1000' }]) {
    const there = atApi()
    const request = begin('GET')
    request.end()
    const [, answer] = await there
    answer.writeHead(200, headers)
    answer.write('half')
    const answered = await answerOf(request)
    assert.equal(String((await once(answered, 'data'))[0]), 'half')
    const closed = closing(answered)
    answer.destroy()
    await closed
    assert.equal(answered.complete, false)
  }
})

test('an API that has heard enough answers at once, and one that cuts a body off is a bad gateway', async () => {
  const there = atApi()
  const request = begin('POST', CHUNKED)
  request.write('x')
  const [, answer] = await there
  answer.writeHead(413, { connection: 'close' }).end('enough')
  const { status, text } = await textOf(request)
  assert.deepEqual([status, text], [413, 'enough'])
  const again = atApi()
  const cut = begin('POST', CHUNKED)
  cut.write('x')
  ;(await again)[0].socket.destroy()
  assert.equal((await textOf(cut)).status, 502)
})

test('of what the API refuses with 401 the short is asked again with another token, and what streams is not', async () => {
  const bodies: string[] = []
  bridge.api.answers.set('/v1/x', async (asked, answer) => {
    bodies.push(Buffer.concat(await asked.toArray()).toString())
    answer.writeHead(bodies.length === 1 ? 401 : 200).end()
  })
  for (const [method, headers, body, times] of [
    ['GET', {}, '', 2],
    ['DELETE', {}, '', 2],
    ['POST', { 'content-length': '5' }, 'hello', 2],
    ['POST', CHUNKED, 'hello', 1],
    ['PUT', { 'content-length': '70000' }, 'x'.repeat(70_000), 1],
  ] as const) {
    bridge.clock.offset += 30_000
    bodies.length = 0
    const request = begin(method, headers)
    request.end(body)
    assert.equal((await textOf(request)).status, times === 2 ? 200 : 401, method)
    assert.deepEqual(bodies, Array(times).fill(body))
  }
})

test('13.1.3 a body, a header and a call have their limits, in either direction', async () => {
  const too_long = String(LIMITS.largest_body + 1)
  const declared = begin('POST', { 'content-length': too_long })
  declared.flushHeaders()
  const refused = await textOf(declared)
  assert.deepEqual([refused.status, refused.headers['x-sallyport-error']], [413, 'invalid_request'])
  assert.equal(bridge.api.received.length, 0)

  bridge.api.answers.set('/v1/x', (asked) => void asked.resume())
  const streamed = begin('POST', CHUNKED)
  const piece = Buffer.alloc(MIB)
  for (let i = 0; i <= 64; i++) streamed.write(piece)
  assert.equal((await textOf(streamed)).status, 413)

  for (const headers of [{ 'content-length': too_long }, { 'x-a': 'a'.repeat(2_000) }]) {
    bridge.api.answers.set('/v1/x', (asked, answer) => {
      asked.resume()
      answer.writeHead(200, headers).flushHeaders()
    })
    const request = begin('GET')
    request.end()
    const { status, text } = await textOf(request)
    assert.deepEqual([status, JSON.parse(text).reason], [502, 'too_large'])
  }
  // What has no body may say how long it would be.
  bridge.api.answers.set('/v1/x', (_, answer) => void answer.writeHead(200, { 'content-length': too_long }).end())
  const head = begin('HEAD')
  head.end()
  assert.equal((await textOf(head)).headers['content-length'], too_long)

  bridge.api.answers.set('/v1/x', (asked, answer) => {
    asked.resume()
    answer.write('first')
  })
  const idle = begin('GET')
  idle.end()
  const answered = await answerOf(idle)
  await closing(answered.resume())
  assert.equal(answered.complete, false, 'an answer that pauses for too long is cut off')
})

test('13.1.3 a body may take its time where somebody waits for it, and nowhere else', async () => {
  const listening = await listen(bridge.server.app, { host: '127.0.0.1', port: await freePort(), request_seconds: 0.1 })
  try {
    const { host, pathname } = new URL(bridge.issuer)
    const slowly = async (path: string, authorization: string) => {
      const where = { host: '127.0.0.1', port: listening.port, path: pathname + path, agent: false }
      const request = httpRequest({ ...where, method: 'POST', headers: { ...CHUNKED, authorization, host } })
      opened.push(request)
      request.on('error', () => {})
      const answering = once(request, 'response')
      request.write('a')
      await sleep(300)
      request.end('b')
      const [answer] = (await answering) as [IncomingMessage]
      await closing(answer.resume())
      return answer.statusCode
    }
    let body = ''
    bridge.api.answers.set('/v1/x', async (asked, answer) => {
      body = Buffer.concat(await asked.toArray()).toString()
      answer.end()
    })
    assert.equal(await slowly('/proxy/acme/x', `Bearer ${token}`), 200)
    assert.equal(body, 'ab')
    assert.equal(await slowly('/token', 'Bearer x'), 408)
    // Whoever has had the answer already is cut off without one more.
    assert.equal(await slowly('/proxy/acme/x', 'Bearer x'), 401)
  } finally {
    await listening.stop(0)
  }
})
