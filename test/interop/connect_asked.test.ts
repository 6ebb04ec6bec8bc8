import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { applyPlatform } from '../../server/src/apply/apply.ts'
import { readPlatform } from '../../server/src/apply/platform.ts'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import type { ConnectorInput } from '../../server/src/outbound/administration/connector_input.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import {
  createConnectSession,
  findSessionOf,
  judgeSession,
} from '../../server/src/outbound/connect_sessions/connect_sessions.ts'
import { freshToken } from '../../server/src/outbound/connections/fresh_token.ts'
import { ALICE, BOB } from '../parts/bridge.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const ASSERTION = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const API = 'https://home.example'
const SCOPE = 'openid email offline_access'
const client = { client_id: 'ours', client_secret: 'secret: of + the / other' }

describe('connections whose tokens are asked for, at another Sallyport', () => {
  const clock = { offset: 0 }
  const now = () => Date.now() + clock.offset
  let egress: Egress
  let ours: TestServer
  let theirs: TestServer
  let alice_id: string
  let bob_id: string
  let alice: UserAgent

  before(async () => {
    egress = createEgress({ allow: ['127.0.0.1'] })
    theirs = await startSallyport({ path: '/theirs', clock: now, app: { egress } })
    ours = await startSallyport({ clock: now, app: { egress } })
    alice_id = await ours.addUser({ ...ALICE, roles: ['administrator'] })
    await theirs.addResource({
      resource: API,
      scopes: JSON.stringify({ 'lights:see': 'See lights' }),
      access_token_format: 'opaque',
    })
    await theirs.addRole('guest', ['lights:see'])
    bob_id = await theirs.addUser({ ...BOB, email: 'bob@example.test', roles: ['guest'] })
    const grant_types = [DEVICE, 'password', 'refresh_token']
    await theirs.addClient({ ...client, grant_types, response_types: [], scope: SCOPE })
    const input = { ...{ provider: 'oidc', issuer: theirs.issuer }, ...client, scope: SCOPE } as const
    await save({ ...input, connector: 'typed', grant_type: 'password' })
    await save({ ...input, connector: 'coded', grant_type: DEVICE })
    await save({
      ...{ connector: 'signed', provider: 'oauth2', issuer: theirs.issuer, client_id: 'signer', scope: 'lights:see' },
      ...{ grant_type: ASSERTION, fields: { token_endpoint_auth_method: 'private_key_jwt' } },
    })
    const jwks_uri = `${ours.issuer}/jwks/signed`
    const described = {
      clients: [
        {
          ...{ client_id: 'signer', grant_types: [ASSERTION], scope: 'lights:see', default_resource: API },
          ...{ token_endpoint_auth_method: 'private_key_jwt', jwks_uri },
        },
      ],
      trusted_issuers: [
        { issuer: 'signer', jwks_uri, subject_is: 'username', clients: ['signer'], scope: 'lights:see' },
      ],
    }
    const { web } = theirs.app
    const rules = { grant_types: web.grant_types.map(({ grant_type }) => grant_type) }
    await applyPlatform(web, readPlatform(described, rules), 'test')
  })
  after(async () => {
    await ours.stop()
    await theirs.stop()
    await egress.close()
  })
  beforeEach(async () => {
    alice = await signIn(ours, ALICE)
  })

  const save = (input: ConnectorInput) => saveConnector(ours.app.web.outbound, 'test', input)

  async function signIn(server: TestServer, user: typeof ALICE | typeof BOB): Promise<UserAgent> {
    const agent = new UserAgent()
    const { url, response } = await agent.follow(`${server.issuer}/login`)
    await agent.submit({ url, html: await response.text() }, user)
    return agent
  }

  async function connections(connector: string) {
    const { tenant_id, store } = ours.app.tenant
    const all = await store.listConnectionsOfUser({ tenant_id, user_id: alice_id })
    return all.filter((one) => one.connector === connector)
  }

  async function token(connector: string): Promise<string> {
    const [{ connection_id } = { connection_id: '' }] = await connections(connector)
    const found = await freshToken(ours.app.web.outbound, { connection_id, user_id: alice_id })
    assert.ok(found.kind === 'token', JSON.stringify(found))
    return found.access_token
  }

  async function asksWho(access_token: string): Promise<{ status: number; sub?: string; email?: string }> {
    const response = await fetch(`${theirs.issuer}/userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
    return { status: response.status, ...(response.status === 200 && (await response.json())) }
  }

  async function open(connector: string): Promise<{ url: string; html: string; response: Response }> {
    const { url, response } = await alice.follow(`${ours.issuer}/connect/${connector}`)
    return { url, html: await response.text(), response }
  }

  test('RFC 6749 4.3 a name and a password bring tokens that are renewed, and are kept nowhere', async () => {
    const page = await open('typed')
    const wrong = await alice.submit(page, { username: BOB.username, password: 'wrong' }, '/connect/typed')
    assert.match(await wrong.response.text(), /Nothing was connected/)
    assert.deepEqual(await connections('typed'), [])
    const done = await alice.submit(await open('typed'), BOB, '/connect/typed')
    assert.equal(done.url, `${ours.issuer}/account`, await done.response.text())
    assert.equal((await connections('typed'))[0]!.account_name, 'bob@example.test')
    assert.equal((await asksWho(await token('typed'))).email, 'bob@example.test')
    const before = await token('typed')
    clock.offset += 3_600_000
    const after = await token('typed')
    assert.notEqual(after, before)
    assert.equal((await asksWho(after)).status, 200)
  })

  test('RFC 6749 4.3 what cannot be sent uses nothing up', async () => {
    const page = await open('typed')
    const empty = await alice.submit(page, { username: 'x'.repeat(256), password: 'y' }, '/connect/typed')
    assert.equal(empty.response.status, 400)
    const done = await alice.submit(page, BOB, '/connect/typed')
    assert.equal(done.url, `${ours.issuer}/account`)
  })

  test('RFC 7523 2.1 what our key signs brings tokens in the name of somebody there, and brings them again', async () => {
    const refused = await alice.submit(await open('signed'), { subject: 'nobody' }, '/connect/signed')
    assert.match(await refused.response.text(), /Nothing was connected/)
    const done = await alice.submit(await open('signed'), { subject: BOB.username }, '/connect/signed')
    assert.equal(done.url, `${ours.issuer}/account`, await done.response.text())
    const [made] = await connections('signed')
    assert.deepEqual([made!.account, made!.scope], [BOB.username, 'lights:see'])
    const before = await token('signed')
    clock.offset += 3_600_000
    assert.notEqual(await token('signed'), before)
    assert.equal((await connections('signed'))[0]!.state, 'ready')
  })

  const readCode = (html: string) => /class="user-code"><bdi dir="ltr">([^<]+)</.exec(html)![1]!

  /** What Bob does over there with a code, whoever gave it to him. */
  async function type(user_code: string, decision: 'allow' | 'deny'): Promise<void> {
    const bob = await signIn(theirs, BOB)
    const entry = await bob.follow(`${theirs.issuer}/device`)
    const asked = await bob.submit({ url: entry.url, html: await entry.response.text() }, { user_code }, 'user_code')
    await bob.submit({ url: asked.url, html: await asked.response.text() }, { decision }, 'decision')
  }

  test('RFC 8628 3.3 a person types the code over there, and the page here goes on', async () => {
    const page = await open('coded')
    assert.equal(page.response.status, 200, page.html)
    assert.equal(page.response.headers.get('refresh'), '6')
    const user_code = readCode(page.html)
    const there = await alice.follow(`${page.url}&go=1`)
    assert.ok(there.url.startsWith(`${theirs.issuer}/device`), there.url)
    const again = await alice.follow(page.url)
    assert.equal(again.response.status, 200, 'too early: nobody is asked')
    assert.deepEqual(await connections('coded'), [])
    const stranger = await signIn(ours, ALICE)
    const elsewhere = await stranger.follow(page.url)
    assert.match(await elsewhere.response.text(), /started somewhere else/)
    await type(user_code, 'allow')
    clock.offset += 6_000
    const done = await alice.follow(page.url)
    assert.equal(done.url, `${ours.issuer}/account`, await done.response.text())
    assert.equal((await connections('coded'))[0]!.account_name, 'bob@example.test')
    assert.equal((await asksWho(await token('coded'))).status, 200)
    clock.offset += 3_600_000
    assert.equal((await asksWho(await token('coded'))).status, 200, 'renewed')
  })

  test('RFC 8628 3.5 who denies it there is told here, and a code lives its time alone', async () => {
    const denied = await open('coded')
    const user_code = readCode(denied.html)
    await type(user_code, 'deny')
    clock.offset += 6_000
    assert.match(await (await alice.follow(denied.url)).response.text(), /Nothing was connected/)
    const late = await open('coded')
    clock.offset += 1_801_000
    const over = await alice.follow(late.url)
    assert.equal(over.response.status, 400)
    assert.match(await over.response.text(), /came twice or too late/)
  })

  test('RFC 8628 5.4 O-04 COSF whoever is sent the code of a session connects nothing but the account that was expected', async () => {
    const { outbound } = ours.app.web
    const grant_types = ['client_credentials']
    await ours.addClient({ client_id: 'plant', client_secret: 'hush', client_name: 'Plant Control', grant_types })
    const bring = async (expected_account: string) => {
      const ask = { end_user_id: 'attacker', connectors: ['coded'], origins: [], invitation: true, expected_account }
      const made = await createConnectSession(outbound, 'plant', ask)
      const attacker = new UserAgent()
      const { url, response } = await attacker.follow(made.invitation_url!)
      const page = await attacker.submit({ url, html: await response.text() }, {}, 'name="token"')
      const html = await page.response.text()
      assert.match(html, /Plant Control[\s\S]*>plant<[\s\S]*>attacker</, 'it says who asks, and for whom')
      assert.ok(html.includes(expected_account))
      await type(readCode(html), 'allow')
      clock.offset += 6_000
      await attacker.follow(page.url)
      const found = (await findSessionOf(outbound, 'plant', made.session_id))!
      return [judgeSession(found), found.session.reason, found.account]
    }
    assert.deepEqual(await bring('attacker@example.test'), ['failed', 'other_account', null])
    assert.deepEqual(await bring('bob@example.test'), ['failed', 'other_account', null], 'nobody has verified that')
    assert.deepEqual(await bring(bob_id), ['unconfirmed', null, bob_id])
  })
})
