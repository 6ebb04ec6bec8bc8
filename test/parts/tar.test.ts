import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTar, writeTar } from './tar.ts'

test('what is written as tar is read back, long names and empty files included', () => {
  const entries = [
    { name: 'package/a.txt', mode: 0o644, data: Buffer.from('a') },
    { name: `package/${'folder/'.repeat(20)}b`, mode: 0o755, data: Buffer.alloc(513, 'b') },
    { name: 'empty', mode: 0o600, data: Buffer.alloc(0) },
  ]
  assert.deepEqual(readTar(writeTar(entries)), entries)
})

test('a tar entry that leads outside the folder is refused', () => {
  for (const name of ['../evil', '/evil', 'a/../../evil']) {
    assert.throws(() => readTar(writeTar([{ name, mode: 0o644, data: Buffer.alloc(0) }])), /leads outside/)
  }
})
