import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { startUpkeep } from '../../server/src/upkeep.ts'
import { type Bridge, PLATFORM, startBridge } from '../parts/bridge.ts'
import { handTimers } from '../parts/hand_timers.ts'
import type { UserAgent } from '../parts/user_agent.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const WEEK_SECONDS = 7 * 86_400

let bridge: Bridge
let alice: UserAgent

before(async () => {
  bridge = await startBridge({ access_token_seconds: 300 })
  const { server, issuer, foreign } = bridge
  await server.addClient({ ...PLATFORM, scope: 'vault:token', grant_types: ['client_credentials'] })
  await server.addClient({
    ...{ client_id: 'brief', client_secret: 'x', redirect_uris: ['http://127.0.0.1:3000/callback'] },
    ...{ grant_types: ['authorization_code', 'refresh_token'], scope: 'openid offline_access' },
    grant_lifetime_seconds: WEEK_SECONDS,
  })
  await saveConnector(server.app.web.outbound, 'test', {
    ...{ connector: 'other', provider: 'oidc', issuer: foreign.issuer, scope: 'openid email offline_access' },
    ...{ client_id: 'sallyport', client_secret: 'secret-at-acme', connection_lifetime_seconds: WEEK_SECONDS },
  })
  await server.addResource({ resource: `${issuer}/other`, scopes: '{}' })
  alice = await bridge.signIn()
})
after(() => bridge.stop())

const account = async () => (await alice.follow(`${bridge.issuer}/account`)).response.text()

/** What the page of an authorization request offers of ends, in seconds; the empty one is the latest. */
async function offeredFor(client_id: string): Promise<string[]> {
  const query = { client_id, scope: 'openid offline_access', resource: [], prompt: 'consent' }
  const html = await (await alice.follow(bridge.authorizeUrl(query))).response.text()
  const select = /<select[^>]* name="expires_in"[^>]*>([\s\S]*?)<\/select>/.exec(html)
  return [...select![1]!.matchAll(/<option value="(\d*)"/g)].map(([, value]) => value!)
}

/** The ends that the account page offers for the connection it shows, and how many it says, those of apps included. */
async function shownEnd(): Promise<{ offered: string[]; says: number }> {
  const html = await account()
  const form = /<form[^>]*action="[^"]*\/account\/connections\/end"[\s\S]*?<\/form>/.exec(html)?.[0] ?? ''
  const offered = [...form.matchAll(/name="expires_in" value="(\d*)"/g)].map(([, value]) => value!)
  return { offered, says: html.split('Ends ').length - 1 }
}

async function exchange(subject_token: string): Promise<number> {
  const reply = await bridge.post('/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    ...{ subject_token, audience: 'connector:acme' },
  })
  return reply.status
}

/** What a program gets of the vault, and how long it is told that lasts. */
async function askVault(connection_id: string, path = 'token', method = 'GET') {
  const form = { grant_type: 'client_credentials', scope: 'vault:token', resource: `${bridge.issuer}/api` }
  const { body } = await bridge.post('/token', form, PLATFORM.client_id)
  const reply = await bridge.get(`/api/connections/${connection_id}/${path}`, body.access_token, { method })
  return { status: reply.status, error: reply.body.error, expires_in: reply.body.expires_in }
}

test('V8 the consent page offers ends within the maximum of the client', async () => {
  assert.deepEqual(await offeredFor('web'), ['', '3600', '86400', '604800', '2592000'])
  assert.deepEqual(await offeredFor('brief'), ['', '3600', '86400'])
})

test('V8 a grant ends when its user chose: at the token endpoint, introspection, userinfo, the proxy and exchange', async () => {
  await bridge.connect(alice)
  const chosen = { expires_in: '3600' }
  const granted = await bridge.obtain(alice, { prompt: 'consent' }, chosen)
  const asked = { scope: 'openid offline_access', resource: [], prompt: 'consent' }
  const for_userinfo = await bridge.obtain(alice, asked, chosen)
  assert.match(await account(), /Ends /)
  bridge.clock.offset += 58 * MINUTE
  const refresh = (refresh_token: string) => bridge.post('/token', { grant_type: 'refresh_token', refresh_token })
  const late = (await refresh(granted.refresh_token)).body
  const late_userinfo = (await refresh(for_userinfo.refresh_token)).body
  assert.ok(late.expires_in <= 120, `${late.expires_in} s, which no token outlives`)
  const paths = async () => ({
    introspection: (await bridge.post('/introspect', { token: late.access_token })).body.active,
    of_refresh_token: (await bridge.post('/introspect', { token: late.refresh_token })).body.active,
    userinfo: (await bridge.get('/userinfo', late_userinfo.access_token)).status,
    proxy: (await bridge.get('/proxy/acme/me', late.access_token)).status,
    exchange: await exchange(late.access_token),
  })
  assert.deepEqual(await paths(), {
    ...{ introspection: true, of_refresh_token: true, userinfo: 200, proxy: 200, exchange: 200 },
  })
  bridge.clock.offset += 3 * MINUTE
  assert.deepEqual(await paths(), {
    ...{ introspection: false, of_refresh_token: false, userinfo: 401, proxy: 401, exchange: 400 },
  })
  const refused = await refresh(late.refresh_token)
  assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_grant'])
  assert.match(await account(), /alice-at-acme/, 'the account stays connected')
})

