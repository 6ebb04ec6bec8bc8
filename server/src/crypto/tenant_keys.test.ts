import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { SealError } from './seal.ts'
import { RootKey, type TenantKeys, type WrappedKey } from './tenant_keys.ts'

const root = new RootKey(randomBytes(32))
const first = root.newTenantKey('t', 1)
const second = root.newTenantKey('t', 2)
const place = { table: 'connections', row: 'r', column: 'sealed_tokens', version: 1 }
const unwrap = (...rows: WrappedKey[]): TenantKeys => root.unwrap('t', rows)

test('hashes of secrets stay the same when a tenant gets another key', () => {
  const hash = unwrap(first).hashSecret('secret')
  assert.deepEqual(unwrap(first, second).hashSecret('secret'), hash)
  assert.deepEqual(unwrap(second, first).hashSecret('secret'), hash)
  assert.notDeepEqual(unwrap(first).hashSecret('secret2'), hash)
  assert.notDeepEqual(root.unwrap('u', [root.newTenantKey('u', 1)]).hashSecret('secret'), hash)
})

test('the newest key seals, and the older ones still open', () => {
  const sealed = unwrap(first).seal('before', place)
  const rotated = unwrap(first, second)
  assert.equal(rotated.kid, 2)
  assert.equal(rotated.open(sealed, place).toString(), 'before')
  const resealed = rotated.seal('after', place)
  assert.equal(rotated.open(resealed, place).toString(), 'after')
  assert.throws(() => unwrap(first).open(resealed, place), SealError)
})

test('11.2.5 a value sealed under an unknown key fails like an altered one', () => {
  const keys = unwrap(first)
  const sealed = keys.seal('value', place)
  const sayings = new Set<string>()
  for (let i = 0; i < sealed.length; i++) {
    const altered = Buffer.from(sealed)
    altered[i]! ^= 0xff
    assert.throws(
      () => keys.open(altered, place),
      (error: Error) => sayings.add(`${error.name}: ${error.message}`) && error instanceof SealError,
    )
  }
  assert.equal(sayings.size, 1)
})

test('a subkey is derived once, differs by purpose and key, and is null for a key that is not there', () => {
  const keys = unwrap(first, second)
  assert.equal(keys.derive('refresh'), keys.derive('refresh', 2))
  assert.notDeepEqual(keys.derive('refresh')!.export(), keys.derive('refresh', 1)!.export())
  assert.notDeepEqual(keys.derive('refresh')!.export(), keys.derive('access')!.export())
  assert.deepEqual(unwrap(first).derive('refresh', 1)!.export(), keys.derive('refresh', 1)!.export())
  assert.equal(keys.derive('refresh', 3), null)
})

test('a wrapped key opens for its own tenant, number and root key alone', () => {
  assert.throws(() => root.unwrap('u', [first]), SealError)
  assert.throws(() => root.unwrap('t', [{ kid: 2, wrapped: first.wrapped }]), SealError)
  assert.throws(() => new RootKey(randomBytes(32)).unwrap('t', [first]), SealError)
  assert.throws(() => unwrap(), /tenant t has no key/)
})

test('a root key of another length than 32 bytes is refused', () => {
  for (const length of [0, 16, 31, 33, 64]) assert.throws(() => new RootKey(randomBytes(length)), /32 bytes/)
})
