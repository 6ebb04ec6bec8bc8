import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import { idFromBytes, idToBytes, newId, randomBytes, randomSecret } from './random.ts'

test('random bytes never repeat, however often the pool is filled again', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 20_000; i++) seen.add(randomBytes(16).toString('hex'))
  assert.equal(seen.size, 20_000)
})

test('11.5.2 11.5.1 of a million secrets made in one go none repeats, and their bits are as chance has them', () => {
  const seen = new Set<string>()
  const [ones, changes] = [new Array<number>(256).fill(0), new Array<number>(256).fill(0)]
  let bits = 0
  let runs = 0
  for (let byte = 0; byte < 256; byte++) {
    for (let bit = 0; bit < 8; bit++) {
      if (byte & (1 << bit)) ones[byte]!++
      if (bit > 0 && ((byte >> bit) & 1) !== ((byte >> (bit - 1)) & 1)) changes[byte]!++
    }
  }
  for (let i = 0; i < 1_000_000; i++) {
    const secret = randomBytes(16)
    seen.add(secret.toString('latin1'))
    for (const byte of secret) {
      bits += ones[byte]!
      runs += changes[byte]!
    }
  }
  assert.equal(seen.size, 1_000_000)
  // Six standard deviations: chance fails this once in 500 million times (NIST SP 800-22 sections 2.1 and 2.3).
  const [all, pairs] = [16e6 * 8, 16e6 * 7]
  assert.ok(Math.abs(bits - all / 2) < 3 * Math.sqrt(all), `${bits} ones`)
  assert.ok(Math.abs(runs - pairs / 2) < 3 * Math.sqrt(pairs), `${runs} changes`)
})

test('random bytes have the size that was asked for, also more than the pool holds', () => {
  for (const size of [0, 1, 31, 8191, 8192, 8193, 100_000]) {
    const bytes = randomBytes(size)
    assert.equal(bytes.length, size)
    // The end is random too: zeros there would be bytes that nobody filled.
    if (size >= 31) assert.notDeepEqual(bytes.subarray(size - 16), Buffer.alloc(16))
  }
})

test('what was handed out is wiped from the pool, and does not share its memory', async (t) => {
  const pools: Buffer[] = []
  const original = crypto.randomFillSync
  t.after(() => {
    crypto.randomFillSync = original
    syncBuiltinESMExports()
  })
  crypto.randomFillSync = ((buffer: Buffer) => {
    pools.push(buffer)
    return original(buffer)
  }) as typeof original
  syncBuiltinESMExports()
  const fresh: typeof import('./random.ts') = await import(`./random.ts?${'watched'}`)
  const secret = fresh.randomBytes(32)
  assert.equal(pools.length, 1)
  const pool = pools[0]!
  assert.equal(pool.includes(secret), false)
  assert.deepEqual(pool.subarray(0, 32), Buffer.alloc(32))
  assert.notDeepEqual(pool.subarray(32, 64), Buffer.alloc(32))
  assert.notEqual(secret.buffer, pool.buffer)
})

test('a secret has 256 bits behind its prefix', () => {
  const secret = randomSecret('sp_x_')
  assert.match(secret, /^sp_x_[A-Za-z0-9_-]{43}$/)
  assert.equal(Buffer.from(secret.slice(5), 'base64url').length, 32)
})

test('an identifier is a UUID of version 7 that sorts by its time', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 48 - 1 }), fc.nat({ max: 2 ** 48 - 1 }), (a, b) => {
      const [early, late] = [newId(Math.min(a, b)), newId(Math.max(a, b))]
      for (const id of [early, late]) {
        assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      }
      assert.equal(Number.parseInt(early.replaceAll('-', '').slice(0, 12), 16), Math.min(a, b))
      if (a !== b) assert.ok(early < late)
    }),
  )
})

test('an identifier and its 16 bytes stand for each other, and nothing else is one', () => {
  const id = newId(1_700_000_000_000)
  assert.equal(idFromBytes(idToBytes(id)!), id)
  // Bytes inside a larger buffer too.
  assert.equal(idFromBytes(Buffer.concat([Buffer.alloc(5), idToBytes(id)!, Buffer.alloc(9)]).subarray(5)), id)
  for (const wrong of ['', id.toUpperCase(), id.replaceAll('-', ''), `${id}0`, `${id}\n`, id.replace(/^./, 'g')]) {
    assert.equal(idToBytes(wrong), null, wrong)
  }
})
