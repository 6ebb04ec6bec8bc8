import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import type { Outcome } from '../../server/src/apply/apply.ts'
import { createDatabase, type PostgresServer, startPostgres } from '../parts/postgres.ts'
import { freePort, type Program, runProgram, startProgram } from '../parts/program.ts'

const PLATFORM = `
settings: { service_registration: open }
resources:
  - resource: http://127.0.0.1:5000/mcp
    scopes: { "mcp:tools": "Use the tools", "api:read": "Read your data" }
    access_token: { format: jwt, lifetime_seconds: 600 }      # or opaque
clients:
  - client_id: web
    client_secret: { env: WEB_SECRET }
    redirect_uris: [http://127.0.0.1:3000/callback]
    grant_types: [authorization_code, refresh_token, client_credentials]
    token_endpoint_auth_method: client_secret_basic
    scope: openid email profile offline_access mcp:tools
    trusted: false
roles:
  - { role: member, scopes: ["mcp:tools", "api:read"] }
users:
  - { username: alice, name: Alice Example, email: alice@example.test, email_verified: true, password: { value: "correct horse battery" }, roles: [member] }
connectors:
  - { connector: acme, provider: oidc, issuer: http://127.0.0.1:4001, client_id: web, client_secret: { env: ACME_SECRET }, scope: openid email offline_access }
`
const SECRETS = { WEB_SECRET: 'web-secret-of-enough-characters', ACME_SECRET: 'acme-secret-of-enough-characters' }
const ALLOW = { SALLYPORT_EGRESS_ALLOW: '127.0.0.1:4001' }

let postgres: PostgresServer
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres?.stop())

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-apply-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(path.join(folder, 'platform.yaml'), PLATFORM)
  return folder
}

/** The variables of a server and of the commands beside it. */
async function makeSettings(t: TestContext, database: string): Promise<{ PORT: string; [name: string]: string }> {
  const settings = { PORT: String(await freePort()), ...ALLOW }
  if (database === 'sqlite') return settings
  const { url, drop } = await createDatabase(postgres.url)
  t.after(drop)
  return { ...settings, DATABASE_URL: url }
}

async function serve(t: TestContext, cwd: string, env: Record<string, string>, ...args: string[]): Promise<Program> {
  const server = startProgram(['serve', ...args], { cwd, env })
  t.after(() => server.stop('SIGKILL'))
  await server.waitFor(/ listening /)
  return server
}

async function askForToken(port: string | undefined, secret: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`web:${secret}`)}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'mcp:tools',
      resource: 'http://127.0.0.1:5000/mcp',
    }),
  })
  return response.status
}