test('V8 a connection ends when its user chose: for the proxy, for exchange, for the vault’s own API, and over there', async () => {
  const [{ connection_id } = { connection_id: '' }] = await bridge.connections()
  const granted = await bridge.obtain(alice, { prompt: 'consent' })
  const before = await shownEnd()
  assert.deepEqual(before.offered, ['3600', '86400', '604800', '2592000', '7776000', ''])
  const { response } = await bridge.press(alice, '/account', '/account/connections/end', { expires_in: '3600' })
  assert.equal(response.status, 200)
  assert.equal((await shownEnd()).says, before.says + 1)
  bridge.clock.offset += 58 * MINUTE
  const late = await askVault(connection_id)
  assert.ok(late.status === 200 && late.expires_in <= 120, JSON.stringify(late))
  const renewed = await bridge.post('/token', { grant_type: 'refresh_token', refresh_token: granted.refresh_token })
  const { access_token } = renewed.body
  assert.equal((await bridge.get('/proxy/acme/me', access_token)).status, 200)
  bridge.clock.offset += 3 * MINUTE
  const calls = bridge.foreign.ledger.length
  const proxied = await bridge.get('/proxy/acme/me', access_token)
  assert.equal(proxied.body.error, 'connection_required', proxied.text)
  assert.equal(await exchange(access_token), 400)
  for (const [path, method] of [
    ['token', 'GET'],
    ['refresh', 'POST'],
  ] as const) {
    const refused = await askVault(connection_id, path, method)
    assert.deepEqual([refused.status, refused.error], [404, 'connection_required'], path)
  }
  assert.equal(bridge.foreign.ledger.length, calls, 'the provider is asked for nothing')
  assert.doesNotMatch(await account(), /alice-at-acme/)
  const repair = await alice.follow(`${bridge.issuer}/connect/acme?connection_id=${connection_id}`)
  assert.equal(repair.response.status, 404, 'what has ended is not brought back')
})

test('V8 what has ended is destroyed by the work behind the requests, and its account may be connected anew', async () => {
  const done = await bridge.connect(alice)
  assert.equal(done.url, `${bridge.issuer}/account`)
  const [again, ...more] = await bridge.connections()
  assert.deepEqual([again?.state, again?.account !== null, more], ['ready', true, []])
  await bridge.press(alice, '/account', '/account/connections/end', { expires_in: '3600' })
  bridge.clock.offset += 61 * MINUTE
  const timers = handTimers()
  const upkeep = startUpkeep(bridge.server.app, { timers })
  timers.pass(60_000)
  await upkeep.stop()
  const admin = { username: 'root', password: 'the administrator of it all' }
  await bridge.server.addUser({ ...admin, roles: ['administrator'] })
  const events = await (await bridge.signIn(admin)).follow(`${bridge.issuer}/admin/events?event=connection.destroyed`)
  assert.equal((await events.response.text()).split(again!.connection_id).length > 1, true)
})

test('V8 an end may be chosen on the way to the provider, within the connector’s maximum, and no other', async () => {
  const ends = async (query: string) => {
    await bridge.connect(alice, `/connect/other${query}`, `alice${query}`)
    const found = (await bridge.connections()).find(({ account }) => account?.includes(`alice${query}`))
    const { ends_at, created_at } = found as unknown as { ends_at: number | null; created_at: number }
    return Math.round((ends_at! - created_at) / DAY)
  }
  assert.deepEqual([await ends(''), await ends('?expires_in=86400'), await ends('?expires_in=8640000')], [7, 1, 7])
  for (const wrong of ['0', '-1', '1e9', 'forever', '99999999999999999999']) {
    const { response } = await alice.follow(`${bridge.issuer}/connect/other?expires_in=${wrong}`)
    assert.equal(response.status, 400, wrong)
    assert.match(await response.text(), /expires_in/)
  }
})
