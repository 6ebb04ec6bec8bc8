import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { createApp } from '../../server/src/app.ts'
import { randomBytes } from '../../server/src/crypto/random.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { HTTP_LIMITS, type Listening, type ListenOptions, listen } from '../../server/src/node_server.ts'
import { openStore } from '../../server/src/store/store.ts'
import { freePort } from '../parts/sallyport.ts'

const ends: (() => Promise<unknown>)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** A listener over an app of its own. */
async function startListener(options: Partial<ListenOptions> & { issuer?: string } = {}): Promise<Listening> {
  const port = await freePort()
  const store = await openStore({ sqlite: ':memory:' })
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const issuer = options.issuer ?? `http://127.0.0.1:${port}`
  const app = await createApp({ issuer, store, root: new RootKey(randomBytes(32)), log })
  const server = await listen(app, { host: '127.0.0.1', port, ...options })
  ends.push(store.close, app.close, () => server.stop(0))
  return server
}

/** The same; answers its port. */
const start = async (options?: Parameters<typeof startListener>[0]) => (await startListener(options)).port

const open = async (port: number, from: string): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  await once(socket, 'connect')
  return socket
}

const BODY = 'grant_type=client_credentials&client_id=nobody&client_secret=wrong-secret'

/** A client fails to authenticate from one of the loopback's addresses; the status of the answer. */
async function fail(port: number, from: string, headers: readonly string[] = []): Promise<number> {
  const socket = await open(port, from)
  const type = 'Content-Type: application/x-www-form-urlencoded'
  const head = ['POST /token HTTP/1.1', 'Host: id.example', type, `Content-Length: ${BODY.length}`, ...headers]
  socket.end([...head, 'Connection: close', '', BODY].join('\r\n'))
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'close')
  return Number(Buffer.concat(chunks).toString().split(' ')[1])
}

const failOften = async (port: number, from: string, headers: (i: number) => string[] = () => []) => {
  for (let i = 0; i < 20; i++) assert.equal(await fail(port, from, headers(i)), 401)
}

test('4.1.3 CVE-2025-64484 15.3.4 no header of a stranger changes the address by which they are counted', async () => {
  const port = await start()
  const claims = (i: number) => [
    `X-Forwarded-For: 198.51.100.${i}`,
    `X_Forwarded_For: 198.51.100.${i}`,
    `X-Forwarded_For: 198.51.100.${i}`,
    `Forwarded: for=198.51.100.${i}`,
    `X-Real-IP: 198.51.100.${i}`,
    `X-Client-IP: 198.51.100.${i}`,
    `True-Client-IP: 198.51.100.${i}`,
    `CF-Connecting-IP: 198.51.100.${i}`,
  ]
  await failOften(port, '127.0.0.2', claims)
  assert.equal(await fail(port, '127.0.0.2', claims(99)), 429)
  assert.equal(await fail(port, '127.0.0.3'), 401, 'the neighbour is not concerned')
})

test('4.1.3 B-17 behind a trusted proxy clients are counted each by its own address', async () => {
  const port = await start({ trusted_proxies: ['127.0.0.2', '127.0.0.9'] })
  const forwarded = (value: string) => [`X-Forwarded-For: ${value}`]
  await failOften(port, '127.0.0.2', (i) => forwarded(`10.0.0.${i}, 198.51.100.1${i % 2 ? ', 127.0.0.9' : ''}`))
  assert.equal(await fail(port, '127.0.0.2', forwarded('198.51.100.1')), 429, 'whatever the client wrote before it')
  assert.equal(await fail(port, '127.0.0.2', forwarded('198.51.100.2')), 401)
  assert.equal(await fail(port, '127.0.0.2', ['X_Forwarded_For: 198.51.100.1', ...forwarded('198.51.100.3')]), 401)
  assert.equal(
    await fail(port, '127.0.0.2', [...forwarded('1.1.1.1'), ...forwarded('198.51.100.1')]),
    429,
    'two are one',
  )
  assert.equal(await fail(port, '127.0.0.3', forwarded('198.51.100.1')), 401, 'from elsewhere it is nobody’s word')
})

