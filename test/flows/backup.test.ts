import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import pg from 'pg'
import { type App, createApp } from '../../server/src/app.ts'
import { restoreInto } from '../../server/src/cli/restore.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { listSigningKeys, revokeSigningKey } from '../../server/src/inbound/keys/signing_keys.ts'
import { readBackup } from '../../server/src/store/backup/backup_file.ts'
import { openPostgresSnapshot } from '../../server/src/store/backup/postgres_source.ts'
import { openPostgresTarget } from '../../server/src/store/backup/postgres_target.ts'
import { openSqliteTarget } from '../../server/src/store/backup/sqlite_target.ts'
import type { RestoreTarget } from '../../server/src/store/backup/tables.ts'
import { readMigrations } from '../../server/src/store/migrate.ts'
import { openStore, type Store } from '../../server/src/store/store.ts'
import { backUpServer, exportLog, SILENT, saveBackup } from '../parts/backup.ts'
import { type Platform, startPlatform } from '../parts/platform.ts'
import { createDatabase, type PostgresServer, startPostgres } from '../parts/postgres.ts'
import { dumpRows, printRow } from '../parts/snapshot.ts'

const LONG = `${'\u{1f511} "quoted" \\ \u202e \n'.repeat(20_000)}end`

let platform: Platform
let postgres: PostgresServer
let folder: string
let elsewhere: { url: string; drop(): Promise<void> }
const inFolder = (name: string) => path.join(folder, name)

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-backup-'))
  platform = await startPlatform({ real_time: true })
  postgres = await startPostgres()
  elsewhere = await createDatabase(postgres.url, { empty: true })
})
after(async () => {
  await platform?.stop()
  await elsewhere?.drop()
  await postgres?.stop()
  await rm(folder, { recursive: true, force: true })
})

const backUp = (file: string) => backUpServer(platform.server, platform.root, inFolder(file))

async function restoreTo(
  target: RestoreTarget,
  file: string,
  { root = platform.root, revocations = [] as string[] } = {},
) {
  try {
    return await restoreInto(target, root, { file, revocations }, SILENT)
  } finally {
    await target.close()
  }
}

const openFile = (file: string) => openSqliteTarget(inFolder(file), { replace: false })

async function openRestored(
  location: Parameters<typeof openStore>[0],
): Promise<{ app: App; store: Store; close(): Promise<void> }> {
  const store = await openStore(location)
  const { issuer, root, server } = platform
  const app = await createApp({ issuer, store, root, log: server.app.web.log })
  const close = async () => {
    await app.close()
    await store.close()
  }
  return { app, store, close }
}

const tokens = async (client: 'web' | 'spa') => (await platform.getTokens(client)) as Record<string, string>
const rotate = async (refresh_token: string) =>
  (await platform.refresh('web', refresh_token)).body.refresh_token as string

test('tables of another program stay, whatever their names are', async () => {
  const client = new pg.Client({ connectionString: elsewhere.url })
  await client.connect()
  await client.query('create table users (id bigint); create table migrations (id bigint)')
  await assert.rejects(() => openPostgresTarget(elsewhere.url, { replace: true }), /table of something else/)
  await client.query('drop table users, migrations')
  await client.end()
})

