import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSimulation } from '../faults/simulation.ts'
import { describeViolations } from '../faults/violations.ts'

test('the checker is silent about a million operations of a server that keeps the rules', async (t) => {
  const verdict = await runSimulation({ seed: 3, operations: 1_000_000 })
  t.diagnostic(`${verdict.operations} operations`)
  assert.ok(verdict.operations >= 1_000_000)
  assert.equal(verdict.violations.length, 0, describeViolations(verdict.violations))
})
