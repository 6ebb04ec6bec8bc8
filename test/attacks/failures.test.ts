import assert from 'node:assert/strict'
import { type App, createApp } from '../../server/src/app.ts'
import { StoreUnavailable } from '../../server/src/store/sql.ts'
import type { Store } from '../../server/src/store/store.ts'
import { ALICE, onBothDatabases, type Platform } from '../parts/platform.ts'
import { post, signIn, tryLogin } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()
type Verbs = { [Name in keyof Store]?: (args: never) => Promise<unknown> }

/** Another app over the same rows, some of whose verbs do something else. */
async function openWith(p: Platform, verbs: Verbs): Promise<App> {
  const store = Object.assign(Object.create(p.server.store), verbs) as Store
  return createApp({ issuer: p.issuer, store, root: p.root, log: p.server.app.web.log, clock: p.now })
}

const fail = (error: Error) => () => Promise.reject(error)

testOnBoth(
  '16.5.1 16.5.3 16.3.4 16.5.4 a failure of ours is 500 with a number to look up, and says nothing of the inside',
  async (p) => {
    const boom = fail(new Error('boom at /srv/secret.ts with password hunter2'))
    const app = await openWith(p, {
      loadClientAuthority: boom,
      loadGrantAuthority: boom,
      loadTokenAuthority: boom,
      loadBrowserAuthority: boom,
    })
    const { access_token } = await p.getTokens('web')
    for (const [path, form] of [
      ['/token', { grant_type: 'client_credentials' }],
      ['/token', { grant_type: 'refresh_token', refresh_token: 'x' }],
      ['/introspect', { token: 'x' }],
      ['/revoke', { token: 'x' }],
    ] as const) {
      const { status, body, text, headers } = await p.post(path, form, 'web', app)
      assert.deepEqual([status, body.error], [500, 'server_error'], path)
      assert.doesNotMatch(text, /boom|hunter2|\.ts/)
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.ok(text.includes(headers.get('x-request-id')!), 'the number is the one in the log')
    }
    assert.equal((await p.userinfo(access_token, app)).status, 500)
    for (const path of ['/login', '/authorize?client_id=web', '/consent', '/account']) {
      const response = await app.fetch(new Request(p.issuer + path))
      assert.equal(response.status, 500, path)
      assert.doesNotMatch(await response.text(), /boom|hunter2|\.ts/)
      assert.equal(response.headers.get('cache-control'), 'no-store')
      assert.equal(response.headers.get('x-frame-options'), 'DENY', 'B-20')
      assert.match(response.headers.get('content-security-policy')!, /default-src 'none'/)
    }
    const logged = p.server.log.filter((line) => (line as { level: string }).level === 'error')
    assert.ok(logged.length >= 9, 'each is in the log')
    await app.close()
  },
)

testOnBoth('I14 a database that does not answer is 503 with Retry-After, on every endpoint', async (p) => {
  const gone = fail(new StoreUnavailable('the database cannot be reached', 'not committed'))
  const app = await openWith(p, {
    loadClientAuthority: gone,
    loadGrantAuthority: gone,
    loadTokenAuthority: gone,
    loadBrowserAuthority: gone,
    ping: gone,
  })
  for (const [path, form] of [
    ['/token', { grant_type: 'client_credentials' }],
    ['/introspect', { token: 'x' }],
    ['/revoke', { token: 'x' }],
  ] as const) {
    const { status, body, headers } = await p.post(path, form, 'web', app)
    assert.deepEqual([status, body.error, headers.get('retry-after')], [503, 'temporarily_unavailable', '1'], path)
  }
  const page = await app.fetch(new Request(`${p.issuer}/login`))
  assert.deepEqual([page.status, page.headers.get('retry-after')], [503, '1'])
  const { origin } = new URL(p.issuer)
  assert.equal((await app.fetch(new Request(`${origin}/readyz`))).status, 503)
  assert.equal((await app.fetch(new Request(`${origin}/healthz`))).status, 200)
  await app.close()
})

testOnBoth(
  'I6 Keycloak-49213 a refresh that fails consumes nothing, one whose answer is lost is answered again',
  async (p) => {
    const { rotateRefreshToken } = p.server.store
    const { refresh_token } = await p.getTokens('web')
    const before = await openWith(p, { rotateRefreshToken: fail(new StoreUnavailable('gone', 'not committed')) })
    assert.equal((await p.refresh('web', refresh_token, {}, before)).status, 503)
    const signing = await openWith(p, { rotateRefreshToken: fail(new Error('boom')) })
    assert.equal((await p.refresh('web', refresh_token, {}, signing)).status, 500)
    const after = await openWith(p, {
      async rotateRefreshToken(args: Parameters<typeof rotateRefreshToken>[0]) {
        await rotateRefreshToken(args)
        throw new StoreUnavailable('the connection was lost during a commit', 'unknown')
      },
    })
    assert.equal((await p.refresh('web', refresh_token, {}, after)).status, 503)
    const retried = await p.refresh('web', refresh_token)
    assert.equal(retried.status, 200)
    assert.equal((await p.refresh('web', refresh_token)).body.refresh_token, retried.body.refresh_token)
    for (const app of [before, signing, after]) await app.close()
  },
)

