import assert from 'node:assert/strict'
import { createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { deriveBytes, deriveKey, open, type SealContext, SealError, seal, sealedKid } from './seal.ts'

const key = createSecretKey(randomBytes(32))
const place: SealContext = { tenant_id: 't', table: 'connections', row: 'r1', column: 'sealed_tokens', version: 3 }

const refusal = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof SealError)
    return `${error.name}: ${error.message}`
  }
  return assert.fail('it opened')
}

test('what was sealed opens in its place', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 0xffff_ffff }), (plaintext, kid) => {
      const sealed = seal(key, kid, plaintext, place)
      assert.deepEqual(new Uint8Array(open(key, sealed, place)), plaintext)
      assert.equal(sealedKid(sealed), kid)
    }),
  )
  assert.equal(open(key, seal(key, 1, 'gr\u00fc\u00dfe', place), place).toString(), 'gr\u00fc\u00dfe')
})

test('11.3.4 CVE-2021-32791 the same value sealed twice has another nonce', () => {
  const nonces = new Set(Array.from({ length: 1000 }, () => seal(key, 1, 'x', place).subarray(5, 17).toString('hex')))
  assert.equal(nonces.size, 1000)
})

test('11.2.5 GHSA-rm8v-mxj3-5rmq CVE-2021-29443 11.3.3 a sealed value with one bit changed, cut short or made longer does not open, and always says the same', () => {
  const sealed = seal(key, 1, 'a refresh token', place)
  const sayings = new Set<string>()
  for (let i = 0; i < sealed.length * 8; i++) {
    const flipped = Buffer.from(sealed)
    flipped[i >> 3]! ^= 1 << (i & 7)
    sayings.add(refusal(() => open(key, flipped, place)))
  }
  for (let length = 0; length < sealed.length; length++) {
    sayings.add(refusal(() => open(key, sealed.subarray(0, length), place)))
  }
  sayings.add(refusal(() => open(key, Buffer.concat([sealed, Buffer.alloc(1)]), place)))
  sayings.add(refusal(() => open(createSecretKey(randomBytes(32)), sealed, place)))
  assert.equal(sayings.size, 1)
})

test('CVE-2021-32791 a sealed value opens in no other tenant, table, row, column or version', () => {
  const sealed = seal(key, 1, 'a refresh token', place)
  const elsewhere: Partial<SealContext>[] = [
    { tenant_id: 'u' },
    { table: 'connectors' },
    { row: 'r2' },
    { column: 'sealed_candidate' },
    { version: 4 },
    // Moving a character over a boundary is another place as well.
    { table: 'connectionsr', row: '1' },
    { row: 'r1","sealed', column: '_tokens' },
  ]
  for (const change of elsewhere) assert.throws(() => open(key, sealed, { ...place, ...change }), SealError)
})

test('a subkey is HKDF-SHA-256 (RFC 5869), another one for each purpose, salt and key', () => {
  const expected = Buffer.from(hkdfSync('sha256', key, Buffer.from('salt'), 'purpose', 32))
  assert.deepEqual(deriveBytes(key, 'purpose', Buffer.from('salt')), expected)
  assert.deepEqual(deriveKey(key, 'purpose', Buffer.from('salt')).export(), expected)
  const others = [
    deriveBytes(key, 'purpose'),
    deriveBytes(key, 'purpose2', Buffer.from('salt')),
    deriveBytes(createSecretKey(randomBytes(32)), 'purpose', Buffer.from('salt')),
  ]
  for (const other of others) assert.notDeepEqual(other, expected)
})
