import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { Command } from 'commander'
import * as z from 'zod'
import { ACCESS_TOKEN_VARIABLE } from '../config/settings.ts'
import { API_ROUTES } from '../web/api/table.ts'
import { listApiCommands } from './api_commands.ts'
import { writeCompletion } from './completion.ts'
import { keepLogin, loginsFile, readLogins } from './kept_logins.ts'
import { addRemote } from './remote_commands.ts'
import { readRouteInput } from './route_input.ts'
import { describeList, describeThing } from './show_answer.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'sallyport-remote-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('every route of the API is a command of its own, named by what it does', () => {
  const names = listApiCommands().map(({ group, name }) => `${group} ${name}`)
  assert.equal(new Set(names).size, names.length)
  assert.equal(names.length, API_ROUTES.filter(({ scope }) => scope !== null).length)
  for (const name of [
    ...['clients list', 'clients get', 'clients create', 'clients update', 'clients delete', 'clients rotate-secret'],
    ...['users end-sessions', 'grants end', 'connections refresh', 'connections get-token', 'signing-keys rotate'],
    ...['settings get', 'rights explain', 'trusted-issuers create', 'webhooks list-deliveries', 'events export'],
  ]) {
    assert.ok(names.includes(name), name)
  }
})

const Body = z.strictObject({
  client_id: z.string().optional(),
  lifetime: z.int().optional(),
  password: z.string().optional(),
  metadata: z
    .strictObject({ client_name: z.string().nullable(), redirect_uris: z.array(z.string()), keys: z.unknown() })
    .partial()
    .meta({ id: 'BodyMetadata' }),
})
const readBody = (options: Record<string, unknown>, base = {}) => readRouteInput(z.toJSONSchema(Body), base, options)

test('a body is made of what stands, a file, and members by what they are', async () => {
  const file = path.join(folder, 'body.yaml')
  writeFileSync(file, 'client_id: web\nmetadata: { client_name: "Web" }\n')
  const secret = path.join(folder, 'secret')
  writeFileSync(secret, 'pa=ss word\n')
  assert.deepEqual(
    await readBody({ file, set: ['lifetime=60', 'metadata.client_name=007'], setFile: [`password=${secret}`] }),
    {
      client_id: 'web',
      lifetime: 60,
      password: 'pa=ss word',
      metadata: { client_name: '007' },
    },
  )
  // What is in the one object that has such a member needs no path to it.
  const base = {
    client_id: 'web',
    updated_at: 1,
    metadata: { client_name: 'Web', redirect_uris: ['https://a.example'] },
  }
  assert.deepEqual(await readBody({ set: ['redirect_uris=https://b.example, https://c.example'] }, base), {
    client_id: 'web',
    metadata: { client_name: 'Web', redirect_uris: ['https://b.example', 'https://c.example'] },
  })
  assert.deepEqual(base.metadata.redirect_uris, ['https://a.example'])
})

test('15.1.5 a secret is taken from no argument, and what cannot be read is not quoted', async () => {
  const broken = path.join(folder, 'broken.json')
  writeFileSync(broken, '{ "password": "hunter2" "x"')
  for (const [options, sentence] of [
    [{ set: ['password=hunter2'] }, /^password is a secret, and arguments are not/],
    [{ set: ['metadata.client_secret=hunter2'] }, /is a secret/],
    [{ ask: ['password'] }, /asked for on a terminal/],
    [{ file: broken }, /broken\.json is neither JSON nor YAML$/],
    [{ file: path.join(folder, 'nothing') }, /cannot be read \(ENOENT\)/],
    [{ set: ['lifetime=soon'] }, /^lifetime must be a whole number$/],
    [{ set: ['client_id'] }, /--set takes member=value/],
    [{ set: ['__proto__.polluted=1'] }, /no name of a member/],
  ] as const) {
    const error = await readBody(options).then(
      () => assert.fail(JSON.stringify(options)),
      (thrown: Error) => thrown,
    )
    assert.match(error.message, sentence)
    assert.doesNotMatch(error.message, /hunter2/)
  }
})

