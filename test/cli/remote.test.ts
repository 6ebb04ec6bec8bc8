import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type Given, listApiCommands } from '../../server/src/cli/api_commands.ts'
import type { CommandError } from '../../server/src/cli/exit_codes.ts'
import { runApiCommand } from '../../server/src/cli/run_api_command.ts'
import { freePort, type Program, runProgram, startProgram } from '../parts/program.ts'
import { UserAgent } from '../parts/user_agent.ts'

const ALICE = { username: 'alice', password: 'correct horse battery' }
const SECRETS = {
  CLIENT_BATCH_SECRET: 'secret-of-batch-long-enough',
  CONNECTOR_ACME_SECRET: 'secret-of-acme-long-enough',
  WEBHOOK_ORDERS_SECRET: `whsec_${Buffer.from('orders-secret-of-32-bytes-length').toString('base64')}`,
}
const METRICS_TOKEN = 'token-of-metrics-long-enough'
const PLATFORM = {
  server: {
    egress_allow: ['127.0.0.1:4001', '127.0.0.1:4002'],
    metrics_listen: '',
    metrics_token: { value: METRICS_TOKEN },
  },
  settings: { password_min_length: 10, service_registration: 'open' },
  resources: [
    {
      resource: 'https://api.example/v1',
      scopes: { 'v1:read': 'Read it' },
      default_scopes: ['v1:read'],
      access_token: { format: 'opaque', lifetime_seconds: 300 },
      introspection_clients: ['batch'],
    },
  ],
  clients: [
    {
      ...{ client_id: 'batch', client_secret: { env: 'CLIENT_BATCH_SECRET' }, scope: 'v1:read' },
      grant_types: ['client_credentials'],
    },
    {
      client_id: 'spa',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['https://spa.example/cb'],
      scope: 'openid',
    },
  ],
  roles: [{ role: 'member', scopes: ['v1:read'] }],
  users: [
    { ...ALICE, password: { value: ALICE.password }, name: 'Alice', roles: ['administrator'] },
    { username: 'bob', email: 'bob@example.test', email_verified: true, claims: { team: 'red' } },
  ],
  connectors: [
    {
      ...{ connector: 'acme', provider: 'oidc', issuer: 'http://127.0.0.1:4001', client_id: 'us', sign_in: 'linked' },
      ...{ client_secret: { env: 'CONNECTOR_ACME_SECRET' }, scope: 'openid email' },
    },
  ],
  trusted_issuers: [
    { issuer: 'https://idp.example', jwks_uri: 'https://idp.example/jwks', clients: ['batch'], scope: 'v1:read' },
  ],
  webhooks: [
    {
      ...{ webhook: 'orders', url: 'http://127.0.0.1:4002/hook', event_types: ['connection.ready'] },
      secret: { env: 'WEBHOOK_ORDERS_SECRET' },
    },
  ],
}

let cwd: string
let env: Record<string, string>
let issuer: string
let server: Program
const run = (args: readonly string[], more: { stdin?: string; env?: Record<string, string> } = {}) =>
  runProgram(args, { cwd, ...more, env: { ...env, ...more.env } })

before(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'sallyport-remote-'))
  const port = await freePort()
  issuer = `http://localhost:${port}`
  env = { XDG_CONFIG_HOME: path.join(cwd, 'config') }
  PLATFORM.server.metrics_listen = `127.0.0.1:${await freePort()}`
  await writeFile(path.join(cwd, 'platform.json'), JSON.stringify(PLATFORM))
  server = startProgram(['serve', '--port', String(port), '--config', 'platform.json'], { cwd, env: SECRETS })
  await server.waitFor(/listening/)
})
after(async () => {
  await server?.stop('SIGKILL')
  await rm(cwd, { recursive: true, force: true })
})

test('export describes what stands: applied again it changes nothing, and no secret is in it', async () => {
  const exported = await run(['export', '--users'])
  assert.deepEqual([exported.code, exported.stderr], [0, ''])
  for (const secret of [...Object.values(SECRETS), ALICE.password]) assert.ok(!exported.stdout.includes(secret))
  for (const name of Object.keys(SECRETS)) assert.match(exported.stdout, new RegExp(`^# {3}${name}$`, 'm'))
  await writeFile(path.join(cwd, 'exported.yaml'), exported.stdout)
  const allow = { SALLYPORT_EGRESS_ALLOW: PLATFORM.server.egress_allow.join(',') }
  const plan = await run(['plan', '-f', 'exported.yaml', '--json'], { env: { ...SECRETS, ...allow } })
  const { changes } = JSON.parse(plan.stdout || plan.stderr)
  assert.equal(plan.code, 0, JSON.stringify(changes.filter(({ action }: { action: string }) => action !== 'none')))
  const kinds = new Set(changes.map(({ kind }: { kind: string }) => kind))
  assert.equal(kinds.size, 8)

  // A server that has nothing becomes the same one: its export says the same, byte by byte.
  const fresh = ['--data-dir', 'fresh', '--issuer', issuer]
  const applied = await run(['apply', '-f', 'exported.yaml', ...fresh], { env: { ...SECRETS, ...allow } })
  assert.equal(applied.code, 0, applied.stderr)
  assert.equal((await run(['export', '--users', ...fresh])).stdout, exported.stdout)
})

