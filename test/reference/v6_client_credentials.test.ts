import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { ALICE, BOB, PLATFORM, type Reply } from '../parts/bridge.ts'
import { type ForeignProvider, startForeignProvider } from '../parts/foreign_provider.ts'
import { basic, readReply } from '../parts/platform.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const LIFE_SECONDS = 300
const client = { client_id: 'alarms', client_secret: 'secret: of + the / plant' }
const clock = { offset: 0 }
let egress: Egress
let theirs: ForeignProvider
let server: TestServer
const SCOPE = 'admin:read admin:write vault:token'
const MONTH_MS = 30 * 86_400_000
const [operator, somebody] = [new UserAgent(), new UserAgent()]

before(async () => {
  egress = createEgress({ allow: ['127.0.0.1'] })
  theirs = await startForeignProvider({
    clients: [
      {
        ...client,
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
        scope: 'mail:send',
      } as never,
    ],
    features: { clientCredentials: { enabled: true } },
    scopes: ['mail:send'],
    access_token_seconds: LIFE_SECONDS,
  })
  server = await startSallyport({ clock: () => Date.now() + clock.offset, app: { egress } })
  await saveConnector(server.app.web.outbound, 'test', {
    ...{ connector: 'mailbox', provider: 'oauth2', issuer: theirs.issuer, grant_type: 'client_credentials' },
    ...{ scope: 'mail:send', fields: { discovery: 'oidc' }, ...client },
  })
  await server.addUser({ ...ALICE, roles: ['administrator'] })
  await server.addUser(BOB)
  await server.addClient({ ...PLATFORM, scope: SCOPE, grant_types: ['client_credentials'] })
  await signIn(operator, ALICE)
  await signIn(somebody, BOB)
})
after(async () => {
  await server.stop()
  await theirs.close()
  await egress.close()
})

async function call(method: string, path: string): Promise<Reply> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', scope: SCOPE, resource: `${server.issuer}/api` })
  const init = { method: 'POST', headers: { authorization: basic(PLATFORM.client_id, PLATFORM.client_secret) } }
  const { body } = await readReply(await fetch(`${server.issuer}/token`, { ...init, body: form }))
  const headers = { authorization: `Bearer ${body.access_token}` }
  return readReply(await fetch(`${server.issuer}/api/connections${path}`, { method, headers }))
}

const list = async () => (await call('GET', '')).body.items
const asked = () => theirs.ledger.filter(({ grant_type }) => grant_type === 'client_credentials').length

async function signIn(browser: UserAgent, user: typeof ALICE | typeof BOB): Promise<void> {
  const { url, response } = await browser.follow(`${server.issuer}/login`)
  await browser.submit({ url, html: await response.text() }, user)
}

async function press(browser: UserAgent): Promise<{ url: string; response: Response }> {
  const { url, response } = await browser.follow(`${server.issuer}/connect/mailbox`)
  return browser.submit({ url, html: await response.text() }, {}, '/connect/mailbox')
}

/** What the provider says of a token, to the client that it is of. */
async function seenThere(token: string): Promise<{ active: boolean; scope?: string }> {
  const headers = { authorization: basic(client.client_id, encodeURIComponent(client.client_secret)) }
  const body = new URLSearchParams({ token })
  return (await fetch(`${theirs.issuer}/token/introspection`, { method: 'POST', headers, body })).json()
}

test('V6 whoever is no administrator cannot act as the server itself', async () => {
  const { response, url } = await somebody.follow(`${server.issuer}/connect/mailbox`)
  assert.equal(response.status, 403)
  assert.ok(!(await response.text()).includes('<form method="post" action="/connect'))
  const forced = await fetch(url, { method: 'POST', body: new URLSearchParams({}) })
  assert.notEqual(forced.status, 200)
  const account = await (await somebody.follow(`${server.issuer}/account`)).response.text()
  assert.ok(!account.includes('/connect/mailbox'))
  assert.deepEqual([await list(), asked()], [[], 0])
})

test('V6 an administrator connects it by one press, and nobody is sent anywhere', async () => {
  const { url } = await press(operator)
  assert.equal(url, `${server.issuer}/account`)
  const [made, ...more] = await list()
  assert.deepEqual([made.state, made.account, made.scope, more], ['ready', 'alarms', 'mail:send', []])
  assert.equal(asked(), 1)
})

test('V6 a program uses it for months without a person: what is over is asked for again, once for all who wait', async () => {
  const [{ connection_id }] = await list()
  const tokens = new Set<string>()
  for (let i = 0; i < 3; i++) {
    const before = asked()
    const replies = await Promise.all(Array.from({ length: 8 }, () => call('GET', `/${connection_id}/token`)))
    for (const { status, text, body } of replies) {
      assert.equal(status, 200, text)
      tokens.add(body.access_token)
    }
    assert.equal(asked() - before, i === 0 ? 0 : 1)
    assert.deepEqual((await seenThere([...tokens].at(-1)!)).scope, 'mail:send')
    clock.offset += MONTH_MS
  }
  assert.equal(tokens.size, 3)
})

test('V6 while the provider does not answer, or answers after all, nothing is lost', async () => {
  const [{ connection_id }] = await list()
  theirs.faults.push({ when: 'after', do: 'cut' })
  const { status } = await call('GET', `/${connection_id}/token`)
  assert.equal(status, 200, 'what is lost is asked for at once: it ended nothing')
  clock.offset += LIFE_SECONDS * 1000
  theirs.faults.push({ when: 'before', do: 'status', status: 503 }, { when: 'before', do: 'status', status: 503 })
  const down = await call('GET', `/${connection_id}/token`)
  assert.equal(down.status, 503, down.text)
  clock.offset += 60_000
  assert.equal((await call('GET', `/${connection_id}/token`)).status, 200)
  assert.equal((await list())[0].state, 'ready')
})

test('V6 a secret that is refused is the fault of the connector, and heals with it', async () => {
  const [{ connection_id }] = await list()
  const save = (client_secret: string) =>
    saveConnector(server.app.web.outbound, 'test', {
      ...{ connector: 'mailbox', provider: 'oauth2', issuer: theirs.issuer, grant_type: 'client_credentials' },
      ...{ scope: 'mail:send', fields: { discovery: 'oidc' }, ...client, client_secret },
    })
  await save('wrong')
  clock.offset += LIFE_SECONDS * 1000
  assert.equal((await call('GET', `/${connection_id}/token`)).status, 503)
  assert.equal((await list())[0].state, 'error')
  await save(client.client_secret)
  assert.equal((await call('GET', `/${connection_id}/token`)).status, 200)
  assert.equal((await list())[0].state, 'ready')
})

test('V6 connecting again repairs what there is, and its end ends the token over there', async () => {
  const [{ connection_id }] = await list()
  await signIn(operator, ALICE)
  await press(operator)
  assert.equal((await list()).length, 1)
  const { access_token } = (await call('GET', `/${connection_id}/token`)).body
  assert.equal((await seenThere(access_token)).active, true)
  assert.equal((await call('POST', `/${connection_id}/disconnect`)).status, 204)
  assert.equal((await seenThere(access_token)).active, false)
  assert.equal((await call('GET', `/${connection_id}/token`)).status, 404)
})
