import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { endUnconfirmed } from '../../server/src/outbound/connect_sessions/connect_sessions.ts'
import { BOB, type Bridge, startBridge } from '../parts/bridge.ts'
import {
  type ConnectPlatform,
  consentOverThere,
  EmbeddingPage,
  ORIGIN,
  startConnectPlatform,
} from '../parts/connect_platform.ts'
import { DIALECTS } from '../parts/stores.ts'
import { listEvents } from '../parts/vault.ts'

/** The cookies by which a browser is known in connect sessions. */
const sessionsOf = ({ browser }: EmbeddingPage) =>
  [...browser.cookies.keys()].filter((name) => /connect.*_[\da-f]{12}$/.test(name))

for (const dialect of DIALECTS) {
  describe(`connect sessions, on ${dialect}`, () => {
    let bridge: Bridge
    let platform: ConnectPlatform
    let connection_id: string
    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub' })
      platform = await startConnectPlatform(bridge)
    })
    after(() => bridge.stop())

    const tokenOf = (id = connection_id, by = platform) => by.call('GET', `/connections/${id}/token`)
    const confirm = (session_id: string, body: object) =>
      platform.call('POST', `/connect_sessions/${session_id}/confirm`, body)

    test("a platform's user connects in a popup, and the connection is live once the platform has confirmed", async () => {
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token, script } = await platform.make()
      assert.match(script.src, /\/hub\/assets\/connect-[0-9a-f]{12}\.js$/)
      assert.deepEqual((await page.ask(session_token)).body, { session_id, status: 'created' })
      const done = await page.connect(session_token)
      assert.equal(done.response.status, 200)
      assert.equal(done.response.headers.get('cross-origin-opener-policy'), 'unsafe-none')
      assert.match(await done.response.text(), new RegExp(`data-origin="${ORIGIN}"`))
      const { body } = await page.ask(session_token)
      assert.equal(body.status, 'unconfirmed')
      connection_id = body.connection_id
      assert.equal((await tokenOf()).body.error, 'connection_pending')
      const shown = (await platform.status(session_id)).body
      assert.deepEqual([shown.status, shown.account_name], ['unconfirmed', 'alice-at-acme@foreign.example'])
      assert.equal(JSON.stringify(shown).includes(body.confirmation_code), false)
      const confirmed = await confirm(session_id, { confirmation_code: body.confirmation_code })
      assert.equal(confirmed.body.status, 'connected', confirmed.text)
      assert.deepEqual((await page.ask(session_token)).body, { session_id, status: 'connected', connection_id })
      assert.equal((await tokenOf()).status, 200)
      const { items } = (await platform.call('GET', '/connections?end_user_id=u-1')).body
      assert.deepEqual(
        items.map((one: Record<string, unknown>) => [
          one['user_id'],
          one['client_id'],
          one['end_user_id'],
          one['state'],
        ]),
        [[null, 'platform', 'u-1', 'ready']],
      )
    })

    test('each change of state is in the audit log, under the platform', async () => {
      const events = (await listEvents(bridge.server.app.tenant)).filter(({ client_id }) => client_id === 'platform')
      const types = events.map(({ type }) => type).filter((type) => /^connect(ion|_session)\./.test(type))
      const told = ['connect_session.created', 'connect_session.opened', 'connection.pending', 'connection.confirmed']
      assert.deepEqual(types, told)
    })

    test('the same account again is the same connection, which stays live', async () => {
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token } = await platform.make()
      await page.connect(session_token)
      assert.deepEqual(sessionsOf(page), [], 'what the session was known by ends with it')
      const { body } = await page.ask(session_token)
      assert.equal(body.connection_id, connection_id)
      assert.equal((await tokenOf()).status, 200)
      assert.equal((await confirm(session_id, { confirmation_code: body.confirmation_code })).status, 200)
    })

    test('a session repairs the connection that it names, and no account but that one', async () => {
      const wrong = new EmbeddingPage(bridge)
      const first = await platform.make({ connection_id })
      const { url, response } = await wrong.connect(first.session_token, 'mallory-at-acme')
      assert.match(url, /\/hub\/connect\/session\?session_id=/)
      assert.match(await response.text(), /That is another account[\s\S]*Try again/)
      assert.equal(sessionsOf(wrong).length, 1)
      assert.deepEqual((await wrong.ask(first.session_token)).body.reason, 'other_account')
      const { body, status } = await platform.call('POST', '/connect_sessions', {
        ...{ end_user_id: 'u-2', connectors: ['acme'], origins: [ORIGIN], connection_id },
      })
      assert.deepEqual([status, body.error], [404, 'invalid_request'])
    })

    test('without a popup the person comes back to the return_uri with a code, or with what went wrong', async () => {
      const return_uri = `${ORIGIN}/back?tab=1`
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token } = await platform.make({ end_user_id: 'u-3', return_uri })
      const left = await page.post(new URLSearchParams({ session_token }))
      const back = await page.browser.follow((await consentOverThere(bridge, left.url, 'carol-at-acme')).href)
      assert.deepEqual(sessionsOf(page), [])
      const { origin, searchParams } = new URL(back.url)
      assert.deepEqual([origin, searchParams.get('tab'), searchParams.get('session_id')], [ORIGIN, '1', session_id])
      assert.equal(
        (await confirm(session_id, { confirmation_code: searchParams.get('code') })).body.status,
        'connected',
      )
    })

    test('a refusal at the provider is told to the page, and the person may try again', async () => {
      const page = new EmbeddingPage(bridge)
      const { session_token, session_id } = await platform.make({ end_user_id: 'u-4' })
      const left = await page.open(session_token)
      const state = new URL(left.url).searchParams.get('state')!
      const denied = new URLSearchParams({ error: 'access_denied', state, iss: bridge.foreign.issuer })
      const { response } = await page.browser.follow(`${bridge.issuer}/connect/acme/callback?${denied}`)
      const html = await response.text()
      assert.match(html, /Nothing was connected/)
      assert.match(html, /connect_done/)
      assert.deepEqual((await page.ask(session_token)).body, { session_id, status: 'failed', reason: 'refused' })
      const again = /href="([^"]*\/connect\/session\/start[^"]*)"/.exec(html)![1]!.replaceAll('&amp;', '&')
      assert.equal(sessionsOf(page).length, 1)
      const next = await page.browser.follow(new URL(again, bridge.issuer).href)
      await page.browser.follow((await consentOverThere(bridge, next.url, 'dave-at-acme')).href)
      assert.deepEqual(sessionsOf(page), [])
      assert.equal((await page.ask(session_token)).body.status, 'unconfirmed')
    })

    test('a user of ours signs in, sees who asks, and is live at once; another user connects nothing', async () => {
      const { session_id, session_token } = await platform.make({ end_user_id: undefined, user_id: bridge.users.alice })
      const alice = new EmbeddingPage(bridge, await bridge.signIn())
      const { url, response } = await alice.open(session_token)
      const html = await response.text()
      assert.match(html, /Connect .*acme.* for .*The platform platform/)
      const start = /href="([^"]*\/connect\/session\/start[^"]*)"/.exec(html)![1]!.replaceAll('&amp;', '&')
      const bob = await bridge.signIn(BOB)
      for (const [name, value] of alice.browser.cookies) if (!bob.cookies.has(name)) bob.cookies.set(name, value)
      const other = await bob.follow(new URL(start, url).href)
      assert.equal(other.response.status, 403)
      assert.match(await other.response.text(), /meant for somebody else/)
      const left = await alice.browser.follow(new URL(start, url).href)
      await alice.browser.follow((await consentOverThere(bridge, left.url, 'alice-at-acme')).href)
      const { body } = await alice.ask(session_token)
      assert.deepEqual(body, { session_id, status: 'connected', connection_id: body.connection_id })
      assert.equal((await bridge.connections()).length, 1)
      // Tokens of our users are for whoever holds the scope for that.
      assert.equal((await tokenOf(body.connection_id)).status, 404)
    })

    test('where a provider takes keys, a person types theirs in the session, and the key waits like an account', async () => {
      const desk = { connector: 'desk', provider: 'freshdesk', placeholders: { subdomain: 'acme' } }
      await saveConnector(bridge.server.app.web.outbound, 'test', desk)
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token } = await platform.make({ end_user_id: 'u-8', connectors: ['desk'] })
      const { url, response } = await page.open(session_token)
      assert.match(url, /\/hub\/connect\/desk\/key\?state=sp_cf_/)
      assert.equal(response.headers.get('cross-origin-opener-policy'), 'unsafe-none')
      const html = await response.text()
      assert.match(html, /The platform platform[\s\S]*>platform<[\s\S]*>u-8</, 'it says who is given the key')
      const stranger = new EmbeddingPage(bridge)
      const taken = await stranger.browser.follow(url)
      const wrong = await stranger.browser.submit(
        { url, html: await taken.response.text() },
        { secret: 'key-of-victim' },
      )
      assert.match(await wrong.response.text(), /started somewhere else/)
      await page.browser.submit({ url, html }, { secret: 'key-of-grace' })
      const { body } = await page.ask(session_token)
      assert.deepEqual([body.status, (await tokenOf(body.connection_id)).status], ['unconfirmed', 403])
      await confirm(session_id, { confirmation_code: body.confirmation_code })
      assert.equal((await platform.status(session_id)).body.status, 'connected')
    })

    test('what nobody confirms within ten minutes is ended, and revoked over there', async () => {
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token } = await platform.make({ end_user_id: 'u-5' })
      await page.connect(session_token, 'erin-at-acme')
      const { body } = await page.ask(session_token)
      bridge.clock.offset += 601_000
      const { outbound } = bridge.server.app.web
      assert.equal(await endUnconfirmed(outbound), 2)
      assert.equal((await confirm(session_id, { confirmation_code: body.confirmation_code })).status, 409)
      assert.equal((await platform.status(session_id)).body.status, 'ended')
      const found = await outbound.tenant.store.loadConnection({
        ...{ tenant_id: outbound.tenant.tenant_id, connection_id: body.connection_id },
      })
      assert.deepEqual([found!.connection.state, found!.connection.data_key], ['disconnected', null])
      const ended = (await listEvents(outbound.tenant)).filter(
        (event) => event.connection_id === body.connection_id && event.type === 'connection.destroyed',
      )
      assert.equal(JSON.parse(ended[0]!.detail).revocation, 'revoked')
    })

    test('a platform that says no ends the session and what it brought', async () => {
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token } = await platform.make({ end_user_id: 'u-6' })
      await page.connect(session_token, 'frank-at-acme')
      const { body } = await page.ask(session_token)
      const end = () => platform.call('POST', `/connect_sessions/${session_id}/end`)
      assert.deepEqual([(await end()).body.status, (await end()).body.status], ['ended', 'ended'])
      assert.equal((await confirm(session_id, { confirmation_code: body.confirmation_code })).status, 409)
      const { items } = (await platform.call('GET', '/connections?end_user_id=u-6')).body
      assert.deepEqual(
        items.map((one: { state: string }) => one.state),
        ['disconnected'],
      )
    })

    test('a session that was confirmed is not ended, which is said, and its connection lives', async () => {
      const page = new EmbeddingPage(bridge)
      const { session_id, session_token } = await platform.make({ end_user_id: 'u-7' })
      await page.connect(session_token, 'henry-at-acme')
      const { body } = await page.ask(session_token)
      assert.equal((await confirm(session_id, { confirmation_code: body.confirmation_code })).status, 200)
      const ended = await platform.call('POST', `/connect_sessions/${session_id}/end`)
      assert.equal(ended.status, 409)
      assert.equal((await tokenOf(body.connection_id)).status, 200)
      await platform.call('POST', `/connections/${body.connection_id}/disconnect`)
      assert.equal((await platform.call('POST', `/connect_sessions/${session_id}/end`)).body.status, 'ended')
    })

    test('a platform ends what its users have connected, and with its deletion all of that ends', async () => {
      const leaving = await startConnectPlatform(bridge, 'leaving')
      const made = await leaving.make()
      const page = new EmbeddingPage(bridge)
      await page.connect(made.session_token, 'gina-at-acme')
      const { body } = await page.ask(made.session_token)
      await leaving.call('POST', `/connect_sessions/${made.session_id}/confirm`, {
        confirmation_code: body.confirmation_code,
      })
      assert.equal((await tokenOf(body.connection_id, leaving)).status, 200)
      assert.equal((await tokenOf(body.connection_id)).status, 404)
      assert.equal((await platform.call('POST', `/connections/${body.connection_id}/disconnect`)).status, 404)
      const { tenant } = bridge.server.app
      const { tenant_id, store } = tenant
      const event = {
        tenant_id,
        event_id: `deleted-${dialect}`,
        at: tenant.clock(),
        type: 'client.deleted',
        actor: 'test',
      }
      await store.deleteClient({ tenant_id, client_id: 'leaving', event })
      const found = await store.loadConnection({ tenant_id, connection_id: body.connection_id })
      assert.equal(found!.connection.state, 'disconnected')
    })
  })
}
