import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalAddress, createSenderReader, networkOf, readTrustedProxies } from './client_address.ts'

test('CVE-2026-45364 every spelling of an address is one address', () => {
  const spellings: Record<string, string[]> = {
    '192.0.2.1': ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1', '::ffff:192.0.2.1%1'],
    '2001:db8::1': ['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:0db8::0001', '2001:db8::1%eth0', '2001:db8:0::0:1'],
    '::1': ['::1', '0:0:0:0:0:0:0:1', '::0.0.0.1'],
  }
  for (const [canonical, written] of Object.entries(spellings)) {
    for (const text of written) assert.equal(canonicalAddress(text), canonical, text)
  }
  for (const text of [
    '',
    'unknown',
    '_hidden',
    '192.0.2.256',
    '192.0.2.01',
    '1.2.3',
    'fe80',
    '[::1]',
    '::1::',
    'a.example',
  ]) {
    assert.equal(canonicalAddress(text), undefined, text)
  }
})

test('an IPv4 address is a place of its own, and of IPv6 a /64 is', () => {
  assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(networkOf('2001:db8:0:7:1::9'), '2001:db8:0:7::/64')
  assert.equal(networkOf('2001:db8::9'), '2001:db8:0:0::/64')
  fc.assert(
    fc.property(fc.ipV6(), fc.ipV6(), (one, other) => {
      const head = (address: string) => {
        const expanded = normal(address).replace('::', `:${'0:'.repeat(10 - normal(address).split(':').length)}`)
        return expanded.replace(/^:/, '').split(':').slice(0, 4).join()
      }
      fc.pre(![one, other].some((address) => canonicalAddress(address)!.includes('.')))
      assert.equal(networkOf(one) === networkOf(other), head(one) === head(other))
    }),
  )
})

// The URL parser writes an IPv6 address in the form of RFC 5952: another reading, to compare with.
const normal = (address: string) => new URL(`http://[${address}]`).hostname.slice(1, -1)

test('RFC 5952 4 an address is written as every URL parser writes it', () => {
  const group = fc.constantFrom('0', '0', '0', '1', 'ff', 'abcd', '0db8')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV6(),
        fc.array(group, { minLength: 8, maxLength: 8 }).map((list) => list.join(':')),
      ),
      (address) => {
        const canonical = canonicalAddress(address)!
        if (!canonical.includes('.')) assert.equal(canonical, normal(address))
        else assert.match(normal(address), /^::ffff:/)
        assert.equal(networkOf(canonical), networkOf(address))
      },
    ),
  )
})

const reader = (trusted_proxies: string[], production = true) => createSenderReader({ trusted_proxies, production })

test('4.1.3 B-17 only a trusted proxy says for whom it asks, and what it heard from others is not believed', () => {
  const read = reader(['10.0.0.0/8', '2001:db8:f::/48', '192.0.2.10'])
  const through = (address: string) => ({ address, through_proxy: true })
  // Not from a proxy: the header is nobody's word.
  assert.deepEqual(read('203.0.113.5', '198.51.100.1'), { address: '203.0.113.5' })
  assert.deepEqual(read('192.0.2.11', '198.51.100.1'), { address: '192.0.2.11' })
  assert.deepEqual(read('::ffff:203.0.113.5', undefined), { address: '203.0.113.5' })
  // From one: the last that is no proxy itself, whatever stands before it.
  assert.deepEqual(read('10.1.1.1', '198.51.100.1'), through('198.51.100.1'))
  assert.deepEqual(read('::ffff:10.1.1.1', '198.51.100.1'), through('198.51.100.1'))
  assert.deepEqual(read('10.1.1.1', '1.1.1.1, 127.0.0.1, 198.51.100.1'), through('198.51.100.1'))
  assert.deepEqual(read('10.1.1.1', '6.6.6.6, 198.51.100.1, 10.9.9.9, 192.0.2.10'), through('198.51.100.1'))
  assert.deepEqual(read('2001:db8:f::1', '2001:db8:1::7'), through('2001:db8:1::7'))
  assert.deepEqual(read('10.1.1.1', '[2001:db8:1::7]:4711'), through('2001:db8:1::7'))
  assert.deepEqual(read('10.1.1.1', '198.51.100.1:4711'), through('198.51.100.1'))
  // What cannot be read ends the walk: the nearest that is known.
  for (const header of [
    undefined,
    '',
    ',',
    'unknown',
    '6.6.6.6, unknown',
    '6.6.6.6, _x',
    '6.6.6.6, ',
    '1.2.3.4:http',
  ]) {
    assert.deepEqual(read('10.1.1.1', header), through('10.1.1.1'), header)
  }
  assert.deepEqual(read('10.1.1.1', '6.6.6.6, unknown, 10.2.2.2'), through('10.2.2.2'))
})

test('4.1.3 in production the address of an unnamed proxy is not taken for a client', () => {
  assert.deepEqual(reader([])('127.0.0.1', '198.51.100.1'), {})
  assert.deepEqual(reader([], false)('127.0.0.1', '198.51.100.1'), { address: '127.0.0.1' })
  assert.deepEqual(reader(['127.0.0.1'])(undefined, '198.51.100.1'), {}, 'a socket of this machine')
})

test('a list of proxies holds addresses and ranges, and nothing else', () => {
  for (const entry of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129', 'proxy.internal', '*', '10.0.0.0/x', '']) {
    assert.throws(() => readTrustedProxies([entry]), /is not an address or a CIDR range/, entry)
  }
  const list = readTrustedProxies([' 10.0.0.0/8 ', '::1'])
  assert.ok(list.check('10.255.0.1') && list.check('::1', 'ipv6') && !list.check('11.0.0.1'))
})
