import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest, hashToken } from './token_hash.ts'

test('both ways of hashing give the same SHA-256', async () => {
  // FIPS 180-4 example: SHA-256 of "abc".
  const expected = Buffer.from('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'hex')
  assert.equal(await hashToken('abc'), expected.toString('base64url'))
  assert.equal(await digest('abc'), expected.toString('base64url'))
  const token = 'x.Y-_z'.repeat(2000)
  assert.equal(await hashToken(token), await digest(token))
})
