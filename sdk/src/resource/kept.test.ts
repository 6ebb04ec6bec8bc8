import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kept } from './kept.ts'

const KEEPING = { max_age_seconds: 600, stale_seconds: 3600, cooldown_seconds: 30 }

function setUp() {
  const state = { now: 0, loads: 0, failing: false }
  const load = async () => {
    state.loads++
    if (state.failing) throw new Error('down')
    return state.loads
  }
  return { state, kept: new Kept(load, KEEPING, () => state.now) }
}

test('a value is loaded once for parallel callers and again when it is old', async () => {
  const { state, kept } = setUp()
  assert.deepEqual(await Promise.all([kept.get(), kept.get(), kept.get()]), [1, 1, 1])
  state.now = 599_999
  assert.equal(await kept.get(), 1)
  state.now = 600_000
  assert.equal(await kept.get(), 2)
})

test('while loading fails the old value serves, but not longer than the limit', async () => {
  const { state, kept } = setUp()
  await kept.get()
  state.failing = true
  state.now = 4_199_999
  assert.equal(await kept.get(), 1)
  state.now = 4_200_000
  await assert.rejects(kept.get(), /down/)
})

test('after a failure nobody waits for another load until three seconds have passed', async () => {
  const { state, kept } = setUp()
  state.failing = true
  await assert.rejects(kept.get(), /down/)
  await assert.rejects(kept.get(), /down/)
  assert.equal(state.loads, 1)
  state.now = 3000
  state.failing = false
  assert.equal(await kept.get(), 2)
})

test('a reload within the cooldown answers from the last load', async () => {
  const { state, kept } = setUp()
  await kept.get()
  state.now = 29_999
  assert.equal(await kept.reload(), 1)
  state.now = 30_000
  assert.equal(await kept.reload(), 2)
  assert.equal(await kept.reload(), 2)
})
