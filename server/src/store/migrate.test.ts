import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { createDatabase, type PostgresServer, startPostgres } from '../../../test/parts/postgres.ts'
import { DIALECTS, type Dialect } from '../../../test/parts/stores.ts'
import { migrate, readMigrations } from './migrate.ts'
import { openPostgres } from './postgres.ts'
import { connectClient } from './postgres_connection.ts'
import type { Driver } from './sql.ts'
import { openSqlite } from './sqlite.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(() => server.stop())

/** Opens an empty database as often as asked: PostgreSQL may have several migrators. */
async function opener(t: TestContext, dialect: Dialect): Promise<() => Driver> {
  if (dialect === 'sqlite') {
    const driver = openSqlite({ path: ':memory:', clock: () => 1 })
    t.after(() => driver.close())
    return () => driver
  }
  const database = await createDatabase(server.url, { empty: true })
  const drivers: Driver[] = []
  t.after(async () => {
    await Promise.all(drivers.map((driver) => driver.close()))
    await database.drop()
  })
  return () => {
    const driver = openPostgres({ url: database.url })
    drivers.push(driver)
    return driver
  }
}

const tables = (driver: Driver) =>
  driver.exclusively(async (session) => {
    const rows =
      driver.dialect === 'sqlite'
        ? await session.query("select name from sqlite_schema where type = 'table' order by name")
        : await session.query("select tablename as name from pg_tables where schemaname = 'public' order by tablename")
    return rows.map(({ name }) => name)
  })
const first = { name: '0001_first', script: 'create table first (a text); insert into first values (1)' }
const broken = { name: '0002_broken', script: 'create table second (a text); insert into nowhere values (1)' }
const repaired = { name: '0002_broken', script: 'create table second (a text)' }

for (const dialect of DIALECTS) {
  test(`a migration is applied once, in order, and noted (${dialect})`, async (t) => {
    const driver = (await opener(t, dialect))()
    assert.deepEqual(await migrate(driver, [first]), ['0001_first'])
    assert.deepEqual(await migrate(driver, [first]), [])
    assert.deepEqual(await migrate(driver, [first, repaired]), ['0002_broken'])
    assert.deepEqual(await tables(driver), ['first', 'migrations', 'second'])
    const noted = await driver.exclusively((session) => session.query('select name from migrations order by name'))
    assert.deepEqual(
      noted.map(({ name }) => name),
      ['0001_first', '0002_broken'],
    )
  })

  test(`a migration that fails leaves nothing, what came before it stays, and it may be tried again (${dialect})`, async (t) => {
    const driver = (await opener(t, dialect))()
    await assert.rejects(migrate(driver, [first, broken]), /nowhere/)
    assert.deepEqual(await tables(driver), ['first', 'migrations'])
    assert.deepEqual(await migrate(driver, [first, repaired]), ['0002_broken'])
  })

  test(`the founding schema is there after its migrations, and a second start changes nothing (${dialect})`, async (t) => {
    const driver = (await opener(t, dialect))()
    const all = readMigrations(dialect)
    assert.deepEqual(
      await migrate(driver),
      all.map(({ name }) => name),
    )
    assert.deepEqual(await migrate(driver), [])
    const made = await tables(driver)
    for (const table of ['tenants', 'clients', 'users', 'sessions', 'grants', 'consents', 'events', 'connections']) {
      assert.ok(made.includes(table), table)
    }
  })

  test(`logos that were registered before there were copies of them are fetched (${dialect})`, async (t) => {
    const driver = (await opener(t, dialect))()
    const all = readMigrations(dialect)
    await migrate(
      driver,
      all.filter(({ name }) => name < '0065'),
    )
    const client = (client_id: string, source: string, metadata: object) =>
      `insert into clients (tenant_id, client_id, client_name, metadata, source, trusted, epoch, created_at, updated_at, tokens_issued)
        values ('t', '${client_id}', 'x', '${JSON.stringify(metadata)}', '${source}', 0, 1, 1, 1, 0);`
    const logo_uri = 'https://app.example/logo.png?a=1&b=%22'
    await driver.exclusively((session) =>
      session.transaction(
        [
          `insert into tenants (tenant_id, issuer, name, settings, epoch, config_version, created_at) values ('t', 'i', 'n', '{}', 1, 1, 1);`,
          client('web', 'console', { software_id: '\ud83d \0 "logo_uri":"https://b.example/"', logo_uri, scope: '' }),
          client('plain', 'console', { software_id: '"logo_uri":"https://b.example/"' }),
          client('open', 'open', { logo_uri }),
          client('dynamic', 'dynamic', { logo_uri }),
          client('document', 'metadata_document', { logo_uri }),
        ].join('\n'),
      ),
    )
    await migrate(driver)
    const found = await driver.exclusively((session) =>
      session.query('select client_id, logo_uri, file from client_logos order by client_id'),
    )
    assert.deepEqual(
      found.map((row) => ({ ...row })),
      [{ client_id: 'web', logo_uri, file: null }],
    )
  })

  test(`every table but the list of migrations begins with its tenant (${dialect})`, async (t) => {
    const driver = (await opener(t, dialect))()
    await migrate(driver)
    const query =
      dialect === 'sqlite'
        ? `select m.name as "table", c.name as "column" from sqlite_schema m join pragma_table_info(m.name) c
            where m.type = 'table' and c.cid = 0`
        : `select table_name as "table", column_name as "column" from information_schema.columns
            where table_schema = 'public' and ordinal_position = 1`
    const rows = await driver.exclusively((session) => session.query(query))
    const others = rows.filter(({ table, column }) => table !== 'migrations' && column !== 'tenant_id')
    assert.deepEqual(others, [])
    assert.ok(rows.length > 15)
  })
}

