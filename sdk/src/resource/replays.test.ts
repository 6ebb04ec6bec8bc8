import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplayMemory } from './replays.ts'

function create(limit: number) {
  const time = { now: 0 }
  return { time, memory: new ReplayMemory(limit, 100, () => time.now) }
}

test('an identifier is remembered for at least the time that is asked for, and not twice that long', () => {
  for (let first = 0; first < 100; first += 9) {
    const { time, memory } = create(10)
    memory.remember('the first of all')
    time.now = first
    assert.equal(memory.remember('one'), true)
    for (time.now = first; time.now < first + 100; time.now += 7)
      assert.equal(memory.remember('one'), false, `${time.now}`)
    time.now = first + 200
    assert.equal(memory.remember('one'), true)
  }
})

test('a full memory refuses what is new, still knows what it has, and has room again later', () => {
  const { time, memory } = create(2)
  assert.deepEqual([memory.remember('a'), memory.remember('b'), memory.remember('a')], [true, true, false])
  assert.throws(() => memory.remember('c'), { error: 'temporarily_unavailable', status: 503 })
  time.now = 100
  assert.throws(() => memory.remember('c'), { status: 503 }, 'what is old may still be replayed')
  time.now = 200
  assert.equal(memory.remember('c'), true)
})