for (const database of ['sqlite', 'postgres']) {
  test(`${database}: apply works beside a running server, and again changes nothing`, async (t) => {
    const cwd = await makeFolder(t)
    const env = await makeSettings(t, database)
    await serve(t, cwd, env)
    const run = (...args: string[]) => runProgram(args, { cwd, env: { ...env, ...SECRETS } })

    const planned = await run('plan', '-f', 'platform.yaml')
    assert.equal(planned.code, 2, planned.stderr)
    assert.match(
      planned.stdout,
      /^~ settings settings\n {4}service_registration: "administrators" -> "open"\n\+ resource/,
    )
    assert.match(planned.stdout, /^\+ client web\n[\s\S]* {4}client_secret: \(secret\)$/m)
    assert.match(planned.stdout, /\n5 to make, 1 to change, 0 as described already at the running server\n$/)
    assert.equal(await askForToken(env['PORT'], SECRETS.WEB_SECRET), 401)

    const applied = await run('apply', '-f', 'platform.yaml')
    assert.deepEqual(
      [applied.code, applied.stdout.split('\n').at(-2)],
      [0, '5 made, 1 changed, 0 as described already at the running server'],
    )
    assert.equal(await askForToken(env['PORT'], SECRETS.WEB_SECRET), 200)

    const again = await run('plan', '-f', 'platform.yaml', '--json')
    assert.equal(again.code, 0)
    const { changes } = JSON.parse(again.stdout) as Outcome
    assert.deepEqual(new Set(changes.map(({ action }) => action)), new Set(['none']))
    assert.equal(
      (await run('apply', '-f', 'platform.yaml')).stdout,
      '0 made, 0 changed, 6 as described already at the running server\n',
    )
    for (const { stdout } of [planned, applied, again]) assert.doesNotMatch(stdout, /correct horse|-of-enough-/)
  })

  test(`${database}: serve applies the file before it listens, and apply works where no server runs`, async (t) => {
    const cwd = await makeFolder(t)
    const env = await makeSettings(t, database)
    const alone = await runProgram(['apply', '-f', 'platform.yaml'], { cwd, env: { ...env, ...SECRETS } })
    assert.equal(alone.code, 0, alone.stderr)
    const place = database === 'sqlite' ? path.join(cwd, '.sallyport/sallyport.db') : 'PostgreSQL'
    assert.ok(alone.stdout.endsWith(`5 made, 1 changed, 0 as described already in ${place}\n`), alone.stdout)

    const changed = { ...env, ...SECRETS, WEB_SECRET: 'another-secret-of-enough-characters' }
    const mine = '{ connector: acme, provider: oidc, issuer: https://id.everyone.example, client_id: x }'
    await writeFile(path.join(cwd, 'everyone.yaml'), `connectors: [${mine}]`)
    const server = await serve(t, cwd, changed, '--config', 'platform.yaml', '--connectors-file', 'everyone.yaml')
    assert.match(server.stdout, /platform applied created=0 changed=1\n[\s\S]* listening /)
    assert.match(server.stdout, /connector acme is not given as described: The tenant has a connector acme of its own/)
    assert.equal(await askForToken(env['PORT'], SECRETS.WEB_SECRET), 401)
    assert.equal(await askForToken(env['PORT'], changed.WEB_SECRET), 200)
  })
}

test('a file that is wrong changes nothing and is refused with its places, by a running server and by serve', async (t) => {
  const cwd = await makeFolder(t)
  const env = { ...(await makeSettings(t, 'sqlite')), ...SECRETS }
  const wrong = `${PLATFORM}  - { connector: beta, provider: nobody, client_id: x }\n`
  await writeFile(
    path.join(cwd, 'wrong.yaml'),
    wrong.replace('trusted', 'trust').replace('mcp:tools", "api', 'mcp tools", "api'),
  )
  const early = await runProgram(['serve', '--config', 'wrong.yaml'], { cwd, env })
  assert.deepEqual(
    [early.code, early.stderr],
    [1, 'sallyport: clients[0]: trust is not known; did you mean trusted?\n'],
  )
  await serve(t, cwd, env)
  await writeFile(path.join(cwd, 'wrong.yaml'), wrong.replace('mcp:tools", "api', 'mcp tools", "api'))
  const refused = await runProgram(['apply', '-f', 'wrong.yaml'], { cwd, env })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /^sallyport: roles\[0\] \(member\): scopes: 'mcp tools' is not one scope\n/)
  assert.match(refused.stderr, /\nsallyport: connectors\[1\] \(beta\): /)
  const planned = await runProgram(['plan', '-f', 'platform.yaml'], { cwd, env })
  assert.match(planned.stdout, /5 to make, 1 to change, 0 as/)
  const without = await runProgram(['apply', '-f', 'platform.yaml'], { cwd, env: { PORT: env['PORT']! } })
  assert.deepEqual(
    [without.code, without.stderr.split('\n')],
    [
      1,
      [
        'sallyport: clients[0].client_secret.env: the environment has no WEB_SECRET',
        'sallyport: connectors[0].client_secret.env: the environment has no ACME_SECRET',
        '',
      ],
    ],
  )
  assert.equal((await runProgram(['apply'], { cwd, env })).code, 1)
})

test('apply does not make a tenant in the database of another issuer', async (t) => {
  const cwd = await makeFolder(t)
  const env = { ...(await makeSettings(t, 'sqlite')), ...SECRETS }
  assert.equal((await runProgram(['apply', '-f', 'platform.yaml'], { cwd, env })).code, 0)
  const other = await runProgram(['apply', '-f', 'platform.yaml', '--port', '9400'], { cwd, env })
  assert.deepEqual(
    [other.code, other.stderr],
    [1, `sallyport: The database is that of http://localhost:${env['PORT']}, not of http://localhost:9400\n`],
  )
})
