import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isPublicAddress } from './address.ts'
import { readAllowList } from './allow_list.ts'
import { EgressError } from './egress_error.ts'
import { mayUseHttp, type Policy, readDestination } from './policy.ts'

const policy: Policy = { allow: readAllowList([]), ports: new Set([443]) }

// Every way in which the URL parser reads an IPv4 address: one to four parts, each decimal, octal or hexadecimal.
const notation = fc.record({
  address: fc.nat({ max: 0xffffffff }),
  parts: fc.integer({ min: 1, max: 4 }),
  bases: fc.array(fc.constantFrom(8, 10, 16), { minLength: 4, maxLength: 4 }),
  dot: fc.constantFrom('', '.'),
})

function writeHost(address: number, parts: number, bases: readonly number[]): string {
  const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff)
  const rest = bytes.slice(parts - 1).reduce((sum, byte) => sum * 256 + byte, 0)
  const prefix = { 8: '0', 10: '', 16: '0x' } as Record<number, string>
  return [...bytes.slice(0, parts - 1), rest].map((part, i) => prefix[bases[i]!] + part.toString(bases[i])).join('.')
}

test('1.3.6 an IPv4 address is judged alike in all its notations', () => {
  fc.assert(
    fc.property(notation, ({ address, parts, bases, dot }) => {
      const dotted = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
      const url = `https://${writeHost(address, parts, bases)}${dot}/`
      if (isPublicAddress(dotted)) assert.equal(readDestination(policy, url).hostname, dotted)
      else assert.throws(() => readDestination(policy, url), { code: 'blocked_address' }, url)
    }),
    { numRuns: 2_000 },
  )
})

test('1.3.6 https on an open port is let through without an entry, and nothing else', () => {
  assert.equal(readDestination(policy, 'https://8.8.8.8/').port, '')
  for (const [url, code] of [
    ['https://8.8.8.8:444/', 'blocked_port'],
    ['https://8.8.8.8:22/', 'blocked_port'],
    ['http://8.8.8.8/', 'blocked_scheme'],
    ['http://8.8.8.8:443/', 'blocked_scheme'],
  ] as const) {
    assert.throws(() => readDestination(policy, url), { code }, url)
  }
})

test('1.3.6 no IPv6 address that carries a private IPv4 address is let through', () => {
  const prefixes = [
    '::',
    '::ffff:',
    '::ffff:0:',
    '64:ff9b::',
    '64:ff9b:1::',
    '2002:',
    '2001:0:',
    'fe80::',
    'fd00::',
    '100::',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...prefixes), fc.nat({ max: 0xffff }), fc.nat({ max: 0xffff }), (prefix, high, low) => {
      const tail = prefix.endsWith('::') || prefix.includes('::') ? '' : '::1'
      const url = `https://[${prefix}${high.toString(16)}:${low.toString(16)}${tail}]/`
      assert.throws(() => readDestination(policy, url), { code: 'blocked_address' }, url)
    }),
    { numRuns: 1_000 },
  )
})

test('whatever text is given as a URL, the answer is an https URL or an EgressError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.webUrl(),
        fc.string().map((text) => `https://${text}`),
      ),
      (text) => {
        try {
          const url = readDestination(policy, text)
          assert.deepEqual([url.protocol, url.port, url.username, url.password], ['https:', '', '', ''])
        } catch (error) {
          assert.ok(error instanceof EgressError)
        }
        assert.equal(mayUseHttp(policy, text), false)
      },
    ),
    { numRuns: 2_000 },
  )
})
