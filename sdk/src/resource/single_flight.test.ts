import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SingleFlight, shareCall } from './single_flight.ts'

test('64 parallel callers make two calls, and each gets an answer that is not older than its question', async () => {
  const flights = new SingleFlight<number>()
  let version = 0
  let calls = 0
  const call = async () => {
    calls++
    const answer = version
    await new Promise((resolve) => setImmediate(resolve))
    return answer
  }
  const first = flights.run('key', call)
  version = 1
  const others = await Promise.all(Array.from({ length: 63 }, () => flights.run('key', call)))
  assert.equal(await first, 0)
  assert.deepEqual(new Set(others), new Set([1]))
  assert.equal(calls, 2)
  assert.equal(flights.size, 0)
})

test('different keys do not wait for each other', async () => {
  const flights = new SingleFlight<string>()
  const never = flights.run('slow', () => new Promise(() => {}))
  assert.equal(await flights.run('quick', async () => 'done'), 'done')
  void never
})

test('a failure reaches all who wait, and the next caller tries again', async () => {
  const flights = new SingleFlight<string>()
  const failing = () => Promise.reject(new Error('down'))
  const waiting = [flights.run('key', failing), flights.run('key', failing)]
  for (const settled of await Promise.allSettled(waiting)) assert.equal(settled.status, 'rejected')
  assert.equal(await flights.run('key', async () => 'up'), 'up')
  assert.equal(flights.size, 0)
})

test('a shared call is made once for parallel callers and again afterwards', async () => {
  let calls = 0
  const shared = shareCall(async () => ++calls)
  assert.deepEqual(await Promise.all([shared(), shared(), shared()]), [1, 1, 1])
  assert.equal(await shared(), 2)
})