test('migrators that start at the same time on PostgreSQL apply each migration once', async (t) => {
  const open = await opener(t, 'postgres')
  const slow = { ...first, script: `select pg_sleep(0.2); ${first.script}` }
  const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(open(), [slow, repaired])))
  assert.deepEqual(applied.flat().sort(), ['0001_first', '0002_broken'])
  const rows = await open().exclusively((session) => session.query('select count(*)::int as n from first'))
  assert.deepEqual(rows, [{ n: 1 }])
})

const INDEX = 'create unique index concurrently if not exists first_by_a on first (a)'
const indexed = { name: '0002_index', script: '', concurrently: [INDEX] }
const isUsed = "select indisvalid from pg_index where indexrelid = 'first_by_a'::regclass"

test('an index that is made concurrently on PostgreSQL keeps nobody from writing, nor do migrators that wait', async (t) => {
  const database = await createDatabase(server.url, { empty: true })
  const opened = [1, 2, 3].map(() => openPostgres({ url: database.url }))
  const [busy, writer] = await Promise.all([1, 2].map(() => connectClient(database.url, { statement_timeout: 2000 })))
  t.after(async () => {
    await Promise.all([...opened.map((driver) => driver.close()), busy!.end(), writer!.end()])
    await database.drop()
  })
  await migrate(opened[0]!, [first])
  await busy!.query("begin; insert into first values ('busy')")
  const applied = Promise.all(opened.map((driver) => migrate(driver, [first, indexed])))
  const waits = `select 1 from pg_locks join pg_stat_activity using (pid)
    where datname = current_database() and not granted`
  while ((await writer!.query(waits)).rowCount === 0) await new Promise((resolve) => setImmediate(resolve))
  await writer!.query("insert into first values ('written meanwhile')")
  await busy!.query('commit')
  assert.deepEqual((await applied).flat(), ['0002_index'])
  assert.deepEqual((await writer!.query(isUsed)).rows, [{ indisvalid: true }])
})

test('an index that was left unfinished on PostgreSQL is made anew by the next migrator', async (t) => {
  const driver = (await opener(t, 'postgres'))()
  const run = (text: string) => driver.exclusively((session) => session.query(text))
  await migrate(driver, [first])
  await run("insert into first values ('1')")
  await assert.rejects(migrate(driver, [first, indexed]), /first_by_a/)
  assert.deepEqual(await run(isUsed), [{ indisvalid: false }], 'there by its name alone')
  await run('delete from first')
  assert.deepEqual(await migrate(driver, [first, indexed]), ['0002_index'])
  assert.deepEqual(await run(isUsed), [{ indisvalid: true }])
  const once = { name: '0003_once', script: '', concurrently: ['create index concurrently by_a on first (a)'] }
  await assert.rejects(migrate(driver, [first, indexed, once]), /cannot be run twice/)
})

