import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshToken } from '../../server/src/outbound/connections/fresh_token.ts'
import type { RefreshOrder } from '../parts/refresh_process.ts'
import { type Bench, connected, openBench, openForeign } from '../parts/vault.ts'

const CONNECTIONS = 200
const CALLERS = 64
const AT_ONCE = 10
const LATER_MS = 3_601_000
const REPLICA = fileURLToPath(new URL('../parts/refresh_process.ts', import.meta.url))

/** Asks for fresh tokens of one connection, so many at once; answers the different tokens that were given. */
type Asker = (order: RefreshOrder) => Promise<readonly string[]>

for (const [kind, processes] of [
  ['sqlite', 1],
  ['postgres', 2],
] as const) {
  test(`R-19 ${CALLERS} callers of each of ${CONNECTIONS} connections are ${CONNECTIONS} refreshes, ${processes} on ${kind}`, async () => {
    const bench = await openBench(kind)
    const foreign = await openForeign(bench)
    const replicas: ChildProcess[] = []
    try {
      const connections: string[] = []
      for (let i = 0; i < CONNECTIONS; i++) {
        foreign.auto_login = `user${i}`
        connections.push(await connected(bench))
      }
      bench.clock.offset = LATER_MS
      const askers: Asker[] = [(order) => askHere(bench, order)]
      while (askers.length < processes) {
        const replica = fork(REPLICA, [bench.url!, String(LATER_MS)], { execArgv: process.execArgv })
        replicas.push(replica)
        await once(replica, 'message')
        askers.push(askProcess(replica))
      }
      const calls = foreign.ledger.length
      for (let i = 0; i < CONNECTIONS; i += AT_ONCE) {
        const some = connections.slice(i, i + AT_ONCE)
        await Promise.all(some.map((connection_id) => race(askers, connection_id, bench.user_id)))
      }
      const refreshes = foreign.ledger.slice(calls)
      assert.equal(refreshes.length, CONNECTIONS)
      assert.ok(refreshes.every(({ grant_type, status }) => grant_type === 'refresh_token' && status === 200))
      assert.deepEqual(bench.reports, [])
    } finally {
      for (const replica of replicas) {
        replica.disconnect()
        await once(replica, 'exit')
      }
      await foreign.close()
      await bench.drop()
    }
  })
}

/** All callers at the same time, spread over the processes: one and the same new token for each of them. */
async function race(askers: readonly Asker[], connection_id: string, user_id: string): Promise<void> {
  const callers = CALLERS / askers.length
  const given = await Promise.all(askers.map((ask) => ask({ connection_id, user_id, callers })))
  const tokens = new Set(given.flat())
  assert.equal(tokens.size, 1, [...tokens].join('\n'))
  assert.ok([...tokens][0]!.startsWith('2 '), [...tokens][0])
}

async function askHere({ contexts }: Bench, { connection_id, user_id, callers }: RefreshOrder) {
  const asked = Array.from({ length: callers }, () => freshToken(contexts[0], { connection_id, user_id }))
  const tokens = await Promise.all(asked)
  return tokens.map((token) =>
    token.kind === 'token' ? `${token.generation} ${token.access_token}` : JSON.stringify(token),
  )
}

function askProcess(replica: ChildProcess): Asker {
  const waiting = new Map<string, (given: readonly string[]) => void>()
  replica.on('message', ({ connection_id, given }: { connection_id: string; given: readonly string[] }) => {
    waiting.get(connection_id)?.(given)
  })
  return (order) =>
    new Promise((resolve) => {
      waiting.set(order.connection_id, resolve)
      replica.send(order)
    })
}
