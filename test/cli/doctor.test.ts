import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import type { CommandConfig } from '../../server/src/cli/command_config.ts'
import { tenants } from '../../server/src/cli/tenants.ts'
import { startMailServer } from '../parts/mail_server.ts'
import { freePort, runLines, runProgram, startProgram } from '../parts/program.ts'

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-doctor-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

interface Check {
  readonly name: string
  readonly status: string
  readonly says: string
}

async function examine(cwd: string, env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await runProgram(['doctor', '--json', ...args], { cwd, env })
  assert.equal(stderr, '')
  const { checks } = JSON.parse(stdout) as { checks: Check[] }
  const find = (name: string) => checks.find((check) => check.name === name)!
  const of = (status: string) => checks.filter((check) => check.status === status).map(({ name }) => name)
  return { code, find, of }
}

test('doctor finds nothing that fails at a running server, and asks it from outside and inside', async (t) => {
  const cwd = await makeFolder(t)
  const env = { PORT: String(await freePort()) }
  const server = startProgram(['serve'], { cwd, env })
  t.after(() => server.stop('SIGKILL'))
  await server.waitFor(/ listening /)
  const { code, find, of } = await examine(cwd, env)
  assert.deepEqual([code, of('fail'), of('warn')], [0, [], ['mode', 'administrator']])
  assert.match(find('server').says, new RegExp(`runs as process ${server.pid}$`))
  assert.equal(find('discovery').says, `http://localhost:${env.PORT}/.well-known/openid-configuration`)
  assert.match(find('signing key').says, /^ES256, /)

  const text = await runProgram(['doctor'], { cwd, env })
  assert.match(text.stdout, /^ok {4}node {11}24\./)
  const other = await examine(cwd, env, '--issuer', 'http://localhost:1')
  assert.deepEqual([other.code, other.of('fail')], [1, ['issuer']])
})

test('doctor examines a database that no server has open, and says what is open to others', async (t) => {
  const cwd = await makeFolder(t)
  const first = await examine(cwd, {})
  assert.deepEqual([first.code, first.of('fail')], [0, []])
  assert.deepEqual(first.of('warn'), ['mode', 'data folder', 'root key', 'database', 'server'])
  // Whoever only looks makes nothing.
  assert.deepEqual(await readdir(cwd), [])
  assert.equal((await runProgram(['plan', '-f', '-'], { cwd, stdin: 'roles: [{ role: member }]' })).code, 2)
  assert.deepEqual(await readdir(cwd), [])
  await runProgram(['setup-link'], { cwd })
  await chmod(path.join(cwd, '.sallyport'), 0o755)
  await chmod(path.join(cwd, '.sallyport', 'root_key'), 0o644)
  const { find } = await examine(cwd, {}, '--host', '0.0.0.0')
  assert.match(find('data folder').says, /is open to other users \(mode 0755\)$/)
  assert.match(find('root key').says, /is open to other users \(mode 0644\)$/)
  assert.match(find('address').says, /^listens on 0\.0\.0\.0, port 9400: without TLS, and others can reach it$/)
})

test('doctor fails where the root key or the database does not fit', async (t) => {
  const cwd = await makeFolder(t)
  await runProgram(['setup-link'], { cwd })
  await writeFile(path.join(cwd, 'key'), Buffer.from(Array.from({ length: 32 }, (_, i) => i)))
  const wrong = await examine(cwd, { SALLYPORT_ROOT_KEY_FILE: 'key' })
  assert.deepEqual([wrong.code, wrong.of('fail')], [1, ['database']])
  assert.match(wrong.find('database').says, /^The root key is not the one with which this database was sealed/)
  const away = await examine(cwd, { DATABASE_URL: 'postgres://a:hunter2@127.0.0.1:1/x' })
  assert.deepEqual([away.code, away.of('fail')], [1, ['database']])
  assert.doesNotMatch(JSON.stringify(away.find('database')), /hunter2/)
  const missing = await examine(cwd, { SALLYPORT_ROOT_KEY_FILE: 'none' })
  assert.deepEqual([missing.code, missing.of('fail')], [1, ['root key', 'database']])
})

test('doctor says hello to the mail server, and what is in the way, without its password', async (t) => {
  const cwd = await makeFolder(t)
  const mail = await startMailServer()
  t.after(() => mail.stop())
  const env = { SALLYPORT_SMTP_URL: mail.url, SALLYPORT_MAIL_FROM: mail.from }
  const trusting = await examine(cwd, { ...env, NODE_EXTRA_CA_CERTS: await writeCertificate(cwd, mail.certificate) })
  assert.match(trusting.find('e-mail').says, /takes it, from Sallyport <login@id\.example>$/)
  const { find } = await examine(cwd, env)
  assert.equal(find('e-mail').status, 'fail')
  assert.match(find('e-mail').says, /does not take it: .*certificate/)
  assert.doesNotMatch(JSON.stringify(find('e-mail')), /password/)
  assert.match((await examine(cwd, {})).find('e-mail').says, /^off/)
})

test('8.3.2 an operator sees every tenant of a database, and disables and enables one, by issuer or id', async (t) => {
  const cwd = await makeFolder(t)
  const issuer = 'http://localhost:9400'
  const lines = [
    ['list', '--json'],
    ['disable', issuer],
    ['list'],
    ['disable', issuer],
    ['disable', 'https://nobody.example'],
  ]
  const [, first, off, listed, again, unknown] = await runLines(
    [['setup-link'], ...lines.map((line) => ['tenants', ...line])],
    { cwd },
  )
  const all = JSON.parse(first!.stdout) as { tenants: Record<string, unknown>[] }
  const { tenant_id, since, ...rest } = all.tenants[0]!
  assert.deepEqual([all.tenants.length, rest], [1, { issuer, name: 'localhost:9400', disabled: null, here: true }])
  assert.equal(off!.code, 0, off!.stderr)
  assert.match(
    off!.stdout,
    /is disabled\. Nobody signs in there, .*`sallyport tenants enable http:\/\/localhost:9400`/s,
  )
  assert.match(listed!.stdout, new RegExp(`^${issuer}  ${tenant_id}  since ${since}  disabled since 20.*, served here`))
  assert.match(again!.stdout, /is disabled since 20.*: nothing was changed/)
  assert.deepEqual([unknown!.code, unknown!.stdout], [4, ''])
  assert.match(unknown!.stderr, /There is no tenant https:\/\/nobody\.example/)
  const [enabled] = await runLines([['tenants', 'enable', String(tenant_id), '--json']], { cwd })
  const on = JSON.parse(enabled!.stdout) as Record<string, unknown>
  assert.deepEqual([on['changed'], on['disabled']], [true, null])
  const refuses = (action: string, which: string | undefined, sentence: RegExp) =>
    assert.rejects(tenants({} as CommandConfig, action, which, { json: false, yes: false }), sentence)
  await refuses('disable', undefined, /tenants disable needs an issuer or a tenant_id/)
  await refuses('list', issuer, /tenants list takes no argument/)
  await refuses('delete', issuer, /tenants delete is not known/)
})

async function writeCertificate(folder: string, certificate: string): Promise<string> {
  const file = path.join(folder, 'mail.pem')
  await writeFile(file, certificate)
  return file
}
