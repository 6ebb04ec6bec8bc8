import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
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

// Each stands for a host in a URL. All name this machine, its neighbours or a metadata service, or nothing at all.
const LITERALS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.000.000.001',
  '0177.0.0.1',
  '0177.0.0.01',
  '017700000001',
  '0x7f.0.0.1',
  '0x7f.1',
  '0x7f000001',
  '0x7F000001',
  '2130706433',
  '0X7f.0X0.0X0.0X1',
  '127.0.0.1.',
  '127.255.255.254',
  '%31%32%37%2e%30%2e%30%2e%31',
  '１２７.０.０.１',
  '127。0。0。1',
  '①②⑦.⓪.⓪.①',
  '0',
  '0.0.0.0',
  '0x0',
  '00',
  '0.0.0.1',
  '10.0.0.1',
  '167772161',
  '012.0.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.43518',
  '169.254.170.2',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.257',
  '3232235521',
  '198.18.0.1',
  '198.51.100.7',
  '203.0.113.7',
  '168.63.129.16',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '4294967295',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000::0001]',
  '[::127.0.0.1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:127.0.0.1]',
  '[::ffff:169.254.169.254]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2002:a9fe:a9fe::1]',
  '[2001::1]',
  '[2001:db8::1]',
  '[100::1]',
  '[3fff::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fe80::1]',
  '[fe80::1%25eth0]',
  '[fe80::1%25lo]',
  '[fec0::1]',
  '[ff02::1]',
  '127.0.0.1%00.example.com',
  '127.0.0.1\\@example.com',
  'user@127.0.0.1',
  'user:secret@example.com',
  '256.256.256.256',
]

test('1.3.6 CVE-2024-49753 CVE-2026-27945 no form of a private address in a URL is ever connected to', async () => {
  const egress = createEgress({ ports: [443, sinkPort], onConnect: (address) => connected.push(address) })
  assert.ok(LITERALS.length >= 60)
  for (const host of LITERALS) {
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

const ANSWERS: Array<[name: string, addresses: string[]]> = [
  ['loopback.example', ['127.0.0.1']],
  ['loopback6.example', ['::1']],
  ['mapped.example', ['::ffff:127.0.0.1']],
  ['nat64.example', ['64:ff9b::7f00:1']],
  ['6to4.example', ['2002:7f00:1::1']],
  ['private.example', ['10.0.0.1']],
  ['metadata.example', ['169.254.169.254']],
  ['metadata.google.internal', ['169.254.169.254']],
  ['alibaba.example', ['100.100.100.200']],
  ['azure.example', ['168.63.129.16']],
  ['zone.example', ['fe80::1%lo']],
  ['this-network.example', ['0.0.0.0']],
  ['mixed-last.example', ['93.184.215.14', '127.0.0.1']],
  ['mixed-first.example', ['127.0.0.1', '93.184.215.14']],
  ['mixed-family.example', ['2606:4700::1111', '::1']],
  ['short.example', ['127.1']],
  ['decimal.example', ['2130706433']],
  ['garbage.example', ['not an address']],
  ['cname.example', ['192.168.1.1']],
  ['localhost', ['127.0.0.1', '::1']],
  ['localhost.', ['127.0.0.1']],
  ['sub.localhost', ['127.0.0.1']],
]

test('1.3.6 a name with any private address behind it is never connected to', async () => {
  const answers = new Map(ANSWERS)
  const resolve = async (hostname: string) => answers.get(hostname)!
  const egress = createEgress({ ports: [sinkPort], resolve, onConnect: (address) => connected.push(address) })
  for (const [name] of ANSWERS) {
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
