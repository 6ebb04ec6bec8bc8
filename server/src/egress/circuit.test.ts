import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs, Circuits } from './circuit.ts'

test('backoff doubles, is capped, jittered, and never shorter than the provider asked', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((failures) => backoffMs(failures, () => 1)),
    [1000, 2000, 4000, 8000],
  )
  assert.equal(
    backoffMs(0, () => 0),
    500,
  )
  assert.equal(
    backoffMs(1000, () => 1),
    300_000,
  )
  assert.equal(
    backoffMs(0, () => 0, 60_000),
    60_000,
  )
  assert.equal(
    backoffMs(0, () => 0, 1e12),
    3_600_000,
  )
})

test('R-26 16.5.2 five failures in a row open the circuit, then one caller tries', () => {
  const circuits = new Circuits(() => 1)
  for (let i = 0; i < 4; i++) circuits.fail('acme', 1, 0)
  assert.equal(circuits.waitMs('acme', 1, 0), 0)
  circuits.fail('acme', 1, 0)
  assert.equal(circuits.waitMs('acme', 1, 0), 1000)
  assert.equal(circuits.waitMs('other', 1, 0), 0)
  assert.equal(circuits.waitMs('acme', 1, 1000), 0)
  assert.equal(circuits.waitMs('acme', 1, 1000), 1000, 'the others wait for the outcome of that try')
  circuits.fail('acme', 1, 1000)
  assert.equal(circuits.waitMs('acme', 1, 1000), 2000)
  circuits.succeed('acme')
  assert.equal(circuits.waitMs('acme', 1, 1000), 0)
})

test('a fault of the connector opens its circuit at once, and a changed connector closes it', () => {
  const circuits = new Circuits(() => 1)
  circuits.fail('acme', 1, 0, { at_once: true })
  assert.equal(circuits.waitMs('acme', 1, 0), 1000)
  assert.equal(circuits.waitMs('acme', 2, 0), 0)
})

test('R-26 of 64 calls that fail in one moment the circuit opens once, and is not the longer open for it', () => {
  const circuits = new Circuits(() => 1)
  for (let i = 0; i < 64; i++) circuits.fail('acme', 1, 0, { at_once: i % 2 === 1 })
  assert.equal(circuits.waitMs('acme', 1, 0), 1000)
  assert.equal(circuits.waitMs('acme', 1, 1000), 0)
  for (let i = 0; i < 64; i++) circuits.fail('acme', 1, 1000)
  assert.equal(circuits.waitMs('acme', 1, 1000), 2000, 'one try, one failure')
})

test('R-26 whoever asks for a pause of all calls gets it, once the circuit is open', () => {
  const circuits = new Circuits(() => 1)
  for (let i = 0; i < 4; i++) circuits.fail('acme', 1, 0, { asked_ms: 60_000 })
  assert.equal(circuits.waitMs('acme', 1, 0), 0, 'one account that is throttled is not all of them')
  circuits.fail('acme', 1, 0, { asked_ms: 60_000 })
  assert.equal(circuits.waitMs('acme', 1, 0), 60_000)
})
