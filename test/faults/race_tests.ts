import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DIALECTS } from '../parts/stores.ts'
import { RACES, runRace } from './http_races.ts'
import { openStage, type Stage } from './stage.ts'
import { describeViolations } from './violations.ts'

/** The races over HTTP as tests: one process over SQLite, two over PostgreSQL, so many rounds each. */
export function testRaces(rounds: number): void {
  for (const dialect of DIALECTS) {
    describe(`${rounds} rounds on ${dialect}, ${dialect === 'sqlite' ? 'one process' : 'two processes'}`, () => {
      let stage: Stage
      before(async () => {
        stage = await openStage(dialect, { seed: 1 })
      })
      after(() => stage.close())

      for (const race of RACES) test(race.title, () => runRace(stage, race, rounds))

      test('the history of the races and the database agree', async (t) => {
        await stage.stop()
        const violations = await stage.judge(true)
        t.diagnostic(`${stage.history.operations.length} operations`)
        assert.equal(violations.length, 0, describeViolations(violations))
      })
    })
  }
}
