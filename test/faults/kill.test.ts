import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeSeries, runKillSeries } from './kill_series.ts'

// The long suite has the series of which this is the beginning.
test('kill -9 under load loses nothing that was answered and revives nothing, on SQLite', async (t) => {
  const series = await runKillSeries('sqlite', { cycles: 2, seed: 1, longest_ms: 1500 })
  t.diagnostic(describeSeries(series))
  assert.equal(series.violations.length, 0, describeSeries(series))
  assert.ok(series.in_flight > 0, 'no call was under way')
})
