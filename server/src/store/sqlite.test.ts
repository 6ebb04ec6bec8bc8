import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, open as openFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { type Driver, NOW, type Run, read, StoreUnavailable, sql, together, write } from './sql.ts'
import { assertVersion, openSqlite } from './sqlite.ts'

const put = write(function* ({ name, size = 1 }: { name: string; size?: number }): Run<string> {
  yield* sql`insert into things (name, body) values (${name}, ${new Uint8Array(size)})`
  return name
})
const names = read(function* (_: object): Run<string[]> {
  const rows = yield* sql<{ name: string }>`select name from things order by name`
  return rows.map(({ name }) => name)
})

async function open(t: TestContext, options: { file?: boolean } = {}): Promise<{ driver: Driver; file: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-sqlite-'))
  const file = path.join(folder, 'store.db')
  const driver = openSqlite({ path: options.file ? file : ':memory:', clock: () => 1 })
  t.after(async () => {
    await driver.close()
    await rm(folder, { recursive: true })
  })
  await run(driver, 'create table things (name text primary key, body blob not null)')
  return { driver, file }
}
const run = (driver: Driver, script: string) => driver.exclusively((session) => session.transaction(script))
const ask = async (driver: Driver, text: string) => {
  const [row] = await driver.exclusively((session) => session.query(text))
  return Object.values(row!)[0]
}
const words = async (calls: Promise<unknown>[]) =>
  (await Promise.allSettled(calls)).map((call) => (call.status === 'rejected' ? call.reason : call.value))

test('a full disk inside a batch fails the whole batch, and the next one works when there is room again', async (t) => {
  const { driver } = await open(t, { file: true })
  await driver.run(put, { name: 'before' })
  const pages = Number(await ask(driver, 'pragma page_count'))
  await ask(driver, `pragma max_page_count = ${pages + 4}`)
  // Without a journal for the statement SQLite ends the whole transaction, and what came before in it is gone.
  const answers = await words([
    driver.run(put, { name: 'a' }),
    driver.run(put, { name: 'b', size: 1_000_000 }),
    driver.run(put, { name: 'c' }),
  ])
  for (const answer of answers) {
    assert.ok(answer instanceof StoreUnavailable, String(answer))
    assert.equal(answer.outcome, 'not committed')
  }
  assert.deepEqual(await driver.run(names, {}), ['before'])
  await ask(driver, 'pragma max_page_count = 1000000')
  assert.deepEqual(await words([driver.run(put, { name: 'a' }), driver.run(put, { name: 'b' })]), ['a', 'b'])
  assert.deepEqual(await driver.run(names, {}), ['a', 'b', 'before'])
})

test('a verb that throws fails alone: what it wrote is undone, its neighbours commit', async (t) => {
  const { driver } = await open(t)
  const putAndThrow = write(function* ({ name }: { name: string }): Run<string> {
    yield* put.run({ name })
    throw new Error('thought better of it')
  })
  const answers = await words([
    driver.run(put, { name: 'a' }),
    driver.run(putAndThrow, { name: 'b' }),
    driver.run(put, { name: 'c' }),
    driver.run(put, { name: 'a' }),
    driver.run(put, { name: 'd' }),
  ])
  assert.deepEqual([answers[0], answers[2], answers[4]], ['a', 'c', 'd'])
  assert.equal(answers[1].message, 'thought better of it')
  assert.match(answers[3].message, /UNIQUE/)
  assert.deepEqual(await driver.run(names, {}), ['a', 'c', 'd'])
})

test('no answer leaves before the commit: when it fails, nobody was told anything', async (t) => {
  const { driver } = await open(t)
  await run(driver, 'create table parts (of text references things (name) deferrable initially deferred)')
  const orphan = write(function* (_: object): Run<string> {
    yield* sql`insert into parts (of) values (${'nobody'})`
    return 'orphan'
  })
  const asked = write(function* (_: object): Run<number> {
    return (yield* sql`select 1 as one`).length
  })
  const answers = await words([driver.run(put, { name: 'a' }), driver.run(orphan, {}), driver.run(asked, {})])
  for (const answer of answers) assert.ok(answer instanceof StoreUnavailable, String(answer))
  assert.deepEqual(await driver.run(names, {}), [])
  assert.equal(await driver.run(put, { name: 'a' }), 'a')
})

test('a read sees what was committed before it, and nothing of what is under way', async (t) => {
  const { driver } = await open(t)
  const writing = driver.run(put, { name: 'a' })
  assert.deepEqual(await driver.run(names, {}), [])
  await writing
  assert.deepEqual(await driver.run(names, {}), ['a'])
})

test('what arrives in one turn shares one transaction', async (t) => {
  const { driver, file } = await open(t, { file: true })
  await driver.run(put, { name: 'first' })
  const before = (await stat(`${file}-wal`)).size
  await Promise.all(Array.from({ length: 200 }, (_, i) => driver.run(put, { name: `n${i}` })))
  const frames = ((await stat(`${file}-wal`)).size - before) / (4096 + 24)
  // Each transaction of its own would have written at least the page with its row and that of the index.
  assert.ok(frames < 60, `${frames} frames`)
})

test('several statements of one step are answered in their order, and a clock is read once a statement', async (t) => {
  let now = 0
  const driver = openSqlite({ path: ':memory:', clock: () => ++now })
  t.after(() => driver.close())
  const twice = read(function* (_: object): Run<unknown> {
    return yield* together([1, 2].map((n) => sql<object>`select ${n} as n, ${NOW} as a, ${NOW} as b`))
  })
  assert.deepStrictEqual(await driver.run(twice, {}), [[{ n: 1, a: 1, b: 1 }], [{ n: 2, a: 2, b: 2 }]])
})

