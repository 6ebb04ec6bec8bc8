import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeSeries, READY_WITHIN_MS, readyWithin, runKillSeries } from '../faults/kill_series.ts'

const CYCLES = Number(process.env['SALLYPORT_TEST_CYCLES'] ?? 15)
const SEED = Number(process.env['SALLYPORT_TEST_SEED'] ?? Date.now() % 2 ** 31)

test(`R-02 kill -9 x ${CYCLES} of one server of two, or both, over PostgreSQL: the other serves on`, async (t) => {
  const series = await runKillSeries('postgres', { cycles: CYCLES, seed: SEED, longest_ms: 3000 })
  t.diagnostic(`seed ${SEED}: ${describeSeries(series)}`)
  assert.equal(series.violations.length, 0, `seed ${SEED}: ${describeSeries(series)}`)
  assert.equal(series.cycles, CYCLES)
  assert.equal(series.cut_beyond, 0, 'a server that lived left calls without an answer')
  assert.ok(readyWithin(series, 0.5) <= READY_WITHIN_MS, describeSeries(series))
})
