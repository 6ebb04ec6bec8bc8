import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newestHeader } from '../../server/src/outbound/vault/vault_keys.ts'
import { makeConnections, makeRootText, openAll, openOutbound } from '../parts/many_connections.ts'
import { createDatabase, startPostgres } from '../parts/postgres.ts'

const CONNECTIONS = 100_000
const PROCESS = fileURLToPath(new URL('../parts/rekey_process.ts', import.meta.url))
const ISSUER = 'http://localhost:9400'

for (const database of ['sqlite', 'postgres'] as const) {
  test(`R-20 ${database}: ${CONNECTIONS} data keys are put under another key, through five kills with -9, and each opens`, async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-rekey-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const postgres = database === 'postgres' ? await startPostgres() : null
    const created = postgres && (await createDatabase(postgres.url))
    const location = created ? { postgres: created.url } : { sqlite: path.join(folder, 'store.db') }
    const [former, present] = [makeRootText(), makeRootText()]
    const alone = async <T>(
      root: string,
      work: (outbound: Awaited<ReturnType<typeof openOutbound>>) => Promise<T>,
    ): Promise<T> => {
      const outbound = await openOutbound(location, root, ISSUER)
      try {
        return await work(outbound)
      } finally {
        await outbound.close()
      }
    }
    const before = await alone(former, async (outbound) => {
      await makeConnections(outbound, CONNECTIONS)
      return (await outbound.vault_keys.list()).at(-1)!.kid
    })
    const rekey = (kill_at: number) =>
      new Promise<NodeJS.Signals | number | null>((resolve) => {
        const args = [JSON.stringify(location), `${present} ${former}`, ISSUER]
        const child = fork(PROCESS, args, { execArgv: process.execArgv })
        let heard = 0
        child.on('message', () => {
          child.send('on')
          if (++heard === kill_at) child.kill('SIGKILL')
        })
        child.once('exit', (code, signal) => resolve(signal ?? code))
      })
    const began = performance.now()
    for (const kill_at of [1, 2, 17, 40, 60]) assert.equal(await rekey(kill_at), 'SIGKILL')
    assert.equal(await rekey(Number.POSITIVE_INFINITY), 0)
    t.diagnostic(`${CONNECTIONS} data keys, five kills: ${Math.round(performance.now() - began)} ms`)
    await alone(present, async (outbound) => {
      assert.equal(await openAll(outbound), CONNECTIONS)
      const { tenant_id, store } = outbound.tenant
      const rows = await outbound.vault_keys.list()
      assert.equal(
        rows.at(-1)!.kid,
        before + 1,
        'one key took over, whoever was killed; the former goes when its time is over',
      )
      const { left } = await store.countDataKeys({ tenant_id, header: newestHeader(rows) })
      assert.equal(left, 0)
    })
    await created?.drop()
    await postgres?.stop()
  })
}
