import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { createDatabase, type PostgresServer, startPostgres } from '../parts/postgres.ts'
import { freePort, type Program, runProgram, startProgram } from '../parts/program.ts'
import { UserAgent } from '../parts/user_agent.ts'

let postgres: PostgresServer
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres?.stop())

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-serve-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A server on a free port, listening. */
async function serve(
  t: TestContext,
  cwd: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Program & { port: number; issuer: string }> {
  const port = await freePort()
  const program = startProgram(['serve', '--port', String(port), ...args], { cwd, env })
  t.after(() => program.stop('SIGKILL'))
  await program.waitFor(/listening/)
  return Object.assign(Object.create(program) as Program, { port, issuer: `http://localhost:${port}` })
}

const discover = async (issuer: string) => {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`)
  return { status: response.status, issuer: ((await response.json()) as { issuer: string }).issuer }
}

test('serve listens on loopback, answers discovery as its issuer, and keeps its files to itself', async (t) => {
  const cwd = await makeFolder(t)
  const { issuer } = await serve(t, cwd)
  assert.deepEqual(await discover(issuer), { status: 200, issuer })
  const modes = await Promise.all(
    ['', 'root_key', 'sallyport.db', 'admin.sock', 'setup-link'].map(async (name) => {
      return ((await stat(path.join(cwd, '.sallyport', name))).mode & 0o777).toString(8)
    }),
  )
  assert.deepEqual(modes, ['700', '600', '600', '600', '600'])
})

test('a flag wins over the environment, the environment over the file', async (t) => {
  const cwd = await makeFolder(t)
  const [ofFile, ofEnvironment] = [await freePort(), await freePort()]
  const file = `server:\n  port: ${ofFile}\n  data_dir: data\n  issuer: http://127.0.0.1:${ofFile}\n`
  await writeFile(path.join(cwd, 'platform.yaml'), file)
  const env = { PORT: String(ofEnvironment), SALLYPORT_CONFIG: 'platform.yaml' }
  const program = startProgram(['serve', '--issuer', 'http://localhost:1234'], { cwd, env })
  t.after(() => program.stop('SIGKILL'))
  await program.waitFor(new RegExp(`listening issuer=http://localhost:1234 host=127.0.0.1 port=${ofEnvironment}`))
  assert.ok((await stat(path.join(cwd, 'data', 'sallyport.db'))).isFile())
})

test('5.17 the first start prints a link that works once, no later one does after it; no password is made up', async (t) => {
  const cwd = await makeFolder(t)
  const { issuer, stdout, ...server } = await serve(t, cwd)
  const printed = stdout.match(/http:\/\/localhost:\d+\/setup\?token=sp_setup_[\w-]{43}/g) ?? []
  assert.equal(printed.length, 1)
  assert.equal(await readFile(path.join(cwd, '.sallyport', 'setup-link'), 'utf8'), `${printed[0]}\n`)
  assert.equal((await fetch(printed[0]!)).status, 200)

  const renewed = await runProgram(['setup-link', '--port', String(server.port)], { cwd })
  const link = renewed.stdout.trim()
  assert.match(link, new RegExp(`^${issuer}/setup\\?token=sp_setup_[\\w-]{43}$`))
  assert.equal((await fetch(printed[0]!)).status, 403)
  assert.equal(await readFile(path.join(cwd, '.sallyport', 'setup-link'), 'utf8'), `${link}\n`)

  const platform = 'users: [{ username: root, password: { value: correct horse }, roles: [administrator] }]'
  const applied = await runProgram(['apply', '-f', '-', '--port', String(server.port)], { cwd, stdin: platform })
  assert.equal(applied.code, 0, applied.stderr)
  const refused = await runProgram(['setup-link', '--port', String(server.port)], { cwd })
  assert.deepEqual(
    [refused.code, refused.stderr],
    [1, 'sallyport: There is an administrator already, who can make others\n'],
  )
})

