import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomBytes } from '../../crypto/random.ts'
import { RootKey } from '../../crypto/tenant_keys.ts'
import { currentNonce, isRecentNonce } from './dpop_nonces.ts'

const NOW = 1_800_000_000_000
const root = new RootKey(randomBytes(32))
const wrapped = root.newTenantKey('one', 1)
const keys = root.unwrap('one', [wrapped])

test('RFC 9449 8 P-10 a nonce is recent for two to four minutes, on every replica', () => {
  const nonce = currentNonce(keys, NOW)
  assert.match(nonce, /^[A-Za-z0-9_-]{32}$/)
  const replica = root.unwrap('one', [wrapped])
  for (const later of [0, 60_000, 119_999]) assert.equal(isRecentNonce(replica, nonce, NOW + later), true)
  assert.equal(isRecentNonce(keys, nonce, NOW + 240_000), false)
  assert.notEqual(currentNonce(keys, NOW + 120_000), nonce)
})

test('a nonce of another tenant, of nobody, or changed in any place is none', () => {
  const nonce = currentNonce(keys, NOW)
  const foreign = currentNonce(root.unwrap('two', [root.newTenantKey('two', 1)]), NOW)
  for (const other of [foreign, '', 'x', nonce.slice(1), `${nonce}A`, `${nonce}=`, 'A'.repeat(32)]) {
    assert.equal(isRecentNonce(keys, other, NOW), false, other)
  }
  for (let at = 0; at < nonce.length; at++) {
    const changed = nonce.slice(0, at) + (nonce[at] === 'A' ? 'B' : 'A') + nonce.slice(at + 1)
    assert.equal(isRecentNonce(keys, changed, NOW), false)
  }
})

test('after a rotation of the tenant key the nonces of before are good until they are old', () => {
  const nonce = currentNonce(keys, NOW)
  const rotated = root.unwrap('one', [wrapped, root.newTenantKey('one', 2)])
  assert.equal(isRecentNonce(rotated, nonce, NOW), true)
  assert.notEqual(currentNonce(rotated, NOW), nonce)
})
