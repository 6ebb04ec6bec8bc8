import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { equalBytes, hmac, sha256 } from './hash.ts'

test('SHA-256 of "abc" is that of FIPS 180-2', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.equal(sha256('abc').toString('hex'), expected)
  assert.equal(sha256(new Uint8Array([0x61, 0x62, 0x63])).toString('hex'), expected)
})

test('HMAC-SHA-256 is that of RFC 4231, over all its parts in order', () => {
  const key = createSecretKey(Buffer.from('Jefe'))
  const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
  assert.equal(hmac(key, 'what do ya want for nothing?').toString('hex'), expected)
  assert.equal(hmac(key, 'what do ya want ', Buffer.from('for nothing?')).toString('hex'), expected)
})

test('bytes are equal to the same bytes only, and what is missing equals nothing', () => {
  assert.equal(equalBytes(Buffer.from('ab'), new Uint8Array([0x61, 0x62])), true)
  assert.equal(equalBytes(Buffer.from('ab'), Buffer.from('ac')), false)
  assert.equal(equalBytes(Buffer.from('ab'), Buffer.from('abc')), false)
  assert.equal(equalBytes(Buffer.alloc(0), Buffer.alloc(0)), true)
  assert.equal(equalBytes(null, null), false)
  assert.equal(equalBytes(undefined, Buffer.alloc(0)), false)
})
