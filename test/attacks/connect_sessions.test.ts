import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { endUnconfirmed } from '../../server/src/outbound/connect_sessions/connect_sessions.ts'
import { verified } from '../../server/src/providers/fact.ts'
import type { Provider } from '../../server/src/providers/provider.ts'
import { oidc } from '../../server/src/providers/records/oidc.ts'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import {
  type ConnectPlatform,
  consentOverThere,
  EmbeddingPage,
  ORIGIN,
  startConnectPlatform,
} from '../parts/connect_platform.ts'
import { type ForeignProvider, startForeignProvider } from '../parts/foreign_provider.ts'
import { DIALECTS } from '../parts/stores.ts'
import { UserAgent } from '../parts/user_agent.ts'

const EVIL = 'http://evil.localhost:4666'
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

/** A provider whose accounts are those of organizations: all who are in one have the same. */
const TEAM: Provider = {
  ...oidc,
  provider: 'team',
  fields: {
    ...oidc.fields,
    account: verified({ from: 'id_token', id: ['name'], name: ['name'], of: 'organization' }, 'this test'),
  },
}

for (const dialect of DIALECTS) {
  describe(`attacks on connect sessions, on ${dialect}`, () => {
    let bridge: Bridge
    let platform: ConnectPlatform
    let rival: ConnectPlatform
    let evil: ForeignProvider
    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub', app: { providers: [TEAM] } })
      platform = await startConnectPlatform(bridge)
      rival = await startConnectPlatform(
        bridge,
        'rival',
        'connect:sessions connect:token vault:token vault:proxy admin:write',
      )
      // Who runs it has its own registration at the honest one, and sees every code and state that comes to it.
      const registration = { client_id: 'sallyport', client_secret: 'secret-at-evil' }
      const redirect_uris = ['evil', 'acme'].map((name) => `${bridge.issuer}/connect/${name}/callback`)
      const client = { ...registration, redirect_uris, grant_types: ['authorization_code', 'refresh_token', DEVICE] }
      evil = await startForeignProvider({ clients: [client], features: { deviceFlow: { enabled: true } } })
      const scope = 'openid email offline_access'
      const input = { connector: 'evil', provider: 'oidc', issuer: evil.issuer, scope, ...registration }
      await saveConnector(bridge.server.app.web.outbound, 'test', input)
    })
    after(async () => {
      await evil.close()
      await bridge.stop()
    })

    const stored = async () => (await rival.call('GET', '/connections')).body.items.length + (await mine()).length
    const mine = async () => (await platform.call('GET', '/connections?limit=200')).body.items
    const live = async () => (await mine()).filter(({ state }: { state: string }) => state === 'ready').length
    const callback = (connector: string, params: URLSearchParams | Record<string, string>) =>
      `${bridge.issuer}/connect/${connector}/callback?${new URLSearchParams(params as Record<string, string>)}`

    test('O-04 COSF a victim that is led to the provider by an attacker connects nothing for the attacker', async () => {
      const attacker = new EmbeddingPage(bridge)
      const { session_token } = await platform.make({ end_user_id: 'attacker' })
      const before = await stored()
      const left = await attacker.open(session_token)
      // The victim follows the link of the attacker's flow, allows it over there, and is sent back here.
      const back = await consentOverThere(bridge, left.url, 'victim-at-acme')
      const victim = new UserAgent()
      const { response } = await victim.follow(back.href)
      assert.equal(response.status, 400)
      assert.match(await response.text(), /started somewhere else/)
      assert.equal(await stored(), before)
      assert.equal((await attacker.ask(session_token)).body.status, 'opened')
    })

    test("O-04 COSF a victim that is led into the attacker's session by another site opens nothing", async () => {
      const { session_token } = await platform.make({ end_user_id: 'attacker' })
      for (const origin of [EVIL, 'null', `${ORIGIN}.evil.example`, 'http://platform.localhost', bridge.issuer]) {
        const led = await new EmbeddingPage(bridge, new UserAgent(), origin).open(session_token)
        assert.equal(led.response.status, 403, origin)
        assert.deepEqual(led.response.headers.getSetCookie(), [], 'nor is the browser unsettled by it')
      }
      const { response } = await new UserAgent().follow(`${bridge.issuer}/connect/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `session_token=${session_token}`,
      })
      assert.equal(response.status, 403)
      // Neither by a link: an invitation is another kind of session.
      const link = await new UserAgent().follow(`${bridge.issuer}/connect/invitation?token=${session_token}`)
      assert.equal(link.response.status, 400)
      // Nor is an invitation opened by a page, be it one of the platform: the person presses a button of ours.
      const asked = { end_user_id: 'attacker', connectors: ['acme'], origins: [ORIGIN], invitation: true }
      const invited = await platform.call('POST', '/connect_sessions', asked)
      const token = new URL(invited.body.invitation_url).searchParams.get('token')!
      assert.equal((await new EmbeddingPage(bridge).open(token)).response.status, 403)
      assert.equal((await new UserAgent().follow(invited.body.invitation_url)).response.status, 200)
      const opened = await new EmbeddingPage(bridge).open(session_token)
      assert.equal(new URL(opened.url).origin, new URL(bridge.foreign.issuer).origin)
    })

    test('whoever only guesses fills no log', async () => {
      const { tenant_id, store } = bridge.server.app.tenant
      const count = async () =>
        (await store.pageEvents({ tenant_id, before_event_id: '~', type: '', actor: '', most: 1000 })).length
      const before = await count()
      const guess = 'x'.repeat(43)
      const guesses = [`/acme/callback?state=sp_cf_${guess}&code=x`, `/acme/key?state=sp_cf_${guess}`]
      for (const path of [...guesses, `/acme/finish?flow=sp_bc_${guess}`, `/invitation?token=sp_cs_${guess}`]) {
        await new UserAgent().follow(`${bridge.issuer}/connect${path}`)
      }
      assert.equal((await new EmbeddingPage(bridge).open(`sp_cs_${guess}`)).response.status, 400)
      assert.equal(await count(), before)
    })

    test('O-04 COSF who opened a session and who finishes it are one browser, whatever else the victim clicks', async () => {
      const attacker = new EmbeddingPage(bridge)
      const { session_id, session_token } = await platform.make({ end_user_id: 'attacker' })
      await attacker.open(session_token)
      for (const path of ['', '/start']) {
        const url = `${bridge.issuer}/connect/session${path}?session_id=${session_id}&connector=acme`
        const { url: at, response } = await new UserAgent().follow(url)
        assert.equal(new URL(at).origin, new URL(bridge.issuer).origin)
        assert.equal(response.status, 400)
        const guessing = new UserAgent()
        for (const name of attacker.browser.cookies.keys()) guessing.cookies.set(name, 'x'.repeat(43))
        assert.equal((await guessing.follow(url)).response.status, 400, 'by a cookie of the right name alone')
        assert.match(await response.text(), /has been used or is too old/)
      }
    })

    test('O-04 what a victim finished all the same is not live, not for the taking, and revoked after ten minutes', async () => {
      // The worst case: the attacker holds the token of the session, the victim the browser in which it was opened.
      const { session_id, session_token } = await platform.make({ end_user_id: 'attacker' })
      const victim = new EmbeddingPage(bridge)
      await victim.connect(session_token, 'victim-at-acme')
      const { body } = await victim.ask(session_token)
      assert.equal(body.status, 'unconfirmed')
      const attacker = new EmbeddingPage(bridge)
      assert.equal((await attacker.ask(session_token)).status, 404)
      assert.equal((await attacker.ask(session_token, '')).status, 404)
      const confirm = (code: object) => platform.call('POST', `/connect_sessions/${session_id}/confirm`, code)
      for (const guess of [
        {},
        { confirmation_code: session_token },
        { confirmation_code: '' },
        { account: 'victim-at-acme' },
      ]) {
        assert.equal((await confirm(guess)).status, 400, JSON.stringify(guess))
      }
      for (const path of ['token', 'refresh']) {
        const method = path === 'token' ? 'GET' : 'POST'
        assert.equal((await platform.call(method, `/connections/${body.connection_id}/${path}`)).status, 403)
      }
      bridge.clock.offset += 601_000
      assert.equal((await confirm({ confirmation_code: body.confirmation_code })).status, 409)
      assert.equal(await endUnconfirmed(bridge.server.app.web.outbound), 1)
      assert.equal(await live(), 0)
    })

    test("O-04 COSF a person of the same organization is no known account: what they brought waits, and is not the attacker's", async () => {
      const scope = 'openid profile offline_access'
      const registration = { client_id: 'sallyport', client_secret: 'secret-at-acme' }
      const team = { connector: 'other', provider: 'team', issuer: bridge.foreign.issuer, scope, ...registration }
      await saveConnector(bridge.server.app.web.outbound, 'test', team)
      bridge.foreign.claims = { name: 'Acme Inc' }
      const bring = async (as: string) => {
        const page = new EmbeddingPage(bridge)
        const { session_id, session_token } = await platform.make({ end_user_id: 'insider', connectors: ['other'] })
        await page.connect(session_token, as)
        return { session_id, ...(await page.ask(session_token)).body }
      }
      const token = async (id: string) => (await platform.call('GET', `/connections/${id}/token`)).status
      const confirm = ({ session_id, confirmation_code }: Record<string, string>) =>
        platform.call('POST', `/connect_sessions/${session_id}/confirm`, { confirmation_code })
      const own = await bring('attacker-at-acme')
      const foul = await bring('victim-at-acme')
      assert.equal(foul.connection_id, own.connection_id)
      assert.equal((await confirm(own)).status, 409, "it would be the victim's")
      assert.equal(await token(foul.connection_id), 403)
      const later = await bring('victim-at-acme')
      // The code of one session is none for what came by another.
      assert.equal((await confirm(foul)).status, 409)
      assert.equal((await platform.status(foul.session_id)).body.status, 'ended')
      assert.equal((await platform.status(foul.session_id)).body.account, null)
      assert.equal((await platform.call('POST', `/connect_sessions/${foul.session_id}/end`)).body.status, 'ended')
      assert.equal((await platform.status(later.session_id)).body.status, 'unconfirmed', 'nor does its end end that')
      assert.equal(await token(later.connection_id), 403)
      assert.equal((await confirm(later)).status, 200)
      assert.equal(await token(later.connection_id), 200)
      // What works is not made to wait, so that what nobody confirms takes nothing along.
      for (const connection_id of [undefined, later.connection_id]) {
        const page = new EmbeddingPage(bridge)
        const ask = { end_user_id: 'insider', connectors: ['other'], connection_id }
        const { session_id, session_token } = await platform.make(ask)
        const { response } = await page.connect(session_token, 'victim-at-acme')
        assert.match(await response.text(), /connected already[\s\S]*left as it is/)
        const { body } = await page.ask(session_token)
        assert.deepEqual([body.status, body.reason], ['failed', 'already_connected'])
        assert.equal((await platform.call('POST', `/connect_sessions/${session_id}/end`)).body.status, 'ended')
      }
      bridge.clock.offset += 601_000
      await endUnconfirmed(bridge.server.app.web.outbound)
      assert.equal(await token(later.connection_id), 200)
      const me = `/proxy/connections/${later.connection_id}/me`
      assert.equal((await bridge.get(me, await platform.token())).status, 200, 'over there too')
      bridge.foreign.claims = {}
    })

    test('O-04 COSF consent by a code that anybody may type needs an account to hold it to', async () => {
      const { outbound } = bridge.server.app.web
      const registration = { client_id: 'sallyport', client_secret: 'secret-at-evil', scope: 'openid' }
      const tv = { connector: 'tv', provider: 'oidc', issuer: evil.issuer, ...registration }
      await saveConnector(outbound, 'test', { ...tv, grant_type: DEVICE })
      await saveConnector(outbound, 'test', { ...tv, connector: 'team_tv', provider: 'team', grant_type: DEVICE })
      const asks = [
        [{ connectors: ['tv'] }, 400],
        [{ connectors: ['tv'], invitation: true, origins: [] }, 400],
        [{ connectors: ['acme', 'tv'] }, 400],
        [{ connectors: ['tv'], expected_account: 'victim@foreign.example' }, 201],
        // An organization's account is no person's.
        [{ connectors: ['team_tv'], expected_account: 'Acme Inc' }, 400],
        [{ connectors: ['tv'], end_user_id: undefined, user_id: bridge.users.alice }, 201],
      ] as const
      for (const [ask, status] of asks) {
        const body = { end_user_id: 'attacker', origins: [ORIGIN], ...ask }
        assert.equal((await platform.call('POST', '/connect_sessions', body)).status, status, JSON.stringify(ask))
      }
      const known = { end_user_id: 'attacker', connectors: ['tv'], expected_account: 'victim' }
      const shown = await new EmbeddingPage(bridge).open((await platform.make(known)).session_token)
      assert.match(shown.url, /\/hub\/connect\/tv\/device\?/)
      // Nor by a connector that has become one since.
      await saveConnector(outbound, 'test', { ...tv, connector: 'turned', redirect_uris: undefined })
      const { session_id, session_token } = await platform.make({ connectors: ['turned'] })
      await saveConnector(outbound, 'test', { ...tv, connector: 'turned', grant_type: DEVICE })
      const page = new EmbeddingPage(bridge)
      const { url } = await page.open(session_token)
      assert.match(url, /\/hub\/connect\/session\?session_id=/)
      const { body } = await platform.status(session_id)
      assert.deepEqual([body.status, body.reason], ['failed', 'connector_fault'])
    })

    test('T-07 whoever holds a token, a state or an open session fills no log, however often they come', async () => {
      const { tenant_id, store } = bridge.server.app.tenant
      const count = async (type: string) =>
        (await store.pageEvents({ tenant_id, before_event_id: '~', type, actor: '', most: 1000 })).length
      const types = ['connect_session.refused', 'connect.refused', 'connect.started', 'connect_session.failed']
      const countAll = () => Promise.all(types.map(count))
      const closed = await platform.make({ end_user_id: 'stranger' })
      const open = await platform.make({ end_user_id: 'stranger' })
      const page = new EmbeddingPage(bridge)
      const left = await page.open(open.session_token)
      const state = new URL(left.url).searchParams.get('state')!
      const before = await countAll()
      const led = new EmbeddingPage(bridge, new UserAgent(), EVIL)
      const stranger = new UserAgent()
      const start = `${bridge.issuer}/connect/session/start?session_id=${open.session_id}&connector=acme`
      const sent: number[] = []
      for (let i = 0; i < 25; i++) {
        assert.equal((await led.open(closed.session_token)).response.status, 403)
        const refused = await stranger.follow(callback('acme', { state, code: 'x', iss: bridge.foreign.issuer }))
        assert.equal(refused.response.status, 400)
        sent.push((await page.browser.request(start)).status)
      }
      const added = (await countAll()).map((now, i) => now - before[i]!)
      assert.deepEqual([sent.slice(0, 19).every((status) => status === 303), sent.at(-1)], [true, 429])
      assert.deepEqual(added, [5, 5, 19, 0])
      assert.equal((await platform.status(open.session_id)).body.status, 'opened', 'and it stays what it was')
    })

    // Each exchange has flows of its own, in one browser that began both: the best that an attacker can hope for.
    const exchanges = dialect === 'sqlite' ? Array.from({ length: 14 }, (_, i) => i + 1) : [1, 6, 8, 14]
    test('O-03 COAT CORF two connectors, one evil: no exchange of states, codes, issuers and callbacks connects', async () => {
      const before = await stored()
      for (const bits of exchanges) {
        const page = new EmbeddingPage(bridge)
        const honest = (await page.consent((await platform.make()).session_token)).searchParams
        const left = await page.open((await platform.make({ connectors: ['evil'] })).session_token)
        evil.auto_login = 'alice-at-evil'
        const foul = new URL((await new UserAgent().follow(left.url)).url).searchParams
        // Each bit takes one part from the evil side; none and all are what was meant to be.
        const pick = (bit: number, name: string) => (bits & bit ? foul : honest).get(name)!
        const params = { state: pick(1, 'state'), code: pick(2, 'code'), iss: pick(4, 'iss') }
        const { response } = await page.browser.follow(callback(bits & 8 ? 'evil' : 'acme', params))
        assert.equal(response.status, 400, `${bits}`)
      }
      assert.equal(await stored(), before)
    })

    test('O-03 COAT a code of the honest provider never reaches the evil one, in the browser of its own person', async () => {
      const before = await stored()
      const page = new EmbeddingPage(bridge)
      const honest = await page.consent((await platform.make()).session_token)
      const left = await page.open((await platform.make({ connectors: ['evil'] })).session_token)
      const calls = evil.ledger.length
      const state = new URL(left.url).searchParams.get('state')!
      const mixed = { code: honest.searchParams.get('code')!, state, iss: bridge.foreign.issuer }
      for (const connector of ['acme', 'evil']) await page.browser.follow(callback(connector, mixed))
      assert.equal(evil.ledger.length, calls)
      assert.equal(await stored(), before)
    })

    test('O-03 a session leads to its own connectors and to no other', async () => {
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token } = await platform.make()
      await page.open(session_token)
      const start = `${bridge.issuer}/connect/session/start?session_id=${session_id}&connector=evil`
      assert.equal((await page.browser.follow(start)).response.status, 404)
    })

    test('a session token opens once, of 32 that come at once, and says nothing to other pages', async () => {
      const { session_token } = await platform.make()
      const pages = Array.from({ length: 32 }, () => new EmbeddingPage(bridge))
      const opened = await Promise.all(pages.map((page) => page.open(session_token)))
      const there = opened.filter(({ url }) => new URL(url).origin === new URL(bridge.foreign.issuer).origin)
      assert.equal(there.length, 1)
      const asked = await pages[0]!.ask(session_token, pages[0]!.verifier, EVIL)
      assert.deepEqual([asked.status, asked.headers.get('access-control-allow-origin')], [404, null])
    })

    test('O-06 CVE-2026-70474 what one platform has made is nothing to another, whatever scopes it holds', async () => {
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token } = await platform.make({ end_user_id: 'u-1' })
      await page.connect(session_token, 'alice-at-acme')
      const { confirmation_code, connection_id } = (await page.ask(session_token)).body
      assert.equal((await rival.call('GET', `/connect_sessions/${session_id}`)).status, 404)
      const path = `/connect_sessions/${session_id}`
      assert.equal((await rival.call('POST', `${path}/confirm`, { confirmation_code })).status, 404)
      assert.equal((await rival.call('POST', `${path}/end`)).status, 404)
      assert.equal((await platform.call('POST', `${path}/confirm`, { confirmation_code })).status, 200)
      assert.equal((await rival.call('GET', `/connections/${connection_id}/token`)).status, 404)
      assert.equal((await rival.call('POST', `/connections/${connection_id}/refresh`)).status, 404)
      assert.deepEqual((await rival.call('GET', '/connections?end_user_id=u-1')).body.items, [])
      const more = { end_user_id: 'u-1', connectors: ['acme'], origins: [ORIGIN], connection_id }
      assert.equal((await rival.call('POST', '/connect_sessions', more)).status, 404)
      // By the id of its own user it finds nothing of another's.
      assert.equal((await platform.call('GET', `/connections/${connection_id}/token`)).status, 200)
    })

    test('O-07 the right to make sessions brings no tokens, and the right to tokens none of our users', async () => {
      const maker = await startConnectPlatform(bridge, 'maker', 'connect:sessions')
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token } = await maker.make()
      await page.connect(session_token, 'mia-at-acme')
      const { confirmation_code, connection_id } = (await page.ask(session_token)).body
      await maker.call('POST', `/connect_sessions/${session_id}/confirm`, { confirmation_code })
      assert.equal((await maker.call('GET', `/connections/${connection_id}/token`)).status, 403)
      const proxied = async ({ token }: ConnectPlatform, id: string) =>
        (await bridge.get(`/proxy/connections/${id}/me`, await token())).status
      assert.equal(await proxied(maker, connection_id), 403)
      const taker = await startConnectPlatform(bridge, 'taker', 'connect:token')
      const alice = await bridge.signIn()
      await bridge.connect(alice)
      const [ours] = await bridge.connections()
      assert.equal((await taker.call('GET', `/connections/${ours!.connection_id}/token`)).status, 404)
      // Nor through the proxy, which the same right opens for the connections of one's own.
      assert.deepEqual([await proxied(taker, ours!.connection_id), await proxied(taker, connection_id)], [404, 404])
      const [own] = (await mine()).filter(({ state }: { state: string }) => state === 'ready')
      assert.deepEqual(
        [await proxied(platform, own.connection_id), await proxied(rival, own.connection_id)],
        [200, 404],
      )
    })

    test('what a session is asked to be is checked before anything is made', async () => {
      const machine = {
        connector: 'machine',
        provider: 'oidc',
        issuer: evil.issuer,
        grant_type: 'client_credentials' as const,
      }
      const registration = { client_id: 'sallyport', client_secret: 'secret', scope: 'api' }
      await saveConnector(bridge.server.app.web.outbound, 'test', { ...machine, ...registration })
      const bad = [
        { end_user_id: undefined },
        { user_id: bridge.users.alice },
        { end_user_id: 'has space' },
        { end_user_id: undefined, user_id: 'nobody' },
        { end_user_id: undefined, user_id: bridge.users.alice, invitation: true },
        { connectors: [] },
        { connectors: ['unknown'] },
        { connectors: ['acme', 'acme'] },
        // Whoever connects this acts as the server itself.
        { connectors: ['machine'] },
        { origins: [] },
        { origins: ['*'] },
        { origins: ['http://platform.localhost:4100/'] },
        { origins: ['javascript:alert(1)'] },
        { return_uri: `${EVIL}/back` },
        { return_uri: `${ORIGIN}/back#code` },
        { return_uri: 'http://user@platform.localhost:4100/back' },
        { expires_in: 3601 },
        { connection_id: 'x', connectors: ['acme', 'evil'] },
        { scope: 'x', secret: 'y' },
      ]
      for (const ask of bad) {
        const body = { end_user_id: 'u-1', connectors: ['acme'], origins: [ORIGIN], ...ask }
        const { status, text } = await platform.call('POST', '/connect_sessions', body)
        assert.equal(status, 400, `${JSON.stringify(ask)}: ${text}`)
      }
    })
  })
}
