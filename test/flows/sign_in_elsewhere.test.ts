import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { ALICE, BOB, type Bridge, CALLBACK, PLATFORM, startBridge } from '../parts/bridge.ts'
import { open, type Page } from '../parts/sign_in_steps.ts'
import { DIALECTS } from '../parts/stores.ts'
import { UserAgent } from '../parts/user_agent.ts'

for (const dialect of DIALECTS) {
  describe(`signing in at another server, on ${dialect}`, () => {
    let bridge: Bridge
    const configure = (sign_in: 'off' | 'linked' | 'create') =>
      saveConnector(bridge.server.app.web.outbound, 'test', {
        ...{ connector: 'acme', provider: 'oidc', issuer: bridge.foreign.issuer, scope: 'openid email offline_access' },
        ...{ sign_in, ...PLATFORM, client_id: 'sallyport', client_secret: 'secret-at-acme' },
      })
    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub' })
    })
    after(() => bridge.stop())
    beforeEach(() => configure('create'))

    /** Follows "Continue with acme" from the sign-in page of a request, or of the account; answers the callback's URL. */
    async function leave(agent: UserAgent, as: string, from = `${bridge.issuer}/login`): Promise<string> {
      const page = await open(agent, from)
      const href = /href="([^"]*\/login\/with\?[^"]*)"/.exec(page.html)?.[1]
      assert.ok(href, `no way to another server on ${page.url}`)
      const left = await agent.follow(new URL(href.replaceAll('&amp;', '&'), page.url).href)
      assert.equal(new URL(left.url).origin, new URL(bridge.foreign.issuer).origin, await left.response.text())
      bridge.foreign.auto_login = as
      return (await new UserAgent().follow(left.url)).url
    }
    const arrive = async (agent: UserAgent, callback: string): Promise<Page> => open(agent, callback)
    const enter = async (agent: UserAgent, as: string) => arrive(agent, await leave(agent, as))
    const whoIs = async (agent: UserAgent) => {
      const page = await open(agent, `${bridge.issuer}/account`)
      return new URL(page.url).pathname === '/hub/account' ? page.html : null
    }

    test('a stranger becomes a user, and is the same one the next time', async () => {
      const [first, second] = [new UserAgent(), new UserAgent()]
      assert.equal(new URL((await enter(first, 'newcomer')).url).pathname, '/hub/account')
      assert.equal(new URL((await enter(second, 'newcomer')).url).pathname, '/hub/account')
      const { tenant } = bridge.server.app
      const listed = await tenant.store.findUserByUsername({
        tenant_id: tenant.tenant_id,
        username_key: 'newcomer',
      })
      assert.ok(listed, 'their name is the one they have at the other server')
      assert.equal(listed.password_hash, null)
      assert.match((await whoIs(second)) ?? '', /newcomer/)
    })

    describe('what another server says of a user', () => {
      after(() => {
        bridge.foreign.claims = {}
        // Of so many sign-ins the next ones would be too many at one address.
        bridge.clock.offset += 601_000
      })
      /** The user who comes from there for the first time, of whom that is said. */
      async function meet(username_key: string, claims: Record<string, unknown>) {
        bridge.foreign.claims = claims
        assert.equal((await enter(new UserAgent(), username_key)).status, 200)
        const { tenant_id, store } = bridge.server.app.tenant
        return (await store.findUserByUsername({ tenant_id, username_key }))!
      }

      test('GHSA-6g38-8j4p-j3pr an address is verified where that is said in so many words', async () => {
        const words = [true, false, undefined, null, 'true', 'false', 1, 0, 'yes', ['true'], { value: true }]
        for (const [i, email_verified] of words.entries()) {
          const user = await meet(`said-${i}`, { email_verified })
          const expected = [`said-${i}@foreign.example`, email_verified === true ? 1 : 0]
          assert.deepEqual([user.email, user.email_verified], expected, JSON.stringify(email_verified))
        }
      })

      test('CVE-2026-40574 what is no address, or two in one, is none', async () => {
        const odd = [
          'a@corp.example@evil.example',
          '"a@corp.example"@evil.example',
          'a@',
          '@b',
          'a b@c.example',
          'a@b\r\nc',
        ]
        for (const [i, email] of [...odd, ['a@b.example'], 7].entries()) {
          const user = await meet(`odd-${i}`, { email })
          assert.deepEqual([user.email, user.email_verified], [null, 0], JSON.stringify(email))
        }
      })
    })

    test('an authorization request goes on after the sign-in elsewhere', async () => {
      const agent = new UserAgent()
      const url = bridge.authorizeUrl({ resource: `${bridge.issuer}/notes`, scope: 'openid' })
      const consent = await arrive(agent, await leave(agent, 'visitor', url))
      assert.match(consent.html, /name="decision"/)
      const { url: back } = await agent.submit(consent, { decision: 'allow' }, 'name="decision"')
      assert.ok(back.startsWith(CALLBACK), back)
      assert.ok(new URL(back).searchParams.get('code'))
    })

    test('2.4.1 what other sites embed starts no sign-in, and uses up no turns of whoever looks at them', async () => {
      const from = `${bridge.issuer}/login/with?connector=acme`
      for (const dest of ['image', 'iframe', 'empty']) {
        for (let i = 0; i < 31; i++) {
          const headers = { 'sec-fetch-dest': dest, 'sec-fetch-site': 'cross-site' }
          const { status } = await fetch(from, { headers, redirect: 'manual' })
          assert.equal(status, 403, `${dest} ${i}`)
        }
      }
      const { status } = await fetch(from, { headers: { 'sec-fetch-dest': 'document' }, redirect: 'manual' })
      assert.equal(status, 303)
    })

    test('10.5.2 6.8.1 CVE-2026-53516 the same address or name elsewhere is nobody here until it is linked', async () => {
      const agent = new UserAgent()
      await enter(agent, 'alice')
      const html = (await whoIs(agent))!
      assert.doesNotMatch(html, /Alice Example/)
      const { tenant } = bridge.server.app
      const alice = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id: bridge.users.alice })
      assert.equal(alice!.email, 'alice@example.test')
      await configure('linked')
      const page = await enter(new UserAgent(), 'bob')
      assert.equal(page.status, 403)
      assert.match(page.html, /No account is linked/)
    })

    test('who is signed in links an account, signs in by it, and unlinks it', async () => {
      const agent = await bridge.signIn(ALICE)
      const security = await open(agent, `${bridge.issuer}/account/security`)
      const left = await agent.submit(security, {}, 'name="connector"')
      bridge.foreign.auto_login = 'alice-elsewhere'
      const back = await arrive(agent, (await new UserAgent().follow(left.url)).url)
      assert.equal(new URL(back.url).pathname, '/hub/account/security')
      assert.match(back.html, /alice-elsewhere/)
      await configure('linked')
      const other = new UserAgent()
      await enter(other, 'alice-elsewhere')
      assert.match((await whoIs(other)) ?? '', /Alice Example/)
      const again = await open(agent, `${bridge.issuer}/account/security`)
      await agent.submit(again, {}, 'name="account"')
      assert.match((await enter(new UserAgent(), 'alice-elsewhere')).html, /No account is linked/)
    })

    test('3.T an account that is somebody else`s is not linked a second time', async () => {
      const link = async (who: typeof ALICE | typeof BOB) => {
        const agent = await bridge.signIn(who)
        const left = await agent.submit(await open(agent, `${bridge.issuer}/account/security`), {}, 'name="connector"')
        bridge.foreign.auto_login = 'shared'
        return arrive(agent, (await new UserAgent().follow(left.url)).url)
      }
      assert.match((await link(ALICE)).html, /shared/)
      const refused = await link(BOB)
      assert.equal(refused.status, 403)
      assert.match(refused.html, /linked already/)
    })

    test('10.1.2 M-09 CVE-2025-68158 CVE-2026-27124 an answer counts once, in the browser where it was started', async () => {
      const [mine, other] = [new UserAgent(), new UserAgent()]
      const callback = await leave(mine, 'somebody')
      assert.match((await arrive(other, callback)).html, /started somewhere else/)
      assert.equal(await whoIs(other), null)
      assert.equal(new URL((await arrive(mine, callback)).url).pathname, '/hub/account')
      assert.equal((await arrive(mine, callback)).status, 403)
    })

    test('a sign-in is no connect flow and a connect flow no sign-in', async () => {
      const agent = await bridge.signIn(ALICE)
      const callback = await bridge.visitProvider(agent, '/connect/acme', 'alice-at-acme')
      const state = callback.searchParams.get('state')!
      for (const forged of [`sp_si_${state}`, `sp_sl_${state}`]) {
        callback.searchParams.set('state', forged)
        assert.equal((await arrive(agent, callback.href)).status, 403)
      }
      const signing = new URL(await leave(new UserAgent(), 'alice-at-acme'))
      signing.searchParams.set('state', signing.searchParams.get('state')!.slice('sp_si_'.length))
      assert.notEqual((await arrive(agent, signing.href)).status, 200)
      assert.equal((await bridge.connections()).length, 0)
    })

    test('7.2.4 the session after it is a new one, and somebody who was signed in is signed out', async () => {
      const agent = await bridge.signIn(ALICE)
      const former = [...agent.cookies].find(([name]) => name.includes('session'))![1]
      // The link as another tab holds it: the sign-in page itself would send on.
      const left = await agent.follow(`${bridge.issuer}/login/with?connector=acme`)
      bridge.foreign.auto_login = 'newcomer'
      await arrive(agent, (await new UserAgent().follow(left.url)).url)
      assert.notEqual([...agent.cookies].find(([name]) => name.includes('session'))![1], former)
      assert.doesNotMatch((await whoIs(agent))!, /Alice Example/)
      const old = new UserAgent()
      for (const [name, value] of agent.cookies) old.cookies.set(name, name.includes('session') ? former : value)
      assert.equal(await whoIs(old), null)
    })

    test('8.3.2 CVE-2025-53942 CVE-2026-3009 CVE-2025-64717 what is disabled signs nobody in: the connector, the user, the switch', async () => {
      const agent = new UserAgent()
      const callback = await leave(agent, 'latecomer')
      await bridge.setDisabled('connector', true)
      assert.equal((await arrive(agent, callback)).status, 403)
      const page = await open(new UserAgent(), `${bridge.issuer}/login`)
      assert.doesNotMatch(page.html, /login\/with/)
      assert.equal((await open(new UserAgent(), `${bridge.issuer}/login/with?connector=acme`)).status, 404)
      await bridge.setDisabled('connector', false)
      await configure('off')
      assert.equal((await open(new UserAgent(), `${bridge.issuer}/login/with?connector=acme`)).status, 404)
      await configure('create')
      await enter(new UserAgent(), 'leaver')
      const { tenant } = bridge.server.app
      const { tenant_id, store } = tenant
      const user = (await store.findUserByUsername({ tenant_id, username_key: 'leaver' }))!
      const event = { tenant_id, event_id: crypto.randomUUID(), at: 0, type: 'user.disabled', actor: 'cli' }
      await store.setUserDisabled({ tenant_id, user_id: user.user_id, disabled: true, event })
      assert.match((await enter(new UserAgent(), 'leaver')).html, /No account is linked/)
    })

    test('6.3.4 CVE-2026-9091 whoever must have a second factor needs it on this way too', async () => {
      await bridge.server.saveSettings({ mfa: 'required' })
      try {
        const agent = new UserAgent()
        const page = await enter(agent, 'newcomer')
        assert.equal(new URL(page.url).pathname, '/hub/login/enrol')
        assert.equal(await whoIs(agent), null)
      } finally {
        await bridge.server.saveSettings({})
      }
    })

    test('7.5.1 6.8.4 who must prove it anew must do so there, and a sign-in of before does not count as one of now', async () => {
      const agent = new UserAgent()
      const there = new UserAgent()
      const go = async (from: string) => {
        const page = await open(agent, from)
        const href = /href="([^"]*\/login\/with\?[^"]*)"/.exec(page.html)?.[1] ?? assert.fail(page.url)
        const left = await agent.follow(new URL(href.replaceAll('&amp;', '&'), page.url).href)
        bridge.foreign.auto_login = 'sleeper'
        await arrive(agent, (await there.follow(left.url)).url)
        return new URL(left.url).searchParams.get('max_age')
      }
      assert.equal(await go(`${bridge.issuer}/login`), null)
      bridge.clock.offset += 11 * 60_000
      const security = `${bridge.issuer}/account/security`
      assert.equal(new URL((await open(agent, security)).url).pathname, '/hub/login')
      assert.equal(await go(security), '0')
      const { tenant } = bridge.server.app
      const { tenant_id, store } = tenant
      const user = await store.findUserByUsername({ tenant_id, username_key: 'sleeper' })
      const sessions = await store.listSessionsOfUser({ tenant_id, user_id: user!.user_id })
      const newest = Math.max(...sessions.map(({ auth_time }) => auth_time))
      assert.ok(newest <= Date.now(), 'as the other server says, whose clock goes behind ours here')
    })

    test('10.2.3 a sign-in asks for nothing but who it is', async () => {
      const agent = new UserAgent()
      const left = await agent.follow(`${bridge.issuer}/login/with?connector=acme`)
      const asked = new URL(left.url).searchParams
      assert.equal(asked.get('scope'), 'openid email profile')
      assert.ok(asked.get('nonce') && asked.get('code_challenge'))
    })
  })
}
