import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EMPTY_CHAIN, findBrokenLink } from '../../server/src/store/event_chain.ts'
import { cookieNames } from '../../server/src/web/web.ts'
import { BOB, type Bridge, PLATFORM, startBridge } from '../parts/bridge.ts'
import { basic, readReply } from '../parts/platform.ts'
import { DIALECTS } from '../parts/stores.ts'
import type { UserAgent } from '../parts/user_agent.ts'

for (const dialect of DIALECTS) {
  describe(`what is known of somebody, on ${dialect}`, () => {
    let bridge: Bridge
    let admin: string
    let root: UserAgent
    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub' })
      const user = { username: 'root', password: BOB.password }
      await bridge.server.addUser({ ...user, roles: ['administrator'] })
      root = await bridge.signIn(user)
      const scope = 'admin:read admin:write'
      await bridge.server.addClient({ ...PLATFORM, scope, grant_types: ['client_credentials'] })
      const form = { grant_type: 'client_credentials', scope, resource: `${bridge.issuer}/api` }
      const authorization = basic(PLATFORM.client_id, PLATFORM.client_secret)
      const init = { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) }
      admin = (await readReply(await fetch(`${bridge.issuer}/token`, init))).body.access_token
    })
    after(() => bridge.stop())

    const open = async (person: UserAgent, path: string) => {
      const { url, response } = await person.follow(bridge.issuer + path)
      return { url, response, html: await response.text() }
    }
    const seal = async () => {
      const { tenant_id, store } = bridge.server.app.tenant
      while ((await store.sealEvents({ tenant_id, most: 500 })) > 0);
    }
    const remove = (user_id: string) => bridge.get(`/api/users/${user_id}`, admin, { method: 'DELETE' })
    const person = async (username: string, more = {}) => {
      const user = { username, password: BOB.password }
      return { user, user_id: await bridge.server.addUser({ ...user, ...more }) }
    }

    test('what happened is told to its owner in words, page by page, without the names of administrators', async () => {
      const { user, user_id } = await person('dora')
      const agent = await bridge.signIn(user)
      await bridge.get(`/api/users/${user_id}`, admin, { method: 'PATCH', body: '{"name":"Dora"}' })
      const { tenant } = bridge.server.app
      const { tenant_id, store } = tenant
      for (let n = 0; n < 50; n++) {
        const event_id = `00000000-0000-0000-0000-0000000000${10 + n}`
        const more = { at: n, type: 'connection.used', actor: 'client:web', client_id: 'web' }
        await store.recordEvent({ tenant_id, event_id: `${event_id}-${user_id}`, user_id, ...more })
      }
      const first = await open(agent, '/account/activity')
      assert.match(first.html, /Signed in/)
      assert.match(first.html, /An app used a connected account[\s\S]*The web app/)
      assert.doesNotMatch(first.html, /root|platform/)
      const next = /href="[^"]*(\?cursor=[^"]+)"/.exec(first.html)
      assert.ok(next, first.html)
      const second = await open(agent, `/account/activity${next[1]}`)
      assert.doesNotMatch(second.html, /Signed in</)
      assert.doesNotMatch((await open(root, '/account/activity')).html, /The web app/, 'each sees what is theirs')
    })

    test('what is known of somebody is one file, with nothing of others and no secret in it', async () => {
      const agent = await bridge.signIn()
      await bridge.connect(agent)
      const tokens = await bridge.obtain(agent)
      const { response, html } = await open(agent, '/account/data/export')
      assert.match(
        response.headers.get('content-disposition')!,
        /^attachment; filename="[\d.]+-\d{4}-\d\d-\d\d\.json"$/,
      )
      assert.equal(response.headers.get('cache-control'), 'no-store')
      const known = JSON.parse(html)
      assert.equal(known.profile.email, 'alice@example.test')
      assert.equal(known.sign_in.password, true)
      assert.deepEqual([known.apps[0].client_id, known.connections[0].connector], ['web', 'acme'])
      assert.ok(
        known.events.some(({ type, by }: { type: string; by: string }) => type === 'grant.created' && by === 'you'),
      )
      for (const secret of [tokens.access_token, tokens.refresh_token, '$argon2', 'bob'])
        assert.ok(!html.includes(secret))
      await bridge.press(agent, '/account', '/connections/disconnect')
    })

    test('what somebody has ended is told on the next page, once, and by no link', async () => {
      const agent = await bridge.signIn()
      await bridge.connect(agent)
      await bridge.obtain(agent)
      await bridge.signIn()
      const told = (html: string) => /role="status" tabindex="-1" autofocus>[\s\S]*?<p>([^<]*)/.exec(html)?.[1]
      for (const [holds, sentence] of [
        ['/account/sessions/end"', 'You are signed out there.'],
        ['/account/sessions/end_others', 'You are signed out everywhere else.'],
        ['/account/connections/disconnect', 'The account is disconnected.'],
        ['/account/apps/revoke', 'The app can no longer use your account.'],
      ] as const) {
        const { url, response } = await bridge.press(agent, '/account', holds)
        assert.equal(url, `${bridge.issuer}/account`)
        assert.equal(told(await response.text()), sentence)
        assert.equal(told((await open(agent, '/account')).html), undefined, 'once')
      }
      for (const link of ['?done=app', '?told=app', '?saved=true']) {
        assert.equal(told((await open(agent, `/account${link}`)).html), undefined, link)
      }
      for (const word of ['constructor', 'link_sent', '%3Cscript%3E', '']) {
        for (const page of ['/account', '/account/security']) {
          agent.cookies.set(cookieNames(bridge.issuer).told, word)
          const { html, response } = await open(agent, page)
          assert.deepEqual([response.status, told(html)], [200, undefined], `${page} ${word}`)
        }
      }
    })

    test('whoever deletes their account types its name, and is gone: tokens, sign-in, connections, name', async () => {
      const agent = await bridge.signIn()
      await bridge.connect(agent)
      const tokens = await bridge.obtain(agent)
      assert.equal((await bridge.get('/proxy/acme/me', tokens.access_token)).status, 200)
      const [connection] = await bridge.connections()
      const typed = (username: string) => bridge.press(agent, '/account/data', '/account/data/delete', { username })
      const wrong = await typed('alicia')
      assert.equal(wrong.response.status, 400)
      assert.match(await wrong.response.text(), /not your username/)
      assert.equal((await bridge.get('/proxy/acme/me', tokens.access_token)).status, 200, 'nothing was deleted')

      await seal()
      const gone = await typed(' Alice ')
      assert.equal(gone.response.status, 200)
      assert.match(await gone.response.text(), /Your account is deleted/)
      assert.ok(![...agent.cookies.keys()].some((name) => name.includes('session')))
      assert.equal((await bridge.get('/proxy/acme/me', tokens.access_token)).status, 401)
      const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
      assert.equal((await bridge.post('/token', form)).body.error, 'invalid_grant')
      await assert.rejects(bridge.signIn(), /was not signed in: 401/)
      const { tenant_id, store } = bridge.server.app.tenant
      const { connection_id } = connection!
      const after = await store.loadConnection({ tenant_id, connection_id })
      assert.deepEqual([after!.connection.state, after!.connection.data_key], ['disconnected', null])
      const user_id = bridge.users.alice
      assert.equal((await bridge.get(`/api/users/${user_id}`, admin)).status, 404)
      const page = { tenant_id, user_id, before_event_id: '~', type: '', actor: '', most: 100 }
      const log = await store.pageEvents(page)
      const { type, detail } = log[0]!
      const last = [type, JSON.parse(detail).revocation]
      assert.deepEqual(last, ['connection.destroyed', 'revoked'], 'the provider was told')
      assert.doesNotMatch(JSON.stringify(log), /alice/i, 'the log has no name of theirs')
      await person('alice')
      await seal()
      const events = await store.pageSealedEvents({ tenant_id, after_sequence: 0, most: 500 })
      assert.equal(findBrokenLink(EMPTY_CHAIN, events), null, 'the chain verifies without what was erased')
      const erased = events.filter((one) => one.user_id === user_id && one.detail_salt === null)
      assert.ok(erased.length > 3, `${erased.length} were erased`)
      assert.deepEqual(new Set(erased.map(({ detail }) => detail)), new Set(['{}']))
    })

    test('who may delete accounts is a setting', async () => {
      const { user } = await person('emil')
      const agent = await bridge.signIn(user)
      const before = await open(agent, '/account/data')
      await bridge.server.saveSettings({ account_deletion: 'administrators' })
      assert.doesNotMatch((await open(agent, '/account/data')).html, /\/account\/data\/delete/)
      await agent.submit(before, { username: 'emil' }, '/account/data/delete')
      assert.equal((await open(agent, '/account/data')).response.status, 200, 'and the form that was open does nothing')
      await bridge.server.saveSettings({})
    })

    test('the last administrator is not deleted', async () => {
      const { url, response } = await bridge.press(root, '/account/data', '/account/data/delete', { username: 'root' })
      assert.deepEqual([response.status, new URL(url).pathname], [400, '/hub/account/data/delete'])
      assert.match(await response.text(), /only administrator/)
      assert.equal((await open(root, '/admin')).response.status, 200)
    })

    test('an administrator deletes others at the console and by the API, and not the account by which they are here', async () => {
      const [fritz, gerda] = [await person('fritz'), await person('gerda')]
      await bridge.press(root, `/admin/user?user_id=${fritz.user_id}`, '/admin/user/delete')
      assert.equal((await open(root, `/admin/user?user_id=${fritz.user_id}`)).response.status, 404)
      assert.equal((await remove(fritz.user_id)).status, 404)
      const page = await open(root, `/admin/user?user_id=${gerda.user_id}`)
      const me = bridge.server.app.tenant.store
      const { tenant_id } = bridge.server.app.tenant
      const { user_id } = (await me.findUserByUsername({ tenant_id, username_key: 'root' }))!
      const own = await root.submit(page, { user_id }, '/admin/user/delete')
      assert.equal(own.response.status, 403)
      assert.equal((await remove(gerda.user_id)).status, 204)
      // The token of this client may write, but what an administrator may do is more than it may.
      assert.equal((await remove(user_id)).status, 403)
      assert.equal((await open(root, '/admin')).response.status, 200)
    })
  })
}
