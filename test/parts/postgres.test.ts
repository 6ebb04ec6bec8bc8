import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { createDatabase, startPostgres } from './postgres.ts'

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('databases made at the same time do not see each other', async () => {
  const server = await startPostgres()
  const made = await Promise.all(Array.from({ length: 8 }, () => createDatabase(server.url, { empty: true })))
  await Promise.all(made.map(({ url }) => query(url, 'CREATE TABLE t (i int)')))
  assert.deepEqual(await query(made[0]!.url, 'SELECT getdatabaseencoding() AS e, 1 AS n FROM (SELECT) x'), [
    { e: 'UTF8', n: 1 },
  ])
  await Promise.all(made.map((database) => database.drop()))
  await assert.rejects(query(made[0]!.url, 'SELECT 1'), { code: '3D000' })
  await server.stop()
})

test('a durable server keeps what it acknowledged over kill -9, on the same port', async () => {
  const server = await startPostgres({ own: true, fsync: true })
  try {
    const { url } = server
    assert.deepEqual(await query(url, 'SHOW fsync'), [{ fsync: 'on' }])
    assert.deepEqual(await query(url, 'SHOW synchronous_commit'), [{ synchronous_commit: 'on' }])
    await query(url, 'CREATE TABLE kept AS SELECT 7 AS n')
    const open = new pg.Client({ connectionString: url })
    const lost = new Promise((resolve) => open.on('error', resolve))
    await open.connect()
    await server.crash()
    await lost
    await assert.rejects(query(url, 'SELECT 1'), { code: 'ECONNREFUSED' })
    await server.start()
    assert.equal(server.url, url)
    assert.deepEqual(await query(url, 'SELECT n FROM kept'), [{ n: 7 }])
  } finally {
    await server.stop()
  }
})

test('a server of our own listens on loopback alone', async () => {
  const server = await startPostgres({ own: true })
  try {
    assert.deepEqual(await query(server.url, 'SHOW listen_addresses'), [{ listen_addresses: '127.0.0.1' }])
    assert.deepEqual(await query(server.url, 'SHOW unix_socket_directories'), [{ unix_socket_directories: '' }])
  } finally {
    await server.stop()
  }
})

test('kill -9 of the process that started it ends the server and removes its data', async () => {
  const script = `
    import { startPostgres } from ${JSON.stringify(new URL('postgres.ts', import.meta.url).href)}
    const { url } = await startPostgres({ own: true })
    console.log(url)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, [...process.execArgv, '--input-type=module', '-e', script])
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  const url = String(line).trim()
  const [{ data_directory }] = (await query(url, 'SHOW data_directory')) as [{ data_directory: string }]
  child.kill('SIGKILL')
  for (let tries = 0; ; tries++) {
    const gone = await access(data_directory).then(
      () => false,
      () => true,
    )
    if (gone) break
    assert.ok(tries < 200, 'the data are still there')
    await wait(50)
  }
  await assert.rejects(query(url, 'SELECT 1'), { code: 'ECONNREFUSED' })
})

test('without any PostgreSQL one sentence says how to get it', async () => {
  // A copy of the part in a folder where npm installed no binaries, on a system that has none either.
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-bare-'))
  try {
    const source = await readFile(new URL('postgres.ts', import.meta.url), 'utf8')
    await writeFile(path.join(folder, 'postgres.ts'), source.replaceAll('/usr/lib/postgresql', '/nowhere'))
    await copyFile(new URL('unpacked.ts', import.meta.url), path.join(folder, 'unpacked.ts'))
    await mkdir(path.join(folder, 'node_modules'))
    const pgFolder = path.dirname(createRequire(import.meta.url).resolve('pg/package.json'))
    await symlink(pgFolder, path.join(folder, 'node_modules/pg'))
    const script = `
      import { startPostgres } from './postgres.ts'
      await startPostgres({ own: true }).catch((error) => console.log(error.message))`
    const options = { cwd: folder, env: { ...process.env, PATH: '/nowhere' } }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options)
    assert.match(stdout, /^The suite needs PostgreSQL: install .*\.\n$/)
  } finally {
    await rm(folder, { recursive: true })
  }
})
