import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULTS, type Figures, openRig, playFault } from '../parts/refresh_faults.ts'

const RUNS = Number(process.env['RUNS'] ?? 50)

for (const [kind, processes] of [
  ['sqlite', 1],
  ['postgres', 2],
] as const) {
  test(`R-19 ${Object.keys(FAULTS).length} faults of a refresh, ${RUNS} times each, ${processes} on ${kind}`, async () => {
    const rig = await openRig(kind, processes)
    const table: Record<string, object> = {}
    const wrong: string[] = []
    try {
      for (const name of Object.keys(FAULTS)) {
        const figures: Figures = await playFault(rig, name, [...Array(RUNS).keys()])
        const { wrong: said, ...shown } = figures
        table[name] = { ...shown, wrong: said.length }
        wrong.push(...said)
      }
    } finally {
      await rig.close()
      console.table(table)
    }
    assert.deepEqual(wrong, [])
  })
}
