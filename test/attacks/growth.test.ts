import { test } from 'node:test'
import { issueWithoutGrowth } from '../parts/growth.ts'

test('T-07 500 tokens of a client and 500 refreshes of a grant add no row to any table', async (t) => {
  for (const kind of ['sqlite', 'postgres'] as const) await t.test(kind, () => issueWithoutGrowth(kind, 500))
})
