import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runFuzz } from '../parts/fuzz.ts'

test('15.3.7 16.5.1 of 100,000 requests that a grammar makes none gets a 5xx, a stack trace or an open redirect', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const { statuses, complaints } = await runFuzz(seed, 100_000)
  t.diagnostic(`seed ${seed}: ${JSON.stringify(Object.fromEntries([...statuses].sort()))}`)
  assert.deepEqual(complaints, [], `seed ${seed}`)
})
