import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RekeyStep } from '../../server/src/outbound/administration/rekey.ts'
import { newestHeader } from '../../server/src/outbound/vault/vault_keys.ts'
import { makeConnections, makeRootText, openAll, openOutbound } from '../parts/many_connections.ts'
import { createDatabase, type PostgresServer, startPostgres } from '../parts/postgres.ts'
import { freePort, type ProgramOptions, runProgram, startProgram } from '../parts/program.ts'

// Here both take the same way but for the last one, to the database: the long suite goes it too.
const DATABASES = process.env['SALLYPORT_TEST_EVERY_DATABASE']
  ? (['sqlite', 'postgres'] as const)
  : (['sqlite'] as const)

// Five steps of a rekeying.
const CONNECTIONS = 2_100
const PROCESS = fileURLToPath(new URL('../parts/rekey_process.ts', import.meta.url))

let postgres: PostgresServer
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres?.stop())

async function makePlace(t: TestContext, database: string) {
  const cwd = await mkdtemp(path.join(tmpdir(), 'sallyport-rekey-'))
  t.after(() => rm(cwd, { recursive: true, force: true }))
  const location = { sqlite: path.join(cwd, 'sallyport.db') }
  const env = { PORT: String(await freePort()), SALLYPORT_DATA_DIR: cwd }
  if (database === 'sqlite') return { cwd, location, env, issuer: `http://localhost:${env.PORT}` }
  const { url, drop } = await createDatabase(postgres.url)
  t.after(drop)
  return {
    cwd,
    location: { postgres: url },
    env: { ...env, DATABASE_URL: url },
    issuer: `http://localhost:${env.PORT}`,
  }
}

type Place = Awaited<ReturnType<typeof makePlace>>

/** Opens the database alone with root keys, does something, and closes it. */
async function alone<T>(
  { location, issuer }: Place,
  root: string,
  work: (outbound: Awaited<ReturnType<typeof openOutbound>>) => Promise<T>,
): Promise<T> {
  const outbound = await openOutbound(location, root, issuer)
  try {
    return await work(outbound)
  } finally {
    await outbound.close()
  }
}