test('login signs in by the device flow, and the API is commands whose exit codes tell what happened', async () => {
  const early = await run(['clients', 'list', '--issuer', issuer])
  assert.deepEqual([early.code, early.stdout], [3, ''])
  assert.match(early.stderr, /Nobody is signed in at http:\/\/localhost:\d+: `sallyport login --issuer/)

  const login = startProgram(['login', '--issuer', issuer], { cwd, env })
  const [, url, code] = await login.waitFor(/Open {2}(\S+)\nCode {2}(\S+)\n/)
  await answerDevice(url!, code!)
  assert.equal(await login.ended, 0, login.stderr)
  assert.equal(login.stdout, `Signed in at ${issuer}\n`)
  const file = path.join(env['XDG_CONFIG_HOME']!, 'sallyport/logins.json')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const kept = JSON.parse(await readFile(file, 'utf8'))
  const { access_token, refresh_token } = kept.logins[issuer]
  assert.ok(access_token && refresh_token)

  // From here on nobody says which server; and the token has run out.
  kept.logins[issuer].expires_at = 1
  await writeFile(file, JSON.stringify(kept))
  const listed = await run(['clients', 'list'])
  assert.deepEqual([listed.code, listed.stderr], [0, ''])
  assert.deepEqual(
    listed.stdout.split('\n').map((line) => line.split('\t')[0]),
    ['batch', 'sallyport-cli', 'spa', ''],
  )
  const renewed = JSON.parse(await readFile(file, 'utf8')).logins[issuer]
  assert.ok(renewed.expires_at > Date.now() && renewed.access_token !== access_token)

  const paged = JSON.parse((await run(['clients', 'list', '--limit', '2', '--json'])).stdout)
  assert.deepEqual([paged.items.length, paged.next_cursor], [2, 'sallyport-cli'])
  const password = 'a password of carol'
  const made = await run(
    ['users', 'create', '--set', 'username=carol', '--set', 'roles=member', '--set-file', 'password=-', '--json'],
    { stdin: password },
  )
  assert.equal(made.code, 0, made.stderr)
  const { user_id, roles } = JSON.parse(made.stdout)
  assert.deepEqual(roles, ['member'])
  const named = await run(['users', 'update', user_id, '--set', 'name=Carol C.'])
  assert.match(named.stdout, /^username +carol\nname +Carol C\.\n/m)
  const client = ['clients', 'create', '--set', 'client_id=notes', '--set', 'redirect_uris=https://n.example/cb']
  assert.match((await run(client)).stdout, /^client_secret +sp_cs_/m)
  const renamed = await run(['clients', 'update', 'notes', '--set', 'client_name=Notes'])
  assert.match(renamed.stdout, /^client_name +Notes\n[\s\S]*^metadata\.redirect_uris +https:\/\/n\.example\/cb$/m)
  assert.equal((await run(['clients', 'delete', 'notes'])).code, 0)

  const tail = await run(['events', 'tail', '--once', '--lines', '2', '--json'])
  assert.deepEqual(
    tail.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).type),
    ['client.updated', 'client.deleted'],
  )
  const verified = await run(['events', 'verify', '--json'])
  const { sound, events, sequence, link } = JSON.parse(verified.stdout)
  assert.deepEqual([verified.code, sound, events], [0, true, sequence], verified.stderr)
  const { stdout: whole } = await run(['events', 'export'])
  const altered = await run(['events', 'verify', '--file', '-'], {
    stdin: whole.replace('"user.created"', '"user.deleted"'),
  })
  assert.equal(altered.code, 1)
  assert.match(
    altered.stderr,
    /^sallyport: The chain is broken at \d+: that event is altered, missing or out of its place\n$/,
  )
  const on = await run(['events', 'verify', '--after', String(sequence), '--link', link])
  assert.match(on.stdout, /^\d+ events, each as it was sealed\.\nGo on next time with --after \d+ --link [\w-]{43}\n$/)
  const cut = await run(['events', 'verify', '--after', String(sequence + 99), '--link', link])
  assert.deepEqual([cut.code, cut.stdout], [1, ''])
  assert.match(cut.stderr, new RegExp(`broken at ${sequence + 99}: `))
  // Without a process of their own: nothing of this is printed.
  const refuse = (name: string, given: Given, more: Record<string, string> = {}) => {
    const command = listApiCommands().find(({ route }) => route.name === name)!
    return runApiCommand(command, given, { issuer, json: false, env: { ...env, ...more } }).then(
      () => assert.fail(name),
      (error: CommandError) => error,
    )
  }
  const set = (...members: string[]) => ({ set: members, limit: '50' })
  for (const [name, params, options, exit, sentence] of [
    ['getClient', { client_id: 'notes' }, {}, 4, /There is no such client/],
    ['getClient', { client_id: '..' }, {}, 1, /client_id must be the name of something/],
    ['createUser', {}, set('username=carol'), 5, /username is taken/],
    ['createUser', {}, set('username=x', 'password=hunter2'), 1, /password is a secret/],
    ['updateUser', { user_id }, set('roles=nobody'), 1, /there is no role nobody/],
    ['updateClient', { client_id: 'batch' }, set('client_name=B'), 5, /described elsewhere/],
    ['listClients', {}, { limit: 'x' }, 1, /--limit must be a whole number/],
  ] as const) {
    const { code, message } = await refuse(name, { params, options })
    assert.deepEqual([code, sentence.test(message)], [exit, true], `${name}: ${message}`)
    assert.doesNotMatch(message, /hunter2/)
  }
  const foreign = await refuse('getSettings', { params: {}, options: {} }, { SALLYPORT_ACCESS_TOKEN: 'sp_at_nothing' })
  assert.deepEqual([foreign.code, foreign.message.includes('sp_at')], [3, false])

  assert.equal((await run(['logout'])).code, 0)
  assert.doesNotMatch(await readFile(file, 'utf8'), /sp_/)
  assert.equal((await refuse('listUsers', { params: {}, options: set() })).code, 3)
  const { refresh_token: last } = renewed
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'sallyport-cli', refresh_token: last })
  assert.equal((await fetch(`${issuer}/token`, { method: 'POST', body })).status, 400)
})

test('what happened is counted: tokens by grant type, refusals by endpoint and code, commits, upkeep', async () => {
  await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'nothing' }) })
  await fetch(`${issuer}/api/clients`)
  const url = `http://${PLATFORM.server.metrics_listen}/metrics`
  assert.equal((await fetch(url)).status, 401)
  const text = await (await fetch(url, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } })).text()
  for (const line of [
    /^sallyport_tokens_issued_total{grant_type="urn:ietf:params:oauth:grant-type:device_code"} 1$/m,
    /^sallyport_tokens_issued_total{grant_type="refresh_token"} 1$/m,
    /^sallyport_refresh_token_rotations_total{outcome="rotated"} 1$/m,
    /^sallyport_refusals_total{endpoint="\/token",error="unsupported_grant_type"} 1$/m,
    /^sallyport_refusals_total{endpoint="\/api",error="invalid_token"} [1-9]/m,
    /^sallyport_connections{state="ready"} 0$/m,
    /^sallyport_store_seconds_count{kind="write",outcome="done"} [1-9]/m,
    /^sallyport_upkeep_lag_seconds{task="seal"} 0/m,
  ]) {
    assert.match(text, line)
  }
  // A device that waits is refused in form alone.
  for (const name of ['authorization_pending', 'batch', 'notes', 'alice', 'acme', 'sallyport-cli'])
    assert.ok(!text.includes(name), name)
})

