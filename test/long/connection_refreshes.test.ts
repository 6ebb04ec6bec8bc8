import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshToken } from '../../server/src/outbound/fresh_token.ts'
import { type Bench, connected, DATABASES, openBench, openForeign } from '../parts/vault.ts'

const CONNECTIONS = 200
const CALLERS = 64
const AT_ONCE = 10

for (const kind of DATABASES) {
  const processes = kind === 'postgres' ? 2 : 1
  test(`R-19 ${CALLERS} callers of each of ${CONNECTIONS} connections are ${CONNECTIONS} refreshes, ${processes} on ${kind}`, async () => {
    const bench = await openBench(kind, processes)
    const foreign = await openForeign(bench)
    try {
      const connections: string[] = []
      for (let i = 0; i < CONNECTIONS; i++) {
        foreign.auto_login = `user${i}`
        connections.push(await connected(bench))
      }
      bench.clock.offset = 3_601_000
      const calls = foreign.ledger.length
      for (let i = 0; i < CONNECTIONS; i += AT_ONCE) {
        await Promise.all(connections.slice(i, i + AT_ONCE).map((connection_id) => race(bench, connection_id)))
      }
      const refreshes = foreign.ledger.slice(calls)
      assert.equal(refreshes.length, CONNECTIONS)
      assert.ok(refreshes.every(({ grant_type, status }) => grant_type === 'refresh_token' && status === 200))
      assert.deepEqual(bench.reports, [])
    } finally {
      await foreign.close()
      await bench.drop()
    }
  })
}

async function race({ contexts, user_id }: Bench, connection_id: string): Promise<void> {
  const asked = Array.from({ length: CALLERS }, (_, i) =>
    freshToken(contexts[i % contexts.length]!, { connection_id, user_id }),
  )
  const given = new Set<string>()
  for (const token of await Promise.all(asked)) {
    assert.ok(token.kind === 'token', JSON.stringify(token))
    given.add(`${token.generation} ${token.access_token}`)
  }
  assert.equal(given.size, 1)
  assert.ok([...given][0]!.startsWith('2 '))
}