test('R-21 nothing revoked comes back with a backup, and what is known to live goes on where its client is proven', async () => {
  const [going, revoked, kept, open] = [
    await tokens('web'),
    await tokens('web'),
    await tokens('web'),
    await tokens('spa'),
  ]
  const code = await platform.getCode('web')
  await exportLog(platform.server, inFolder('story.ndjson'))
  const file = await backUp('story.backup')
  const newest = await rotate(await rotate(going['refresh_token']!))
  assert.equal((await platform.post('/revoke', { token: revoked['refresh_token']! })).status, 200)
  const { tenant_id } = platform.server.app.tenant
  const [signing] = await listSigningKeys(platform.server.app.tenant)
  await revokeSigningKey(platform.server.app.tenant, signing!.kid, 'test')
  const since = [
    { type: 'password.reset', user_id: 'carol', at: Date.now() - 600_000 },
    { type: 'password.changed', user_id: 'carol' },
    { type: 'password.changed', user_id: 'carol' },
    { type: 'role.saved', detail: { role: 'guest' } },
  ]
  for (const [i, one] of since.entries()) {
    await platform.server.store.recordEvent({ tenant_id, event_id: `e${i}`, at: Date.now(), actor: 'cli', ...one })
  }
  const log = await exportLog(platform.server, inFolder('story.ndjson'))
  const later = await tokens('web')

  const { tenants } = await restoreTo(await openPostgresTarget(elsewhere.url, { replace: false }), file, {
    revocations: [log],
  })
  assert.deepEqual(
    tenants.map(({ kept_grants, ended_grants }) => [kept_grants, ended_grants]),
    [[2, 1]],
  )
  assert.deepEqual(tenants[0]!.undone, {
    'password.changed': { times: 2, of: ['carol'] },
    'role.saved': { times: 1, of: ['guest'] },
  })
  assert.ok(Math.abs(Date.parse(tenants[0]!.known_until!) - Date.now()) < 60_000)
  const { app, store, close } = await openRestored({ postgres: elsewhere.url })
  try {
    const refresh = (client: 'web' | 'spa', token: string) => platform.refresh(client, token, {}, app)
    const refused = async (client: 'web' | 'spa', token: string, why: string) => {
      const { status, body } = await refresh(client, token)
      assert.deepEqual([status, body.error], [400, 'invalid_grant'], why)
    }
    const keys = (await store.listSigningKeys({ tenant_id })).keys.map(({ kid, state }) => [
      kid === signing!.kid,
      state,
    ])
    assert.deepEqual(keys.sort(), [
      [false, 'current'],
      [true, 'revoked'],
    ])
    for (const { access_token } of [going, revoked, kept, open, later]) {
      assert.equal((await platform.introspect(access_token!, 'api', app)).active, false, 'an access token of before')
    }
    await refused('web', revoked['refresh_token']!, 'it was revoked after the backup')
    await refused('spa', open['refresh_token']!, 'anybody could have it')
    await refused('web', later['refresh_token']!, 'the backup does not know it')
    assert.equal((await platform.exchange('web', code, {}, app)).status, 400, 'a code of before')
    const { status, body } = await refresh('web', newest)
    assert.equal(status, 200, 'two generations further than the backup')
    assert.equal((await platform.introspect(body.access_token, 'api', app)).active, true)
    assert.equal((await refresh('web', newest)).body.refresh_token, body.refresh_token, 'the same again for a retry')
    assert.equal((await refresh('web', kept['refresh_token']!)).status, 200)
    await refused('web', going['refresh_token']!, 'older than the one before the newest')
    await refused('web', body.refresh_token, 'which has ended the grant')
    const made = await platform.post('/token', { grant_type: 'client_credentials', scope: 'api:read' }, 'web', app)
    assert.equal(made.status, 200, made.text)
    const events = (await dumpRows(store)).get('events')!.map(({ type }) => type)
    for (const type of ['tenant.restored', 'refresh_token.forwarded']) assert.ok(events.includes(type), type)
  } finally {
    await close()
  }
})

test('R-21 without a word of what was revoked since the backup every grant ends', async () => {
  const living = await tokens('web')
  const before = await exportLog(platform.server, inFolder('before.ndjson'))
  const file = await backUp('alone.backup')
  const { tenant_id } = platform.server.app.tenant
  for (const event_id of ['s1', 's2']) {
    const started = { event_id, at: Date.now(), type: 'session.started', actor: 'test' }
    await platform.server.store.recordEvent({ tenant_id, ...started })
  }
  const cut = await exportLog(platform.server, inFolder('cut.ndjson'), (lines) => lines.toSpliced(-2, 1))
  await assert.rejects(
    () => restoreTo(openFile('alone.db'), file, { revocations: [cut] }),
    /does not go on from the backup|chain is broken/,
  )
  // What ends where the backup does has no word of the time since.
  const { tenants } = await restoreTo(openFile('alone.db'), file, { revocations: [before] })
  assert.deepEqual([tenants[0]!.kept_grants, tenants[0]!.known_until], [0, null])
  const { app, close } = await openRestored({ sqlite: inFolder('alone.db') })
  try {
    assert.equal((await platform.refresh('web', living['refresh_token']!, {}, app)).status, 400)
  } finally {
    await close()
  }
})

