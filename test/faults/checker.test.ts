import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULTS, type Fault } from './simulated_server.ts'
import { runSimulation, type Simulation } from './simulation.ts'
import { describeViolations, type Invariant, type Violation } from './violations.ts'

const CLEAN_OPERATIONS = 100_000

/** The invariants of which at least one must be named for a fault. */
const BROKEN: Readonly<Record<Fault, readonly Invariant[]>> = {
  'a crash drops the last commits': ['I1', 'I2', 'I4', 'I6'],
  'a crash brings back what was revoked': ['I3', 'I5'],
  'a code is redeemed twice': ['I1'],
  'a code is redeemed after its end': ['I1'],
  'a code is consumed without an answer': ['I6'],
  'a code is answered before it is stored': ['I6'],
  'a replayed code leaves its grant': ['I1'],
  'a retry forks the successor': ['I4'],
  'a retry is refused': ['I6'],
  'an old refresh token is taken': ['I5'],
  'an old refresh token leaves its grant': ['I5'],
  'an old refresh token stays active': ['I4'],
  'a revocation is lost': ['I3'],
  'a revocation is answered before it is done': ['I3'],
  'the revocation of an access token is lost': ['I3'],
  'a grant ends for no reason': ['I2', 'I6'],
  'a failure is answered with 500': ['I14'],
  'the audit log misses an event': ['I10'],
  'the database is damaged': ['I13'],
}

async function violationsOf(simulation: Simulation): Promise<readonly Violation[]> {
  const { violations, operations, open } = await runSimulation(simulation)
  assert.equal(open, 0)
  assert.ok(operations >= simulation.operations, `${operations} operations`)
  return violations
}

test(`the checker is silent about ${CLEAN_OPERATIONS} operations of a server that keeps the rules`, async () => {
  const violations = await violationsOf({ seed: 1, operations: CLEAN_OPERATIONS })
  assert.equal(violations.length, 0, describeViolations(violations))
})

for (const fault of FAULTS) {
  test(`the checker sees when ${fault}`, async () => {
    const violations = await violationsOf({ seed: 2, operations: 6000, fault })
    const named = new Set(violations.map(({ invariant }) => invariant))
    assert.ok(
      BROKEN[fault].some((invariant) => named.has(invariant)),
      `${BROKEN[fault].join(' or ')} should be broken: ${describeViolations(violations)}`,
    )
  })
}
