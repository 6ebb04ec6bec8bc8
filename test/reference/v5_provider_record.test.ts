import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type ForeignProvider, startForeignProvider } from '../parts/foreign_provider.ts'
import { type Program, startProgram } from '../parts/program.ts'
import { type RecordingApi, startRecordingApi } from '../parts/recording_api.ts'
import { freePort } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const OPERATOR = { username: 'operator', password: 'correct horse battery' }
const SENDER = { client_id: 'sender', client_secret: 'secret-of-the-sender' }
let folder: string
let issuer: string
let port: string
let foreign: ForeignProvider
let api: RecordingApi
let server: Program
let operator: UserAgent
let connection_id: string

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-v5-'))
  port = String(await freePort())
  issuer = `http://127.0.0.1:${port}`
  api = await startRecordingApi()
  foreign = await startForeignProvider({
    clients: ['plant', 'another'].map((client_id) => ({
      ...{ client_id, client_secret: 'secret-of-the-plant' },
      redirect_uris: [`${issuer}/connect/mailbox/callback`],
    })),
  })
  await writeFile(path.join(folder, 'platform.json'), JSON.stringify(platformWith()))
  server = startProgram(['serve', '--config', 'platform.json', '--issuer', issuer, '--port', port], { cwd: folder })
  await server.waitFor(/listening/)
  operator = await signIn()
})
after(async () => {
  await server?.stop()
  await foreign?.close()
  await api?.close()
  await rm(folder, { recursive: true })
})

/** The provider record: name, URLs, an optional revocation URL, client id, secret and scopes. */
function record(change: { fields?: object } & Record<string, unknown> = {}): Record<string, unknown> {
  const { fields, ...more } = change
  return {
    ...{ connector: 'mailbox', provider: 'oidc', client_id: 'plant', scope: 'openid offline_access' },
    ...{ issuer: foreign.issuer, client_secret: { value: 'secret-of-the-plant' }, ...more },
    fields: {
      ...{ authorization_endpoint: `${foreign.issuer}/auth`, token_endpoint: `${foreign.issuer}/token` },
      ...{ revocation_endpoint: `${foreign.issuer}/token/revocation`, userinfo_endpoint: `${foreign.issuer}/me` },
      ...{ api_base_url: `${api.origin}/v1`, authorization_params: { prompt: 'consent' }, ...fields },
    },
  }
}

function platformWith(connectors: readonly object[] = [record()]): object {
  return {
    server: { egress_allow: ['127.0.0.1'] },
    users: [{ username: OPERATOR.username, password: { value: OPERATOR.password }, roles: ['administrator'] }],
    clients: [
      {
        ...{ client_id: SENDER.client_id, client_secret: { value: SENDER.client_secret }, scope: 'vault:token' },
        grant_types: ['client_credentials'],
      },
    ],
    connectors,
  }
}

/** Applies a description at the running server; answers what was said. */
async function apply(connectors: readonly object[]): Promise<{ code: number; said: string }> {
  await writeFile(path.join(folder, 'change.json'), JSON.stringify(platformWith(connectors)))
  const env = { SALLYPORT_ISSUER: issuer, PORT: port }
  const program = startProgram(['apply', '-f', 'change.json'], { cwd: folder, env })
  return { code: await program.ended, said: program.stdout + program.stderr }
}

async function signIn(): Promise<UserAgent> {
  const person = new UserAgent()
  const { url, response } = await person.follow(`${issuer}/login`)
  await person.submit({ url, html: await response.text() }, OPERATOR)
  return person
}

async function connect(): Promise<URLSearchParams> {
  const left = await operator.follow(`${issuer}/connect/mailbox`)
  const back = await new UserAgent().follow(left.url)
  const done = await operator.follow(back.url)
  assert.equal(done.url, `${issuer}/account`, await done.response.text())
  return new URL(left.url).searchParams
}

/** What a program gets of the vault. */
async function token(path = 'token', method = 'GET') {
  const form = { grant_type: 'client_credentials', scope: 'vault:token', resource: `${issuer}/api` }
  const authorization = `Basic ${btoa(`${SENDER.client_id}:${SENDER.client_secret}`)}`
  const init = { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) }
  const { access_token } = await (await fetch(`${issuer}/token`, init)).json()
  const headers = { authorization: `Bearer ${access_token}` }
  const response = await fetch(`${issuer}/api/connections/${connection_id}/${path}`, { method, headers })
  return { status: response.status, body: await response.json() }
}

async function isTakenThere(access_token: string): Promise<boolean> {
  return (await fetch(`${foreign.issuer}/me`, { headers: { authorization: `Bearer ${access_token}` } })).status === 200
}

test('V5 the name of a provider record is unique', async () => {
  const { code, said } = await apply([record(), record({ client_id: 'another' })])
  assert.equal(code, 1)
  assert.match(said, /connectors: mailbox is described twice/)
})

test('V5 a change that sends living tokens elsewhere, or makes them another client’s, is refused and changes nothing', async () => {
  await connect()
  const account = await (await operator.follow(`${issuer}/account`)).response.text()
  connection_id = /name="connection_id" value="([^"]+)"/.exec(account)![1]!
  const elsewhere = 'http://127.0.0.1:9/there'
  // All the fields are gone through beside the code; here those by which it would hurt most.
  const changes = [
    ['token_endpoint', record({ fields: { token_endpoint: elsewhere } })],
    ['api_base_url', record({ fields: { api_base_url: elsewhere } })],
    ['client_id', record({ client_id: 'another' })],
  ] as const
  const before = await token()
  assert.equal(before.status, 200)
  for (const [field, change] of changes) {
    const { code, said } = await apply([change])
    assert.equal(code, 1, said)
    assert.ok(said.includes(`${field} may not change while it has connections`), said)
  }
  const after = await token('refresh', 'POST')
  assert.equal(after.status, 200, 'the token endpoint and its client are those of before')
  assert.equal(await isTakenThere(after.body.access_token), true)
})

test('V5 all else is staged: what lives goes on as it is, and the next consent is by the record as it is now', async () => {
  const { code, said } = await apply([record({ scope: 'openid email offline_access' })])
  assert.equal(code, 0, said)
  const living = await token()
  assert.deepEqual([living.status, living.body.scope], [200, 'openid offline_access'])
  const asked = await connect()
  assert.equal(asked.get('scope'), 'openid email offline_access')
  const again = await token()
  assert.deepEqual([again.body.connection_id, again.body.scope], [connection_id, 'openid email offline_access'])
})

test('V5 deleting the record says what ends, and takes it back at the provider', async () => {
  const { access_token } = (await token()).body
  assert.equal(await isTakenThere(access_token), true)
  const page = await operator.follow(`${issuer}/admin/connector?connector=mailbox`)
  const html = await page.response.text()
  assert.match(html, /1 connection ends/)
  const gone = await operator.submit({ url: page.url, html }, {}, '/admin/connector/delete')
  assert.equal(gone.url, `${issuer}/admin/connectors`)
  assert.doesNotMatch(await gone.response.text(), /connector=mailbox/)
  assert.equal(await isTakenThere(access_token), false)
  assert.equal((await token()).status, 404)
  const events = await (await operator.follow(`${issuer}/admin/events`)).response.text()
  for (const event of ['connector.deleted', 'connection.destroyed']) assert.ok(events.includes(event), event)
  assert.equal((await apply([record({ client_id: 'another' })])).code, 0, 'the name is free again')
})