/** Every row of a store as text; what settling and migrating change is left out. */
async function printAll(store: Store): Promise<Record<string, string[]>> {
  const settled: Record<string, string[]> = {
    ...{ tenants: ['epoch', 'config_version'], grants: ['revoked_at', 'revoked_reason'], sessions: ['ended_at'] },
    // Counted behind the answers.
    ...{ event_chains: ['revocation_sequence'], clients: ['tokens_issued', 'last_used_at'] },
  }
  const gone = ['migrations', 'leases', 'consents', 'revocations', 'one_time_links', 'hourly_counts']
  const rows = [...(await dumpRows(store))].filter(([table]) => !gone.includes(table))
  return Object.fromEntries(
    rows.map(([table, all]) => {
      const own = all.filter(({ type }) => type !== 'tenant.restored')
      const inOrder = (row: Record<string, unknown>) => Object.fromEntries(Object.entries(row).sort())
      return [table, own.map((row) => printRow(inOrder(row), settled[table])).sort()]
    }),
  )
}

test('a database goes from SQLite to PostgreSQL and back with every row, whatever its cells hold', async () => {
  const { store, app } = platform.server
  const { tenant_id } = app.tenant
  const { url } = elsewhere
  await store.recordEvent({ tenant_id, event_id: 'long', at: 1, type: 'test', actor: 'cli', detail: { LONG } })
  const picture = Buffer.alloc(32_768, 0xff)
  const of_client = { tenant_id, client_id: 'pictured', logo_uri: 'https://app.example/logo' }
  const event = { tenant_id, event_id: 'pictured', at: 1, type: 'client.created', actor: 'cli' }
  const client = { client_id: 'pictured', client_name: 'x', source: 'cli', trusted: false, client_secret_hash: null }
  const metadata = JSON.stringify({
    redirect_uris: [],
    logo_uri: of_client.logo_uri,
    token_endpoint_auth_method: 'none',
  })
  await store.createClient({ tenant_id, client: { ...client, metadata }, event })
  const changed = { ...event, event_id: 'changed', type: 'client.logo_changed' }
  await store.keepLogo({ ...of_client, file: 'x.png', picture, again_in_ms: 1, event: changed })
  const before = await printAll(store)
  assert.ok(before['events']!.some((row) => row.length > 400_000))
  assert.ok(before['client_logos']!.some((row) => row.length > 32_768))
  await restoreTo(await openPostgresTarget(url, { replace: true }), await backUp('there.backup'))
  await assert.rejects(() => openPostgresTarget(url, { replace: false }), /not empty/)
  const there = await openStore({ postgres: url })
  assert.deepEqual(await printAll(there), before)
  await there.listTenants({})
  await assert.rejects(() => openPostgresTarget(url, { replace: true }), /stop them first/)
  await there.close()
  const back = await saveBackup(await openPostgresSnapshot(url), platform.root, inFolder('back.backup'))
  await restoreTo(openFile('back.db'), back)
  const own = await openStore({ sqlite: inFolder('back.db') })
  assert.deepEqual(await printAll(own), before)
  await own.close()
})

