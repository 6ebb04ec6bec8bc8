import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { startForeignProvider } from '../parts/foreign_provider.ts'
import { startProgram } from '../parts/program.ts'
import { freePort } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const OPERATOR = { username: 'operator', password: 'correct horse battery' }
// Hosts that resolve nowhere: only the user's machine needs to find them.
const PLANT = 'https://redirect.plant.invalid'
const OFFICE = 'https://redirect.office.invalid'
const KEYS = ['A', 'B', 'C', 'D'].map((letter) => letter.repeat(42) + 'A')
const keysOf = (i: number) => [
  { kty: 'OKP', crv: 'Ed25519', x: KEYS[i] },
  { kty: 'OKP', crv: 'X25519', x: KEYS[i] },
]

let folder: string
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-v2-'))
})
after(() => rm(folder, { recursive: true }))

const brokers = [
  { url: PLANT, mode: 'exchange', keys: keysOf(0) },
  { url: OFFICE, mode: 'relay', keys: keysOf(1) },
]

function platformWith(redirect_uris: readonly string[], more: { brokers?: readonly object[]; issuer?: string } = {}) {
  const { issuer = 'https://provider.invalid' } = more
  const connector = { connector: 'mailbox', provider: 'oidc', issuer, client_id: 'plant', redirect_uris }
  return {
    server: { egress_allow: ['127.0.0.1'] },
    settings: { brokers: more.brokers ?? brokers },
    users: [{ username: OPERATOR.username, password: { value: OPERATOR.password }, roles: ['administrator'] }],
    connectors: [{ ...connector, client_secret: { value: 'secret-of-the-plant' } }],
  }
}

async function plan(platform: object): Promise<{ code: number; said: string }> {
  const file = path.join(folder, 'plan.json')
  await writeFile(file, JSON.stringify(platform))
  const program = startProgram(['plan', '-f', file], { cwd: folder })
  const code = await program.ended
  return { code, said: program.stdout + program.stderr }
}

test('V2 a registration has several redirect URIs; an empty or a repeated one is refused', async () => {
  const [plant, office] = [`${PLANT}/callback`, `${OFFICE}/callback`]
  assert.equal((await plan(platformWith([plant, office]))).code, 2)
  const wrong = [
    [[], 'must name at least one'],
    [[plant, ''], 'must not have an empty entry'],
    [[plant, ' '], 'must not have an empty entry'],
    [[plant, office, plant], 'must not have an entry twice'],
    [['http://redirect.plant.invalid/callback'], 'must be https URLs'],
    [[`${PLANT}/callback?x=1`], 'must be https URLs'],
    [['javascript:alert(1)'], 'must be https URLs'],
  ] as const
  const platform = platformWith([plant])
  const connectors = wrong.map(([redirect_uris], i) => ({
    ...platform.connectors[0]!,
    ...{ connector: `wrong${i}`, redirect_uris },
  }))
  const { code, said } = await plan({ ...platform, connectors })
  assert.equal(code, 1, said)
  for (const [i, [, sentence]] of wrong.entries()) {
    assert.ok(said.includes(`connectors[${i}] (wrong${i}): The connector's redirect_uris ${sentence}`), said)
  }
})

test('V2 redirect servers are registered once each, with public keys of their own', async () => {
  const [plant, office] = brokers
  for (const [list, sentence] of [
    [[plant, { ...office, url: '' }], /brokers: url is missing or empty/],
    [[plant, { ...office, url: PLANT }], /brokers: url is that of another broker/],
    [[plant, { ...office, keys: keysOf(0) }], /brokers: keys is that of another broker/],
  ] as [object[], RegExp][]) {
    const { code, said } = await plan(platformWith([`${PLANT}/callback`], { brokers: list }))
    assert.equal(code, 1, said)
    assert.match(said, sentence)
  }
})

test('V2 a connection chooses one of them, the first unless told otherwise, and none that is not registered', async () => {
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const own = `${issuer}/connect/mailbox/callback`
  const redirect_uris = [`${PLANT}/callback`, `${OFFICE}/callback`, own]
  const foreign = await startForeignProvider({
    clients: [{ client_id: 'plant', client_secret: 'secret-of-the-plant', redirect_uris: [own] }],
  })
  const file = path.join(folder, 'serve.json')
  await writeFile(file, JSON.stringify(platformWith(redirect_uris, { issuer: foreign.issuer })))
  const program = startProgram(['serve', '--config', file, '--issuer', issuer, '--port', String(port)], { cwd: folder })
  try {
    await program.waitFor(/listening/)
    const person = new UserAgent()
    const login = await person.follow(`${issuer}/login`)
    await person.submit({ url: login.url, html: await login.response.text() }, OPERATOR)
    const leads = async (redirect_uri?: string) => {
      const query = redirect_uri === undefined ? '' : `?${new URLSearchParams({ redirect_uri })}`
      const answer = await person.request(`${issuer}/connect/mailbox${query}`)
      return { status: answer.status, to: answer.headers.get('location') ?? '', text: await answer.text() }
    }
    assert.match((await leads()).to, /^https:\/\/redirect\.plant\.invalid\/start\?flow=sp_br_[\w-]{43}$/)
    assert.match((await leads(`${OFFICE}/callback`)).to, /^https:\/\/redirect\.office\.invalid\/start\?flow=/)
    const direct = new URL((await leads(own)).to)
    assert.deepEqual([direct.origin, direct.searchParams.get('redirect_uri')], [foreign.issuer, own])
    for (const wrong of ['https://evil.invalid/callback', `${PLANT}/callback/`, PLANT]) {
      const refused = await leads(wrong)
      assert.equal(refused.status, 400, wrong)
      assert.equal(refused.to, '')
    }
    const stranger = startProgram(['broker', '--primary', issuer, '--issuer', 'http://127.0.0.2:9', '--port', '9'], {
      cwd: folder,
    })
    assert.equal(await stranger.ended, 1)
    const said = stranger.stdout + stranger.stderr
    assert.match(said, /The primary does not take this broker: The message is not signed by a redirect broker/)
    assert.match(said, /brokers: \[\{"url":"http:\/\/127\.0\.0\.2:9"/, 'and what would have to be registered')
    const console = await person.request(`${issuer}/admin/connector?connector=mailbox`)
    assert.ok((await console.text()).includes(redirect_uris.join('\n')), 'the console names them all, to be registered')
  } finally {
    await program.stop()
    await foreign.close()
  }
})
