import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { ROOT } from '../parts/checks.ts'
import { freePort, type Program, runLines, startProgram } from '../parts/program.ts'

let folder: string
let server: Program
let env: Record<string, string>
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-backup-'))
  env = { PORT: String(await freePort()), SALLYPORT_DATA_DIR: path.join(folder, 'data') }
  await writeFile(
    path.join(folder, 'platform.json'),
    '{"clients":[{"client_id":"app","redirect_uris":["https://a.example/"],"token_endpoint_auth_method":"none"}]}',
  )
  server = startProgram(['serve', '--config', 'platform.json'], { cwd: folder, env })
  await server.waitFor(/ listening /)
})
after(async () => {
  await server?.stop()
  await rm(folder, { recursive: true, force: true })
})

const run = (lines: readonly (readonly string[])[], data?: string) =>
  runLines(lines, { cwd: folder, env: { ...env, ...(data && { SALLYPORT_DATA_DIR: path.join(folder, data) }) } })

/** A data folder with the root key of the server and nothing else. */
async function makeFolder(data: string): Promise<string> {
  const made = path.join(folder, data)
  await mkdir(made, { mode: 0o700 })
  await copyFile(path.join(folder, 'data/root_key'), path.join(made, 'root_key'))
  return made
}

test('backup works beside a running server, and what it writes is its owner\u2019s alone and without the root key', async () => {
  const again = ['backup', 'app.backup']
  const [made, written, served] = await run([[...again, '--json'], again, ['restore', 'app.backup', '--replace']])
  assert.equal(made!.code, 0, made!.stderr)
  const { rows, root_key } = JSON.parse(made!.stdout)
  assert.equal((await stat(path.join(folder, 'app.backup'))).mode & 0o777, 0o600)
  const text = gunzipSync(await readFile(path.join(folder, 'app.backup'))).toString('utf8')
  assert.equal(JSON.parse(text.trimEnd().split('\n').at(-1)!).rows, rows)
  assert.equal(JSON.parse(text.split('\n')[0]!).root_key, root_key)
  const secret = Buffer.from((await readFile(path.join(folder, 'data/root_key'), 'utf8')).trim(), 'base64')
  for (const encoding of ['hex', 'base64', 'base64url'] as const) assert.ok(!text.includes(secret.toString(encoding)))
  assert.deepEqual(
    (await readdir(path.join(folder, 'data'))).filter((name) => name.includes('copy')),
    [],
  )
  assert.equal(written!.code, 5, 'nothing is written over')
  assert.match(served!.stderr, /stop it first/)
})

test('R-21 a restore that is killed with -9 leaves nothing, and the next one does it all', async () => {
  const data = await makeFolder('killed')
  const bytes = await readFile(path.join(folder, 'app.backup'))
  const main = path.join(ROOT, 'server/src/main.ts')
  const args = ['--conditions=sallyport-source', main, 'restore', '-']
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env, SALLYPORT_DATA_DIR: data },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.stdin.on('error', () => {})
  child.stdin.write(bytes.subarray(0, bytes.length - 100))
  // It fills a file aside, and waits for the rest of the backup.
  while (!(await readdir(data)).some((name) => name.includes('.restoring-'))) {
    assert.equal(child.exitCode, null, 'it ended')
    await sleep(20)
  }
  child.kill('SIGKILL')
  await once(child, 'close')
  assert.ok(!(await readdir(data)).includes('sallyport.db'))
  const [restored] = await run([['restore', 'app.backup', '--json']], 'killed')
  assert.equal(restored!.code, 0, restored!.stderr)
  assert.equal(JSON.parse(restored!.stdout).from, 'sqlite')
  assert.deepEqual((await readdir(data)).sort(), ['root_key', 'sallyport.db'])
  const database = new DatabaseSync(path.join(data, 'sallyport.db'))
  assert.equal(database.prepare("select count(*) as apps from clients where client_id = 'app'").get()!['apps'], 1)
  database.close()
})
