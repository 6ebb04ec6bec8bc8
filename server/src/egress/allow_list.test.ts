import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAllowList } from './allow_list.ts'

test('a host entry covers every port, a host:port entry only its own', () => {
  const allow = readAllowList(['Idp.Internal', 'git.internal:8443'])
  assert.equal(allow.hasHost('idp.internal', 80), true)
  assert.equal(allow.hasHost('idp.internal.', 80), true)
  assert.equal(allow.hasHost('git.internal', 8443), true)
  assert.equal(allow.hasHost('git.internal', 443), false)
  assert.equal(allow.hasHost('evil.idp.internal', 80), false)
})

test('address and range entries cover addresses, not names', () => {
  const allow = readAllowList(['127.0.0.1:4001', '10.1.0.0/16', '[::1]:4001', 'fd00::/8', '192.168.1.1'])
  assert.equal(allow.hasAddress('127.0.0.1', 4001), true)
  assert.equal(allow.hasAddress('127.0.0.1', 4002), false)
  assert.equal(allow.hasAddress('10.1.255.1', 80), true)
  assert.equal(allow.hasAddress('10.2.0.1', 80), false)
  assert.equal(allow.hasAddress('::1', 4001), true)
  assert.equal(allow.hasAddress('fd00::1', 1), true)
  assert.equal(allow.hasAddress('fd00::1%eth0', 1), false)
  assert.equal(allow.hasAddress('192.168.1.1', 9), true)
  assert.equal(allow.hasAddress('localhost', 4001), false)
  assert.equal(allow.hasHost('127.0.0.1', 4001), false)
})

test('an address entry leaves a name open at its own port alone', () => {
  const allow = readAllowList(['127.0.0.1:4001', 'idp.internal:80'])
  assert.equal(allow.mayHaveAddress(4001), true)
  assert.equal(allow.mayHaveAddress(80), false)
  assert.equal(readAllowList(['127.0.0.1']).mayHaveAddress(80), true)
  assert.equal(readAllowList(['10.0.0.0/8']).mayHaveAddress(80), true)
})

test('an empty list allows nothing and blanks are skipped', () => {
  const allow = readAllowList(['', '  '])
  assert.equal(allow.hasHost('localhost', 80), false)
  assert.equal(allow.hasAddress('127.0.0.1', 80), false)
  assert.equal(allow.mayHaveAddress(80), false)
})

test('an entry that cannot be read is refused by name', () => {
  const entries = ['10.0.0.0/33', '10.0.0.0/8/8', '/8', 'fd00::/129', 'host:0', 'host:65536', 'host:', '*.internal']
  entries.push('http://host', 'user@host', 'a b', '[::1', '10.0.0.0/x', ':80')
  for (const entry of entries) {
    assert.throws(() => readAllowList([entry]), new RegExp(entry.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')), entry)
  }
})
