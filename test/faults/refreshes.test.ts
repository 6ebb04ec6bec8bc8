import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULTS, openRig, playFault } from '../parts/refresh_faults.ts'

// The provider had rotated and the old token lives: under one that ends the grant at a replay, and under one with a grace.
const RUNS = [12, 13]

test('R-19 whatever goes wrong with a refresh, no connection is lost but by the rules of its provider', async () => {
  const rig = await openRig('sqlite', 1)
  const wrong: string[] = []
  try {
    for (const [name, { ours }] of Object.entries(FAULTS)) {
      // A new process each time: one is enough here, the long tests do many.
      const runs = ours?.startsWith('killed') ? RUNS.slice(1) : RUNS
      wrong.push(...(await playFault(rig, name, runs)).wrong)
    }
  } finally {
    await rig.close()
  }
  assert.deepEqual(wrong, [])
})
