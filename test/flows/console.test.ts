import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createApp } from '../../server/src/app.ts'
import { listApiCommands } from '../../server/src/cli/api_commands.ts'
import { newId, randomBytes } from '../../server/src/crypto/random.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { checkSettings } from '../../server/src/inbound/administration/configure.ts'
import { event } from '../../server/src/inbound/event.ts'
import { createUser } from '../../server/src/inbound/users/administer_users.ts'
import { deleteConnector, findConnector, saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { createConnectSession } from '../../server/src/outbound/connect_sessions/connect_sessions.ts'
import { LARGEST_PICTURE } from '../../server/src/store/settings.ts'
import { commandOf, SCRIPTS } from '../../server/src/web/admin/forms/same_by_script.ts'
import { EventTail, TAIL_LIMITS } from '../../server/src/web/event_tail.ts'
import { pageRoutes } from '../../server/src/web/routes.ts'
import { findWebhook } from '../../server/src/webhooks/webhooks.ts'
import { ALICE, BOB, type Bridge, startBridge } from '../parts/bridge.ts'
import { makePng } from '../parts/pictures.ts'
import { csrfOf, open, post, SAME } from '../parts/sign_in_steps.ts'
import { DIALECTS } from '../parts/stores.ts'
import { UserAgent } from '../parts/user_agent.ts'

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
        const shown = html.replace(/<template>[\s\S]*?<\/template>/g, '')
        pages.push(shown.match(/<tr role="row"><td[\s\S]*?<\/tr>/g) ?? [])
        const next = /href="([^"]*)">Next page/.exec(html)?.[1]
        if (next === undefined) return pages
        url = new URL(next.replaceAll('&amp;', '&'), url).href
      }
      throw new Error('the list has no end')
    }
    const sizes = async (path: string) => (await readPages(path)).map(({ length }) => length)

    test('the overview leads to the clients whose older secret ends within a week, and to no other', async () => {
      const { tenant } = bridge.server.app
      const { tenant_id, store } = tenant
      assert.deepEqual(await sizes('/admin/clients?secrets=expiring'), [0])
      const clients = await store.pageClients({ tenant_id, after_client_id: '', most: 99 })
      const [soon, later] = clients.filter(({ client_secret_hash }) => client_secret_hash !== null)
      for (const [{ client_id }, days] of [[soon!, 6.9] as const, [later!, 7.1] as const]) {
        const secret = { client_secret_hash: randomBytes(32), former_expires_at: tenant.clock() + days * 86_400_000 }
        const rotated = event(tenant, 'client.secret_rotated', 'test', { client_id })
        await store.rotateClientSecret({ tenant_id, client_id, ...secret, event: rotated })
      }
      const overview = await open(root, `${bridge.issuer}/admin`)
      assert.match(
        overview.html,
        /1 client secret expires within a week <a href="\/hub\/admin\/clients\?secrets=expiring"/,
      )
      const shown = await open(root, `${bridge.issuer}/admin/clients?secrets=expiring`)
      assert.deepEqual(await sizes('/admin/clients?secrets=expiring'), [1])
      assert.match(shown.html, new RegExp(`client_id=${soon!.client_id}"[\\s\\S]*Older secret ends`))
    })

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
      const ended = await root.submit(await page(users.alice), {}, 'user/end_sessions')
      assert.match(await ended.response.text(), /The user is signed out everywhere/)
      assert.doesNotMatch((await page(users.alice)).html, /is signed out everywhere/, 'it is told once')
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
      const nothing = await open(root, `${issuer}/admin/grant?grant_id=nothing`)
      assert.equal(nothing.status, 404)
      assert.match(nothing.html, /href="\/hub\/admin">Go to the console</)
      assert.equal((await open(root, `${issuer}/admin/event?event_id=nothing`)).status, 404)
    })

    test('one field leads to whatever has an ID, a username or an address, and lists what is alike', async () => {
      const { issuer, users } = bridge
      const find = (text: string) => open(root, `${issuer}/admin/search?${new URLSearchParams({ find: text })}`)
      const at = async (text: string) => (await find(text)).url.slice(`${issuer}/admin/`.length)
      const list = await open(root, `${issuer}/admin/grants?user=alice`)
      const grant_id = /\/admin\/grant\?grant_id=([0-9a-f-]{36})/.exec(list.html)![1]!
      const { connection_id } = (await bridge.connections('alice'))[0]!
      const events = await open(root, `${issuer}/admin/events?event=connection.disconnected`)
      const event_id = /\/admin\/event\?event_id=([0-9a-f-]{36})/.exec(events.html)![1]!
      assert.deepEqual(
        await Promise.all(
          [' web ', users.alice, 'ALICE', grant_id, connection_id, event_id, 'second', 'administrator'].map(at),
        ),
        [
          ...['client?client_id=web', `user?user_id=${users.alice}`, `user?user_id=${users.alice}`],
          ...[`grant?grant_id=${grant_id}`, `connection?connection_id=${connection_id}`, `event?event_id=${event_id}`],
          ...['connector?connector=second', 'role/edit?role=administrator'],
        ],
      )
      const { html } = await find('he wEb')
      assert.match(html, /<h2>Clients<\/h2>[\s\S]*client_id=web"[^>]*><bdi>The web app<\/bdi>/)
      assert.match((await find('ali')).html, /<h2>Users<\/h2>[\s\S]*<bdi>Alice Example<\/bdi>/)
      assert.match((await find('<b>nobody')).html, /Nothing found/)
      for (const nothing of ['', '%', '_', '\u0001', '~']) assert.equal((await find(nothing)).status, 200, nothing)
      assert.equal((await open(root, `${issuer}/admin/search?find=a&find=b`)).status, 400)
      const bob = await bridge.signIn(BOB)
      const refused = await open(bob, `${issuer}/admin/search?find=alice`)
      assert.equal(refused.status, 403)
      assert.match(refused.html, /href="\/hub\/account">Go to your account</, 'and not where they may not be')
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

    test('7.5.3 of what was typed and chosen before a sign-in anew the text waits, and the page says that the file does not', async () => {
      const at = `${bridge.issuer}/admin/settings/brand`
      const agent = await bridge.signIn(ROOT)
      const form = new FormData()
      form.append('csrf_token', csrfOf(await open(agent, at)))
      form.append('brand_name', 'Tom & Jerry')
      form.append('brand_logo', new Blob([new Uint8Array(makePng({ width: 40 }))]))
      bridge.clock.offset += 11 * 60_000
      try {
        const { url, response } = await agent.follow(at, { method: 'POST', headers: SAME, body: form })
        const sign_in = { url, html: await response.text() }
        assert.match(url, /return_to=[^&]*typed.*again=yes/)
        const filled = await (await agent.submit(sign_in, ROOT, 'password')).response.text()
        assert.match(filled, /value="Tom &amp; Jerry"[\s\S]*type="file"/)
        assert.match(filled, /no file is kept meanwhile/)
      } finally {
        bridge.clock.offset = 0
      }
    })

    test('5.8 CVE-2024-29891 CVE-2026-5468 a tenant has its name, colour and picture, which is served as what it is', async () => {
      const { issuer } = bridge
      const { tenant } = bridge.server.app
      const at = `${issuer}/admin/settings/brand`
      const page = await open(root, at)
      const seen = () => tenant.currentConfiguration().then(({ config_version }) => String(config_version))
      const send = async (fields: Record<string, string | Uint8Array<ArrayBuffer>>, headers = SAME) => {
        const form = new FormData()
        const given = { csrf_token: csrfOf(page), seen: await seen(), brand_name: '', brand_accent: '', ...fields }
        for (const [name, value] of Object.entries(given)) {
          if (typeof value === 'string') form.append(name, value)
          else form.append(name, new Blob([value], { type: 'text/html' }), 'logo.html')
        }
        const response = await root.request(at, { method: 'POST', headers, body: form })
        return { status: response.status, html: await response.text(), location: response.headers.get('location') }
      }
      const png = new Uint8Array(makePng({ width: 40 }))
      const text = (of: string) => new Uint8Array(Buffer.from(of))
      const before = (await tenant.currentConfiguration()).settings
      for (const [fields, said] of [
        [{ brand_logo: text('<svg xmlns="http://www.w3.org/2000/svg"/>') }, /This is a drawing \(SVG\)/],
        [{ brand_logo: text('<script>alert(1)</script>') }, /This is no PNG, JPEG or WebP picture/],
        [{ brand_logo: new Uint8Array(LARGEST_PICTURE + 1) }, /This picture is too large/],
        [{ brand_logo: new Uint8Array(makePng({ width: 1025, height: 1 })) }, /too wide or too high/],
        [{ kept_logo: 'https://cdn.example/logo.png' }, /This is no PNG, JPEG or WebP picture/],
        [{ brand_accent: '#123456;}*{display:none' }, /A colour is # and six digits/],
        [{ brand_accent: 'url(//evil.example)' }, /A colour is # and six digits/],
        [{ brand_name: 'a\u202eb' }, /A name is one line/],
        [{ brand_name: 'x'.repeat(81) }, /A name is one line/],
        [{ brand_name: '\u3164' }, /A name is one line/],
      ] as const) {
        const refused = await send(fields)
        assert.equal(refused.status, 400)
        assert.match(refused.html, said)
      }
      const forged = await send({ csrf_token: 'x', brand_name: 'Evil' })
      const foreign = await send({ brand_name: 'Evil' }, { 'sec-fetch-site': 'cross-site' })
      const type = { ...SAME, 'content-type': 'text/plain' }
      const plain = await root.request(at, { method: 'POST', headers: type, body: `csrf_token=${csrfOf(page)}` })
      const named = await send({ seen: text('1') })
      const huge = await send({ brand_logo: new Uint8Array(2 ** 20) })
      assert.deepEqual(
        [forged, foreign, plain, named, huge].map(({ status }) => status),
        [403, 403, 415, 400, 413],
      )
      const part = (name: string) => `--of-a-form\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`
      const latin = `${part('csrf_token')}${csrfOf(page)}\r\n${part('brand_name')}S\xf6hne\r\n--of-a-form--\r\n`
      const unread = await root.request(at, {
        method: 'POST',
        headers: { ...SAME, 'content-type': 'multipart/form-data; boundary=of-a-form' },
        body: Buffer.from(latin, 'latin1'),
      })
      assert.equal(unread.status, 400)
      assert.match(await unread.text(), /not UTF-8/)
      assert.equal((await send({ brand_name: 'Late', seen: '0' })).status, 409)
      const large = new FormData()
      large.append('brand_logo', new Blob([new Uint8Array(100_000)]))
      for (const who of [new UserAgent(), await bridge.signIn(BOB)]) {
        const stranger = await who.request(at, { method: 'POST', headers: SAME, body: large })
        assert.equal(stranger.status, 413, 'of whoever is no administrator nothing large is read')
        await stranger.text()
      }
      const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, '']))
      assert.match((await send(many)).html, /more than 32 parts/)
      const shown = await send({ brand_logo: png, brand_accent: 'FFD54A', action: 'preview' })
      assert.match(
        shown.html,
        /src="data:image\/png;base64,[\s\S]*name="kept_logo"|name="kept_logo"[\s\S]*src="data:image/,
      )
      assert.match(shown.html, /Darker than you gave it: that has only 1\.\d to 1/)
      assert.deepEqual((await tenant.currentConfiguration()).settings, before)

      const kept_logo = /name="kept_logo" value="([^"]+)"/.exec(shown.html)![1]!
      const saved = await send({ brand_name: 'Tom & "Jerry" <b>', brand_accent: '#fd5', kept_logo })
      assert.match(saved.location ?? '', /\/admin\/settings$/)
      const told = async (query: string) =>
        /role="status"/.test((await open(root, `${issuer}/admin/settings${query}`)).html)
      assert.deepEqual(
        [await told(''), await told(''), await told('?saved=true')],
        [true, false, false],
        'once, by no link',
      )
      const login = await open(new UserAgent(), `${issuer}/login`)
      assert.match(login.html, /<bdi>Tom &amp; &quot;Jerry&quot; &lt;b&gt;<\/bdi>/)
      assert.match(login.html, /href="\/hub\/assets\/brand-ffdd55\.css"/)
      const [, path] = /<img class="mark" src="\/hub(\/assets\/logo-[0-9a-f]{24}\.png)"/.exec(login.html)!
      const picture = await fetch(`${issuer}${path}`)
      assert.deepEqual(new Uint8Array(await picture.arrayBuffer()), png)
      assert.equal(picture.headers.get('content-type'), 'image/png')
      const [other] = /[0-9a-f]{24}/.exec(path!)!
      assert.equal((await fetch(`${issuer}${path!.replace(other, '0'.repeat(24))}`)).status, 404)
      assert.equal(picture.headers.get('x-content-type-options'), 'nosniff')
      assert.match(picture.headers.get('cache-control')!, /immutable/)
      assert.match(picture.headers.get('content-security-policy')!, /default-src 'none'/)
      const { html } = await open(root, `${issuer}/admin/events?event=settings.saved`)
      const event = await open(root, `${issuer}/admin/event?event_id=${/event_id=([0-9a-f-]{36})/.exec(html)![1]}`)
      assert.match(event.html, new RegExp(`image/png, ${png.length} bytes, sha256 ${path!.slice(13, 37)}`))

      const other_png = await send({
        brand_logo: new Uint8Array(makePng({ width: 41 })),
        remove_logo: 'yes',
        action: 'preview',
      })
      assert.match(other_png.html, /name="kept_logo" value="data:/, 'what is chosen takes the place of what goes')
      assert.equal((await send({ remove_logo: 'yes' })).status, 303)
      assert.equal((await fetch(`${issuer}${path}`)).status, 404)
      assert.deepEqual((await tenant.currentConfiguration()).settings, before)
      const svg = 'data:image/png;base64,PHN2Zy8+'
      assert.throws(() => checkSettings({ brand_logo: svg }), /^Error: settings\.brand_logo is a drawing \(SVG\)/)
      assert.throws(
        () => checkSettings({ brand_logo: 'https://cdn.example/l.png' }),
        /brand_logo must be a PNG, JPEG or WebP/,
      )
    })

    test('the console shows the tenant that it is of, and no other of the same database', async () => {
      const { tenant } = bridge.server.app
      const { html } = await open(root, `${bridge.issuer}/admin/tenant`)
      assert.ok(html.includes(tenant.tenant_id) && html.includes(tenant.issuer))
      assert.match(html, new RegExp(`sallyport tenants disable ${tenant.issuer}`))
      assert.equal((await (await bridge.signIn(BOB)).request(`${bridge.issuer}/admin/tenant`)).status, 403)
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
      assert.match(twice.url, /webhook\?webhook=crm&twice=true$/)
      assert.match(await twice.response.text(), /This form was sent twice[\s\S]*make a new one/)
      const other = await root.submit(form, { webhook: 'crm', url: 'https://other.example/' }, 'name="seen"')
      assert.match(await other.response.text(), /is that of a webhook that is there already/)
      const page = await open(root, `${issuer}/admin/webhook?webhook=crm`)
      assert.doesNotMatch(page.html, /whsec_/)
      const edit = await open(root, `${issuer}/admin/webhook/edit?webhook=crm`)
      await (
        await root.submit(edit, { description: 'Sales', 'event_types.0': 'grant.ended' }, 'name="seen"')
      ).response.text()
      assert.deepEqual((await findWebhook(webhooks, 'crm'))?.event_types, ['grant.ended'])
      const sent_again = { description: 'Sales', 'event_types.0': 'grant.ended' }
      assert.match((await root.submit(edit, sent_again, 'name="seen"')).url, /webhook\?webhook=crm$/)
      assert.equal((await root.submit(edit, { description: 'Late' }, 'name="seen"')).response.status, 409)
      const [former] = (await findWebhook(webhooks, 'crm'))!.keys
      const presses = await Promise.all([0, 1, 2].map(() => root.submit(page, {}, 'rotate_secret')))
      const answers = await Promise.all(presses.map(({ response }) => response.text()))
      const told = answers.map((html) => (/whsec_/.test(html) ? 'secret' : /This form was sent twice/.test(html)))
      assert.deepEqual(told.toSorted(), ['secret', true, true])
      const keys = (await findWebhook(webhooks, 'crm'))!.keys
      assert.deepEqual([keys.length, keys[1]!.made_at], [2, former!.made_at], 'what signed before signs for a day')
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

    test('a connector is chosen from the catalogue, made, tested and changed, and its secret is never shown again', async () => {
      const { issuer, foreign } = bridge
      const { outbound } = bridge.server.app.web
      const at = (query: string) => `${issuer}/admin/connectors/new?${query}`
      assert.deepEqual((await sizes('/admin/connectors/new'))[0]! > 60, true)
      assert.deepEqual(await sizes('/admin/connectors/new?q=open+CONNECT'), [1])
      assert.match((await open(root, at('q=nobody'))).html, /No provider of that name/)
      assert.equal((await open(root, at('provider=nobody'))).status, 404)
      assert.match((await open(root, at('provider=oidc&connector=acme'))).html, /There is a connector of this name/)
      assert.match((await open(root, at('provider=oidc&connector=A+b'))).html, /id="connector-error"/)
      assert.match((await open(root, at('provider=github'))).html, /\/connect\/github\/callback/)
      const form = await open(root, at('provider=oidc&connector=other'))
      assert.match(form.html, new RegExp(`${issuer}/connect/other/callback`))
      const secret = 'a secret that is wrong'
      const typed = { client_id: 'sallyport', client_secret: secret, 'scopes.0': 'openid', scope: 'calendar' }
      const wrong = await root.submit(form, { ...typed, issuer: 'http://169.254.169.254/' }, 'name="seen"')
      const refused = { url: wrong.url, html: await wrong.response.text() }
      assert.equal(wrong.response.status, 400)
      assert.match(refused.html, /type them anew[\s\S]*id="issuer-error"/)
      assert.match(refused.html, /value="calendar"/)
      assert.doesNotMatch(refused.html, new RegExp(secret), 'a secret comes back in no page')
      const made = await root.submit(refused, { issuer: foreign.issuer, client_secret: secret }, 'name="seen"')
      const page = { url: made.url, html: await made.response.text() }
      assert.match(page.html, /The connector is made/)
      const stored = (await findConnector(outbound, 'other'))!
      assert.deepEqual(
        [stored.scope, stored.settings.fields],
        ['openid offline_access calendar', { issuer: foreign.issuer }],
      )
      const same = await root.submit(refused, { issuer: foreign.issuer, client_secret: secret }, 'name="seen"')
      assert.match(await same.response.text(), /The connector is made/, 'a form that is sent twice makes one')
      const others = { issuer: foreign.issuer, client_id: 'other', client_secret: secret }
      const twice = await root.submit(refused, others, 'name="seen"')
      assert.equal(twice.response.status, 409)
      const taken = { url: twice.url, html: await twice.response.text() }
      assert.match(taken.html, /There is a connector of this name[\s\S]*value="calendar"/, 'and what was typed stands')
      assert.doesNotMatch(taken.html, new RegExp(secret))
      const renamed = await root.submit(taken, { connector: 'another', client_secret: secret }, 'name="seen"')
      assert.match(await renamed.response.text(), /The connector is made/)
      await deleteConnector(outbound, 'test', 'another')
      const look = async () => (await root.submit(page, {}, 'connector/test')).response.text()
      assert.match(await look(), /refuses the client[\s\S]*invalid_client/)
      const edit = await open(root, `${issuer}/admin/connector/edit?connector=other`)
      assert.match(edit.html, /One is stored/)
      assert.match(edit.html, /sallyport connectors[\s\\]+update/)
      const kept = await root.submit(edit, { scope: 'calendar mail' }, 'name="seen"')
      assert.match(await kept.response.text(), /Saved/)
      const late = await root.submit(edit, { client_secret: 'late' }, 'name="seen"')
      assert.equal(late.response.status, 409)
      assert.doesNotMatch(await late.response.text(), /value="late"/)
      assert.match(await look(), /refuses the client/, 'nothing that came too late is kept')
      const anew = await open(root, `${issuer}/admin/connector/edit?connector=other`)
      await (await root.submit(anew, { client_secret: 'secret-at-acme' }, 'name="seen"')).response.text()
      assert.match(await look(), /accepts the client ID/)
      assert.equal((await findConnector(outbound, 'other'))!.scope, 'openid offline_access calendar mail')
      bridge.clock.offset += 11 * 60_000
      const old = await root.submit(anew, { client_secret: 'old' }, 'name="seen"')
      assert.match(old.url, /\/login\?/)
      await old.response.text()
      bridge.clock.offset -= 11 * 60_000
      assert.match(await look(), /accepts the client ID/)
      await root.submit(page, {}, 'connector/delete').then(({ response }) => response.text())
      assert.equal(await findConnector(outbound, 'other'), null)
      assert.equal((await open(root, `${issuer}/admin/connector/edit?connector=other`)).status, 404)
    })

    test('a connector that comes with the server is not changed in the console', async () => {
      const { issuer, foreign } = bridge
      const { outbound } = bridge.server.app.web
      const input = { connector: 'plant', provider: 'oidc', issuer: foreign.issuer, client_id: 'c', client_secret: 's' }
      await saveConnector(outbound, 'system', input, { for_everyone: true })
      const page = await open(root, `${issuer}/admin/connector/edit?connector=plant`)
      assert.match(page.html, /comes with this server/)
      assert.doesNotMatch(page.html, /name="seen"/)
      const version = String((await findConnector(outbound, 'plant'))!.version)
      const form = { connector: 'plant', seen: version, issuer: 'https://evil.example', client_id: 'c' }
      const answer = await post(root, `${issuer}/admin/connector/edit`, { csrf_token: csrfOf(page), ...form })
      assert.equal(answer.status, 400)
      assert.match(await answer.text(), /only whoever runs this server changes it/)
      assert.equal((await findConnector(outbound, 'plant'))!.client_id, 'c')
      await deleteConnector(outbound, 'system', 'plant', { for_everyone: true })
    })

    /** Follows the log from now on; what comes is read message by message. */
    async function follow(agent: UserAgent, query = ''): Promise<{ read(): Promise<string>; close(): Promise<void> }> {
      const ask = () => agent.request(`${bridge.issuer}/admin/events/follow?${query}`)
      let response = await ask()
      // Whoever has just gone is missed a moment later.
      for (let tries = 0; response.status === 429 && tries < 100; tries++) {
        await response.text()
        response = await ask()
      }
      assert.equal(response.status, 200, query)
      assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
      assert.equal(response.headers.get('cache-control'), 'no-store, no-transform')
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      const read = async (): Promise<string> => {
        for (let end = text.indexOf('\n\n'); ; end = text.indexOf('\n\n')) {
          if (end >= 0) {
            const message = text.slice(0, end)
            text = text.slice(end + 2)
            return message
          }
          const { done, value } = await reader.read()
          if (done) return 'closed'
          text += value
        }
      }
      assert.equal(await read(), 'retry: 3000')
      return { read, close: () => reader.cancel() }
    }
    const happen = async (type: string, more: Parameters<typeof event>[3] = {}) => {
      const { tenant } = bridge.server.app
      await tenant.store.recordEvent(event(tenant, type, 'cli', more))
      await tenant.store.sealEvents({ tenant_id: tenant.tenant_id, most: 1000 })
    }
    const followed = (message: string) => JSON.parse(/^data: (.*)$/m.exec(message)?.[1] ?? '{}').event as string
    const headOf = async () => {
      const { tenant_id, store } = bridge.server.app.tenant
      await store.sealEvents({ tenant_id, most: 1000 })
      return (await store.loadChainHead({ tenant_id }))!.sequence
    }

    test('the log is followed as it grows, with the filters of the page, and from where it was left', async () => {
      const after = await headOf()
      const [all, some] = [
        await follow(root, `after=${after}`),
        await follow(root, `event=test.b&user=alice&after=${after}`),
      ]
      const { alice, bob } = bridge.users
      await happen('test.a', { user_id: alice, detail: { note: 'a\n\ndata: forged' } })
      await happen('test.b1', { user_id: bob })
      await happen('test.b2', { user_id: alice, client_id: '\u202e<b>' })
      const first = await all.read()
      assert.match(first, new RegExp(`^id: ${after + 1}\ndata: \\{.*"event":"test.a"`))
      assert.deepEqual([await all.read(), await all.read()].map(followed), ['test.b1', 'test.b2'])
      const shown = await some.read()
      assert.equal(followed(shown), 'test.b2')
      assert.match(shown, /"target":"<b> · alice"/, 'texts are sent as they are shown, and made into no markup')
      await Promise.all([all.close(), some.close()])
      const late = await follow(root, `after=${after + 1}`)
      assert.equal(followed(await late.read()), 'test.b1')
      await late.close()
      const page = (await open(root, `${bridge.issuer}/admin/events?event=test.b`)).html
      assert.match(page, new RegExp(`data-url="/hub/admin/events/follow\\?event=test.b&amp;after=${after + 3}"`))
      const { response } = await root.follow(`${bridge.issuer}/admin/events?until=2026-01-01`)
      assert.doesNotMatch(await response.text(), /data-url/, 'what has an end does not grow')
    })

    test('T-07 15.2.2 one person follows four times at most, and whoever missed much is told so and begins with the newest', async () => {
      const after = await headOf()
      const open = await Promise.all([1, 2, 3, 4].map(() => follow(root, `after=${after}`)))
      const fifth = await root.request(`${bridge.issuer}/admin/events/follow`)
      assert.deepEqual([fifth.status, fifth.headers.get('retry-after')], [429, '60'])
      await fifth.text()
      await open[0]!.close()
      const again = await follow(root, `after=${after + 1_000_000}`)
      bridge.clock.offset += TAIL_LIMITS.beat_ms
      assert.match(await again.read(), /^id: \d+\nevent: here\n/, 'it has begun')
      bridge.clock.offset -= TAIL_LIMITS.beat_ms
      await happen('test.c')
      assert.equal(followed(await again.read()), 'test.c', 'a number that is not there yet is now')
      await Promise.all([...open, again].map((one) => one.close()))
      const wrong = await root.request(`${bridge.issuer}/admin/events/follow?user=nobody`)
      assert.equal(wrong.status, 400)
      await wrong.text()
      const head = await root.request(`${bridge.issuer}/admin/events/follow`, { method: 'HEAD' })
      assert.equal(await head.text(), '', 'a question about it takes no place')
      const { tenant } = bridge.server.app
      await Promise.all(Array.from({ length: 520 }, () => tenant.store.recordEvent(event(tenant, 'test.d', 'cli'))))
      await headOf()
      const late = await follow(root, `after=${after}`)
      assert.equal(await late.read(), 'event: missed\ndata:')
      assert.equal(followed(await late.read()), 'test.d')
      await late.close()
    })

    test('whoever saw nothing for long is told how far the log is, and has missed nothing of it next time', async () => {
      const after = await headOf()
      const rare = await follow(root, `event=test.rare&after=${after}`)
      await happen('test.other')
      bridge.clock.offset += TAIL_LIMITS.beat_ms
      const head = await headOf()
      assert.ok(head > after)
      assert.equal(await rare.read(), `id: ${head}\nevent: here\ndata:`)
      bridge.clock.offset -= TAIL_LIMITS.beat_ms
      await rare.close()
    })

    test('15.2.2 who does not read is cut off with all that waits for them; who comes while the process ends comes again', async () => {
      const { tenant, web } = bridge.server.app
      const following = {
        ...{ user_id: 'user:deaf', after: await headOf(), matches: () => true, mayFollow: async () => true },
        write: async (events: readonly object[]) => events.map(() => 'x'.repeat(TAIL_LIMITS.unread_bytes)),
      }
      const deaf = web.event_tail.follow(following)!.getReader()
      await happen('test.unread')
      await assert.rejects(deaf.closed, /not read/)
      await assert.rejects(deaf.read(), /not read/, 'nothing of it is kept')
      const { promise: cut, resolve } = Promise.withResolvers<void>()
      web.event_tail.follow({ ...following, after: await headOf(), cut: resolve })
      await happen('test.unread')
      await cut
      const ending = new EventTail(tenant, () => {})
      ending.stop()
      assert.equal(await new Response(ending.follow(following)).text(), 'retry: 3000\n\n')
    })

    test('8.3.2 7.4.1 who follows is let go when the right is taken away or the session ends, before another event is seen', async () => {
      const { tenant } = bridge.server.app
      const { tenant_id, store } = tenant
      const watcher = { username: 'watcher', password: 'staple of yet another kind' }
      const user_id = await bridge.server.addUser({ ...watcher, roles: ['administrator'] })
      const agent = await bridge.signIn(watcher)
      const following = await follow(agent, `after=${await headOf()}`)
      await happen('test.seen')
      assert.equal(followed(await following.read()), 'test.seen')
      const user = (await store.findUser({ tenant_id, user_id }))!
      const roles = (is: string) =>
        store.updateUser({
          tenant_id,
          user: { ...user, email_verified: true, roles: is },
          event: event(tenant, 'test.e', 'cli'),
        })
      await roles('["member"]')
      await happen('test.unseen')
      assert.deepEqual([await following.read(), await following.read()], ['event: end\ndata:', 'closed'])
      await roles('["administrator"]')
      const anew = await bridge.signIn(watcher)
      const second = await follow(anew, `after=${await headOf()}`)
      const [session] = await store.listSessionsOfUser({ tenant_id, user_id })
      await store.endSessionOfUser({
        tenant_id,
        user_id,
        session_id: session!.session_id,
        event: event(tenant, 'test.f', 'cli'),
      })
      await happen('test.unseen')
      assert.deepEqual([await second.read(), await second.read()], ['event: end\ndata:', 'closed'])
      const signed_out = await anew.request(`${bridge.issuer}/admin/events/follow`)
      assert.equal(signed_out.status, 303, 'whoever is signed out is asked to sign in')
      await signed_out.text()
    })

    test('8.4.1 whoever follows the log of a tenant sees no event of another, of the same database', async () => {
      const { store, log } = { store: bridge.server.store, log: { debug() {}, info() {}, warn() {}, error() {} } }
      const other = await createApp({ issuer: 'https://other.example', store, root: new RootKey(randomBytes(32)), log })
      const head = await headOf()
      const following = await follow(root, `after=${head}`)
      // Its chain has come as far as ours: what follows has numbers that nobody here has seen.
      const { tenant_id } = other.tenant
      const far = `update event_chains set sequence = ${head} where tenant_id = '${tenant_id}'`
      await store.driver.exclusively((session) => session.transaction(far))
      await store.recordEvent(event(other.tenant, 'test.theirs', 'cli'))
      await store.sealEvents({ tenant_id, most: 1000 })
      await happen('test.ours')
      await happen('test.more')
      assert.deepEqual([await following.read(), await following.read()].map(followed), ['test.ours', 'test.more'])
      await following.close()
      await other.close()
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

    test('a search for users that finds more than are shown says so, and leads to no other list', async () => {
      const { tenant } = bridge.server.app
      for (let i = 0; i < 51; i++) await createUser(tenant, { username: `many-${i}` }, { actor: 'test' })
      const many = await open(root, `${bridge.issuer}/admin/users?q=many-`)
      assert.match(many.html, /The first 50\. Write more of the name/)
      assert.deepEqual([await sizes('/admin/users?q=many-'), await sizes('/admin/users?q=many-1')], [[50], [11]])
      const few = await open(root, `${bridge.issuer}/admin/users?q=many-1`)
      assert.doesNotMatch(few.html, /The first 50/)
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