test('1.2.1 16.4.1 what others have written commands no terminal, in tables and in lines', () => {
  const name = 'Evil\u001b]0;owned\u0007\u202ename\nclient  x'
  const rows = [{ client_id: 'a', client_name: name, created_at: 1_700_000_000_000, metadata: {} }]
  for (const text of [describeList(rows, 200), describeList(rows, undefined), describeThing(rows[0]!)]) {
    assert.doesNotMatch(text, /[\u001b\u0007\u202e]/)
    assert.match(text, /Evil\\u001b]0;owned\\u0007\\u202ename\\u000aclient/)
    assert.match(text, /2023-11-14T22:13:20/)
  }
  assert.equal(describeList(rows, undefined).split('\n').length, 2)
  assert.ok(
    describeList(rows, 40)
      .split('\n')
      .every((line) => line.length <= 40),
  )
  assert.equal(describeList([], 80), 'There is nothing\n')
  assert.equal(describeList([], undefined), '')
})

test('13.3.1 sign-ins are kept where their owner alone can read them, and are not read from anywhere else', (t) => {
  const env = { XDG_CONFIG_HOME: path.join(folder, 'config') }
  const login = { client_id: 'c', access_token: 'a', expires_at: 1, refresh_token: 'r' }
  assert.deepEqual(readLogins(env), { logins: {} })
  keepLogin(env, 'https://one.example', login)
  keepLogin(env, 'https://two.example', login)
  assert.deepEqual([readLogins(env).last, Object.keys(readLogins(env).logins).length], ['https://two.example', 2])
  keepLogin(env, 'https://two.example', null)
  assert.deepEqual(readLogins(env), { last: undefined, logins: { 'https://one.example': login } })
  const file = loginsFile(env)
  if (process.platform === 'win32') return t.skip('Windows has no such modes')
  assert.deepEqual([statSync(file).mode & 0o777, statSync(path.dirname(file)).mode & 0o777], [0o600, 0o700])
  chmodSync(file, 0o640)
  assert.throws(() => readLogins(env), /can be read by others/)
  chmodSync(file, 0o600)
  writeFileSync(file, '{"logins": "secret-text')
  assert.throws(
    () => readLogins(env),
    (error: Error) => /is damaged/.test(error.message) && !/secret-text/.test(error.message),
  )
})

test('completion knows each command and each option in bash', () => {
  const program = new Command('sallyport')
  addRemote(program, { end() {}, find: async () => assert.fail() })
  const file = path.join(folder, 'completion.bash')
  writeFileSync(file, writeCompletion(program, 'bash'))
  const complete = (...words: string[]) => {
    const script = `source "$1"; shift; COMP_WORDS=(sallyport "$@"); COMP_CWORD=$#; _sallyport; echo "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['--norc', '-c', script, 'bash', file, ...words], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
  }
  assert.deepEqual(complete('clie'), ['clients'])
  assert.deepEqual(complete('--json', 'clients', 'rot'), ['rotate-secret'])
  assert.deepEqual(complete('clients', 'delete', 'list', '--y'), ['--yes'])
  assert.ok(complete('users', 'create', '--').includes('--set-file'))
  for (const shell of ['zsh', 'fish']) assert.match(writeCompletion(program, shell), /clients rotate-secret/)
  assert.throws(() => writeCompletion(program, 'cmd'), /no completion for cmd/)
})

test('a token that is given goes to no server that nobody has named', async (t) => {
  process.env[ACCESS_TOKEN_VARIABLE] = 'sp_at_given'
  t.after(() => delete process.env[ACCESS_TOKEN_VARIABLE])
  const program = new Command('sallyport').exitOverride()
  const find = async () => ({ issuer: 'https://other.example', named: false, data_dir: folder })
  addRemote(program, { end: () => assert.fail('it ran'), find })
  await assert.rejects(program.parseAsync(['users', 'list'], { from: 'user' }), /Say which server the token/)
})

test('docs/command_line.md says every exit code', async () => {
  const { EXIT } = await import('./exit_codes.ts')
  const text = readFileSync(new URL('../../../docs/command_line.md', import.meta.url), 'utf8')
  const documented = [...text.matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code))
  assert.deepEqual(documented, Object.values(EXIT))
})