test('4.1.3 in production without a named proxy no address is known, and nobody is locked out by another', async () => {
  const port = await start({ issuer: 'https://id.example' })
  await failOften(port, '127.0.0.2')
  assert.equal(await fail(port, '127.0.0.2'), 401)
})

test('5.22 one address has so many connections and no more, and others still have theirs', async () => {
  const port = await start({ connections_of_address: 3 })
  const sockets = [await open(port, '127.0.0.2'), await open(port, '127.0.0.2'), await open(port, '127.0.0.2')]
  const refused = await open(port, '127.0.0.2')
  refused.on('error', () => {})
  await once(refused, 'close')
  assert.equal(await fail(port, '127.0.0.3'), 401)
  sockets[0]!.destroy()
  await once(sockets[0]!, 'close')
  await new Promise((resolve) => setImmediate(resolve))
  for (let tries = 0; tries < 100 && (await isCut(port)); tries++);
  assert.equal(await isCut(port), false, 'a place that was left is free again')
  for (const socket of sockets) socket.destroy()
})

/** Whether a new connection is cut before it can ask anything. */
async function isCut(port: number): Promise<boolean> {
  return fail(port, '127.0.0.2').then(Number.isNaN, () => true)
}

test('5.22 a trusted proxy holds the connections of everybody, and is not limited as one', async () => {
  const port = await start({ connections_of_address: 2, trusted_proxies: ['127.0.0.2'] })
  const sockets = []
  for (let i = 0; i < 10; i++) sockets.push(await open(port, '127.0.0.2'))
  assert.equal(await fail(port, '127.0.0.2'), 401)
  for (const socket of sockets) socket.destroy()
})

test('5.22 of all connections there are so many', async () => {
  const port = await start({ connections: 2 })
  const sockets = [await open(port, '127.0.0.2'), await open(port, '127.0.0.3')]
  const refused = await open(port, '127.0.0.4')
  refused.on('error', () => {})
  await once(refused, 'close')
  for (const socket of sockets) socket.destroy()
})

test('5.22 a URL has at most 8 kB', async () => {
  const port = await start()
  const status = async (length: number) => (await fetch(`http://127.0.0.1:${port}/${'a'.repeat(length - 1)}`)).status
  assert.equal(await status(HTTP_LIMITS.url_bytes), 404)
  assert.equal(await status(HTTP_LIMITS.url_bytes + 1), 414)
})

test('5.22 CVE-2018-12122 who sends a request ever so slowly is cut off, and others are answered meanwhile', async () => {
  const { header_seconds, request_seconds } = HTTP_LIMITS
  const { server, port } = await startListener({ request_seconds: 0.2 })
  assert.equal(server.headersTimeout, header_seconds * 1000)
  assert.ok(header_seconds <= 10 && request_seconds <= 15)
  // The same listener, less patient: it looks at heads once a second.
  server.headersTimeout = 100
  const starts = [
    'POST /token HTTP/1.1\r\nHost: id.example\r\nX: ',
    'POST /token HTTP/1.1\r\nHost: id.example\r\nContent-Length: 60000\r\n\r\n',
    // It is answered at once, and goes on.
    'POST /login HTTP/1.1\r\nHost: id.example\r\nContent-Length: 60000\r\n\r\n',
    'POST /proxy/acme/x HTTP/1.1\r\nHost: id.example\r\nContent-Length: 60000\r\n\r\n',
  ]
  const slow = starts.map(async (head) => {
    const socket = await open(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk))
    socket.on('error', () => {})
    socket.write(head)
    const drip = setInterval(() => socket.write('x'), 20)
    await once(socket, 'close')
    clearInterval(drip)
    return answer
  })
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200)
  for (const answer of await Promise.all(slow)) assert.match(answer, /^HTTP\/1\.1 (408|421|401) /)
})
