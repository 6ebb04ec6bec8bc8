import { test } from 'node:test'
import { issueWithoutGrowth } from '../parts/growth.ts'

test('T-07 100 tokens of a client and 100 refreshes of a grant add no row to any table', async (t) => {
  for (const kind of ['sqlite', 'postgres'] as const) await t.test(kind, () => issueWithoutGrowth(kind, 100))
})
