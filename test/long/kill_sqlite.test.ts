import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeSeries, READY_WITHIN_MS, readyWithin, runKillSeries } from '../faults/kill_series.ts'

const CYCLES = Number(process.env['SALLYPORT_TEST_CYCLES'] ?? 50)
const SEED = Number(process.env['SALLYPORT_TEST_SEED'] ?? Date.now() % 2 ** 31)

test(`R-01 kill -9 x ${CYCLES} under load loses nothing that was answered and revives nothing, on SQLite`, async (t) => {
  const series = await runKillSeries('sqlite', { cycles: CYCLES, seed: SEED, longest_ms: 3000 })
  t.diagnostic(`seed ${SEED}: ${describeSeries(series)}`)
  assert.equal(series.violations.length, 0, `seed ${SEED}: ${describeSeries(series)}`)
  assert.equal(series.cycles, CYCLES)
  assert.ok(series.in_flight >= 60 * CYCLES * 0.9, `${series.in_flight} calls were under way`)
  assert.ok(readyWithin(series, 0.5) <= READY_WITHIN_MS, describeSeries(series))
})
