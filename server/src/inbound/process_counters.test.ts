import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProcessCounters } from './process_counters.ts'

const LIMIT = { most: 2, window_ms: 1000 }

test('a counter is full after so many, until its window ends', () => {
  const counters = new ProcessCounters()
  assert.equal(counters.fullUntil('a', 2, 0), 0)
  assert.deepEqual(
    [0, 500, 999].map((now) => counters.count('a', LIMIT, now)),
    [0, 0, 1000],
  )
  assert.equal(counters.fullUntil('a', 2, 999), 1000)
  assert.equal(counters.count('b', LIMIT, 999), 0, 'others have their own')
  assert.deepEqual(
    [1000, 1001, 1002].map((now) => counters.count('a', LIMIT, now)),
    [0, 0, 2000],
  )
})

test('a hundred thousand keys of a stranger take bounded memory', () => {
  const counters = new ProcessCounters()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 100_000; i++) counters.count(`key ${i}`, LIMIT, 0)
  assert.ok(process.memoryUsage().heapUsed - before < 50_000_000)
  assert.equal(counters.count('key 99999', LIMIT, 0), 0)
  assert.equal(counters.count('key 99999', LIMIT, 0), 1000, 'the newest are remembered')
})

test('places are few for all and fewer for each, and free again whatever happens', async () => {
  const counters = new ProcessCounters()
  const limit = { most: 3, most_of_key: 2 }
  const open: (() => void)[] = []
  const work = () => new Promise<string>((resolve) => open.push(() => resolve('done')))
  const first = [counters.inPlace('a', limit, work), counters.inPlace('a', limit, work)]
  assert.equal(await counters.inPlace('a', limit, work), null, 'a has its two')
  const other = counters.inPlace('b', limit, work)
  assert.equal(await counters.inPlace('c', limit, work), null, 'all three are taken')
  assert.equal(await counters.inPlace(undefined, limit, work), null)
  for (const end of open) end()
  assert.deepEqual(await Promise.all([...first, other]), ['done', 'done', 'done'])
  const fail = () => Promise.reject(new Error('no'))
  for (let i = 0; i < 5; i++) await assert.rejects(counters.inPlace('a', limit, fail), /no/)
  assert.equal(await counters.inPlace('a', limit, async () => 'free'), 'free')
})
