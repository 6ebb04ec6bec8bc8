import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { startForeignProvider } from '../parts/foreign_provider.ts'
import { freePort, runProgram, startProgram } from '../parts/program.ts'
import { UserAgent } from '../parts/user_agent.ts'

const ALICE = { username: 'alice', password: 'correct horse battery' }

test('connect prints where, waits until its user has connected, and prints the connection', async (t) => {
  const cwd = await mkdtemp(path.join(tmpdir(), 'sallyport-connect-'))
  t.after(() => rm(cwd, { recursive: true, force: true }))
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const registered = { client_id: 'us', client_secret: 'secret-of-us-there' }
  const redirect_uris = ['one', 'two'].map((name) => `${issuer}/connect/${name}/callback`)
  const foreign = await startForeignProvider({ clients: [{ ...registered, redirect_uris }] })
  t.after(() => foreign.close())
  const connector = { provider: 'oidc', issuer: foreign.issuer, client_id: 'us', scope: 'openid offline_access' }
  const client_secret = { value: registered.client_secret }
  const platform = {
    server: { egress_allow: ['127.0.0.1'] },
    users: [{ username: ALICE.username, password: { value: ALICE.password } }, { username: 'bob' }],
    connectors: [{ connector: 'one', ...connector, client_secret }],
  }
  await writeFile(path.join(cwd, 'platform.json'), JSON.stringify(platform))
  const run = (...args: string[]) => runProgram(['connect', ...args], { cwd })
  assert.match((await run('one', '--user', 'alice')).stderr, /No server runs on this data folder/)

  const server = startProgram(['serve', '--port', String(port), '--config', 'platform.json'], { cwd })
  t.after(() => server.stop('SIGKILL'))
  await server.waitFor(/listening/)
  const person = new UserAgent()
  const connect = async (url: string) => {
    let left = await person.follow(url)
    if (left.url.includes('/login')) {
      left = await person.submit({ url: left.url, html: await left.response.text() }, ALICE)
    }
    const there = await new UserAgent().follow(left.url)
    assert.equal((await person.follow(there.url)).url, `${issuer}/account`)
  }
  // By the provider's name, since one connector alone is of it.
  const waiting = startProgram(['connect', 'oidc', '--user', 'ALICE'], { cwd })
  const [, url] = await waiting.waitFor(/sign in as ALICE:\n {2}(\S+)\n/)
  assert.equal(url, `${issuer}/connect/one`)
  assert.equal(waiting.stdout, '')
  await connect(url!)
  assert.equal(await waiting.ended, 0)
  const connection_id = waiting.stdout.trim()
  assert.match(connection_id, /^[0-9a-f-]{36}$/)

  const repair = startProgram(['connect', 'one', '--user', 'alice', '--connection', connection_id, '--json'], { cwd })
  const [, again] = await repair.waitFor(/ {2}(\S+)\n/)
  assert.equal(again, `${issuer}/connect/one?connection_id=${connection_id}`)
  await connect(again!)
  assert.equal(await repair.ended, 0)
  const { user_id, ...said } = JSON.parse(repair.stdout)
  assert.deepEqual(said, { connection_id, outcome: 'reconnected', connector: 'one' })
  assert.ok(user_id)

  platform.connectors.push({ connector: 'two', ...connector, client_secret })
  await writeFile(path.join(cwd, 'two.json'), JSON.stringify({ connectors: platform.connectors }))
  assert.equal((await runProgram(['apply', '-f', 'two.json'], { cwd })).code, 0)
  for (const [args, sentence] of [
    [['oidc', '--user', 'alice'], /Several connectors are of provider oidc; say which: one, two/],
    [['one', '--user', 'bob', '--connection', connection_id], /connection_id is not a connection of yours/],
    [['one', '--user', 'alice', '--timeout', '1'], /Nothing was connected within 1 s/],
  ] as const) {
    const refused = await run(...args)
    assert.deepEqual([refused.code, refused.stdout], [1, ''], args.join(' '))
    assert.match(refused.stderr, sentence)
  }
})