for (const database of DATABASES) {
  test(`R-20 11.2.2 ${database}: a rekeying that is killed with -9 at any point leaves every connection readable, and is finished by the next`, async (t) => {
    const place = await makePlace(t, database)
    const [former, present] = [makeRootText(), makeRootText()]
    await alone(place, former, (outbound) => makeConnections(outbound, CONNECTIONS))
    const both = `${present} ${former}`
    const start = (): ChildProcess => {
      const args = [JSON.stringify(place.location), both, place.issuer]
      return fork(PROCESS, args, { execArgv: process.execArgv, serialization: 'json' })
    }
    let partial = 0
    // In the middle of the first step, and of those after it: at most four of them are done.
    for (const messages of [1, 2, 1]) {
      const child = start()
      let heard = 0
      await new Promise<void>((resolve) => {
        child.on('message', () => {
          child.send('on')
          if (++heard === messages) child.kill('SIGKILL')
        })
        child.once('exit', () => resolve())
      })
      assert.equal(child.signalCode, 'SIGKILL')
      const { opened, left } = await alone(place, both, async (outbound) => {
        const header = newestHeader(await outbound.vault_keys.list())
        const { tenant_id, store } = outbound.tenant
        const { left } = await store.countDataKeys({ tenant_id, header })
        return { opened: await openAll(outbound), left }
      })
      assert.equal(opened, CONNECTIONS)
      if (left > 0 && left < CONNECTIONS) partial++
    }
    assert.ok(partial > 0, 'a kill came while some were done and some were not')
    const last = start()
    const steps: RekeyStep[] = []
    last.on('message', (step: RekeyStep) => {
      steps.push(step)
      last.send('on')
    })
    assert.deepEqual(await once(last, 'exit'), [0, null])
    assert.equal(steps.at(-1)!.after, null)
    await alone(place, present, async (outbound) => {
      assert.equal(await openAll(outbound), CONNECTIONS)
      assert.equal((await outbound.vault_keys.list()).length, 2, 'no run has begun a take-over of its own')
    })
    await assert.rejects(
      alone(place, former, async () => {}),
      /does not open/,
    )
  })

  test(`R-20 13.3.4 ${database}: rekey works at the running server and alone, says how far it is, and doctor how keys stand`, async (t) => {
    const place = await makePlace(t, database)
    const { cwd, env } = place
    const [former, present, own] = [makeRootText(), makeRootText(), makeRootText()]
    await alone(place, former, (outbound) => makeConnections(outbound, 3))
    const options = (settings: Record<string, string>): ProgramOptions => ({ cwd, env: { ...env, ...settings } })
    const both = options({ SALLYPORT_ROOT_KEY: `${present} ${former}` })
    const doctor = async (used: ProgramOptions) => {
      const { checks } = JSON.parse((await runProgram(['doctor', '--json'], used)).stdout)
      const find = (name: string) => checks.find((check: { name: string }) => check.name === name)
      return { keys: find('keys'), vault: find('vault') }
    }
    const server = startProgram(['serve'], both)
    t.after(() => server.stop('SIGKILL'))
    await server.waitFor(/ listening /)
    assert.match((await doctor(both)).keys.says, /2 keys are not under the present root key: `sallyport rekey`/)
    const run = await runProgram(['rekey', '--data-keys', '--json'], both)
    assert.deepEqual([run.code, run.stderr], [0, ''])
    const { vault_root_key, root_key, ...rekeyed } = JSON.parse(run.stdout)
    assert.match(root_key, /^[0-9a-f]{16}$/)
    assert.equal(vault_root_key, root_key)
    assert.deepEqual(rekeyed, {
      ...{ rewrapped_keys: 2, rewrapped_data_keys: 3, destroyed_keys: 0, unreadable: 0 },
      ...{ under_former_roots: 0, vault_keys: 2, data_keys: 3, under_former_vault_keys: 0, vault_closed: null },
    })
    assert.deepEqual([(await doctor(both)).keys.status, (await doctor(both)).vault.status], ['ok', 'ok'])
    assert.equal(await server.stop(), 0)

    // The vault gets a root key of its own, from a file, without any server.
    const file = path.join(cwd, 'vault_key')
    await writeFile(file, `${own}\n${present}\n`, { mode: 0o600 })
    const apart = options({ SALLYPORT_ROOT_KEY: present, SALLYPORT_VAULT_KEY_FILE: file })
    const moved = await runProgram(['rekey'], apart)
    assert.equal(moved.code, 0, moved.stderr)
    assert.match(moved.stdout, /^2 keys put under root key [0-9a-f]{16}, the vault's by [0-9a-f]{16}\n/)
    assert.match(moved.stdout, /take it out of the settings/)
    await writeFile(file, own)
    assert.equal((await doctor(apart)).vault.status, 'ok')

    if (database === 'postgres') return
    // Without it, or with another one, the vault is closed and the reason is said.
    for (const [settings, says] of [
      [{ SALLYPORT_ROOT_KEY: present }, /^closed: its keys are wrapped by root key \w+, and the one given is \w+$/],
      [{ SALLYPORT_ROOT_KEY: present, SALLYPORT_VAULT_KEY: former }, /^closed: .* and the one given is \w+$/],
      [{ SALLYPORT_ROOT_KEY: present, SALLYPORT_VAULT_KEY_FILE: 'nowhere' }, /^closed: .*, and none was given$/],
    ] as const) {
      const { vault } = await doctor(options(settings))
      assert.equal(vault.status, 'fail')
      assert.match(vault.says, says)
      const refused = await runProgram(['rekey'], options(settings))
      assert.deepEqual([refused.code, refused.stdout], [1, ''])
      assert.match(refused.stderr, /The vault is closed: /)
    }
  })
}

test('rekey where nothing has been made yet finds nothing to do, and makes nothing', async (t) => {
  const { cwd } = await makePlace(t, 'sqlite')
  const { code, stdout } = await runProgram(['rekey', '--json'], { cwd })
  assert.deepEqual([code, JSON.parse(stdout).data_keys], [0, 0])
})
