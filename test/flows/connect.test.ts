import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { ALICE, BOB, type Bridge, startBridge } from '../parts/bridge.ts'
import { DIALECTS } from '../parts/stores.ts'
import { UserAgent } from '../parts/user_agent.ts'

for (const dialect of DIALECTS) {
  describe(`connecting accounts by browser, on ${dialect}`, () => {
    let bridge: Bridge
    let alice: UserAgent
    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub', access_token_seconds: 300 })
      const { issuer } = bridge.foreign
      const registration = { client_id: 'sallyport', client_secret: 'secret-at-acme', scope: 'openid offline_access' }
      await saveConnector(bridge.server.app.web.outbound, 'test', {
        ...{ connector: 'other', provider: 'oidc', issuer },
        ...registration,
      })
      alice = await bridge.signIn()
    })
    after(() => bridge.stop())

    /** What a person reads, and that nothing came of it. */
    async function nothingCame(
      page: { url: string; response: Response },
      words: RegExp,
      status: number,
    ): Promise<string> {
      const text = await page.response.text()
      assert.match(text, words)
      assert.equal(page.response.status, status)
      assert.match(text, /Request ID/)
      assert.deepEqual(await bridge.connections('alice'), [])
      assert.deepEqual(await bridge.connections('bob'), [])
      return text
    }

    test('whoever is not signed in signs in first, and then goes to the provider', async () => {
      const nobody = new UserAgent()
      const { url, response } = await nobody.follow(`${bridge.issuer}/connect/acme?return_to=/hub/account`)
      assert.match(url, /\/login\?return_to=/)
      const left = await nobody.submit({ url, html: await response.text() }, ALICE)
      assert.equal(new URL(left.url).origin, bridge.foreign.issuer)
    })

    test('an unknown connector is a page that says so', async () => {
      const { response } = await alice.follow(`${bridge.issuer}/connect/nobody`)
      assert.equal(response.status, 404)
      assert.match(await response.text(), /no such page|not known/i)
    })

    test('O-04 10.2.1 M-09 an answer is taken only in the browser where the flow began', async () => {
      const back = await bridge.visitProvider(alice)
      const elsewhere = await bridge.signIn()
      await nothingCame(await elsewhere.follow(back.href), /started somewhere else/, 400)
    })

    test('O-04 an answer is taken only from the user who began', async () => {
      const back = await bridge.visitProvider(alice)
      const bob = await bridge.signIn(BOB)
      await nothingCame(await bob.follow(back.href), /started somewhere else/, 400)
      // The same browser, with another user signed in meanwhile.
      const shared = await bridge.signIn()
      const again = await bridge.visitProvider(shared)
      await bridge.press(shared, '/account', '/hub/logout')
      await bridge.press(shared, '/login', 'name="password"', BOB)
      await nothingCame(await shared.follow(again.href), /started somewhere else/, 400)
    })

    test('an answer that arrives after the session ended waits for the sign-in of the same user', async () => {
      const person = await bridge.signIn()
      const back = await bridge.visitProvider(person)
      for (const name of [...person.cookies.keys()]) if (name.includes('session')) person.cookies.delete(name)
      const { url, response } = await person.follow(back.href)
      assert.match(url, /\/hub\/login\?return_to=/)
      const done = await person.submit({ url, html: await response.text() }, ALICE)
      assert.equal(done.url, `${bridge.issuer}/account`)
      const [made] = await bridge.connections()
      assert.equal(made!.state, 'ready')
      await endAll(bridge)
    })

    test('10.1.2 a state is used once; a missing, unknown or repeated one stores nothing', async () => {
      const back = await bridge.visitProvider(alice)
      for (const states of [[], [''], ['x'.repeat(43)], [back.searchParams.get('state')!, 'y'.repeat(43)]]) {
        const url = new URL(back)
        url.searchParams.delete('state')
        for (const state of states) url.searchParams.append('state', state)
        await nothingCame(await alice.follow(url.href), /came twice or too late/, 400)
      }
      assert.equal((await alice.follow(back.href)).url, `${bridge.issuer}/account`)
      assert.equal((await bridge.connections()).length, 1)
      const replayed = await alice.follow(back.href)
      assert.equal(replayed.response.status, 400)
      assert.equal((await bridge.connections()).length, 1)
      await endAll(bridge)
    })

    test('O-02 10.2.2 a missing or foreign iss stores nothing', async () => {
      for (const iss of [null, 'https://evil.example', `${bridge.foreign.issuer}/`]) {
        const back = await bridge.visitProvider(alice)
        assert.equal(back.searchParams.get('iss'), bridge.foreign.issuer)
        if (iss === null) back.searchParams.delete('iss')
        else back.searchParams.set('iss', iss)
        await nothingCame(await alice.follow(back.href), /did not work/, 400)
      }
    })

    test('O-03 CVE-2026-73419 an answer at the callback of another connector stores nothing', async () => {
      const back = await bridge.visitProvider(alice)
      const swapped = back.href.replace('/connect/acme/callback', '/connect/other/callback')
      await nothingCame(await alice.follow(swapped), /did not work/, 400)
      await nothingCame(await alice.follow(back.href.replace('/acme/', '/nobody/')), /did not work/, 400)
    })

    test('a person who says no at the provider is told so, and may try again', async () => {
      const back = await bridge.visitProvider(alice)
      const refused = new URL(`${back.origin}${back.pathname}`)
      for (const [name, value] of [
        ['error', 'access_denied'],
        ['error_description', '<b>You</b> said no'],
        ['state', back.searchParams.get('state')!],
        ['iss', bridge.foreign.issuer],
      ]) {
        refused.searchParams.set(name!, value!)
      }
      const text = await nothingCame(await alice.follow(refused.href), /Nothing was connected/, 200)
      assert.doesNotMatch(text, /<b>You<\/b>/)
      assert.match(text, /href="\/hub\/connect\/acme">Try again/)
    })

    test('B-14 return_to leads nowhere else', async () => {
      for (const return_to of ['https://evil.example/', '//evil.example', '/other', '/hub/../x', '\\evil']) {
        const url = `${bridge.issuer}/connect/acme?return_to=${encodeURIComponent(return_to)}`
        const { response } = await alice.follow(url)
        assert.equal(response.status, 400)
        assert.match(await response.text(), /return_to/)
      }
      const done = await bridge.connect(alice, '/connect/acme?return_to=/hub/account%3Fx%3D1')
      assert.equal(done.url, `${bridge.issuer}/account?x=1`)
      await endAll(bridge)
    })

    test('a provider that cannot be reached is said to be away, by name', async () => {
      await saveConnector(bridge.server.app.web.outbound, 'test', {
        ...{ connector: 'away', provider: 'oidc', issuer: 'http://127.0.0.1:9', client_id: 'x', client_secret: 'y' },
      })
      const { response } = await alice.follow(`${bridge.issuer}/connect/away`)
      const text = await response.text()
      assert.equal(response.status, 503)
      assert.match(text, /away/)
      assert.match(text, /did not answer|cannot be reached/)
      assert.doesNotMatch(text, /our fault/)
    })

    test('re-consent repairs the connection in place, by another account it changes nothing', async () => {
      await bridge.connect(alice)
      const [made] = await bridge.connections()
      await bridge.foreign.revokeGrants()
      bridge.clock.offset += 300_000
      const { tenant } = bridge.server.app
      const tokens = await bridge.obtain(await bridge.signIn())
      const broken = await bridge.get('/proxy/acme/me', tokens.access_token)
      assert.equal(broken.status, 403)
      assert.equal(broken.body.error, 'connection_needs_reconsent')
      const account = await (await (await bridge.signIn()).follow(`${bridge.issuer}/account`)).response.text()
      assert.match(account, /Needs you/)
      assert.match(account, /taken back at the other service/)

      const person = await bridge.signIn()
      const repair = broken.body.connect_url as string
      assert.match(repair, new RegExp(`^${bridge.issuer}/connect/acme\\?connection_id=${made!.connection_id}$`))
      const other = await bridge.connect(person, repair, 'mallory-at-acme')
      assert.equal(other.response.status, 400)
      assert.match(await other.response.text(), /another account/)
      assert.equal((await bridge.connections())[0]!.state, 'needs_reconsent')
      const bob = await bridge.signIn(BOB)
      assert.equal((await bob.follow(repair)).response.status, 404)

      assert.equal((await bridge.connect(person, repair)).url, `${bridge.issuer}/account`)
      const [after] = await bridge.connections()
      assert.equal(after!.connection_id, made!.connection_id)
      assert.equal(after!.state, 'ready')
      assert.equal((await bridge.get('/proxy/acme/me', tokens.access_token)).status, 200)
      assert.equal(
        (await tenant.store.listConnectionsOfUser({ tenant_id: tenant.tenant_id, user_id: bridge.users.bob })).length,
        0,
      )
    })
  })
}

/** Ends every connection of Alice on her account page. */
async function endAll(bridge: Bridge): Promise<void> {
  const person = await bridge.signIn()
  for (const _ of await bridge.connections()) await bridge.press(person, '/account', '/connections/disconnect')
}