testOnBoth('I6 an exchange that fails does not consume the code', async (p) => {
  const code = await p.getCode('web')
  for (const error of [new StoreUnavailable('gone', 'not committed'), new Error('boom')]) {
    const app = await openWith(p, { redeemCode: fail(error) })
    assert.notEqual((await p.exchange('web', code, {}, app)).status, 200)
    await app.close()
  }
  assert.equal((await p.exchange('web', code)).status, 200)
})

testOnBoth('R-14 a flood of sign-ins is told to wait, and is not counted against the user', async (p) => {
  const agent = new UserAgent()
  const page = await agent.follow(`${p.issuer}/login`)
  const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(await page.response.text())![1]!
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
  const tryAs = (username: string, password = 'x') =>
    agent.request(page.url, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ csrf_token, username, password }).toString(),
    })
  const flood = Array.from({ length: 200 }, (_, i) => tryAs(`flood${i}`))
  const replies = await Promise.all(flood)
  const busy = replies.filter(({ status }) => status === 429)
  assert.ok(busy.length > 0)
  for (const { status, headers } of replies) {
    assert.ok(status === 401 || status === 429, `${status}`)
    if (status === 429) assert.ok(Number(headers.get('retry-after')) > 0)
  }
  assert.equal((await tryAs(ALICE.username, ALICE.password)).status, 303)
})

testOnBoth(
  '16.3.1 16.3.2 16.3.3 who was let in or not, what was not allowed and what tried to get round is written down',
  async (p) => {
    const { tenant_id } = p.server.app.tenant
    const since = async (work: () => Promise<unknown>) => {
      const lines = p.server.log.length
      const all = { tenant_id, before_event_id: '~', type: '', actor: '', most: 1000 }
      await p.server.app.web.inbound.refused_logins.flush()
      const known = new Set((await p.server.store.pageEvents(all)).map(({ event_id }) => event_id))
      await work()
      await p.server.app.web.inbound.refused_logins.flush()
      const events = await p.server.store.pageEvents(all)
      return {
        log: (p.server.log.slice(lines) as Record<string, unknown>[]).filter(({ message }) => message === 'refused'),
        events: events
          .filter(({ event_id }) => !known.has(event_id))
          .map(({ type, detail }) => [type, JSON.parse(detail)]),
      }
    }
    const refused = async (work: () => Promise<unknown>) => {
      p.pass(1)
      const { log } = await since(work)
      assert.equal(log.length, 1)
      assert.match(log[0]!['request_id'] as string, /^[\w-]{12}$/)
      return [log[0]!['error'], log[0]!['cause'], log[0]!['user_id']].filter((one) => one !== undefined)
    }
    p.pass(1)
    const agent = new UserAgent()
    const user_id = await findId(p, ALICE.username)
    p.pass(1)
    const let_in = await since(() => signIn(p, ALICE, agent))
    assert.deepEqual(let_in.events, [['session.started', { amr: ['pwd'] }]])
    p.pass(1)
    const not = await since(() => tryLogin(p, ALICE.username, 'a wrong one'))
    assert.equal(not.events[0]![0], 'login.refused')
    const wrong = () =>
      p.post('/token', { grant_type: 'client_credentials', client_id: 'post', client_secret: 'x' }, null)
    assert.deepEqual(await refused(wrong), ['invalid_client', 'post: wrong secret'])
    const { access_token } = (await p.post('/token', { grant_type: 'client_credentials' }, 'web')).body
    assert.equal((await refused(() => p.userinfo(access_token)))[0], 'invalid_token')
    const scope = () => p.post('/token', { grant_type: 'client_credentials', scope: 'admin:write' }, 'web')
    assert.equal((await refused(scope))[0], 'invalid_scope')
    assert.equal(
      (await refused(() => p.post('/token', { grant_type: '__proto__' }, 'web')))[0],
      'unsupported_grant_type',
    )
    assert.deepEqual(await refused(() => agent.request(`${p.issuer}/admin`)), ['forbidden', user_id])
    const forged = () => post(agent, `${p.issuer}/account/security/recovery_codes`, { csrf_token: 'x' })
    assert.deepEqual(await refused(forged), ['forged', user_id])
    const foreign = () => post(agent, `${p.issuer}/consent`, {}, { 'sec-fetch-site': 'cross-site' })
    assert.match((await refused(foreign)).join(' '), /^invalid_request .*site/)
    const elsewhere = () => agent.request(p.authorizeUrl('web', { redirect_uri: 'https://evil.example/cb' }))
    assert.equal((await refused(elsewhere))[0], 'invalid_request')
    for (const { message, cause } of p.server.log as Record<string, unknown>[]) {
      assert.doesNotMatch(`${message} ${cause}`, /a wrong one|secret-of-web/)
    }
  },
)

async function findId(p: Platform, username_key: string): Promise<string> {
  const { tenant_id, store } = p.server.app.tenant
  return (await store.findUserByUsername({ tenant_id, username_key }))!.user_id
}
