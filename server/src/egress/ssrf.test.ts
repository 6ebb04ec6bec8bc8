import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { PRIVATE_HOSTS, PRIVATE_NAMES } from '../../../test/parts/private_hosts.ts'
import { createEgress } from './egress.ts'
import { EgressError } from './egress_error.ts'

// The sink stands where every hole in the guard would lead: loopback. It must never see a connection.
let sink: Server
let sinkPort = 0
let sinkConnections = 0
const connected: string[] = []

before(async () => {
  sink = createServer((socket) => {
    sinkConnections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  sinkPort = (sink.address() as { port: number }).port
})
beforeEach(() => {
  connected.length = 0
  sinkConnections = 0
})
after(() => {
  sink.close()
})

test('1.3.6 CVE-2024-49753 CVE-2026-27945 no form of a private address in a URL is ever connected to', async () => {
  const egress = createEgress({ ports: [443, sinkPort], onConnect: (address) => connected.push(address) })
  assert.ok(PRIVATE_HOSTS.length >= 60)
  for (const host of PRIVATE_HOSTS) {
    for (const url of [`https://${host}:${sinkPort}/`, `https:/\\${host}:${sinkPort}/x?y#z`]) {
      const refusal = await egress.fetch(url, { purpose: 'webhook' }).catch((error) => error)
      assert.ok(refusal instanceof EgressError, url)
      assert.match(refusal.code, /^(blocked_address|blocked_url|dns)$/, `${url}: ${refusal.code}`)
      assert.equal(refusal.sent, false, url)
    }
  }
  assert.deepEqual(connected, [])
  assert.equal(sinkConnections, 0)
  await egress.close()
})

test('1.3.6 a name with any private address behind it is never connected to', async () => {
  const answers = new Map(PRIVATE_NAMES)
  const resolve = async (hostname: string) => answers.get(hostname)!
  const egress = createEgress({ ports: [sinkPort], resolve, onConnect: (address) => connected.push(address) })
  for (const [name] of PRIVATE_NAMES) {
    const refusal = await egress.fetch(`https://${name}:${sinkPort}/`, { purpose: 'jwks' }).catch((error) => error)
    assert.ok(refusal instanceof EgressError, name)
    assert.equal(refusal.code, 'blocked_address', name)
    assert.equal(refusal.sent, false, name)
  }
  assert.deepEqual(connected, [])
  assert.equal(sinkConnections, 0)
  await egress.close()
})

test('1.3.6 the real localhost, resolved by the system, is never connected to', async () => {
  const egress = createEgress({ ports: [443, sinkPort], onConnect: (address) => connected.push(address) })
  for (const name of ['localhost', 'LOCALHOST', 'localhost.']) {
    const refusal = await egress.fetch(`https://${name}:${sinkPort}/`, { purpose: 'jwks' }).catch((error) => error)
    assert.match(refusal.code, /^(blocked_address|dns)$/, name)
  }
  assert.deepEqual(connected, [])
  assert.equal(sinkConnections, 0)
  await egress.close()
})

test('1.3.6 CVE-2026-55671 a name that turns private after the check is connected to at the checked address alone', async () => {
  let asked = 0
  // A public answer first, loopback ever after: the trick of DNS rebinding. The first is a discard port that refuses.
  const resolve = async () => (asked++ === 0 ? ['240.0.0.1'] : ['127.0.0.1'])
  const egress = createEgress({
    allow: ['240.0.0.0/8'],
    ports: [sinkPort],
    resolve,
    connectTimeoutMs: 200,
    onConnect: (address) => connected.push(address),
  })
  const refusal = await egress
    .fetch(`https://rebind.example:${sinkPort}/`, { purpose: 'jwks', timeoutMs: 2_000 })
    .catch((error) => error)
  assert.match(refusal.code, /^(connect|timeout)$/)
  assert.equal(asked, 1, 'the name was resolved once')
  assert.deepEqual(connected, ['240.0.0.1'])
  assert.equal(sinkConnections, 0)
  await egress.close()
})

test('13.2.4 schemes other than https, closed ports and userinfo are refused before anything is resolved', async () => {
  let asked = 0
  const resolve = async () => {
    asked++
    return ['93.184.215.14']
  }
  const egress = createEgress({ resolve, onConnect: (address) => connected.push(address) })
  const cases: Array<[url: string, code: string]> = [
    ['http://example.com/', 'blocked_scheme'],
    ['http://example.com:443/', 'blocked_scheme'],
    ['ftp://example.com/', 'blocked_scheme'],
    ['file:///etc/passwd', 'blocked_scheme'],
    ['data:text/plain,hello', 'blocked_scheme'],
    ['gopher://example.com/', 'blocked_scheme'],
    ['blob:https://example.com/1', 'blocked_scheme'],
    ['unix:/run/docker.sock', 'blocked_scheme'],
    ['https://example.com:22/', 'blocked_port'],
    ['https://example.com:80/', 'blocked_port'],
    ['https://example.com:6379/', 'blocked_port'],
    ['https://example.com:65535/', 'blocked_port'],
    ['https://user@example.com/', 'blocked_url'],
    ['https://:secret@example.com/', 'blocked_url'],
    ['https://example.com:99999/', 'blocked_url'],
    ['https://', 'blocked_url'],
    ['//example.com/', 'blocked_url'],
    ['example.com', 'blocked_url'],
    ['', 'blocked_url'],
  ]
  for (const [url, code] of cases) {
    const refusal = await egress.fetch(url, { purpose: 'discovery' }).catch((error) => error)
    assert.equal(refusal.code, code, url)
    assert.equal(refusal.sent, false, url)
    assert.doesNotMatch(refusal.message, /secret|passwd/, url)
  }
  assert.equal(asked, 0)
  assert.deepEqual(connected, [])
  await egress.close()
})

test('13.2.5 proxy settings of the environment are ignored', async () => {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'NODE_USE_ENV_PROXY']
  const before = names.map((name) => [name, process.env[name]] as const)
  for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : `http://127.0.0.1:${sinkPort}`
  const egress = createEgress({ resolve: async () => ['127.0.0.1'], ports: [sinkPort] })
  const refusal = await egress.fetch('https://example.com:8443/', { purpose: 'jwks' }).catch((error) => error)
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  assert.equal(refusal.code, 'blocked_port')
  assert.equal(sinkConnections, 0)
  await egress.close()
})
