import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { freePort, runProgram, startProgram } from '../parts/program.ts'

const PLATFORM = `clients:
  - { client_id: batch, client_secret: { value: a-secret-of-the-platform-file }, grant_types: [client_credentials], scope: a }
  - { client_id: spa, token_endpoint_auth_method: none, redirect_uris: [https://spa.example/cb], scope: a }
`

test('client-secret makes a further secret at the running server, lists when both end, and ends the older one', async (t) => {
  const cwd = await mkdtemp(path.join(tmpdir(), 'sallyport-secret-'))
  t.after(() => rm(cwd, { recursive: true, force: true }))
  const port = await freePort()
  await writeFile(path.join(cwd, 'platform.yaml'), PLATFORM)
  const server = startProgram(['serve', '--port', String(port), '--config', 'platform.yaml'], { cwd })
  t.after(() => server.stop('SIGKILL'))
  await server.waitFor(/listening/)
  const run = (...args: string[]) => runProgram(['client-secret', ...args], { cwd })
  const isGood = async (client_secret: string) => {
    const headers = { authorization: `Basic ${Buffer.from(`batch:${client_secret}`).toString('base64')}` }
    const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'b' })
    const answer = await fetch(`http://localhost:${port}/token`, { method: 'POST', headers, body })
    return ((await answer.json()) as { error: string }).error !== 'invalid_client'
  }
  assert.match((await run('list', 'batch')).stdout, /^newest {2}made 20\S+Z {2}no end\n$/)
  const rotated = await run('rotate', 'batch')
  assert.deepEqual([rotated.code, rotated.stderr], [0, ''])
  const newest = /^sp_cs_[\w-]{43}\n$/.exec(rotated.stdout)![0].trim()
  assert.deepEqual([await isGood('a-secret-of-the-platform-file'), await isGood(newest)], [true, true])
  const { secrets } = JSON.parse((await run('list', 'batch', '--json')).stdout)
  assert.deepEqual([secrets.length, secrets[0].ends], [2, null])
  const days = (Date.parse(secrets[1].ends) - Date.parse(secrets[0].made)) / 86_400_000
  assert.ok(days > 29.9 && days < 30.1, String(days))
  assert.match((await run('end', 'batch')).stdout, /^newest {2}made \S+ {2}no end\n$/)
  assert.deepEqual([await isGood('a-secret-of-the-platform-file'), await isGood(newest)], [false, true])
  assert.equal((await run('list', 'spa')).stdout, 'The client has no secret\n')
  const again = JSON.parse((await run('rotate', 'batch', '--json')).stdout)
  assert.deepEqual(Object.keys(again), ['client_id', 'client_secret', 'former_ends'])

  for (const [args, sentence] of [
    [['end', 'nobody'], /There is no client with this client_id/],
    [['rotate', 'nobody'], /There is no client with this client_id/],
    [['rotate', 'spa'], /The client has no secret/],
    [['end', 'spa'], /The client has no older secret/],
    [['make', 'batch'], /client-secret make is not known/],
    [['rotate'], /missing required argument/],
  ] as const) {
    const refused = await run(...args)
    assert.equal(refused.code, 1, args.join(' '))
    assert.match(refused.stderr, sentence)
  }
})
