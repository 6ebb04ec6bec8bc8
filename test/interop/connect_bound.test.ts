import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import type { ConnectorInput } from '../../server/src/outbound/administration/connector_input.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { freshToken } from '../../server/src/outbound/connections/fresh_token.ts'
import type { OutboundContext } from '../../server/src/outbound/context.ts'
import { handOutToken } from '../../server/src/outbound/proxy/bridge.ts'
import { forward } from '../../server/src/outbound/proxy/proxy.ts'
import { openVault } from '../../server/src/outbound/vault/vault.ts'
import { ALICE, BOB } from '../parts/bridge.ts'
import { startForeignProvider } from '../parts/foreign_provider.ts'
import { freePort, startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const client = { client_id: 'ours', client_secret: 'secret of ours there' }
const SCOPE = 'openid email offline_access'
const LIFE_SECONDS = 300

interface Theirs {
  readonly issuer: string
  /** Where an API over there says whose a token is. */
  readonly api: string
  consent(there: UserAgent, authorization_url: string): Promise<string>
  close(): Promise<void>
}

const SERVERS: Record<string, (redirect_uri: string, now: () => number) => Promise<Theirs>> = {
  async Sallyport(redirect_uri, clock) {
    const theirs = await startSallyport({ path: '/theirs', clock })
    await theirs.addUser({ ...BOB, email: 'bob@example.test' })
    await theirs.addClient({
      ...{
        ...client,
        redirect_uris: [redirect_uri],
        scope: SCOPE,
        grant_types: ['authorization_code', 'refresh_token'],
      },
      ...{ dpop_bound_access_tokens: true, require_dpop_nonce: true },
    })
    const consent = async (there: UserAgent, url: string) => (await there.authorize(url, BOB)).href
    return { issuer: theirs.issuer, api: '/userinfo', consent, close: theirs.stop }
  },
  async 'oidc-provider'(redirect_uri) {
    const theirs = await startForeignProvider({
      clients: [Object.assign({ ...client, redirect_uris: [redirect_uri] }, { dpop_bound_access_tokens: true })],
      features: { dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true } },
      access_token_seconds: LIFE_SECONDS,
      auto_login: 'bob',
    })
    const consent = async (_: UserAgent, url: string) => (await new UserAgent().follow(url)).url
    return { issuer: theirs.issuer, api: '/me', consent, close: () => theirs.close() }
  },
}

for (const [name, start] of Object.entries(SERVERS)) {
  describe(`connections whose tokens are bound to a key, at ${name}`, () => {
    const clock = { offset: 0 }
    const now = () => Date.now() + clock.offset
    let egress: Egress
    let ours: TestServer
    let theirs: Theirs
    let alice: UserAgent
    let user_id: string
    let connection_id: string
    let context: OutboundContext

    before(async () => {
      egress = createEgress({ allow: ['127.0.0.1'] })
      const port = await freePort()
      theirs = await start(`http://127.0.0.1:${port}/connect/bound/callback`, now)
      ours = await startSallyport({ port, clock: now, app: { egress } })
      user_id = await ours.addUser(ALICE)
      context = ours.app.web.outbound
      await save({ dpop: 'supported' })
      alice = new UserAgent()
      const { url, response } = await alice.follow(`${ours.issuer}/login`)
      await alice.submit({ url, html: await response.text() }, ALICE)
    })
    after(async () => {
      await ours.stop()
      await theirs.close()
      await egress.close()
    })

    const save = (fields: ConnectorInput['fields']) =>
      saveConnector(context, 'test', {
        ...{ connector: 'bound', provider: 'oidc', issuer: theirs.issuer, scope: SCOPE, ...client },
        fields: { api_base_url: theirs.issuer, ...fields },
      })

    async function connect(): Promise<string> {
      const left = await alice.follow(`${ours.issuer}/connect/bound`)
      const back = await theirs.consent(new UserAgent(), left.url)
      return (await alice.follow(back)).url
    }

    const call = async (path = theirs.api) => {
      const request = { method: 'GET', path, query: '', headers: new Headers(), body: null }
      const forwarded = await forward(context, { connection_id, user_id, ...request })
      assert.ok(forwarded.kind === 'response', JSON.stringify(forwarded))
      const { response } = forwarded
      return { status: response.status, text: await response.text() }
    }

    async function readTokens() {
      const { tenant_id, store } = ours.app.tenant
      const { connection } = (await store.loadConnection({ tenant_id, connection_id }))!
      const vault = await openVault(context, connection_id, connection.data_key!)
      return vault.open(connection.sealed_tokens!, connection.generation)
    }

    test('RFC 9449 5 tokens come bound to a key of the connection, after the nonce that was asked for', async () => {
      assert.equal(await connect(), `${ours.issuer}/account`)
      const { tenant_id, store } = ours.app.tenant
      const [made] = await store.listConnectionsOfUser({ tenant_id, user_id })
      connection_id = made!.connection_id
      assert.match(made!.account_name!, /^bob@/)
      assert.equal((await readTokens()).token_type, 'DPoP')
    })

    test('RFC 9449 7 the proxy proves the key at each call, and without the proof the token is nothing', async () => {
      for (let i = 0; i < 2; i++) {
        const { status, text } = await call()
        assert.equal(status, 200, text)
        assert.match(JSON.parse(text).email, /^bob@/)
      }
      const { access_token } = await readTokens()
      for (const scheme of ['Bearer', 'DPoP']) {
        const headers = { authorization: `${scheme} ${access_token}` }
        assert.notEqual((await fetch(theirs.issuer + theirs.api, { headers })).status, 200)
      }
    })

    test('RFC 9449 9 a nonce that is asked for costs no refresh, even where the body is gone', async () => {
      const before = await readTokens()
      const headers = new Headers({
        'transfer-encoding': 'chunked',
        'content-type': 'application/x-www-form-urlencoded',
      })
      const post = () => {
        const request = { method: 'POST', path: theirs.api, query: '', headers, body: new Blob(['a=b']).stream() }
        return forward(context, { connection_id, user_id, ...request })
      }
      context.relying.nonces.clear()
      assert.deepEqual(await post(), { kind: 'unavailable', reason: 'provider', retry_after_seconds: 1 })
      assert.equal((await readTokens()).access_token, before.access_token)
      const again = await post()
      assert.ok(again.kind === 'response' && again.response.status === 200, JSON.stringify(again))
      await again.response.body?.cancel()
    })

    test('a bound token is handed to nobody, and it is said why', async () => {
      const refused = await freshToken(context, { connection_id, user_id })
      assert.deepEqual(refused, { kind: 'refused', reason: 'bound' })
      const asked = await handOutToken(context, { connector: 'bound', user_id, connection_id })
      assert.ok(asked.kind === 'bridge_refused' && asked.error === 'token_not_handed_out')
      assert.match(asked.error_description, /bound to a key that stays here/)
    })

    test('RFC 9449 5 it is renewed by proofs of the same key', async () => {
      const before = await readTokens()
      clock.offset += LIFE_SECONDS * 20_000
      assert.equal((await call()).status, 200)
      const after = await readTokens()
      assert.notEqual(after.access_token, before.access_token)
      assert.deepEqual([after.token_type, after.proof_key], ['DPoP', before.proof_key])
    })

    test('a new consent brings a new key, and no row shows either', async () => {
      const { proof_key } = await readTokens()
      assert.equal(await connect(), `${ours.issuer}/account`)
      const again = await readTokens()
      assert.notEqual(again.proof_key, proof_key)
      assert.equal((await call()).status, 200)
    })
  })
}
