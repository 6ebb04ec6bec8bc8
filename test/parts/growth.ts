import assert from 'node:assert/strict'
import { JWT_API, OPAQUE_API, startPlatform } from './platform.ts'
import { countRows } from './snapshot.ts'

/** Issues tokens by client credentials and by refreshing one grant, and asserts that no table has gained a row. */
export async function issueWithoutGrowth(kind: 'sqlite' | 'postgres', count: number): Promise<void> {
  const p = await startPlatform({ kind })
  try {
    let { refresh_token } = await p.getTokens('web')
    await p.server.app.web.inbound.usage.flush()
    const before = await countRows(p.server.store)
    for (let i = 0; i < count; i += 50) {
      const asked = Array.from({ length: 50 }, (_, n) =>
        n % 2 === 0 ? { scope: 'api:read', resource: JWT_API } : { scope: 'vault:open', resource: OPAQUE_API },
      )
      const replies = await Promise.all(
        asked.map((form) => p.post('/token', { grant_type: 'client_credentials', ...form })),
      )
      for (const { status, text } of replies) assert.equal(status, 200, text)
    }
    for (let i = 0; i < count; i++) {
      const { status, body } = await p.refresh('web', refresh_token)
      assert.equal(status, 200, JSON.stringify(body))
      refresh_token = body.refresh_token
    }
    await p.server.app.web.inbound.usage.flush()
    assert.deepEqual(await countRows(p.server.store), before)
  } finally {
    await p.stop()
  }
}
