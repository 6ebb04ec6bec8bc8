import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { listApiCommands } from '../../server/src/cli/api_commands.ts'
import { newId } from '../../server/src/crypto/random.ts'
import { event } from '../../server/src/inbound/event.ts'
import { createConnectSession } from '../../server/src/outbound/connect_sessions/connect_sessions.ts'
import { commandOf, SCRIPTS } from '../../server/src/web/admin/same_by_script.ts'
import { pageRoutes } from '../../server/src/web/routes.ts'
import { findWebhook } from '../../server/src/webhooks/webhooks.ts'
import { ALICE, BOB, type Bridge, startBridge } from '../parts/bridge.ts'
import { csrfOf, open, post } from '../parts/sign_in_steps.ts'
import { DIALECTS } from '../parts/stores.ts'
import type { UserAgent } from '../parts/user_agent.ts'

const ROOT = { username: 'root', password: 'correct horse battery' }
const CONNECTIONS = 130

test('each command that a form of the console shows is one of the command line', () => {
  const known = new Map(listApiCommands().map(({ group, name, route }) => [route.name, `${group} ${name}`]))
  for (const operation of Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[]) {
    assert.equal(commandOf(operation).join(' '), known.get(operation))
  }
})

for (const dialect of DIALECTS) {
  describe(`lists of the console, on ${dialect}`, () => {
    let bridge: Bridge
    let root: UserAgent
    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub' })
      await bridge.server.addUser({ ...ROOT, roles: ['administrator'] })
      root = await bridge.signIn(ROOT)
      await fill()
    })
    after(() => bridge.stop())

    /** Connections of two connectors in turn, every other one of them ended. */
    async function fill(): Promise<void> {
      const { tenant } = bridge.server.app
      const { tenant_id, store } = tenant
      const acme = (await store.findConnector({ tenant_id, connector: 'acme' }))!
      const second = { ...acme, connector: 'second' }
      await store.createConnector({ tenant_id, connector: second, event: event(tenant, 'connector.created', 'test') })
      for (let i = 0; i < CONNECTIONS; i++) {
        const connection_id = newId(Date.now() + i)
        await store.connectAccount({
          ...{ tenant_id, connection_id, connector: i % 4 < 2 ? 'acme' : 'second', connector_version: acme.version },
          ...{ user_id: bridge.users.alice, account: `account-${i}`, account_name: `account-${i}@there.example` },
          ...{ generation: null, data_key: Buffer.from('key') },
          answer: {
            ...{ sealed_tokens: Buffer.from('sealed'), scope: 'openid', refresh_fingerprint: null, issued_at: 1 },
            ...{ access_expires_at: null, refresh_expires_at: null },
          },
          event: event(tenant, 'connection.connected', 'test', { connection_id }),
        })
        if (i % 2 === 0) continue
        const ended = event(tenant, 'connection.disconnected', 'test', { connection_id })
        await store.disconnectConnection({ tenant_id, connection_id, reason: 'test', event: ended })
      }
    }

    /** Reads a list to its end; the rows of each page. */
    async function readPages(path: string): Promise<string[][]> {
      const pages: string[][] = []
      let url = bridge.issuer + path
      for (let page = 0; page < 10; page++) {
        const { response } = await root.follow(url)
        const html = await response.text()
        assert.equal(response.status, 200, html.slice(0, 300))
        pages.push(html.match(/<tr role="row"><td[\s\S]*?<\/tr>/g) ?? [])
        const next = /href="([^"]*)">Next page/.exec(html)?.[1]
        if (next === undefined) return pages
        url = new URL(next.replaceAll('&amp;', '&'), url).href
      }
      throw new Error('the list has no end')
    }
    const sizes = async (path: string) => (await readPages(path)).map(({ length }) => length)

    test('connections are listed without a filter, and each page but the last is full with any', async () => {
      assert.deepEqual(await sizes('/admin/connections'), [50, 50, 30])
      assert.deepEqual(await sizes('/admin/connections?state=ready'), [50, 15])
      assert.deepEqual(await sizes('/admin/connections?state=disconnected'), [50, 15])
      assert.deepEqual(await sizes('/admin/connections?connector=acme'), [50, 16])
      assert.deepEqual(await sizes('/admin/connections?connector=acme&state=ready'), [33])
      for (const nothing of ['state=pending', 'state=needs_reconsent', 'state=error', 'connector=nobody']) {
        assert.deepEqual(await sizes(`/admin/connections?${nothing}`), [0])
      }
      assert.deepEqual(await sizes('/admin/connections?state=whatever'), [50, 50, 30], 'an unknown state is no filter')
      const rows = (await readPages('/admin/connections')).flat()
      assert.equal(new Set(rows).size, CONNECTIONS)
    })

    test('a connector that is switched off puts its connections into error', async () => {
      await bridge.setDisabled('connector', true)
      assert.deepEqual(await sizes('/admin/connections?state=error'), [33])
      assert.deepEqual(await sizes('/admin/connections?state=ready'), [32])
      await bridge.setDisabled('connector', false)
      assert.deepEqual(await sizes('/admin/connections?state=error'), [0])
    })

    test('events are found by the beginning of their type and by who did it, and name people', async () => {
      const sessions = (await readPages('/admin/events?event=session.')).flat()
      assert.ok(
        sessions.length > 0 && sessions.every((row) => /session\.\w+/.test(row) && /<bdi>root<\/bdi>/.test(row)),
      )
      assert.deepEqual(await sizes('/admin/events?event=connection.d'), [50, 15])
      assert.deepEqual(await sizes('/admin/events?event=connection.d&actor=root'), [0])
      assert.equal((await readPages('/admin/events?actor=root')).flat().length, sessions.length)
      assert.deepEqual(await sizes('/admin/events?event=%25'), [0])
      for (const row of (await readPages('/admin/events')).flat()) assert.doesNotMatch(row, /user:/)
    })

    test('7.4.5 7.4.2 an administrator signs a user out everywhere, and disables the account of anybody else', async () => {
      const { issuer, users } = bridge
      const { tenant_id, store } = bridge.server.app.tenant
      const [here, there] = [await bridge.signIn(ALICE), await bridge.signIn(ALICE)]
      const isIn = async (agent: UserAgent) => {
        const answer = await agent.request(`${issuer}/account`)
        await answer.text()
        return answer.status === 200
      }
      const page = (user_id: string) => open(root, `${issuer}/admin/user?user_id=${user_id}`)
      const list = await open(root, `${issuer}/admin/users`)
      assert.ok(list.html.includes(`/admin/user?user_id=${users.alice}`))
      assert.deepEqual([await isIn(here), await isIn(there)], [true, true])
      await root.submit(await page(users.alice), {}, 'user/end_sessions')
      assert.deepEqual([await isIn(here), await isIn(there)], [false, false])
      const again = await bridge.signIn(ALICE)
      await root.submit(await page(users.alice), {}, 'user/disable')
      assert.equal(await isIn(again), false)
      assert.match((await page(users.alice)).html, /This account is disabled/)
      await assert.rejects(bridge.signIn(ALICE))
      await root.submit(await page(users.alice), {}, 'user/enable')
      assert.equal(await isIn(again), false, 'what there was stays void')
      assert.equal(await isIn(await bridge.signIn(ALICE)), true)
      // Nobody shuts themselves out, whatever they post; nor does anybody who is no administrator.
      const own = (await store.findUserByUsername({ tenant_id, username_key: ROOT.username }))!.user_id
      const mine = await page(own)
      assert.doesNotMatch(mine.html, /user\/disable/)
      const forced = { csrf_token: csrfOf(mine), user_id: own }
      assert.equal((await post(root, `${issuer}/admin/user/disable`, forced)).status, 403)
      const bob = await bridge.signIn(BOB)
      const csrf_token = csrfOf(await open(bob, `${issuer}/account`))
      for (const what of ['disable', 'enable', 'end_sessions']) {
        const answer = await post(bob, `${issuer}/admin/user/${what}`, { csrf_token, user_id: own })
        assert.equal(answer.status, 403, what)
      }
      assert.equal(await isIn(root), true)
      assert.equal((await open(root, `${issuer}/admin/user?user_id=nobody`)).status, 404)
      const seen = await store.pageEvents({
        tenant_id,
        before_event_id: '~',
        type: 'user.',
        actor: `user:${own}`,
        most: 9,
      })
      assert.deepEqual(
        seen.map(({ type, user_id }) => [type, user_id]),
        [
          ['user.enabled', users.alice],
          ['user.disabled', users.alice],
        ],
      )
    })

    test('the overview counts tokens, refusals and refreshes by the hour, and connections by their state', async () => {
      const { issuer } = bridge
      const { inbound } = bridge.server.app.web
      const alice = await bridge.signIn(ALICE)
      await bridge.obtain(alice)
      const refused = await bridge.post('/token', { grant_type: 'refresh_token', refresh_token: 'nothing' })
      assert.equal(refused.body.error, 'invalid_grant')
      await inbound.usage.flush()
      const { html } = await open(root, `${issuer}/admin`)
      assert.match(html, /authorization_code<\/code><\/span><\/div><\/td><td[^>]*><div>1</)
      assert.match(html, /invalid_grant<\/code>/)
      assert.match(html, /aria-label="Connections by state: Working \d+, Disconnected 65\."/)
      assert.match(html, /Nothing in these hours/, 'no connection was refreshed yet')
      bridge.server.app.web.outbound.noteRefresh('throttled')
      await inbound.usage.flush()
      assert.match((await open(root, `${issuer}/admin`)).html, /Asked to wait/)
    })

    test('grants are searched, looked at, and ended with all that hangs on them', async () => {
      const { issuer } = bridge
      const alice = await bridge.signIn(ALICE)
      const { access_token, refresh_token } = await bridge.obtain(alice)
      const list = await open(root, `${issuer}/admin/grants?user=ALICE&client=web`)
      assert.match(list.html, /The web app/)
      assert.match((await open(root, `${issuer}/admin/grants?user=nobody`)).html, /There is no user of this name/)
      assert.match((await open(root, `${issuer}/admin/grants?client=nobody`)).html, /There is no client with this ID/)
      assert.deepEqual(await sizes('/admin/grants?user=bob'), [0])
      const grant_id = /\/admin\/grant\?grant_id=([0-9a-f-]{36})/.exec(list.html)![1]!
      const page = await open(root, `${issuer}/admin/grant?grant_id=${grant_id}`)
      assert.match(page.html, /can no longer act for <bdi>alice<\/bdi>/)
      assert.match(page.html, new RegExp(`curl -X DELETE [^ ]*/api/grants/${grant_id}`))
      const isActive = async () => (await bridge.post('/introspect', { token: access_token })).body.active
      assert.equal(await isActive(), true)
      const { response } = await root.submit(page, {}, 'grant/end')
      assert.match(await response.text(), /This grant ended [\s\S]*an administrator ended it/)
      assert.equal(await isActive(), false)
      const again = await bridge.post('/token', { grant_type: 'refresh_token', refresh_token })
      assert.equal(again.body.error, 'invalid_grant')
      const { html } = await open(root, `${issuer}/admin/events?event=grant.revoked&user=alice`)
      const event_id = /\/admin\/event\?event_id=([0-9a-f-]{36})/.exec(html)![1]!
      const event = await open(root, `${issuer}/admin/event?event_id=${event_id}`)
      assert.match(event.html, /<bdi>root<\/bdi>[\s\S]*revoked_by_administrator/)
      assert.equal((await open(root, `${issuer}/admin/grant?grant_id=nothing`)).status, 404)
      assert.equal((await open(root, `${issuer}/admin/event?event_id=nothing`)).status, 404)
    })

    test('events are found by whom they are about, of one connection, and until a moment; the chain is saved as a file', async () => {
      const { issuer } = bridge
      const about = (await readPages('/admin/events?user=alice')).flat()
      assert.ok(about.length > 0)
      const { html } = await open(root, `${issuer}/admin/events?event=connection.disconnected`)
      const event_id = /\/admin\/event\?event_id=([0-9a-f-]{36})/.exec(html)![1]!
      const event = await open(root, `${issuer}/admin/event?event_id=${event_id}`)
      const connection_id = /connection_id=([0-9a-f-]{36})/.exec(event.html)![1]!
      assert.deepEqual(await sizes(`/admin/events?connection=${connection_id}`), [2])
      assert.deepEqual(await sizes('/admin/events?until=2000-01-01'), [0])
      assert.deepEqual(await sizes('/admin/events?event=tenant.&until=2999-01-01%2010:00'), [1])
      assert.match((await open(root, `${issuer}/admin/events?until=yesterday`)).html, /Write a day/)
      const { tenant_id, store } = bridge.server.app.tenant
      while ((await store.sealEvents({ tenant_id, most: 500 })) > 0);
      const { response } = await root.follow(`${issuer}/admin/events/export`)
      assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
      const lines = (await response.text()).trimEnd().split('\n')
      assert.equal(JSON.parse(lines[0]!).sequence, 1)
      assert.equal(lines.length, (await store.loadChainHead({ tenant_id }))!.sequence)
    })

    test('7.5.3 a token is shown to whoever has just signed in, once the log says so; a refresh is asked for by hand', async () => {
      const { issuer, clock } = bridge
      const { tenant_id, store } = bridge.server.app.tenant
      const bob = await bridge.signIn(BOB)
      await bridge.connect(bob)
      const { connection_id } = (await bridge.connections('bob'))[0]!
      const at = (page: string) => `${issuer}/admin/${page}?connection_id=${connection_id}`
      const page = await open(root, at('connection'))
      assert.match(page.html, /\/connect\/acme\?connection_id=/)
      const { response } = await root.submit(page, {}, 'connection/refresh')
      assert.match(await response.text(), /The provider gave a new token\.|It was refreshed a moment ago/)
      const shown = async () =>
        (
          await store.pageEvents({
            tenant_id,
            before_event_id: '~',
            type: 'connection.token_shown',
            actor: '',
            most: 9,
          })
        ).length
      const question = await open(root, at('connection/token'))
      assert.match(question.html, /Show the access token of/)
      assert.equal(await shown(), 0)
      const answer = await root.submit(question, {}, 'connection/token')
      const html = await answer.response.text()
      assert.match(html, /class="copyable"/)
      assert.equal(await shown(), 1)
      assert.match(answer.response.headers.get('cache-control')!, /no-store/)
      // Later whoever sits there signs in anew, and nothing was shown or written down meanwhile.
      clock.offset += 11 * 60_000
      const late = await root.submit(question, {}, 'connection/token')
      assert.match(late.url, /\/login\?return_to=.*connection%2Ftoken.*again=yes/)
      await late.response.text()
      assert.match((await open(root, at('connection/token'))).url, /\/login\?/)
      assert.match((await open(root, `${issuer}/admin/webhooks/new`)).url, /\/login\?/)
      assert.equal(await shown(), 1)
      clock.offset -= 11 * 60_000
      const ended = await root.submit(await open(root, at('connection')), {}, 'connection/disconnect')
      assert.match(await ended.response.text(), /It has ended/)
      assert.equal((await open(root, at('connection').replace(connection_id, 'nothing'))).status, 404)
    })

    test('what platforms have asked of people is seen until it is done, and ended by an administrator', async () => {
      const { issuer, server } = bridge
      const { tenant, outbound } = server.app.web
      const made = await createConnectSession(outbound, 'web', {
        ...{ end_user_id: 'u-17', connectors: ['acme'], origins: ['https://shop.example'] },
      })
      const page = await open(root, `${issuer}/admin/connect_sessions`)
      assert.match(page.html, /u-17[\s\S]*acme[\s\S]*Not opened yet/)
      const ended = await root.submit(page, {}, 'connect_sessions/end')
      assert.match(await ended.response.text(), /Nothing is pending/)
      const { tenant_id, store } = tenant
      const found = await store.loadConnectSession({ tenant_id, session_id: made.session_id })
      assert.notEqual(found?.session.ended_at, null)
      const [event] = await store.pageEvents({
        tenant_id,
        before_event_id: '~',
        type: 'connect_session.',
        actor: '',
        most: 1,
      })
      assert.match(`${event?.type} ${event?.actor}`, /^connect_session\.ended user:/)
    })

    test('keys are rotated and revoked, and a page of before changes nothing twice', async () => {
      const { issuer } = bridge
      const { tenant } = bridge.server.app
      const states = async () =>
        (await tenant.store.listSigningKeys({ tenant_id: tenant.tenant_id })).keys.map(({ state }) => state)
      assert.deepEqual(await states(), ['current'])
      const rotated = await root.submit(await open(root, `${issuer}/admin/keys`), {}, 'keys/rotate')
      const page = { url: rotated.url, html: await rotated.response.text() }
      assert.deepEqual(await states(), ['retired', 'current'])
      const revoked = await root.submit(page, {}, 'keys/revoke')
      assert.match(await revoked.response.text(), /Revoked/)
      assert.deepEqual(await states(), ['revoked', 'current'])
      const late = await root.submit(page, {}, 'keys/revoke')
      assert.equal(late.response.status, 400)
      assert.match(await late.response.text(), /Nothing was changed: .*revoked already/)
    })

    test('a role and a setting are changed once, and the log shows from what to what', async () => {
      const { issuer } = bridge
      const { tenant } = bridge.server.app
      const made = await root.submit(
        await open(root, `${issuer}/admin/roles/new`),
        { role: 'clerk', scopes: 'a:read\r\n' },
        'name="seen"',
      )
      assert.match(await made.response.text(), /clerk[\s\S]*a:read/)
      const page = await open(root, `${issuer}/admin/role/edit?role=clerk`)
      await (await root.submit(page, { scopes: 'a:read\r\na:write' }, 'name="seen"')).response.text()
      const late = await root.submit(page, { scopes: 'late' }, 'name="seen"')
      assert.equal(late.response.status, 409)
      assert.match(await late.response.text(), /somebody else has changed/)
      assert.deepEqual((await tenant.currentConfiguration()).roles.get('clerk'), ['a:read', 'a:write'])
      for (const [role, words] of [
        ['clerk', /is that of a role that is there already/],
        ['no good', /role must have 1 to 64/],
      ] as const) {
        const answer = await root.submit(await open(root, `${issuer}/admin/roles/new`), { role }, 'name="seen"')
        assert.equal(answer.response.status, 400)
        assert.match(await answer.response.text(), words)
      }
      const kept = await root.submit(
        await open(root, `${issuer}/admin/role/edit?role=administrator`),
        { scopes: 'admin:read' },
        'name="seen"',
      )
      assert.match(await kept.response.text(), /is built in and keeps admin:write/)
      assert.match(
        (await open(root, `${issuer}/admin/rights?client_id=nobody`)).html,
        /There is no client with this ID/,
      )
      const why = await open(root, `${issuer}/admin/rights?client_id=web&username=alice&scope=openid`)
      assert.match(why.html, /It says who the user is/)

      const settings = await open(root, `${issuer}/admin/settings/edit`)
      const before = (await tenant.currentConfiguration()).settings
      const same = await root.submit(settings, {}, 'name="seen"')
      assert.match(await same.response.text(), /Saved\./)
      assert.deepEqual((await tenant.currentConfiguration()).settings, before)
      const wrong = await root.submit(settings, { code_lifetime_seconds: '5', mfa: 'required' }, 'name="seen"')
      assert.equal(wrong.response.status, 400)
      assert.match(await wrong.response.text(), /code_lifetime_seconds must be a whole number from 10 to 600/)
      const saved = await root.submit(settings, { code_lifetime_seconds: '30' }, 'name="seen"')
      assert.match(await saved.response.text(), /Saved\./)
      assert.equal((await tenant.currentConfiguration()).settings.code_lifetime_seconds, 30)
      const { html } = await open(root, `${issuer}/admin/events?event=settings.saved`)
      const event = await open(root, `${issuer}/admin/event?event_id=${/event_id=([0-9a-f-]{36})/.exec(html)![1]}`)
      assert.match(
        event.html,
        /code_lifetime_seconds<\/code>[\s\S]*<del><code dir="ltr">60[\s\S]*<ins><code dir="ltr">30/,
      )
      const stale = await root.submit(settings, { code_lifetime_seconds: '20' }, 'name="seen"')
      assert.equal(stale.response.status, 409)
    })

    test('a webhook is made with a secret that is shown once, changed, replayed, switched off and deleted', async () => {
      const { issuer } = bridge
      const { webhooks } = bridge.server.app.web
      const form = await open(root, `${issuer}/admin/webhooks/new`)
      const wrong = await root.submit(form, { webhook: 'crm', url: 'ftp://crm.example/' }, 'name="seen"')
      assert.equal(wrong.response.status, 400)
      assert.match(await wrong.response.text(), /id="url-error"/)
      const made = await root.submit(form, { webhook: 'crm', url: 'https://crm.example/hooks' }, 'name="seen"')
      assert.match(await made.response.text(), /whsec_[\w+/=]{24,}/)
      const twice = await root.submit(form, { webhook: 'crm', url: 'https://crm.example/hooks' }, 'name="seen"')
      assert.match(await twice.response.text(), /is that of a webhook that is there already/)
      const page = await open(root, `${issuer}/admin/webhook?webhook=crm`)
      assert.doesNotMatch(page.html, /whsec_/)
      const edit = await open(root, `${issuer}/admin/webhook/edit?webhook=crm`)
      await (
        await root.submit(edit, { description: 'Sales', 'event_types.0': 'grant.ended' }, 'name="seen"')
      ).response.text()
      assert.deepEqual((await findWebhook(webhooks, 'crm'))?.event_types, ['grant.ended'])
      assert.equal((await root.submit(edit, { description: 'Late' }, 'name="seen"')).response.status, 409)
      const rotated = await root.submit(page, {}, 'rotate_secret')
      assert.match(await rotated.response.text(), /whsec_/)
      const again = await root.submit(page, {}, 'rotate_secret')
      assert.doesNotMatch(await again.response.text(), /whsec_/, 'a page that is posted once more asks for nothing')
      const badly = await root.submit(page, { from: 'x', to: 'y' }, 'replay_time')
      assert.match(await badly.response.text(), /Write a day and a time/)
      const time = { from: '2000-01-01 00:00', to: '2999-01-01 00:00' }
      const replayed = await root.submit(page, time, 'replay_time')
      assert.match(await replayed.response.text(), /waits? to be sent again/)
      assert.deepEqual(await sizes('/admin/webhook?webhook=crm&state=delivered'), [0])
      await (await root.submit(page, {}, 'webhook/disable')).response.text()
      assert.notEqual((await findWebhook(webhooks, 'crm'))?.disabled_at, null)
      await (await root.submit(page, {}, 'webhook/delete')).response.text()
      assert.equal(await findWebhook(webhooks, 'crm'), null)
    })

    test('8.3.1 nobody but an administrator opens any of it, or changes anything by its forms', async () => {
      const { issuer } = bridge
      const bob = await bridge.signIn(BOB)
      const csrf_token = csrfOf(await open(bob, `${issuer}/account`))
      for (const { path, method } of pageRoutes([]).routes) {
        if (!path.startsWith('/admin') || method === 'ALL') continue
        const answer =
          method === 'GET'
            ? await bob.request(issuer + path)
            : await post(bob, issuer + path, { csrf_token, webhook: 'x', alg: 'ES256', kid: 'x' })
        assert.equal(answer.status, 403, `${method} ${path}`)
        await answer.text()
      }
    })

    test('the other pages of the console open', async () => {
      for (const page of [
        '',
        '/clients',
        '/clients/new',
        '/client?client_id=web',
        '/users',
        '/users?q=AL',
        '/connectors',
        '/grants',
        '/roles',
        '/rights',
        '/keys',
        '/settings',
        '/webhooks',
      ]) {
        const { response } = await root.follow(`${bridge.issuer}/admin${page}`)
        assert.equal(response.status, 200, page)
        await response.text()
      }
    })
  })
}
