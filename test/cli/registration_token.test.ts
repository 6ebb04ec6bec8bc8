import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { freePort, runProgram, startProgram } from '../parts/program.ts'

test('registration-token makes tokens that register clients at the running server, lists and ends them', async (t) => {
  const cwd = await mkdtemp(path.join(tmpdir(), 'sallyport-registration-'))
  t.after(() => rm(cwd, { recursive: true, force: true }))
  const port = await freePort()
  await writeFile(path.join(cwd, 'platform.yaml'), 'settings: { registration: token }\n')
  const server = startProgram(['serve', '--port', String(port), '--config', 'platform.yaml'], { cwd })
  t.after(() => server.stop('SIGKILL'))
  await server.waitFor(/listening/)
  const run = (...args: string[]) => runProgram(['registration-token', ...args], { cwd })

  const made = await run('create', '--name', 'CI', '--uses', '1', '--days', '2')
  assert.deepEqual([made.code, made.stderr], [0, ''])
  const token = /^sp_iat_[\w-]{43}\n$/.exec(made.stdout)![0].trim()
  const register = async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const body = JSON.stringify({ redirect_uris: ['https://app.example/cb'] })
    return (await fetch(`http://localhost:${port}/register`, { method: 'POST', headers, body })).status
  }
  assert.match((await run('list')).stdout, /1 more clients {2}CI\n$/)
  assert.deepEqual([await register(), await register()], [201, 401])
  assert.equal((await run('list')).stdout, 'There is no initial access token\n')

  const other = JSON.parse(
    (await run('create', '--json', '--scope', 'a b', '--grant-types', 'client_credentials')).stdout,
  )
  const { token: secret, token_id, ends, ...rest } = other
  assert.match(secret, /^sp_iat_/)
  assert.ok(Date.parse(ends) > Date.now())
  assert.deepEqual(rest, {
    name: 'made in the terminal',
    scope: 'a b',
    grant_types: 'client_credentials',
    uses_left: null,
  })
  const listed = await run('list', '--json')
  assert.equal(JSON.parse(listed.stdout).tokens[0].token_id, token_id)
  assert.doesNotMatch(listed.stdout, /sp_iat_/)
  assert.equal((await run('end', token_id)).stdout, 'There is no initial access token\n')

  for (const [args, sentence] of [
    [['end', token_id], /There is no initial access token with this token_id/],
    [['end'], /needs a token_id/],
    [['create', 'x'], /takes no argument/],
    [['make'], /registration-token make is not known/],
    [['create', '--uses', '0'], /uses must be a whole number from 1/],
    [['create', '--days', 'x'], /days must be a whole number from 1/],
    [['create', '--scope', 'admin:write'], /scope must not hold admin:/],
    [['create', '--grant-types', 'password'], /grant_types may hold only/],
    [['create', '--name', ' '], /name must have/],
  ] as const) {
    const refused = await run(...args)
    assert.equal(refused.code, 1, args.join(' '))
    assert.match(refused.stderr, sentence)
  }
})