test('a server that has an administrator prints no link, and its file is gone', async (t) => {
  const cwd = await makeFolder(t)
  const first = await serve(t, cwd)
  await first.stop()
  const file = path.join(cwd, 'platform.yaml')
  await writeFile(file, 'users: [{ username: root, password: { value: correct horse }, roles: [administrator] }]')
  const second = await serve(t, cwd, ['--config', file, '--issuer', first.issuer])
  assert.doesNotMatch(second.stdout, /setup/)
  await assert.rejects(stat(path.join(cwd, '.sallyport', 'setup-link')), { code: 'ENOENT' })
})

test('SIGTERM answers what is in flight, ends with 0, and the next start finds everything', async (t) => {
  const cwd = await makeFolder(t)
  const first = await serve(t, cwd)
  const socket = connect(first.port, '127.0.0.1')
  await once(socket, 'connect')
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text
  })
  // The request is half sent when the signal comes.
  const body = 'grant_type=client_credentials&client_id=nobody&client_secret=x'
  socket.write(
    `POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  socket.write(body.slice(0, 10))
  await discover(first.issuer)
  const ended = first.stop('SIGTERM')
  await first.waitFor(/stopping signal=SIGTERM/)
  await assert.rejects(fetch(`${first.issuer}/healthz`))
  socket.write(body.slice(10))
  await once(socket, 'close')
  assert.match(answer, /^HTTP\/1\.1 401 [\s\S]*"error":"invalid_client"/)
  assert.equal(await ended, 0)
  assert.match(first.stdout, / stopped\n$/)
  await assert.rejects(stat(path.join(cwd, '.sallyport', 'admin.sock')), { code: 'ENOENT' })

  const second = await serve(t, cwd, ['--issuer', first.issuer])
  assert.equal((await discover(`http://localhost:${second.port}`)).issuer, first.issuer)
})

test('two signals are one wish to stop', async (t) => {
  const { stop, ...server } = await serve(t, await makeFolder(t))
  void server
  const both = [stop('SIGINT'), stop('SIGTERM')]
  assert.deepEqual(await Promise.all(both), [0, 0])
})

test('a second server on the same data folder is refused, and the first goes on; so does it after a kill', async (t) => {
  const cwd = await makeFolder(t)
  const first = await serve(t, cwd)
  const second = await runProgram(['serve', '--port', String(await freePort()), '--issuer', first.issuer], { cwd })
  assert.equal(second.code, 1)
  assert.match(
    second.stderr,
    /^sallyport: .*sallyport\.db is in use by another process: one process owns a SQLite database/,
  )
  assert.equal((await discover(first.issuer)).status, 200)
  await first.stop('SIGKILL')
  // What the dead server left, its socket among it, is in nobody's way.
  await serve(t, cwd, ['--issuer', first.issuer])
})

for (const [what, args, env, sentence] of [
  ['an http issuer elsewhere', ['--issuer', 'http://login.example.com'], {}, /--issuer may be http only at localhost/],
  [
    'https without a root key',
    ['--issuer', 'https://login.example.com'],
    {},
    /An https issuer means production, which needs a root key/,
  ],
  [
    'a root key that is none',
    [],
    { SALLYPORT_ROOT_KEY: 'hunter2' },
    /SALLYPORT_ROOT_KEY must be 32 bytes as base64, base64url or hex/,
  ],
  [
    'an unknown variable',
    [],
    { SALLYPORT_ISUER: 'x' },
    /SALLYPORT_ISUER is not a setting; did you mean SALLYPORT_ISSUER\?/,
  ],
  ['an unknown flag', ['--prot', '1'], {}, /unknown option '--prot'\n\(Did you mean --port\?\)/],
  ['a surplus word', ['now'], {}, /too many arguments/],
  ['a file that is not there', ['--config', 'none.yaml'], {}, /none\.yaml cannot be read \(ENOENT\)/],
  [
    'an unknown setting in the file',
    ['--config', 'unknown.yaml'],
    {},
    /server\.prot is not a setting; did you mean port\?/,
  ],
  ['an unknown section in the file', ['--config', 'section.yaml'], {}, /cleints is not known; did you mean clients\?/],
  [
    'a data folder that is a file',
    ['--data-dir', 'unknown.yaml'],
    {},
    /unknown\.yaml\/root_key cannot be|The data folder .* cannot be made/,
  ],
  ['an address of somebody else', ['--host', '192.0.2.1'], {}, /192\.0\.2\.1 is not an address of this machine/],
  [
    'a database that is away',
    [],
    { DATABASE_URL: 'postgres://a:hunter2@127.0.0.1:1/x' },
    /The database cannot be (used|reached)/,
  ],
] as const) {
  test(`serve refuses ${what} with a sentence`, async (t) => {
    const cwd = await makeFolder(t)
    await writeFile(path.join(cwd, 'unknown.yaml'), 'server: { prot: 1 }')
    await writeFile(path.join(cwd, 'section.yaml'), 'cleints: []')
    const port = String(await freePort())
    const { code, stdout, stderr } = await runProgram(['serve', '--port', port, ...args], { cwd, env })
    assert.equal(code, 1)
    assert.match(stderr, sentence)
    assert.doesNotMatch(stdout + stderr, /hunter2|\n {4}at /)
  })
}