test('a migration may take longer than a statement of the service', async (t) => {
  const open = await opener(t, 'postgres')
  const slow = { ...first, script: `select pg_sleep(3); ${first.script}` }
  assert.deepEqual(await migrate(open(), [slow]), ['0001_first'])
})

test('names sort by their bytes, whatever language a PostgreSQL database was made for', async (t) => {
  const admin = openPostgres({ url: server.url })
  const name = `sallyport_test_english_${process.pid}`
  const run = (text: string) => admin.exclusively((session) => session.query(text))
  await run(`create database ${name} template template0 encoding 'UTF8' locale_provider icu icu_locale 'en' locale 'C'`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  const driver = openPostgres({ url: url.href })
  t.after(async () => {
    await driver.close()
    await run(`drop database ${name} with (force)`)
    await admin.close()
  })
  await migrate(driver)
  const added = { name: '9999_later', script: 'create table later (tenant_id text primary key)' }
  await migrate(driver, [added])
  const sorted = await driver.exclusively(async (session) => {
    await session.query("insert into later values ('b1'), ('a'), ('B'), ('b-1')")
    return session.query('select tenant_id from later order by tenant_id')
  })
  assert.deepEqual(
    sorted.map(({ tenant_id }) => tenant_id),
    ['B', 'a', 'b-1', 'b1'],
  )
  const others = await driver.exclusively((session) =>
    session.query(`select table_name, column_name from information_schema.columns
      where table_schema = 'public' and data_type = 'text' and collation_name is distinct from 'C'`),
  )
  assert.deepEqual(others, [])
})

test('migrations are read in the order of their numbers, each with what is for its database alone', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-migrations-'))
  t.after(() => rm(folder, { recursive: true }))
  const files = ['0002_b.sql', '0001_a.postgres.sql', '0001_a.sql', '0003_c.sqlite.sql', '0002_b.sqlite.sql']
  for (const file of files) await writeFile(path.join(folder, file), `-- ${file}`)
  await writeFile(
    path.join(folder, '0003_c.postgres.concurrently.sql'),
    '-- Two.\ndrop a;\n\n-- One; or two.\ncreate\n  b;\n',
  )
  const url = pathToFileURL(`${folder}/`)
  assert.deepEqual(readMigrations('sqlite', url), [
    { name: '0001_a', script: '-- 0001_a.sql' },
    { name: '0002_b', script: '-- 0002_b.sql\n-- 0002_b.sqlite.sql' },
    { name: '0003_c', script: '-- 0003_c.sqlite.sql' },
  ])
  assert.deepEqual(readMigrations('postgres', url), [
    { name: '0001_a', script: '-- 0001_a.sql\n-- 0001_a.postgres.sql' },
    { name: '0002_b', script: '-- 0002_b.sql' },
    { name: '0003_c', script: '', concurrently: ['drop a', 'create\n  b'] },
  ])
})

test('the connections of before keep every value where their table is made anew', () => {
  const database = new DatabaseSync(':memory:')
  const migrations = readMigrations('sqlite')
  const at = migrations.findIndex(({ name }) => name === '0026_connect_sessions')
  for (const { script } of migrations.slice(0, at)) database.exec(script)
  database.exec('pragma foreign_keys = off')
  const columns = database.prepare('select name, type from pragma_table_info(?)').all('connections')
  const values = columns.map(({ name, type }, i) =>
    name === 'state' ? 'ready' : String(type).toLowerCase() === 'bigint' ? i : `v${i}`,
  )
  const names = columns.map(({ name }) => name).join(', ')
  database.prepare(`insert into connections (${names}) values (${columns.map(() => '?').join(', ')})`).run(...values)
  const before = { ...database.prepare('select * from connections').get() }
  for (const { script } of migrations.slice(at, at + 1)) database.exec(script)
  const { client_id, end_user_id, pending_until_at, ...kept } = database.prepare('select * from connections').get()!
  assert.deepEqual([client_id, end_user_id, pending_until_at], [null, null, null])
  assert.deepEqual(kept, before)
  database.close()
})
