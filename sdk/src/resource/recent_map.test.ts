import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentMap } from './recent_map.ts'

const value = (n: number) => ({ n })

test('it never holds more than its limit', () => {
  const map = new RecentMap<{ n: number }>(10)
  for (let n = 0; n < 1000; n++) {
    map.set(`key-${n}`, value(n))
    assert(map.size <= 10)
  }
  assert.deepEqual(map.get('key-999'), value(999))
  assert.equal(map.get('key-900'), undefined)
})

test('what is used stays, what is not goes', () => {
  const map = new RecentMap<{ n: number }>(10)
  map.set('used', value(1))
  map.set('unused', value(2))
  for (let n = 0; n < 100; n++) {
    map.set(`other-${n}`, value(n))
    assert.deepEqual(map.get('used'), value(1))
  }
  assert.equal(map.get('unused'), undefined)
})

test('a deleted entry is gone from both generations', () => {
  const map = new RecentMap<{ n: number }>(4)
  map.set('a', value(1))
  map.set('b', value(2))
  map.set('c', value(3))
  map.get('a')
  map.delete('a')
  assert.equal(map.get('a'), undefined)
})

test('a limit of 0 keeps nothing', () => {
  const map = new RecentMap<{ n: number }>(0)
  map.set('a', value(1))
  assert.equal(map.size, 0)
})
