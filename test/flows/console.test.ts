import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '../../server/src/crypto/random.ts'
import { event } from '../../server/src/inbound/event.ts'
import { ALICE, BOB, type Bridge, startBridge } from '../parts/bridge.ts'
import { csrfOf, open, post } from '../parts/sign_in_steps.ts'
import { DIALECTS } from '../parts/stores.ts'
import type { UserAgent } from '../parts/user_agent.ts'

const ROOT = { username: 'root', password: 'correct horse battery' }
const CONNECTIONS = 130

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

    test('the other pages of the console open', async () => {
      for (const page of [
        '',
        '/clients',
        '/clients/new',
        '/client?client_id=web',
        '/users',
        '/users?q=AL',
        '/connectors',
      ]) {
        const { response } = await root.follow(`${bridge.issuer}/admin${page}`)
        assert.equal(response.status, 200, page)
        await response.text()
      }
    })
  })
}
