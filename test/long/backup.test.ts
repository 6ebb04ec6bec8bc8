import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyWebhook } from '@sallyport/sdk/webhook'
import pg from 'pg'
import { restoreInto } from '../../server/src/cli/restore.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { createEgress } from '../../server/src/egress/egress.ts'
import { openPostgresTarget } from '../../server/src/store/backup/postgres_target.ts'
import { settleWebhooks, tendWebhooks } from '../../server/src/webhooks/deliver.ts'
import { saveWebhook } from '../../server/src/webhooks/webhooks.ts'
import { backUpServer, exportLog, SILENT } from '../parts/backup.ts'
import { startBridge } from '../parts/bridge.ts'
import { ROOT } from '../parts/checks.ts'
import { createDatabase, type PostgresServer, startPostgres } from '../parts/postgres.ts'
import { freePort, runLines, runProgram } from '../parts/program.ts'
import { startSallyport } from '../parts/sallyport.ts'
import { dumpRows, printRow } from '../parts/snapshot.ts'

const GRANTS = Number(process.env['SALLYPORT_TEST_GRANTS'] ?? 1_000_000)

let folder: string
let postgres: PostgresServer
const inFolder = (name: string) => path.join(folder, name)
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-backup-'))
  postgres = await startPostgres()
})
after(async () => {
  await postgres?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('R-21 after the move to PostgreSQL people sign in anew, clients go on, and connections and webhooks work', async () => {
  const received: { headers: Record<string, string>; body: string }[] = []
  const receiver = createServer(async (request, response) => {
    received.push({ headers: request.headers as Record<string, string>, body: await text(request) })
    response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const root = new RootKey(new Uint8Array(32).fill(7))
  const bridge = await startBridge({ app: { root } })
  const egress = createEgress({ allow: ['127.0.0.1'] })
  const elsewhere = await createDatabase(postgres.url, { empty: true })
  const url = `http://127.0.0.1:${(receiver.address() as { port: number }).port}/`
  const { secret } = await saveWebhook(bridge.server.app.web.webhooks, 'test', { webhook: 'crm', url })
  const alice = await bridge.signIn()
  await bridge.connect(alice)
  const tokens = await bridge.obtain(alice)
  const connectionRows = async (store: typeof bridge.server.store) => {
    const all = await dumpRows(store)
    const changed = ['uncertain_at', 'upkeep_at']
    return ['connections', 'connectors', 'vault_keys', 'webhooks', 'users', 'tenant_keys'].map((table) =>
      all
        .get(table)!
        .map((row) => printRow(Object.fromEntries(Object.entries(row).sort()), changed))
        .sort(),
    )
  }
  const { store } = bridge.server
  const { tenant_id } = bridge.server.app.tenant
  const file = await backUpServer(bridge.server, root, inFolder('bridge.backup'))
  const rows = await connectionRows(store)
  // Something that ended nothing, so that the export has a word of the time since.
  await store.recordEvent({ tenant_id, event_id: 'since', at: Date.now(), type: 'session.started', actor: 'test' })
  const log = await exportLog(bridge.server, inFolder('bridge.ndjson'))
  const port = Number(new URL(bridge.issuer).port)
  await bridge.server.stop()

  const target = await openPostgresTarget(elsewhere.url, { replace: false })
  const restored = restoreInto(target, root, { file, revocations: [log] }, SILENT)
  const { tenants } = await restored.finally(() => target.close())
  assert.equal(tenants[0]!.kept_grants, 1)
  const moved = await startSallyport({ port, root, location: { postgres: elsewhere.url }, app: { egress } })
  try {
    assert.deepEqual(await connectionRows(moved.store), rows)
    assert.match((await alice.follow(`${bridge.issuer}/account`)).url, /\/login/, 'a session of before')
    const again = await bridge.signIn()
    assert.match(await (await again.follow(`${bridge.issuer}/account`)).response.text(), /alice/i)
    assert.equal((await bridge.get('/proxy/acme/items', tokens.access_token)).status, 401, 'an access token of before')
    const { refresh_token } = tokens
    const refreshed = await bridge.post('/token', { grant_type: 'refresh_token', refresh_token })
    assert.equal(refreshed.status, 200, refreshed.text)
    assert.equal((await bridge.get('/proxy/acme/items', refreshed.body.access_token)).status, 200)
    await bridge.obtain(again)
    while ((await moved.store.sealEvents({ tenant_id, most: 1000 })) > 0);
    await tendWebhooks(moved.app.web.webhooks)
    await settleWebhooks(moved.app.web.webhooks)
    assert.ok(received.length > 0)
    for (const one of received) await verifyWebhook(one, { secret: secret! })
  } finally {
    await moved.stop()
    await egress.close()
    await bridge.stop()
    await elsewhere.drop()
    receiver.closeAllConnections()
    receiver.close()
  }
})

/** A data folder with a client in its database, and a backup of it. */
async function makeBackup(name: string): Promise<{ env: Record<string, string>; file: string }> {
  const env = { PORT: String(await freePort()), SALLYPORT_DATA_DIR: inFolder(name) }
  await writeFile(
    inFolder('platform.json'),
    '{"clients":[{"client_id":"app","redirect_uris":["https://a.example/"],"token_endpoint_auth_method":"none"}]}',
  )
  const ended = await runLines(
    [
      ['apply', '-f', 'platform.json'],
      ['backup', `${name}-small.backup`],
    ],
    { cwd: folder, env },
  )
  assert.deepEqual(
    ended.map(({ code }) => code),
    [0, 0],
    ended.map(({ stderr }) => stderr).join(),
  )
  return { env, file: inFolder(`${name}-small.backup`) }
}

test('R-21 a restore into PostgreSQL that is killed, or loses the database, leaves what was there', async () => {
  const { env, file } = await makeBackup('data')
  const elsewhere = await createDatabase(postgres.url, { empty: true })
  const watcher = new pg.Client({ connectionString: elsewhere.url })
  await watcher.connect()
  const there = { ...env, DATABASE_URL: elsewhere.url }
  const ask = async (text: string) => (await watcher.query(text)).rows[0]
  const main = ['--conditions=sallyport-source', path.join(ROOT, 'server/src/main.ts')]
  const bytes = await readFile(file)
  /** Ends a restore in its middle, and says what it printed. */
  const breakOff = async (how: 'kill' | 'terminate') => {
    const child = spawn(process.execPath, [...main, 'restore', '-', '--replace', '--yes'], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...there },
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    const said = text(child.stderr)
    child.stdin.on('error', () => {})
    child.stdin.write(bytes.subarray(0, bytes.length - 100))
    const busy = `select pid from pg_stat_activity where datname = current_database() and application_name = 'sallyport'
      and state = 'idle in transaction' and query like 'insert into%'`
    while (!(await ask(busy))) {
      assert.equal(child.exitCode, null, 'it ended')
      await sleep(20)
    }
    if (how === 'kill') child.kill('SIGKILL')
    else {
      await ask(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sallyport'
        and datname = current_database()`)
      child.stdin.end(bytes.subarray(bytes.length - 100))
    }
    await once(child, 'close')
    // What it was about when it died, its process at the database ends first.
    const left = `select pid from pg_stat_activity where datname = current_database() and application_name = 'sallyport'`
    while (await ask(left)) await sleep(20)
    return { code: child.exitCode, said: await said }
  }
  try {
    await breakOff('kill')
    assert.equal((await ask("select to_regclass('tenants') as made")).made, null)
    const [made] = await runLines([['restore', file]], { cwd: folder, env: there })
    assert.equal(made!.code, 0, made!.stderr)
    await watcher.query("update clients set client_name = 'kept'")
    const { code, said } = await breakOff('terminate')
    assert.equal(code, 1)
    assert.match(said, /^sallyport: .+\n$/)
    await breakOff('kill')
    assert.equal((await ask('select client_name from clients')).client_name, 'kept')
  } finally {
    await watcher.end()
    await elsewhere.drop()
  }
})

/** Puts a user with a million grants into a closed database. */
function fillGrants(file: string): void {
  const database = new DatabaseSync(file)
  database.exec(`
    pragma synchronous = off;
    insert into users (tenant_id, user_id, username_key, username, email_verified, claims, roles, epoch, created_at, updated_at)
      select tenant_id, 'u', 'u', 'u', 0, '{}', '[]', 0, 1, 1 from tenants;
    insert into grants (tenant_id, grant_id, client_id, user_id, scope, resource, auth_time, tenant_epoch, client_epoch,
        user_epoch, session_epoch, offline, code_failures, code_redeemed_at, refresh_generation, refresh_hash, created_at,
        expires_at)
      with recursive n (i) as (select 1 union all select i + 1 from n where i < ${GRANTS})
      select t.tenant_id, printf('g%07d', i), 'app', 'u', 'openid offline_access', 'https://api.example/', 1, 0, 0, 0, 0,
        1, 0, 1, 1, randomblob(32), 1, 9000000000000
      from n, tenants t;
    pragma wal_checkpoint(truncate)`)
  database.close()
}

test(`R-21 ${GRANTS} grants are saved in little memory, and restored within five minutes`, {
  timeout: 1_000_000,
}, async (t) => {
  const { env } = await makeBackup('million')
  fillGrants(inFolder('million/sallyport.db'))
  // What is read and written at once must not grow with the database.
  const small = { ...env, NODE_OPTIONS: '--max-old-space-size=96' }
  const elsewhere = await createDatabase(postgres.url, { empty: true })
  try {
    for (const [args, more] of [
      [['backup', 'million.backup', '--json'], {}],
      [['restore', 'million.backup', '--json'], { DATABASE_URL: elsewhere.url }],
      [['restore', 'million.backup', '--replace', '--yes', '--json'], {}],
    ] as const) {
      const began = performance.now()
      const { code, stdout, stderr } = await runProgram(args, { cwd: folder, env: { ...small, ...more } })
      const seconds = Math.round((performance.now() - began) / 1000)
      assert.equal(code, 0, stderr)
      assert.ok(JSON.parse(stdout).rows > GRANTS)
      t.diagnostic(`${args[0]}: ${seconds} s`)
      assert.ok(seconds < 300, `${args[0]}: ${seconds} s`)
    }
  } finally {
    await elsewhere.drop()
  }
})