test('a database is durable: write-ahead log, a sync for each commit, foreign keys, one process', async (t) => {
  const { driver } = await open(t, { file: true })
  const pragmas = { journal_mode: 'wal', synchronous: 2, foreign_keys: 1, locking_mode: 'exclusive' }
  for (const [pragma, value] of Object.entries(pragmas)) assert.equal(await ask(driver, `pragma ${pragma}`), value)
})

test('only the owner can read the file, its log, and those of a file that was open to others', async (t) => {
  const { driver, file } = await open(t, { file: true })
  await driver.run(put, { name: 'a' })
  const modes = async () => [file, `${file}-wal`].map(async (one) => (await stat(one)).mode & 0o777)
  assert.deepEqual(await Promise.all(await modes()), [0o600, 0o600])
  await driver.close()
  await chmod(file, 0o644)
  const again = openSqlite({ path: file, clock: () => 1 })
  assert.deepEqual(await Promise.all(await modes()), [0o600, 0o600])
  await again.close()
})

const child = (file: string, script: string) =>
  spawn(
    process.execPath,
    [...process.execArgv.filter((arg) => !arg.startsWith('--test')), '--input-type=module', '-e', script],
    {
      env: { ...process.env, FILE: file, MODULES: new URL('.', import.meta.url).href },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )

test('a second process on the same file is refused with a sentence', async (t) => {
  const { driver, file } = await open(t, { file: true })
  const script = `
    const { openSqlite } = await import(process.env.MODULES + 'sqlite.ts')
    try { openSqlite({ path: process.env.FILE, clock: Date.now }); console.log('opened') }
    catch (error) { console.log(error.name + ': ' + error.message) }`
  const second = child(file, script)
  const [line] = await once(second.stdout!.setEncoding('utf8'), 'data')
  assert.equal(
    String(line).trim(),
    `StoreUnavailable: ${file} is in use by another process: one process owns a SQLite database; ` +
      'stop the other server, or use PostgreSQL',
  )
  assert.equal(await driver.run(put, { name: 'unharmed' }), 'unharmed')
  await driver.close()
  const third = child(file, script)
  assert.equal(String((await once(third.stdout!.setEncoding('utf8'), 'data'))[0]).trim(), 'opened')
})

test('what was answered survives kill -9 in the same breath', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-sqlite-'))
  const file = path.join(folder, 'store.db')
  t.after(() => rm(folder, { recursive: true }))
  const script = `
    const { openSqlite } = await import(process.env.MODULES + 'sqlite.ts')
    const { sql, write } = await import(process.env.MODULES + 'sql.ts')
    const { writeSync } = await import('node:fs')
    const driver = openSqlite({ path: process.env.FILE, clock: Date.now })
    await driver.exclusively((session) => session.transaction('create table things (name text)'))
    const put = write(function* ({ name }) { yield* sql\`insert into things (name) values (\${name})\` })
    for (let i = 0; ; i++) await Promise.all([0, 1, 2].map((j) => driver.run(put, { name: i + '.' + j }).then(() => {
      writeSync(1, i + '.' + j + '\\n')
      if (i === 20 && j === 1) process.kill(process.pid, 'SIGKILL')
    })))`
  const killed = child(file, script)
  let heard = ''
  killed.stdout!.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  const [, signal] = await once(killed, 'close')
  assert.equal(signal, 'SIGKILL')
  const acknowledged = heard.trim().split('\n')
  assert.ok(acknowledged.length > 60)
  const driver = openSqlite({ path: file, clock: () => 1 })
  const kept = new Set(await driver.run(names, {}))
  assert.deepEqual(
    acknowledged.filter((name) => !kept.has(name)),
    [],
  )
  assert.equal(await ask(driver, 'pragma integrity_check'), 'ok')
  await driver.close()
})

test('an older SQLite is refused by its version', () => {
  const pretend = (version: string) =>
    assertVersion({ prepare: () => ({ get: () => ({ version }) }) } as unknown as DatabaseSync)
  for (const version of ['3.51.2', '3.50.9', '2.99.99'])
    assert.throws(() => pretend(version), /SQLite 3\.51\.3 or newer/)
  for (const version of ['3.51.3', '3.52.0', '4.0.0']) pretend(version)
})

test('a closed database answers what is under way, refuses what comes later, and closes once', async (t) => {
  const { driver } = await open(t)
  const writing = driver.run(put, { name: 'a' })
  const closing = [driver.close(), driver.close()]
  assert.equal(await writing, 'a')
  await Promise.all(closing)
  await assert.rejects(driver.run(put, { name: 'b' }), StoreUnavailable)
  await assert.rejects(driver.run(names, {}), StoreUnavailable)
})

test('a damaged file is the database\u2019s fault, not the caller\u2019s', async (t) => {
  const { driver, file } = await open(t, { file: true })
  for (let i = 0; i < 40; i++) await driver.run(put, { name: `n${i}`, size: 3000 })
  await driver.close()
  const handle = await openFile(file, 'r+')
  await handle.write(Buffer.alloc(4096 * 2, 0xff), 0, 4096 * 2, 4096)
  await handle.close()
  const damaged = openSqlite({ path: file, clock: () => 1 })
  await assert.rejects(damaged.run(names, {}), StoreUnavailable)
  await damaged.close()
})
