import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createBroker } from '../../server/src/broker/broker.ts'
import { NotRegistered, PrimaryDown } from '../../server/src/broker/primary.ts'
import { readSeededSigningKey } from '../../server/src/crypto/agreement_keys.ts'
import { signJwt } from '../../server/src/crypto/jwt.ts'
import { randomBytes, randomSecret } from '../../server/src/crypto/random.ts'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import { saveSettings } from '../../server/src/inbound/administration/configure.ts'
import { type Listening, listen } from '../../server/src/node_server.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { BOB, type Bridge, startBridge } from '../parts/bridge.ts'
import { EmbeddingPage, startConnectPlatform } from '../parts/connect_platform.ts'
import { type ForeignProvider, startForeignProvider } from '../parts/foreign_provider.ts'
import { loadedBy } from '../parts/loaded.ts'
import { freePort } from '../parts/sallyport.ts'
import { DIALECTS } from '../parts/stores.ts'
import { UserAgent } from '../parts/user_agent.ts'

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
const LATER = { connector: 'mail', provider: 'oidc', scope: 'openid offline_access' }

for (const dialect of DIALECTS) {
  describe(`redirect brokers, on ${dialect}`, () => {
    let bridge: Bridge
    let foreign: ForeignProvider
    let listening: Listening[]
    let first: Awaited<ReturnType<typeof startBroker>>
    let second: Awaited<ReturnType<typeof startBroker>>
    /** What the first broker posted to its primary, oldest first, and whether it gets there. */
    const posted: string[] = []
    let down: RegExp | null = null
    let person: UserAgent

    async function startBroker(host: string, mode: string) {
      const url = `http://${host}:${await freePort()}`
      const called: string[] = []
      const egress = createEgress({ allow: ['127.0.0.1'] })
      const providers: Egress = {
        ...egress,
        fetch(input, init) {
          called.push(init.purpose)
          return egress.fetch(input, init)
        },
      }
      const key = createSecretKey(randomBytes(32))
      const primary_egress: Egress = {
        ...egress,
        fetch(input, init) {
          const message = String(init.body ?? '')
          if (down && (message === '' || down.test(readClaims(message)['act'] as string))) {
            return Promise.reject(new Error('the primary is down'))
          }
          if (message !== '') posted.push(message)
          return egress.fetch(input, init)
        },
      }
      const clock = () => Date.now() + bridge.clock.offset
      const parts = { url, primary: bridge.issuer, key, egress: providers, primary_egress, clock, log: SILENT }
      const broker = createBroker(parts)
      const machines = { has: () => false, largestBody: () => 0, answer: () => Promise.reject(new Error('none')) }
      const served = { fetch: broker.fetch, machines, web: { production: false } }
      listening.push(await listen(served, { host, port: Number(new URL(url).port) }))
      return { url, broker, egress, called, entry: { ...broker.description, mode }, redirect_uri: `${url}/callback` }
    }

    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub' })
      listening = []
      first = await startBroker('127.0.0.2', 'exchange')
      second = await startBroker('127.0.0.3', 'relay')
      const { tenant, web } = bridge.server.app
      await saveSettings(tenant, { brokers: [first.entry, second.entry] }, { actor: 'test', changed: ['brokers'] })
      const redirect_uris = [first.redirect_uri, second.redirect_uri]
      const registration = { client_id: 'sallyport', client_secret: 'secret-at-mail' }
      foreign = await startForeignProvider({
        clients: [
          Object.assign({ ...registration, redirect_uris }, { grant_types: ['authorization_code', 'refresh_token'] }),
        ],
      })
      await saveConnector(web.outbound, 'test', { ...LATER, ...registration, issuer: foreign.issuer, redirect_uris })
      person = await bridge.signIn()
    })
    after(async () => {
      for (const { stop } of listening) await stop(0)
      for (const one of [first, second]) {
        one.broker.close()
        await one.egress.close()
      }
      await foreign.close()
      await bridge.stop()
    })

    /** Follows redirects up to the first URL that a pattern names, which is not visited. */
    async function walk(agent: UserAgent, from: string, until: RegExp): Promise<URL> {
      let url = from
      for (let hops = 0; hops < 20; hops++) {
        const answer = await agent.request(url)
        const location = answer.headers.get('location')
        if (location === null) throw new Error(`The walk ends with ${answer.status}: ${await answer.text()}`)
        url = new URL(location, url).href
        if (until.test(url)) return new URL(url)
      }
      throw new Error('The walk does not end')
    }

    const startOf = (agent: UserAgent) => walk(agent, `${bridge.issuer}/connect/mail`, /\/start\?flow=/)
    const callbackOf = async (agent: UserAgent) => walk(agent, (await startOf(agent)).href, /:\d+\/callback\?/)
    const finishOf = async (agent: UserAgent) =>
      walk(agent, (await callbackOf(agent)).href, /\/connect\/mail\/finish\?/)

    const ask = async (message: string) => {
      const headers = { 'content-type': 'application/jwt' }
      const answer = await fetch(`${bridge.issuer}/broker`, { method: 'POST', headers, body: message })
      const text = await answer.text()
      return { status: answer.status, text, error: answer.status === 200 ? '' : (JSON.parse(text).error as string) }
    }

    test('V1 a message that comes again is refused, whichever it is, and nothing comes of it', async () => {
      posted.length = 0
      const finish = await finishOf(person)
      const acts = posted.map((message) => readClaims(message)['act'])
      assert.deepEqual(acts, ['open', 'check', 'deliver'])
      const [open, check] = posted
      assert.deepEqual((await ask(open!)).error, 'invalid_grant')
      // While the flow waits: the name of the message itself is what counts once.
      posted.length = 0
      const waiting = await callbackOf(person)
      down = /deliver/
      const carried = await person.request((await walk(person, waiting.href, /\/finish\?state=/)).href)
      down = null
      assert.match(await carried.text(), /One more step/)
      assert.deepEqual(await ask(posted[1]!).then(({ status, error }) => [status, error]), [400, 'invalid_request'])
      assert.equal((await ask(check!)).status, 400)
      const done = await person.follow(finish.href)
      assert.equal(done.url, `${bridge.issuer}/account`)
      // The receipt is good once as well.
      const again = await person.follow(finish.href)
      assert.match(await again.response.text(), /twice or too late/)
    })

    test('V1 what is forged, old, from the future, for another server or about another broker’s flow is refused', async () => {
      const flow = (await startOf(person)).searchParams.get('flow')!
      const now = Math.floor((Date.now() + bridge.clock.offset) / 1000)
      const seed = randomBytes(32)
      const stranger = readSeededSigningKey(seed)
      const claims = {
        ...{ iss: first.url, aud: bridge.issuer, iat: now, exp: now + 60, jti: randomSecret() },
        ...{ act: 'open', flow },
      }
      const forged = await signJwt(stranger, 'broker-request+jwt', claims)
      assert.equal((await ask(forged)).status, 400, 'an unknown key')
      // From here on the key is one of a broker that the operator has registered.
      const own = { ...(second.entry as object), keys: [...keysOf(second.entry), stranger.public_jwk] }
      const { tenant } = bridge.server.app
      const change = { actor: 'test', changed: ['brokers'] }
      await saveSettings(tenant, { brokers: [first.entry, own] }, change)
      const send = async (more: object, typ = 'broker-request+jwt') =>
        (await ask(await signJwt(stranger, typ, { ...claims, iss: second.url, jti: randomSecret(), ...more }))).status
      for (const [what, more, typ] of [
        ['in the name of the other broker', { iss: first.url }],
        ['about a flow of the other broker', {}],
        ['too old', { iat: now - 120, exp: now - 60 }],
        ['from the future', { iat: now + 120, exp: now + 180 }],
        ['lives too long', { exp: now + 600 }],
        ['without times', { iat: undefined, exp: undefined }],
        ['for another server', { aud: 'https://other.example' }],
        ['without a name', { jti: undefined }],
        ['of no known act', { act: 'steal' }],
        ['about no flow', { flow: 'x' }],
        ['delivers to a flow that was not opened', { act: 'deliver', sealed: 'x', receipt_hash: 'r'.repeat(43) }],
        ['of another type', {}, 'at+jwt'],
      ] as [string, object, string?][]) {
        assert.equal(await send(more, typ), 400, what)
      }
      const parts = forged.split('.')
      const none = Buffer.from('{"alg":"none","typ":"broker-request+jwt"}').toString('base64url')
      for (const text of ['', 'x', `${none}.${parts[1]}.`, parts.slice(0, 2).join('.')]) {
        assert.equal((await ask(text)).status, 400)
      }
      // None of it has used the flow up: its own broker still opens it.
      const start = `${first.url}/start?flow=${flow}`
      assert.equal(new URL((await person.request(start)).headers.get('location')!).origin, foreign.issuer)
      await saveSettings(tenant, { brokers: [first.entry, second.entry] }, change)
    })

    test('V1 O-04 an answer is taken only in the browser that went out, and a finish only from who started', async () => {
      const stranger = await bridge.signIn(BOB)
      const callback = await callbackOf(person)
      const elsewhere = await stranger.request(callback.href)
      assert.equal(elsewhere.status, 400)
      assert.match(await elsewhere.text(), /started somewhere else/)
      const finish = await walk(person, callback.href, /\/connect\/mail\/finish\?/)
      const taken = await stranger.follow(finish.href)
      assert.match(await taken.response.text(), /started somewhere else/)
      const wrong = new URL(finish)
      wrong.searchParams.set('receipt', 'r'.repeat(43))
      const guessed = await person.follow(wrong.href)
      assert.match(await guessed.response.text(), /started somewhere else/)
      assert.deepEqual(await bridge.connections('bob'), [])
      assert.equal((await person.follow(finish.href)).url, `${bridge.issuer}/account`)
    })

    test('V1 O-04 COSF a connect session goes through a broker, and is finished by the browser that opened it', async () => {
      const platform = await startConnectPlatform(bridge)
      const page = new EmbeddingPage(bridge)
      const { session_token } = await platform.make({ connectors: ['mail'] })
      const left = await page.open(session_token)
      assert.match(left.url, /\/start\?flow=sp_bc_/)
      const finish = await walk(page.browser, left.url, /\/connect\/mail\/finish\?/)
      const victims = await new UserAgent().follow(finish.href)
      assert.match(await victims.response.text(), /started somewhere else/)
      const done = await page.browser.follow(finish.href)
      assert.match(await done.response.text(), /is connected/)
      assert.equal((await page.ask(session_token)).body.status, 'unconfirmed')
    })

    test('V1 CORF a victim that is led into the flow of an attacker connects nothing, for neither of them', async () => {
      const attacker = await bridge.signIn(BOB)
      const before = await bridge.connections()
      const start = await startOf(attacker)
      const callback = await walk(person, start.href, /:\d+\/callback\?/)
      const finish = await walk(person, callback.href, /\/connect\/mail\/finish\?/)
      const victims = await person.follow(finish.href)
      assert.match(await victims.response.text(), /started somewhere else/)
      // Nor does a name of the flow, or the provider's answer, end it at the callback of the server itself.
      for (const state of [start.searchParams.get('flow')!, callback.searchParams.get('state')!]) {
        const past = new URL(`${bridge.issuer}/connect/mail/callback?${callback.searchParams}`)
        past.searchParams.set('state', state)
        const { response } = await attacker.follow(past.href)
        assert.match(await response.text(), /twice or too late/)
      }
      const without = new URL(finish)
      without.searchParams.set('receipt', '')
      const attackers = await attacker.follow(without.href)
      assert.match(await attackers.response.text(), /started somewhere else/)
      assert.deepEqual([await bridge.connections(), await bridge.connections('bob')], [before, []])
    })

    test('V1 in mode relay a broker asks nobody but its primary; in mode exchange it redeems what it received', async () => {
      for (const [broker, expected] of [
        [first, ['token']],
        [second, []],
      ] as const) {
        broker.called.length = 0
        const redeemed = foreign.ledger.length
        const chosen = new URLSearchParams({ redirect_uri: broker.redirect_uri })
        const finish = await walk(person, `${bridge.issuer}/connect/mail?${chosen}`, /\/connect\/mail\/finish\?/)
        assert.equal((await person.follow(finish.href)).url, `${bridge.issuer}/account`)
        // What it has read of the provider's metadata before it need not read again.
        const called = broker.called.filter((purpose) => expected.length === 0 || purpose !== 'discovery')
        assert.deepEqual(called, expected)
        assert.equal(foreign.ledger.length, redeemed + 1)
      }
    })

    test('V1 a flow is opened once, a state counts once, and what is doubled or unknown is nothing', async () => {
      const start = await startOf(person)
      const callback = await walk(person, start.href, /:\d+\/callback\?/)
      assert.match(await (await person.request(start.href)).text(), /twice or too late/)
      const altered = new URL(callback)
      await person.request(callback.href)
      altered.searchParams.set('code', 'another')
      assert.equal((await person.request(altered.href)).status, 400, 'another answer to the same question')
      for (const query of ['', '?state=', '?state=x', `?state=x&state=y`, '?flow=sp_br_x']) {
        for (const path of ['/start', '/callback', '/finish']) {
          assert.equal((await person.request(first.url + path + query)).status, 400, path + query)
        }
      }
      for (const method of ['POST', 'HEAD', 'PUT']) {
        assert.equal((await fetch(start, { method, redirect: 'manual' })).status, 405)
      }
    })

    test('V2 a repair goes by the redirect URI that the connection went by, as long as that is registered', async () => {
      const agent = await bridge.signIn()
      const chosen = `/connect/mail?${new URLSearchParams({ redirect_uri: second.redirect_uri })}`
      foreign.auto_login = 'alice-by-the-second'
      const finish = await walk(agent, bridge.issuer + chosen, /\/connect\/mail\/finish\?/)
      assert.equal((await agent.follow(finish.href)).url, `${bridge.issuer}/account`)
      const made = (await bridge.connections()).find(({ account }) => account?.includes('alice-by-the-second'))!
      const repair = `${bridge.issuer}/connect/mail?connection_id=${made.connection_id}`
      assert.equal((await walk(agent, repair, /\/start\?flow=/)).origin, second.url)
      const other = `${repair}&${new URLSearchParams({ redirect_uri: first.redirect_uri })}`
      assert.equal((await walk(agent, other, /\/start\?flow=/)).origin, first.url, 'unless told otherwise')
      assert.equal((await startOf(agent)).origin, first.url)
      foreign.auto_login = 'alice'
    })

    test('Form Post Response Mode: an answer that is posted goes on as one that was not, and with nothing beside it', async () => {
      const agent = await bridge.signIn()
      const back = await callbackOf(agent)
      const url = back.origin + back.pathname
      const post = (body: string | URLSearchParams, type = 'application/x-www-form-urlencoded') =>
        // As from another site: without cookies.
        fetch(url, { method: 'POST', redirect: 'manual', headers: { 'content-type': type }, body })
      const form = new URLSearchParams([...back.searchParams, ['id_token', 'a.b.c'], ['user', '{"name":"Alice"}']])
      const posted = await post(form)
      assert.equal(posted.status, 303)
      const led = new URL(posted.headers.get('location')!, url)
      assert.deepEqual([led.origin, led.pathname], [back.origin, back.pathname])
      assert.deepEqual([...led.searchParams].sort(), [...back.searchParams].sort())
      assert.equal((await fetch(led, { redirect: 'manual' })).status, 400, 'another browser brings nothing')
      const finish = await walk(agent, led.href, /\/connect\/mail\/finish\?/)
      assert.equal((await agent.follow(finish.href)).url, `${bridge.issuer}/account`)
      for (const [body, type] of [
        ['{}', 'application/json'],
        [`state=x&code=${'c'.repeat(20_000)}`, 'application/x-www-form-urlencoded'],
        ['', 'application/x-www-form-urlencoded'],
      ] as const) {
        const refused = await post(body, type)
        const to = refused.headers.get('location')
        assert.ok(refused.status === 400 || (await fetch(new URL(to!, url), { redirect: 'manual' })).status === 400)
      }
      const start = await fetch(`${back.origin}/start`, { method: 'POST' })
      assert.deepEqual([start.status, start.headers.get('allow')], [405, 'GET'])
    })

    test('T-07 who starts flow after flow is held up, asks the primary no more, and holds up nobody else', async () => {
      const { broker, url } = first
      const made_up = () => new Request(`${url}/start?flow=sp_br_${randomSecret()}`)
      const from = async (address: string | undefined) => (await broker.fetch(made_up(), { address })).status
      const seen = []
      for (let i = 0; i < 62; i++) seen.push(await from('192.0.2.1'))
      assert.deepEqual([seen.filter((status) => status === 400).length, seen.at(-1)], [60, 429])
      const asked = posted.length
      const held = await broker.fetch(made_up(), { address: '192.0.2.1' })
      assert.ok(Number(held.headers.get('retry-after')) > 0)
      assert.match(await held.text(), /Too many started at once/)
      assert.equal(posted.length, asked)
      assert.deepEqual([await from('192.0.2.2'), await from(undefined)], [400, 400])
      bridge.clock.offset += 61_000
      assert.equal(await from('192.0.2.1'), 400)
      const at_once = await Promise.all(Array.from({ length: 40 }, (_, i) => from(`198.51.100.${i}`)))
      assert.equal(at_once.filter((status) => status === 429).length, 8)
    })

    test('V1 a broker learns at its start whether its primary knows it', async () => {
      await first.broker.greet()
      const stranger = await startBroker('127.0.0.4', 'exchange')
      try {
        await assert.rejects(stranger.broker.greet(), NotRegistered)
        down = /hello/
        await assert.rejects(
          first.broker.greet(),
          (error) => error instanceof PrimaryDown && !(error instanceof NotRegistered),
        )
      } finally {
        down = null
        stranger.broker.close()
        await stranger.egress.close()
      }
    })

    test('V1 nothing stays in the memory of a broker after the end, nor when ten minutes are over', async () => {
      const held = first.broker.flows
      await finishOf(person)
      assert.equal(first.broker.flows, held)
      const callback = await callbackOf(person)
      bridge.clock.offset += 601_000
      const late = await person.request(callback.href)
      assert.match(await late.text(), /twice or too late/)
      bridge.clock.offset -= 601_000
      first.broker.close()
      assert.equal(first.broker.flows, 0)
    })

    test('V1 a broker opens no database: nothing of the store is among what it loads', async () => {
      const loaded = await loadedBy('server/src/broker/broker.ts')
      assert.ok(loaded.length > 20)
      assert.deepEqual(
        loaded.filter((file) => /server\/src\/(store|inbound|outbound|mail)\//.test(file)),
        [],
      )
    })
  })
}

function readClaims(message: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(message.split('.')[1]!, 'base64url').toString())
}

function keysOf(entry: object): readonly object[] {
  return (entry as { keys: readonly object[] }).keys
}
