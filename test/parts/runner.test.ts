import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { ROOT } from './checks.ts'
import { findTestFiles } from './runner.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-runner-'))
})
after(() => rm(folder, { recursive: true }))

/** Starts the command behind `npm test` on one file, as from a shell of its own. */
async function start(name: string, source: string, environment: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
  const file = path.join(folder, name)
  await writeFile(file, `import { test } from 'node:test'\n${source}`)
  const env = { ...process.env, ...environment }
  // Set by the run that this test is part of.
  for (const inherited of ['NODE_TEST_CONTEXT', 'NODE_OPTIONS']) delete env[inherited]
  return spawn(process.execPath, ['run.mjs', 'test/run.ts', file], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function finish(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = await once(child, 'close')
  return { code, output }
}

const SUMMARY =
  /ℹ tests (\d+)\nℹ suites 0\nℹ pass (\d+)\nℹ fail (\d+)\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms [\d.]+\n/

test('a green run exits with 0 and ends with the summary of node:test', async () => {
  const { code, output } = await finish(await start('green.test.ts', "test('a', () => {})"))
  assert.equal(code, 0)
  assert.match(output, new RegExp(`${SUMMARY.source}$`))
  assert.deepEqual(SUMMARY.exec(output)?.slice(1), ['1', '1', '0'])
})

test('a red run exits with 1', async () => {
  const { code, output } = await finish(await start('red.test.ts', "test('a', () => { throw new Error('no') })"))
  assert.equal(code, 1)
  assert.deepEqual(SUMMARY.exec(output)?.slice(1), ['1', '0', '1'])
})

test('a file that cannot be loaded is a red run', async () => {
  const { code } = await finish(await start('broken.test.ts', "import './nowhere.ts'"))
  assert.equal(code, 1)
})

test('a file that leaves a handle open, or loops for ever, ends the run and is named', async () => {
  const script = path.join(folder, 'hang.ts')
  const runner = path.join(import.meta.dirname, 'runner.ts')
  await writeFile(
    script,
    `import { runTestFiles } from ${JSON.stringify(runner)}
    const passed = await runTestFiles(process.argv.slice(2), 2, new AbortController().signal)
    process.exitCode = passed ? 0 : 1`,
  )
  const env = { ...process.env }
  delete env['NODE_TEST_CONTEXT']
  for (const source of ["test('a', () => {}); setInterval(() => {}, 1000)", "test('a', () => { for (;;); })"]) {
    const file = path.join(folder, 'hang.test.ts')
    await writeFile(file, `import { test } from 'node:test'\n${source}`)
    const { code, output } = await finish(spawn(process.execPath, [script, file], { env }))
    assert.equal(code, 1)
    assert.match(output, /✖ .*hang\.test\.ts[\s\S]*This file did not end/)
  }
})

test('SIGTERM ends the run with 143 and its PostgreSQL with it', async () => {
  const told = path.join(folder, 'url')
  const child = await start(
    'slow.test.ts',
    `import { writeFileSync } from 'node:fs'
    test('a', async () => {
      writeFileSync(${JSON.stringify(told)}, JSON.stringify({ ...process.env }))
      await new Promise((resolve) => setTimeout(resolve, 60_000))
    })`,
    { DATABASE_URL: '', SALLYPORT_TEST_POSTGRES_URL: '', SALLYPORT_ISSUER: 'https://elsewhere.example' },
  )
  const finished = finish(child)
  let env: NodeJS.ProcessEnv | undefined
  for (let tries = 0; env === undefined; tries++) {
    assert.ok(tries < 600, 'the test did not start')
    await wait(50)
    env = await readFile(told, 'utf8')
      .then(JSON.parse)
      .catch(() => undefined)
  }
  assert.equal(env['SALLYPORT_ISSUER'], undefined)
  const port = Number(new URL(env['SALLYPORT_TEST_POSTGRES_URL']!).port)
  assert.ok(await accepts(port))
  child.kill('SIGTERM')
  assert.equal((await finished).code, 143)
  assert.ok(!(await accepts(port)))
})

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  const answer = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return answer
}

test('a pattern that matches no test file is an error', () => {
  assert.throws(() => findTestFiles(['test/nothing/*.test.ts']), /^Error: No test file matches test\/nothing/)
  assert.deepEqual(findTestFiles(['test/rf*.test.ts', 'test/rfc.test.ts']), ['test/rfc.test.ts'])
  assert.throws(() => findTestFiles(['test/rfc.test.ts'], 'test/rfc'), /No test file/)
})
