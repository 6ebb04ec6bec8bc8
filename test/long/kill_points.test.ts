import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CUT_FLOWS, runKillPoints } from '../faults/kill_points.ts'
import { describeViolations } from '../faults/violations.ts'
import { DIALECTS } from '../parts/stores.ts'

for (const dialect of DIALECTS) {
  describe(`R-04 killed before and after each statement and each answer, on ${dialect}`, () => {
    for (const flow of CUT_FLOWS) {
      test(`${flow.title} happened or did not, and can be repeated`, async (t) => {
        const { moments, answered, violations } = await runKillPoints(dialect, flow)
        t.diagnostic(`${moments} moments, at ${answered} of them the answer had left`)
        assert.equal(violations.length, 0, describeViolations(violations))
        assert.ok(moments >= 4 && answered >= 1, `${moments} moments, ${answered} answered`)
      })
    }
  })
}
