import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runFuzz } from '../parts/fuzz.ts'

test('15.3.7 16.5.1 of 2,000 requests that a grammar makes none gets a 5xx, a stack trace or an open redirect', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const { statuses, complaints } = await runFuzz(seed, 2000)
  assert.deepEqual(complaints, [], `seed ${seed}`)
  // The grammar reaches behind the first checks: there are successes, redirects and refusals of several kinds.
  for (const status of [200, 303, 400, 401, 403, 404, 405])
    assert.ok(statuses.has(status), `none got ${status}, seed ${seed}`)
})