test('a port that is taken is refused with a sentence', async (t) => {
  const { port } = await serve(t, await makeFolder(t))
  const { code, stderr } = await runProgram(['serve', '--port', String(port)], { cwd: await makeFolder(t) })
  assert.deepEqual(
    [code, stderr],
    [1, `sallyport: Port ${port} of 127.0.0.1 is taken: stop what listens there, or choose another with --port\n`],
  )
})

test('another root key than the one of the database is refused with a sentence', async (t) => {
  const cwd = await makeFolder(t)
  const first = await serve(t, cwd)
  await first.stop()
  const env = { SALLYPORT_ROOT_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64') }
  const { code, stderr } = await runProgram(['serve', '--issuer', first.issuer], { cwd, env })
  assert.equal(code, 1)
  assert.match(stderr, /^sallyport: The root key is not the one with which this database was sealed/)
})

test('R-20 16.5.2 with a wrong key of the vault it starts: the vault is closed and says why, and people sign in', async (t) => {
  const cwd = await makeFolder(t)
  const alice = { username: 'alice', password: 'correct horse battery' }
  const connector = { connector: 'mail', provider: 'oidc', issuer: 'http://127.0.0.1:9', client_id: 'x' }
  const platform = {
    server: { egress_allow: ['127.0.0.1'] },
    users: [{ username: alice.username, password: { value: alice.password } }],
    connectors: [{ ...connector, client_secret: { value: 'y' } }],
  }
  await writeFile(path.join(cwd, 'platform.json'), JSON.stringify(platform))
  const port = String(await freePort())
  const issuer = `http://localhost:${port}`
  const keyOf = (byte: number) => createHash('sha256').update(String(byte)).digest('base64')
  const open = async (vault_key: string) => {
    const env = { SALLYPORT_ROOT_KEY: keyOf(1), SALLYPORT_VAULT_KEY: vault_key }
    const program = startProgram(['serve', '--config', 'platform.json', '--port', port], { cwd, env })
    t.after(() => program.stop('SIGKILL'))
    await program.waitFor(/listening/)
    const person = new UserAgent()
    const { url, response } = await person.follow(`${issuer}/login`)
    const signed_in = (await person.submit({ url, html: await response.text() }, alice)).url
    const connect = (await person.request(`${issuer}/connect/mail`)).status
    const [ready, inbound] = await Promise.all(['', '?half=inbound'].map((half) => fetch(`${issuer}/readyz${half}`)))
    const { reason } = (await ready!.json()) as { reason?: string }
    assert.equal(await program.stop(), 0)
    return { signed_in, connect, ready: ready!.status, inbound: inbound!.status, reason }
  }
  const serves = { signed_in: `${issuer}/account`, connect: 503, inbound: 200 }
  assert.deepEqual(await open(keyOf(2)), { ...serves, ready: 200, reason: undefined })
  const { reason, ...closed } = await open(keyOf(3))
  assert.deepEqual(closed, { ...serves, ready: 503 })
  assert.match(reason!, /^The vault is closed: its keys are wrapped by root key \w+, and the one given is \w+$/)
})

test('13.4.2 in production logs are JSON without the setup link, which stands in a file', async (t) => {
  const cwd = await makeFolder(t)
  const env = { SALLYPORT_ROOT_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('hex') }
  const port = await freePort()
  const program = startProgram(['serve', '--port', String(port), '--issuer', 'https://login.example.com'], { cwd, env })
  t.after(() => program.stop('SIGKILL'))
  await program.waitFor(/listening/)
  const response = await fetch(`http://127.0.0.1:${port}/.well-known/openid-configuration?state=hunter2`)
  assert.equal(((await response.json()) as { issuer: string }).issuer, 'https://login.example.com')
  assert.equal(await program.stop(), 0)
  const lines = program.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.ok(lines.some((line) => line['msg'] === 'request' && line['path'] === '/.well-known/openid-configuration'))
  assert.doesNotMatch(program.stdout + program.stderr, /sp_setup_|hunter2/)
  assert.match(
    await readFile(path.join(cwd, '.sallyport', 'setup-link'), 'utf8'),
    /^https:\/\/login\.example\.com\/setup\?/,
  )
  const dev = await runProgram(['dev', '--issuer', 'https://login.example.com'], { cwd, env })
  assert.match(dev.stderr, /^sallyport: dev is for development: https:\/\/login\.example\.com is https/)
})

test('dev says where everything is', async (t) => {
  const cwd = await makeFolder(t)
  const port = await freePort()
  const program = startProgram(['dev', '--port', String(port)], { cwd })
  t.after(() => program.stop('SIGKILL'))
  await program.waitFor(/\/setup\?token=/)
  for (const there of ['/.well-known/openid-configuration', '/account', '/admin', '/playground']) {
    assert.ok(program.stdout.includes(`http://localhost:${port}${there}`), there)
  }
  assert.equal(await program.stop('SIGINT'), 0)
})

test('on PostgreSQL production waits for migrate, and development does not', async (t) => {
  const database = await createDatabase(postgres.url, { empty: true })
  t.after(() => database.drop())
  const cwd = await makeFolder(t)
  const key = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')
  const env = { DATABASE_URL: database.url, SALLYPORT_ROOT_KEY: key, SALLYPORT_ISSUER: 'https://login.example.com' }
  const early = await runProgram(['serve', '--port', String(await freePort())], { cwd, env })
  assert.equal(early.code, 1)
  assert.match(early.stderr, /^sallyport: The database lacks 0001_founding.*: run `sallyport migrate` first\n$/)
  const migrated = await runProgram(['migrate', '--json'], { cwd, env })
  assert.equal((JSON.parse(migrated.stdout) as { applied: string[] }).applied[0], '0001_founding')
  assert.equal((await runProgram(['migrate'], { cwd, env })).stdout, 'The database is up to date\n')
  const args = ['--issuer', 'https://login.example.com']
  const server = await serve(t, cwd, args, env)
  assert.equal((await discover(`http://127.0.0.1:${server.port}`)).issuer, 'https://login.example.com')
  // A second replica with a data folder of its own.
  const other = await serve(t, await makeFolder(t), args, env)
  assert.deepEqual([await other.stop(), await server.stop()], [0, 0])

  const fresh = await createDatabase(postgres.url, { empty: true })
  t.after(() => fresh.drop())
  const development = await serve(t, await makeFolder(t), [], { DATABASE_URL: fresh.url })
  assert.equal((await discover(development.issuer)).status, 200)
})

test('SIGTERM ends a server whose database is away', async (t) => {
  const own = await startPostgres({ own: true })
  try {
    const server = await serve(t, await makeFolder(t), [], { DATABASE_URL: own.url })
    await own.crash()
    assert.equal((await fetch(`${server.issuer}/readyz`)).status, 503)
    assert.equal(await server.stop(), 0)
  } finally {
    await own.stop()
  }
})
