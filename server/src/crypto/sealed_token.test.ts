import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { TokenSealer } from './sealed_token.ts'
import { RootKey } from './tenant_keys.ts'

const root = new RootKey(randomBytes(32))
const first = root.newTenantKey('t', 1)
const keys = root.unwrap('t', [first])
const rotated = root.unwrap('t', [first, root.newTenantKey('t', 2)])
const sealer = new TokenSealer('access', 'sp_at_')
const claims = { jti: 'j', scope: 'openid', exp: 1_700_000_600 }
const PREFIX = 'sp_at_'.length

test('a token opens to the claims that were sealed', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (given) => {
      const plain = JSON.parse(JSON.stringify(given)) as Record<string, unknown>
      assert.deepEqual(sealer.open(keys, sealer.seal(keys, plain)), plain)
    }),
  )
})

test('a token of another process with the same tenant key opens', () => {
  assert.deepEqual(new TokenSealer('access', 'sp_at_').open(keys, sealer.seal(keys, claims)), claims)
})

test('a token opens after the tenant key was rotated, and a new one names the new key', () => {
  assert.deepEqual(sealer.open(rotated, sealer.seal(keys, claims)), claims)
  const newer = sealer.seal(rotated, claims)
  assert.deepEqual(sealer.open(rotated, newer), claims)
  assert.equal(sealer.open(keys, newer), null)
})

test('11.2.5 11.3.3 a token with any character changed, cut, added or spelled another way does not open', () => {
  const token = sealer.seal(keys, claims)
  for (let i = 0; i < token.length; i++) {
    const other = token[i] === 'A' ? 'B' : 'A'
    assert.equal(sealer.open(keys, token.slice(0, i) + other + token.slice(i + 1)), null, `character ${i}`)
    assert.equal(sealer.open(keys, token.slice(0, i)), null)
  }
  for (const spelled of [`${token}A`, `${token}=`, `${token} `, `${token}\n`, token.replaceAll('_', '/')]) {
    if (spelled !== token) assert.equal(sealer.open(keys, spelled), null)
  }
  const bytes = Buffer.from(token.slice(PREFIX), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.equal(sealer.open(keys, `sp_at_${flipped.toString('base64url')}`), null)
  }
})

test('a token opens for no other tenant, kind or prefix', () => {
  const token = sealer.seal(keys, claims)
  const other = root.unwrap('u', [root.newTenantKey('u', 1)])
  assert.equal(sealer.open(other, token), null)
  assert.equal(new TokenSealer('id', 'sp_at_').open(keys, token), null)
  assert.equal(new TokenSealer('access', 'sp_rt_').open(keys, token), null)
})

test('what is no token at all does not open', () => {
  fc.assert(fc.property(fc.string(), (text) => sealer.open(keys, text) === null))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.equal(sealer.open(keys, `sp_at_${Buffer.from(bytes).toString('base64url')}`), null)
    }),
  )
})

test('11.3.4 no nonce repeats under one key, over 100,000 tokens of two tenants and two processes', () => {
  const tenants = [keys, root.unwrap('u', [root.newTenantKey('u', 1)])]
  const processes = [new TokenSealer('access', ''), new TokenSealer('access', '')]
  const seen = new Set<string>()
  for (let i = 0; i < 100_000; i++) {
    const tenant = tenants[i & 1]!
    const token = processes[(i >> 1) & 1]!.seal(tenant, {})
    // Key id, boot id and counter are the first 26 bytes: together with the tenant they name key and nonce.
    const head = Buffer.from(token.slice(0, 36), 'base64url').subarray(0, 26)
    seen.add(tenant.tenant_id + head.toString('latin1'))
  }
  assert.equal(seen.size, 100_000)
})
