import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { ROOT } from '../parts/checks.ts'
import { freePort, type Program, runProgram, startProgram } from '../parts/program.ts'

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

const run = (args: readonly string[], data?: string) =>
  runProgram(args, { cwd: folder, env: { ...env, ...(data && { SALLYPORT_DATA_DIR: path.join(folder, data) }) } })

/** A data folder with the root key of the server and nothing else. */
async function makeFolder(data: string): Promise<string> {
  const made = path.join(folder, data)
  await mkdir(made, { mode: 0o700 })
  await copyFile(path.join(folder, 'data/root_key'), path.join(made, 'root_key'))
  return made
}

test('backup works beside a running server, and what it writes is its owner\u2019s alone and without the root key', async () => {
  const { code, stdout, stderr } = await run(['backup', 'app.backup', '--json'])
  assert.equal(code, 0, stderr)
  const { rows, root_key } = JSON.parse(stdout)
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
  assert.equal((await run(['backup', 'app.backup'])).code, 5, 'nothing is written over')
  assert.match((await run(['restore', 'app.backup', '--replace'])).stderr, /stop it first/)
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
  const { code, stdout, stderr } = await run(['restore', 'app.backup', '--json'], 'killed')
  assert.equal(code, 0, stderr)
  assert.equal(JSON.parse(stdout).from, 'sqlite')
  assert.deepEqual((await readdir(data)).sort(), ['root_key', 'sallyport.db'])
  assert.match((await run(['export'], 'killed')).stdout, /client_id: app/)
})

test('restore and backup say what keeps them from their work', async () => {
  await mkdir(path.join(folder, 'bare'), { mode: 0o700 })
  const cases: [string[], string, number, RegExp][] = [
    [['backup', 'x.backup'], 'bare', 4, /no database/],
    [['restore', 'app.backup'], 'bare', 1, /root key of the backup/],
  ]
  for (const [args, data, code, says] of cases) {
    const ended = await run(args, data)
    assert.match(ended.stderr, says, args.join(' '))
    assert.deepEqual([ended.code, ended.stdout], [code, ''], args.join(' '))
  }
})