const asText = async (file: string) => gunzipSync(await readFile(file)).toString('utf8')
const CHANGES: readonly (readonly [what: string, change: (lines: string[]) => string[] | Buffer, says: RegExp])[] = [
  [
    'a role of a user',
    (lines) => lines.map((line) => line.replace('[\\"member\\"]', '[\\"admins\\"]')),
    /not as it was made/,
  ],
  ['a row less', (lines) => lines.filter((line) => !line.includes('"bob"')), /not as it was made/],
  [
    'a line that is nothing',
    (lines) => lines.map((line) => (line.includes('"bob"') ? 'null' : line)),
    /not as it was made/,
  ],
  ['its last line', (lines) => lines.slice(0, -2), /cut off/],
  ['half a line', (lines) => Buffer.from(lines.join('\n').slice(0, -5)), /cut off/],
  ['all after the head', (lines) => lines.slice(0, 1), /cut off/],
  ['everything', () => [], /empty/],
  ['its form', (lines) => ['{"sallyport_backup":2}', ...lines.slice(1)], /later version/],
  [
    'a later migration',
    (lines) => [lines[0]!.replace('"0001_founding"', '"9999_later"'), ...lines.slice(1)],
    /9999_later/,
  ],
  ['what it is', () => ['hello'], /no backup/],
  [
    'a cell',
    (lines) => lines.map((line) => (line.includes('"alice"') ? line.replace('"alice"', '7') : line)),
    /damaged in line/,
  ],
  ['a table', (lines) => lines.map((line) => line.replace('{"table":"users"', '{"table":"people"')), /people/],
]

test('a backup that was altered or cut off is refused, and nothing comes of it', async () => {
  const file = await backUp('sound.backup')
  const lines = (await asText(file)).split('\n')
  const read = async (bytes: Uint8Array) => {
    const parts = readBackup(chunksOf(bytes), () => platform.root.backupKey()!)
    for await (const { kind } of parts) assert.ok(kind)
  }
  const refuse = async (bytes: Uint8Array, says: RegExp, what: string, root = platform.root) => {
    await writeFile(inFolder('changed.backup'), bytes)
    const target = openFile('changed.db')
    await assert.rejects(() => restoreTo(target, inFolder('changed.backup'), { root }), says, what)
  }
  await read(Buffer.from(lines.join('\n')))
  for (const [what, change, says] of CHANGES) {
    const changed = change([...lines])
    const bytes = Array.isArray(changed) ? Buffer.from(changed.map((line) => `${line}\n`).join('')) : changed
    // The rest of it is refused where rows are read, before there is a database.
    if (/table|migration|role/.test(what)) await refuse(gzipSync(bytes, { level: 1 }), says, what)
    else await assert.rejects(() => read(bytes), says, what)
  }
  const packed = await readFile(file)
  await refuse(packed.subarray(0, packed.length - 20), /cut off/, 'the end of what is packed')
  await refuse(Buffer.from('hello'), /no backup/, 'nothing packed at all')
  await refuse(packed, /is of root key/, 'another root key', new RootKey(new Uint8Array(32)))
  const left = (await readdir(folder)).filter((name) => name.startsWith('changed.db'))
  assert.deepEqual(left, [])
})

async function* chunksOf(bytes: Uint8Array) {
  yield bytes
}

test('a SQLite file is replaced only where that is asked for and nobody uses it, and what lies beside it is not taken for its own', async () => {
  const file = await backUp('twice.backup')
  const first = openFile('twice.db')
  await first.prepare(readMigrations('sqlite').map(({ name }) => name))
  assert.throws(() => openFile('twice.db'), /Another process restores/)
  await first.close()
  const other = new DatabaseSync(inFolder('other.db'))
  other.exec('pragma journal_mode = wal; create table stale (id bigint); insert into stale values (1)')
  await copyFile(inFolder('other.db-wal'), inFolder('twice.db-wal'))
  other.close()
  await restoreTo(openFile('twice.db'), file)
  assert.throws(() => openFile('twice.db'), /is there already/)
  const own = await openStore({ sqlite: inFolder('twice.db') })
  assert.equal((await own.listTenants({})).length, 1, 'the log of another file is not taken for its own')
  assert.throws(() => openSqliteTarget(inFolder('twice.db'), { replace: true }), /in use by another process/)
  await own.close()
  await restoreTo(openSqliteTarget(inFolder('twice.db'), { replace: true }), file)
  await writeFile(inFolder('broken.db'), 'no database'.repeat(100))
  assert.throws(() => openSqliteTarget(inFolder('broken.db'), { replace: true }), /move it away first/)
})
