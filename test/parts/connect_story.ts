import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { get } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import type { ConnectorInput } from '../../server/src/outbound/administration/connector_input.ts'
import { findConnector, saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { openConnector, relyingParty } from '../../server/src/outbound/connectors/connector.ts'
import type { Provider } from '../../server/src/providers/provider.ts'
import { refreshToken } from '../../server/src/relying/token_call.ts'
import { ALICE, PLATFORM, type Reply } from './bridge.ts'
import { refuseOuterAddresses } from './only_loopback.ts'
import { basic, readReply } from './platform.ts'
import { freePort, startSallyport, type TestServer } from './sallyport.ts'
import { UserAgent } from './user_agent.ts'
import { listEvents } from './vault.ts'

/** Somebody else's server, as the story of one connection meets it. */
export interface ForeignSide {
  /** Our registration there, and what overrides the record of the catalogue. */
  readonly connector: Omit<ConnectorInput, 'connector'>
  /** Records beside those of the catalogue. */
  readonly providers?: readonly Provider[]
  /** Whose tokens they are: what identifies the account, and what it is called. */
  readonly account: RegExp
  readonly account_name: string | null
  /** What a refresh brings: a new refresh token, none, or nothing at all, since nothing expires. */
  readonly refresh: 'rotates' | 'keeps' | 'none'
  /** What a disconnection comes to over there. */
  readonly revocation: 'revoked' | 'unsupported' | 'unknown'
  /** The call that a disconnection makes over there, where its outcome says nothing: method and path. */
  readonly told?: { readonly received: readonly string[]; readonly call: string }
  /** What a person does over there, from the authorization URL up to the redirect to us. */
  consent(there: UserAgent, authorization_url: string): Promise<string>
  /** Whether an API over there takes a token. */
  takes(access_token: string): Promise<boolean>
  /** Ends on their side what the person allowed us. */
  revoke(): Promise<void>
  close(): Promise<void>
}

const SCOPES = 'admin:read admin:write vault:token'
// A refresh that was forced is not forced again for so long.
const FORCED_AGAIN_MS = 31_000

const asked = refuseOuterAddresses()

/** Tells the story of one connection to somebody else's server, from consent to disconnection, as tests. */
export function tellConnectStory(
  title: string,
  start: (registration: { redirect_uri: string }) => Promise<ForeignSide>,
  options: { checks_secret: boolean } = { checks_secret: true },
): void {
  describe(title, () => {
    const clock = { offset: 0 }
    const inner = createEgress({ allow: ['127.0.0.1'] })
    // What was started, where not everything could be.
    const ends: (() => Promise<void>)[] = [() => inner.close()]
    const wire: Wire = { token_calls: 0, refresh_tokens: [] }
    const egress = listen(inner, wire)
    const [alice, there] = [new UserAgent(), new UserAgent()]
    let server: TestServer
    let foreign: ForeignSide
    let admin: string
    let connection_id: string

    before(async () => {
      const port = await freePort()
      foreign = await start({ redirect_uri: `http://127.0.0.1:${port}/connect/theirs/callback` })
      ends.push(foreign.close)
      const { providers = [] } = foreign
      server = await startSallyport({ port, clock: () => Date.now() + clock.offset, app: { egress, providers } })
      ends.push(server.stop)
      await save()
      await server.addUser(ALICE)
      await server.addClient({ ...PLATFORM, scope: SCOPES, grant_types: ['client_credentials'] })
      const form = { grant_type: 'client_credentials', scope: SCOPES, resource: `${server.issuer}/api` }
      const authorization = basic(PLATFORM.client_id, PLATFORM.client_secret)
      const init = { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) }
      admin = (await readReply(await fetch(`${server.issuer}/token`, init))).body.access_token
      const { url, response } = await alice.follow(`${server.issuer}/login`)
      await alice.submit({ url, html: await response.text() }, ALICE)
    })
    after(async () => {
      for (const end of ends.reverse()) await end()
    })

    async function save(input: Partial<ConnectorInput> = {}): Promise<void> {
      await saveConnector(server.app.web.outbound, 'test', { connector: 'theirs', ...foreign.connector, ...input })
    }

    async function call(method: string, path = ''): Promise<Reply> {
      const headers = { authorization: `Bearer ${admin}` }
      return readReply(await fetch(`${server.issuer}/api/connections${path}`, { method, headers }))
    }

    /** Where a consent leads, and what is read there. */
    async function consent(url = `${server.issuer}/connect/theirs`): Promise<{ url: string; html: string }> {
      const left = await alice.follow(url)
      assert.notEqual(new URL(left.url).origin, server.issuer, await left.response.text())
      const back = await foreign.consent(there, left.url)
      assert.ok(back.startsWith(`${server.issuer}/connect/theirs/callback?`), back)
      const done = await alice.follow(back)
      return { url: done.url, html: await done.response.text() }
    }

    async function connect(from?: string): Promise<void> {
      const { url, html } = await consent(from)
      assert.equal(url, `${server.issuer}/account`, html)
    }

    async function readConnection() {
      const { items: connections } = (await call('GET')).body
      assert.equal(connections.length, 1)
      return connections[0]
    }

    async function readToken(): Promise<string> {
      const { status, body, text } = await call('GET', `/${connection_id}/token`)
      assert.equal(status, 200, text)
      return body.access_token
    }

    async function fingerprint(): Promise<string | undefined> {
      const { tenant_id, store } = server.app.tenant
      const found = await store.loadConnection({ tenant_id, connection_id })
      return found?.connection.refresh_fingerprint?.toString()
    }

    /** Whether a refresh token is good over there still. */
    async function renews(refresh_token: string): Promise<boolean> {
      const { outbound, tenant } = server.app.web
      const record = await tenant.store.findConnector({ tenant_id: tenant.tenant_id, connector: 'theirs' })
      const party = relyingParty(outbound, openConnector(outbound, record!))
      const outcome = await refreshToken(outbound.relying, party, { refresh_token })
      if (outcome.kind === 'tokens') return true
      assert.equal(outcome.kind === 'refused' && outcome.error, 'invalid_grant', JSON.stringify(outcome))
      return false
    }

    function forceRefresh(): Promise<Reply> {
      clock.offset += FORCED_AGAIN_MS
      return call('POST', `/${connection_id}/refresh`)
    }

    test('a person connects the account', async () => {
      await connect()
      const made = await readConnection()
      connection_id = made.connection_id
      assert.equal(made.state, 'ready')
      assert.match(made.account, foreign.account)
      assert.equal(made.account_name, foreign.account_name)
    })

    test('its token is taken over there', async () => {
      const access_token = await readToken()
      assert.ok(await foreign.takes(access_token))
      assert.equal(await foreign.takes(`${access_token}x`), false)
    })

    test('it is renewed, again and again', async () => {
      const tokens = new Set([await readToken()])
      const fingerprints = new Set([await fingerprint()])
      for (let i = 0; i < 2; i++) {
        const { status, body, text } = await forceRefresh()
        assert.equal(status, 200, text)
        assert.ok(await foreign.takes(body.access_token))
        tokens.add(body.access_token)
        fingerprints.add(await fingerprint())
      }
      assert.equal(tokens.size, foreign.refresh === 'none' ? 1 : 3)
      assert.equal(fingerprints.size, foreign.refresh === 'rotates' ? 3 : 1)
      assert.equal(fingerprints.has(undefined), foreign.refresh === 'none')
    })

    test('whoever asks in one moment gets one token, by one call', async () => {
      const before = wire.token_calls
      clock.offset += FORCED_AGAIN_MS
      const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', `/${connection_id}/refresh`)))
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
      assert.equal(new Set(answers.map(({ body }) => body.access_token)).size, 1)
      assert.equal(wire.token_calls - before, foreign.refresh === 'none' ? 0 : 1)
    })

    const testOfSecret = options.checks_secret ? test : () => {}
    testOfSecret('a wrong secret of ours is the fault of the connector, and loses nothing', async () => {
      const readError = async () => (await findConnector(server.app.web.outbound, 'theirs'))!.error
      await save({ client_secret: 'wrong' })
      if (foreign.refresh !== 'none') {
        const { status, text } = await forceRefresh()
        assert.equal(status, 503, text)
        assert.equal(await readError(), 'invalid_client')
      }
      await save()
      await save({ client_secret: 'wrong-again' })
      // Where requests are pushed nobody is even sent there.
      const left = await alice.follow(`${server.issuer}/connect/theirs`)
      if (new URL(left.url).origin !== server.issuer) {
        assert.notEqual((await consent()).url, `${server.issuer}/account`)
      } else assert.equal(left.response.status, 500)
      assert.equal(await readError(), 'invalid_client')
      assert.equal((await readConnection()).state, 'error')
      await save()
      assert.equal((await forceRefresh()).status, 200)
      assert.equal((await readConnection()).state, 'ready')
    })

    test('what is ended over there is noticed by the first attempt', async () => {
      await foreign.revoke()
      const { status, body, text } = await forceRefresh()
      assert.equal(status, 403, text)
      assert.equal(body.error, 'connection_needs_reconsent')
      const { state, reason } = await readConnection()
      assert.deepEqual({ state, reason }, { state: 'needs_reconsent', reason: 'revoked' })
    })

    test('a new consent repairs the same connection', async () => {
      await connect((await call('GET', `/${connection_id}/token`)).body.connect_url)
      const repaired = await readConnection()
      assert.deepEqual([repaired.connection_id, repaired.state], [connection_id, 'ready'])
      assert.ok(await foreign.takes(await readToken()))
      assert.equal((await forceRefresh()).status, 200)
    })

    test('whoever disconnects ends it on both sides, where there is a way', async () => {
      const access_token = await readToken()
      const held = wire.refresh_tokens.at(-1)
      assert.equal(held === undefined, foreign.refresh === 'none')
      assert.equal((await call('POST', `/${connection_id}/disconnect`)).status, 204)
      assert.equal((await call('GET', `/${connection_id}/token`)).status, 404)
      const events = await listEvents(server.app.tenant)
      const destroyed = events.filter(({ type }) => type === 'connection.destroyed')
      const outcomes = destroyed.map(({ detail }) => JSON.parse(detail).revocation)
      assert.deepEqual(outcomes, [foreign.revocation])
      if (foreign.told) assert.ok(foreign.told.received.includes(foreign.told.call))
      const survives = held === undefined ? await foreign.takes(access_token) : await renews(held)
      assert.equal(survives, foreign.revocation !== 'revoked')
    })

    test('no address but loopback was asked for, neither by us nor by the package, and none could be reached', async () => {
      assert.deepEqual(asked, [])
      await assert.rejects(fetch('https://192.0.2.1/'))
      await assert.rejects(fetch('https://vendor.example/'))
      await assert.rejects(lookup('vendor.example'), { code: 'ENETUNREACH' })
      await assert.rejects(once(get('http://vendor.example/'), 'response'), { code: 'ENETUNREACH' })
      assert.deepEqual(asked.splice(0), ['192.0.2.1', 'vendor.example', 'vendor.example', 'vendor.example'])
    })
  })
}

/** What goes over the wire to the foreign side. */
interface Wire {
  token_calls: number
  readonly refresh_tokens: string[]
}

/** A way out that notes calls of the token endpoint, and the refresh tokens that come in. */
function listen(egress: Egress, wire: Wire): Egress {
  return {
    async fetch(input, init) {
      const response = await egress.fetch(input, init)
      if (init.purpose !== 'token') return response
      wire.token_calls++
      const { refresh_token } = JSON.parse(await response.clone().text())
      if (refresh_token !== undefined) wire.refresh_tokens.push(refresh_token)
      return response
    },
    mayUseHttp: (url) => egress.mayUseHttp(url),
    close: () => egress.close(),
  }
}
