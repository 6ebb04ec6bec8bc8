import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Algorithm } from '../../crypto/signing_keys.ts'
import type { KeyState, ListedSigningKey } from '../../store/verbs/signing_keys.ts'
import { decideKeyStep } from './signing_keys.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = 1_800_000_000_000

const key = (kid: string, state: KeyState, state_at = START, alg: Algorithm = 'ES256'): ListedSigningKey => ({
  ...{ kid, alg, state, created_at: state_at, state_at },
})
const decide = (keys: ListedSigningKey[], after_ms: number, algs: Algorithm[] = ['ES256']) =>
  decideKeyStep(keys, { algs, period_ms: 90 * DAY, now: START + after_ms })

test('11.1.1 5.11 the next key is published a day before it signs, and signs after the period', () => {
  const current = key('a', 'current')
  assert.equal(decide([current], 0), null)
  assert.equal(decide([current], 89 * DAY - HOUR - 1), null)
  const published = decide([current], 89 * DAY - HOUR)
  assert.deepEqual(published, { type: 'signing_key.published', alg: 'ES256', moves: [], make: 'next' })
  const next = key('b', 'next', START + 89 * DAY - HOUR)
  assert.equal(decide([current, next], 90 * DAY - 1), null)
  assert.deepEqual(decide([current, next], 90 * DAY), {
    ...{ type: 'signing_key.rotated', alg: 'ES256', make: null },
    moves: [
      { kid: 'a', from: 'current', to: 'retired' },
      { kid: 'b', from: 'next', to: 'current' },
    ],
  })
})

test('5.11 a key that was published late signs late: a day in JWKS comes first', () => {
  const keys = [key('a', 'current'), key('b', 'next', START + 100 * DAY)]
  assert.equal(decide(keys, 101 * DAY - 1), null)
  assert.equal(decide(keys, 101 * DAY)?.type, 'signing_key.rotated')
})

test('5.11 a retired or revoked key is kept until the last token that it signed has ended', () => {
  for (const state of ['retired', 'revoked'] as const) {
    const keys = [key('a', state), key('b', 'current')]
    assert.equal(decide(keys, DAY), null)
    assert.deepEqual(decide(keys, DAY + 300_000), {
      ...{ type: 'signing_key.removed', alg: 'ES256', make: null },
      moves: [{ kid: 'a', from: state, to: 'gone' }],
    })
  }
})

test('11.2.2 an algorithm that is switched on signs at once; one that is switched off retires', () => {
  assert.deepEqual(decide([key('a', 'current')], 0, ['ES256', 'PS256']), {
    ...{ type: 'signing_key.rotated', alg: 'PS256', moves: [], make: 'current' },
  })
  const keys = [key('a', 'current'), key('p', 'current', START, 'PS256'), key('q', 'next', START, 'PS256')]
  assert.deepEqual(decide(keys, 0)?.moves, [{ kid: 'p', from: 'current', to: 'retired' }])
  assert.deepEqual(decide([keys[0]!, keys[2]!], 0), {
    ...{ type: 'signing_key.removed', alg: 'PS256', moves: [{ kid: 'q', from: 'next', to: 'gone' }], make: null },
  })
})

test('without a key that signs, the one that waits does', () => {
  assert.deepEqual(decide([key('b', 'next')], 0)?.moves, [{ kid: 'b', from: 'next', to: 'current' }])
})