test('init writes a platform file and code that belong together, and nothing over what is there', async () => {
  const folder = await mkdtemp(path.join(cwd, 'init-'))
  const there = { cwd: folder, env: { ...env } }
  const written = await runProgram(['init', 'express', '--issuer', issuer, '--client-id', 'first', '--json'], there)
  assert.deepEqual(JSON.parse(written.stdout).files, ['platform.yaml', 'app.mjs', 'client_key.env'])
  assert.equal((await stat(path.join(folder, 'client_key.env'))).mode & 0o777, 0o600)
  assert.match(await readFile(path.join(folder, 'app.mjs'), 'utf8'), /discovery\(issuer, "first"/)
  const { d } = JSON.parse(/'(.*)'/.exec(await readFile(path.join(folder, 'client_key.env'), 'utf8'))![1]!)
  assert.ok(d && !(await readFile(path.join(folder, 'platform.yaml'), 'utf8')).includes(d))
  assert.equal((await run(['apply', '-f', path.join(folder, 'platform.yaml')])).code, 0)
  const again = await runProgram(['init', 'openid-client'], there)
  assert.deepEqual([again.code, again.stdout], [1, ''])
  assert.match(again.stderr, /platform\.yaml is there already/)
})

test('test token and test login run their flows, and show no token', async () => {
  const token = await run(
    [
      'test',
      'token',
      '--issuer',
      issuer,
      '--client-id',
      'batch',
      '--client-secret-file',
      '-',
      '--resource',
      'https://api.example/v1',
      '--scope',
      'v1:read',
      '--json',
    ],
    { stdin: `${SECRETS.CLIENT_BATCH_SECRET}\n` },
  )
  assert.equal(token.code, 0, token.stderr)
  const { access_token, token_type, scope } = JSON.parse(token.stdout)
  assert.deepEqual([access_token, token_type, scope], ['opaque', 'Bearer', 'v1:read'])
  const wrong = await run(['test', 'token', '--issuer', issuer, '--client-id', 'batch', '--client-secret-file', '-'], {
    stdin: 'wrong',
  })
  assert.deepEqual([wrong.code, wrong.stdout], [3, ''])

  const port = await freePort()
  await writeFile(
    path.join(cwd, 'native.json'),
    JSON.stringify({
      clients: [
        {
          ...{ client_id: 'native', token_endpoint_auth_method: 'none', application_type: 'native', scope: 'openid' },
          redirect_uris: [`http://127.0.0.1:${port}/callback`],
        },
      ],
    }),
  )
  assert.equal((await run(['apply', '-f', 'native.json'])).code, 0)
  const args = ['test', 'login', '--issuer', issuer, '--client-id', 'native', '--port', String(port)]
  const login = startProgram(args, { cwd, env })
  const [, url] = await login.waitFor(/Open {2}(\S+)\n/)
  assert.equal((await fetch(`http://127.0.0.1:${port}/callback?code=forged&state=x`)).status, 404)
  const back = await new UserAgent().authorize(url!, ALICE)
  assert.equal((await fetch(back)).status, 200)
  assert.equal(await login.ended, 0, login.stderr)
  assert.match(login.stdout, /^id_token\.aud +native$/m)
  assert.doesNotMatch(login.stdout, /eyJ|sp_/)
})

test('test device prints an address and a code, waits until somebody has allowed it, and shows no token', async () => {
  const grant_types = ['urn:ietf:params:oauth:grant-type:device_code']
  const tv = { client_id: 'tv', token_endpoint_auth_method: 'none', grant_types, scope: 'openid profile' }
  await writeFile(path.join(cwd, 'tv.json'), JSON.stringify({ clients: [tv] }))
  assert.equal((await run(['apply', '-f', 'tv.json'])).code, 0)
  const args = ['test', 'device', '--issuer', issuer, '--client-id', 'tv', '--scope', 'openid profile', '--json']
  const waiting = startProgram(args, { cwd, env })
  const [, url, code] = await waiting.waitFor(/Open {2}(\S+)\nCode {2}(\S+)\n/)
  assert.equal(waiting.stdout, '', 'what is for the person is not for programs')
  await answerDevice(url!, code!)
  assert.equal(await waiting.ended, 0, waiting.stderr)
  const { access_token, scope, id_token } = JSON.parse(waiting.stdout)
  assert.deepEqual([access_token, scope, id_token.aud], ['JWT', 'openid profile', 'tv'])
  assert.doesNotMatch(waiting.stdout + waiting.stderr, /eyJ|sp_/)
  const refused = await run(['test', 'device', '--issuer', issuer, '--client-id', 'spa'])
  assert.deepEqual([refused.code, refused.stdout], [3, ''], refused.stderr)
  const unknown = await run(['test', 'dance', '--issuer', issuer, '--client-id', 'spa'])
  assert.match(unknown.stderr, /There is no test of dance: login, token or device/)
})

/** Types the code in as an administrator, and allows what the page asks. */
async function answerDevice(url: string, user_code: string): Promise<void> {
  const person = new UserAgent()
  let at = await person.follow(url)
  for (let page = 0; page < 4; page++) {
    const html = await at.response.text()
    const here = { url: at.url, html }
    if (html.includes('name="password"')) at = await person.submit(here, ALICE, 'name="password"')
    else if (html.includes('name="shown"')) {
      at = await person.submit(here, { decision: 'allow' }, 'name="shown"')
      assert.equal(at.response.status, 200)
      return
    } else at = await person.submit(here, { user_code }, 'name="user_code"')
  }
  assert.fail(`stuck at ${at.url}`)
}
