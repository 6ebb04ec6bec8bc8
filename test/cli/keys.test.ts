import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, type TestContext, test } from 'node:test'
import { decodeJwt } from 'jose'
import { challengeOf, VERIFIER } from '../parts/platform.ts'
import { createDatabase, type PostgresServer, startPostgres } from '../parts/postgres.ts'
import { freePort, runProgram, startProgram } from '../parts/program.ts'
import { csrfOf, open, post } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

// Here both take the same way but for the last one, to the database: the long suite goes it too.
const DATABASES = process.env['SALLYPORT_TEST_EVERY_DATABASE']
  ? (['sqlite', 'postgres'] as const)
  : (['sqlite'] as const)

let postgres: PostgresServer
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres?.stop())

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-keys-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function makeSettings(t: TestContext, database: string): Promise<Record<string, string>> {
  const settings = { PORT: String(await freePort()) }
  if (database === 'sqlite') return settings
  const { url, drop } = await createDatabase(postgres.url)
  t.after(drop)
  return { ...settings, DATABASE_URL: url }
}

type Listed = { keys: { kid: string; alg: string; state: string; since: string }[] }

for (const database of DATABASES) {
  test(`5.11 ${database}: keys are listed, rotated and revoked from the terminal, at the running server and alone`, async (t) => {
    const cwd = await makeFolder(t)
    const env = await makeSettings(t, database)
    const run = (...args: string[]) => runProgram(['keys', ...args], { cwd, env })
    const json = async (...args: string[]) => (JSON.parse((await run(...args, '--json')).stdout) as Listed).keys
    const server = startProgram(['serve'], { cwd, env })
    t.after(() => server.stop('SIGKILL'))
    await server.waitFor(/ listening /)
    const jwks = async () => {
      const answer = await (await fetch(`http://localhost:${env['PORT']}/jwks`)).json()
      return (answer as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
    }
    const [first] = await json('list')
    assert.deepEqual([first!.alg, first!.state], ['ES256', 'current'])
    assert.deepEqual(await jwks(), [first!.kid])
    const rotated = await json('rotate')
    assert.deepEqual(
      rotated.map(({ state }) => state),
      ['retired', 'current'],
    )
    assert.equal((await jwks()).length, 2, 'at once, without a restart')
    const revoked = await run('revoke', first!.kid)
    assert.equal(revoked.code, 0, revoked.stderr)
    assert.match(revoked.stdout, new RegExp(`ES256 +revoked .*${first!.kid}  nothing it signed is good`))
    assert.deepEqual(await jwks(), [rotated[1]!.kid])
    const current = await json('revoke', rotated[1]!.kid)
    assert.deepEqual(
      current.map(({ state }) => state),
      ['revoked', 'revoked', 'current'],
    )
    assert.equal((await run('rotate', 'sealing')).code, 0)
    for (const [args, sentence] of [
      [['revoke'], /needs the kid/],
      [['revoke', 'unknown'], /no such key/],
      [['revoke', first!.kid], /revoked already/],
      [['rotate', 'PS256'], /does not sign with PS256/],
      [['list', 'x'], /takes no argument/],
      [['forget', 'x'], /keys forget is not known/],
    ] as const) {
      const refused = await run(...args)
      assert.equal(refused.code, 1, args.join(' '))
      assert.match(refused.stderr, sentence)
    }
    await server.stop('SIGTERM')
    assert.deepEqual(
      (await json('list')).map(({ state }) => state),
      ['revoked', 'revoked', 'current'],
    )
    const alone = await json('rotate', 'ES256')
    assert.deepEqual(
      alone.map(({ state }) => state),
      ['revoked', 'revoked', 'retired', 'current'],
    )
  })
}

test('Back-Channel Logout 2.5 a logout that was answered survives kill -9, and the client is told after the restart', async (t) => {
  const cwd = await makeFolder(t)
  const told: string[] = []
  const rp = createServer(async (request, response) => {
    told.push(new URLSearchParams(await text(request)).get('logout_token')!)
    response.end()
  })
  t.after(() => rp.close())
  const rp_port = await freePort()
  const issuer_port = await freePort()
  const issuer = `http://localhost:${issuer_port}`
  const redirect_uri = 'http://127.0.0.1:3000/cb'
  const platform = `
clients:
  - client_id: rp
    client_secret: { value: secret-of-the-rp-is-long }
    redirect_uris: [${redirect_uri}]
    backchannel_logout_uri: http://127.0.0.1:${rp_port}/logout
    scope: openid
    trusted: true
users: [{ username: alice, password: { value: correct horse battery } }]
`
  await writeFile(path.join(cwd, 'platform.yaml'), platform)
  const env = { PORT: String(issuer_port), SALLYPORT_EGRESS_ALLOW: `127.0.0.1:${rp_port}` }
  const start = async () => {
    const server = startProgram(['serve', '--config', 'platform.yaml'], { cwd, env })
    t.after(() => server.stop('SIGKILL'))
    await server.waitFor(/ listening /)
    return server
  }
  const first = await start()
  const agent = new UserAgent()
  const request = { response_type: 'code', client_id: 'rp', redirect_uri, scope: 'openid', state: 's' }
  const proof = { code_challenge: challengeOf(VERIFIER), code_challenge_method: 'S256' }
  const url = `${issuer}/authorize?${new URLSearchParams({ ...request, ...proof })}`
  await agent.authorize(url, { username: 'alice', password: 'correct horse battery' })
  const csrf_token = csrfOf(await open(agent, `${issuer}/account`))
  assert.equal((await post(agent, `${issuer}/logout`, { csrf_token })).status, 200)
  await first.stop('SIGKILL')
  assert.deepEqual(told, [], 'nobody listens at the client yet')
  await new Promise<void>((resolve) => rp.listen(rp_port, '127.0.0.1', resolve))
  await start()
  for (let i = 0; i < 300 && told.length === 0; i++) await new Promise((done) => setTimeout(done, 100))
  assert.equal(told.length, 1)
  const { sid, aud } = decodeJwt(told[0]!)
  assert.deepEqual([aud, typeof sid], ['rp', 'string'])
})
