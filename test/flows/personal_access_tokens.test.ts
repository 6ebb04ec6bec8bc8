import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createResource } from '../../sdk/src/index.ts'
import { createPermanentToken } from '../../server/src/inbound/tokens/permanent_tokens.ts'
import { deleteExpiredTokens } from '../../server/src/inbound/tokens/personal_access_tokens.ts'
import { updateUser } from '../../server/src/inbound/users/administer_users.ts'
import { type MailServer, startMailServer } from '../parts/mail_server.ts'
import { BOB, JWT_API, OPAQUE_API, type Platform, readReply, startPlatform } from '../parts/platform.ts'
import { csrfOf, open, post, signIn } from '../parts/sign_in_steps.ts'
import { dumpRows, printRow } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const FILES = 'https://files.example/'
const LARGE = 'https://large.example/'
const MANY = Array.from({ length: 101 }, (_, i) => `large:${i}`)
const DAY = 86_400
const ON = { personal_access_tokens: true }
const INACTIVE = { active: false }
const ROOT = { username: 'root', password: 'correct horse battery' }

let p: Platform
let mail: MailServer
before(async () => {
  mail = await startMailServer()
  p = await startPlatform({ mailer: async () => mail.mailer })
  const scopes = JSON.stringify({ 'files:read': 'See your files', 'files:write': 'Change your files' })
  await p.server.addResource({
    resource: FILES,
    name: 'Files',
    scopes,
    introspection_clients: '["other", "exchanger"]',
  })
  const silent = JSON.stringify({ 'silent:read': 'Nobody asks here about tokens' })
  await p.server.addResource({ resource: 'https://silent.example/', scopes: silent })
  const ours = JSON.stringify({ ours: 'See what is ours' })
  const own = `${p.issuer}/api/rest`
  await p.server.addResource({ resource: own, name: 'Ours', scopes: ours, introspection_clients: '["other"]' })
  // By this name it would be for every API that knows one of its scopes.
  const all = JSON.stringify({ 'mcp:tools': 'Use the tools' })
  await p.server.addResource({
    resource: p.issuer,
    name: 'Everything',
    scopes: all,
    introspection_clients: '["other"]',
  })
  const many = JSON.stringify(Object.fromEntries(MANY.map((scope) => [scope, scope])))
  await p.server.addResource({ resource: LARGE, scopes: many, introspection_clients: '["other"]', every_user: 1 })
  await p.server.addRole('member', ['ours', 'mcp:tools', 'api:read', 'vault:open', 'files:read', 'silent:read'])
  await p.server.addClient({
    ...{ client_id: 'reader', client_secret: 'secret-of-reader', scope: 'admin:read' },
    grant_types: ['client_credentials'],
  })
  await p.server.addUser({ ...ROOT, roles: ['administrator', 'member'] })
  await p.server.saveSettings(ON)
})
after(async () => {
  await p?.stop()
  await mail?.stop()
})

const url = () => `${p.issuer}/account/tokens/new`
const tokenIn = (html: string) => /sp_pt_[\w-]{64}/.exec(html)?.[0]

/** Sends the form of a new token, as its page has it unless told otherwise. */
async function send(agent: UserAgent, values: Record<string, string> = {}) {
  const page = await open(agent, `${url()}?uri=${encodeURIComponent(values['uri'] ?? JWT_API)}`)
  const token_id = /name="token_id" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
  const typed = { uri: JWT_API, name: 'nightly', 'scope.0': 'api:read', days: '30' }
  const response = await post(agent, url(), { csrf_token: csrfOf(page), token_id, ...typed, ...values })
  return { response, status: response.status, html: await response.text(), token_id }
}

async function make(agent: UserAgent, values?: Record<string, string>): Promise<string> {
  const { html } = await send(agent, values)
  return tokenIn(html) ?? assert.fail(html)
}

/** Somebody new, signed in, and their token. */
let people = 0
async function personWithToken(values?: Record<string, string>) {
  const user = { username: `person${people++}`, password: BOB.password }
  const user_id = await p.server.addUser({ ...user, roles: ['member'] })
  const agent = await signIn(p, user)
  return { user, user_id, agent, token: await make(agent, values) }
}

const tokensOf = (user_id: string) =>
  p.server.store.listPermanentTokens({ tenant_id: p.server.app.tenant.tenant_id, user_id })

async function eventsOf(user_id: string, type = 'permanent_token.') {
  const { tenant_id, store } = p.server.app.tenant
  return store.pageEvents({ tenant_id, user_id, before_event_id: '~', type, actor: '', most: 20 })
}

/** What an administrator's program reads of somebody's one token. */
async function stateByApi(user_id: string): Promise<string> {
  const headers = { authorization: `Basic ${btoa('reader:secret-of-reader')}` }
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: `${p.issuer}/api`,
    scope: 'admin:read',
  })
  const granted = await readReply(await fetch(`${p.issuer}/token`, { method: 'POST', headers, body }))
  const url = `${p.issuer}/api/users/${user_id}/personal_access_tokens`
  const asked = await fetch(url, { headers: { authorization: `Bearer ${granted.body.access_token}` } })
  const { items } = (await asked.json()) as { items: { state: string }[] }
  assert.equal(items.length, 1)
  return items[0]!.state
}

test('RFC 7662 2.2 a person makes a token for a script, and the API that it is for learns whose it is and what it may do', async () => {
  const agent = await signIn(p)
  const account = await open(agent, `${p.issuer}/account`)
  assert.match(account.html, /No token yet[\s\S]*href="[^"]*\/account\/tokens\/new"/)
  const choice = await open(agent, url())
  assert.match(choice.html, /Which API is it for\?[\s\S]*127\.0\.0\.1:5000\/mcp[\s\S]*Files/)
  assert.doesNotMatch(choice.html, /silent\.example|5000\/vault|Ours/, 'nor what nobody asks about, nor our own')
  const form = await open(agent, `${url()}?uri=${encodeURIComponent(JWT_API)}`)
  assert.match(form.html, /Read your data[\s\S]*api:read/)
  assert.doesNotMatch(form.html, / checked/, 'nothing is ticked')
  const made = await send(agent, { name: 'Nightly <b>', days: '7', 'scope.4': 'api:read' })
  assert.equal(made.status, 200)
  assert.equal(made.response.headers.get('cache-control'), 'no-store')
  const token = tokenIn(made.html)!
  assert.match(made.html, new RegExp(`curl -H &#39;Authorization: Bearer ${token}&#39; &#39;${JWT_API}&#39;`))
  const active = await p.introspect(token)
  const now = Math.floor(p.now() / 1000)
  const { sub, jti, roles: _, ...said } = active
  assert.deepEqual(said, {
    ...{ active: true, iss: p.issuer, client_id: p.issuer, aud: JWT_API, scope: 'api:read', username: 'alice' },
    ...{ token_type: 'Bearer', iat: now, exp: now + 7 * DAY },
  })
  assert.deepEqual(await p.introspect(token, 'other'), INACTIVE, 'another API learns nothing')
  const introspection = { client_id: 'api', client_secret: 'secret-of-api' }
  const api = createResource({ issuer: p.issuer, resource: JWT_API, introspection, clock: p.now })
  const asked = new Request(JWT_API, { headers: { authorization: `Bearer ${token}` } })
  const access = await api.verify(asked, { scope: 'api:read' })
  assert.deepEqual([access.sub, access.client_id], [sub, p.issuer], 'as the SDK reads it')
  const page = await open(agent, `${p.issuer}/account`)
  assert.match(page.html, new RegExp(`Nightly[\\s\\S]*${token.slice(0, 22)}[\\s\\S]*Last used[\\s\\S]*Read your data`))
  assert.ok(!page.html.includes(token))
  assert.match((await open(agent, `${p.issuer}/account/activity`)).html, /A token for scripts was made/)
  assert.equal((await open(agent, `${url()}?uri=${encodeURIComponent(FILES)}`)).html.includes('files:write'), false)
  await p.server.app.web.inbound.outbox.settle()
  assert.match(mail.letters.find(({ to }) => to.includes('alice@example.test'))!.text, /a token for scripts was made/)
  assert.equal(jti, (await tokensOf(sub))[0]!.token_id)
})

test('T-01 14.2.1 a token for a script is shown once, and is in no row, no log and no event', async () => {
  const { token, user_id } = await personWithToken()
  await p.introspect(token)
  const secret = token.slice(30)
  const rows = [...(await dumpRows(p.server.store))].flatMap(([, rows]) => rows.map((row) => printRow(row, [])))
  assert.ok(rows.some((row) => row.includes(user_id)))
  for (const text of [...rows, ...p.server.log.map((line) => JSON.stringify(line))]) assert.ok(!text.includes(secret))
})

test('8.2.1 8.3.1 a token for a script has no more than its owner may give away, for one API that asks here', async () => {
  const agent = await signIn(p, ROOT)
  const wrong: [Record<string, string>, RegExp][] = [
    [{ 'scope.0': 'files:write', uri: FILES }, /Tick at least one/],
    [{ 'scope.1': 'files:read' }, /Tick at least one/],
    [{ 'scope.0': 'openid' }, /Tick at least one/],
    [{ 'scope.0': '' }, /Tick at least one/],
    [{ 'scope.0': 'admin:read', uri: `${p.issuer}/api` }, /You can make no token for this API/],
    [{ 'scope.0': 'vault:open', uri: OPAQUE_API }, /You can make no token for this API/],
    [{ 'scope.0': 'silent:read', uri: 'https://silent.example/' }, /You can make no token for this API/],
    [{ 'scope.0': 'ours', uri: `${p.issuer}/api/rest` }, /You can make no token for this API/],
    [{ 'scope.0': 'mcp:tools', uri: p.issuer }, /You can make no token for this API/],
    [{ uri: LARGE, ...Object.fromEntries(MANY.map((scope, i) => [`scope.${i}`, scope])) }, /Tick at least one/],
    [{ days: '91' }, /Choose one of these/],
    [{ days: '-1' }, /Choose one of these/],
    [{ days: '1e1' }, /Choose one of these/],
    [{ days: '' }, /Choose one of these/],
    [{ name: ' ' }, /A name has 1 to 200/],
    [{ name: '\u200b' }, /A name has 1 to 200/],
    [{ name: 'x'.repeat(201) }, /A name has 1 to 200/],
    [{ name: 'a\nb' }, /A name has 1 to 200/],
  ]
  for (const [values, sentence] of wrong) {
    const { status, html } = await send(agent, values)
    assert.equal(tokenIn(html), undefined, JSON.stringify(values).slice(0, 80))
    assert.equal(status, 400, JSON.stringify(values))
    assert.match(html, sentence, JSON.stringify(values))
  }
  const again = (await send(agent, { name: 'kept', days: '91' })).html
  assert.match(again, /value="kept"[\s\S]*value="api:read" checked/, 'what was typed stays')
  assert.doesNotMatch(await (await agent.request(`${p.issuer}/account`)).text(), /sp_pt_/, 'nothing was made')
})

test('2.3.3 the form of a token for a script makes one, however often it is sent', async () => {
  const { agent, user_id } = await personWithToken()
  const first = await send(agent, { name: 'first' })
  const twice = await send(agent, { name: 'second', token_id: first.token_id })
  assert.equal(twice.status, 303)
  assert.match((await open(agent, `${p.issuer}/account`)).html, /The form was sent twice/)
  assert.deepEqual((await tokensOf(user_id)).map(({ name }) => name).toSorted(), ['first', 'nightly'])
  assert.equal((await p.introspect(tokenIn(first.html)!)).active, true)
  const other = await personWithToken()
  assert.equal((await send(other.agent, { token_id: first.token_id })).status, 303, 'a name that is somebody else’s')
  assert.equal((await tokensOf(other.user_id)).length, 1)
  const odd = await send(agent, { token_id: "' or 1=1" })
  assert.ok(tokenIn(odd.html), 'a name that is none is not taken')
})

test('7.5.3 whoever makes a token for a script has signed in just now', async () => {
  const { agent, user_id } = await personWithToken()
  const page = await open(agent, `${url()}?uri=${encodeURIComponent(JWT_API)}`)
  p.pass(601)
  const typed = { uri: JWT_API, name: 'late', 'scope.0': 'api:read', days: '30' }
  const response = await post(agent, url(), { csrf_token: csrfOf(page), ...typed })
  assert.equal(response.status, 303)
  const back = new URL(response.headers.get('location')!, p.issuer)
  assert.deepEqual([back.pathname, back.searchParams.get('again')], ['/hub/login', 'yes'])
  assert.match(back.searchParams.get('return_to')!, /^\/hub\/account\/tokens\/new\?uri=/)
  assert.match((await agent.request(url())).headers.get('location')!, /\/login\?/)
  assert.equal((await tokensOf(user_id)).length, 1)
  const strange = await post(new UserAgent(), url(), typed)
  assert.match(strange.headers.get('location') ?? String(strange.status), /login|403/)
})

test('2.3.2 8.3.2 the settings of a tenant count when a token for a script is made, and at each use of it', async () => {
  const { agent, token, user_id } = await personWithToken()
  const page = await open(agent, `${url()}?uri=${encodeURIComponent(JWT_API)}`)
  const settings = (more: object) => p.server.saveSettings({ ...ON, ...more })
  const typed = { csrf_token: csrfOf(page), uri: JWT_API, name: 'late', 'scope.0': 'api:read', days: '30' }
  const { tenant } = p.server.app
  const about = { name: 'endless', scope: ['api:read'], resource: [JWT_API], expires_at: null, most: 9, actor: 'test' }
  const owner = await personWithToken()
  const state = (await tenant.store.loadTenantState({ tenant_id: tenant.tenant_id }))!
  const user = (await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id: owner.user_id }))!
  const made = await createPermanentToken(tenant, { ...about, user, state })
  const endless = typeof made === 'string' ? assert.fail(made) : made.token
  for (const off of [{ personal_access_tokens: false }, { profile: 'fapi2' }]) {
    await settings(off)
    const refused = await post(agent, url(), typed)
    assert.equal(refused.status, 403)
    assert.match(await refused.text(), /There are no tokens here/)
    assert.equal((await agent.request(url())).status, 403)
    assert.deepEqual(await p.introspect(token), INACTIVE)
    // Of another door, without an end: the switch is not about it, but it is bound to no key either.
    assert.equal((await p.introspect(endless)).active, off.profile === undefined)
    assert.match((await open(agent, `${p.issuer}/account`)).html, /Does not work now/)
  }
  await settings({ personal_access_tokens_per_user: 1 })
  assert.match((await send(agent)).html, /You have as many tokens/)
  await settings({ personal_access_token_days: 1 })
  assert.equal((await send(agent, { days: '30' })).status, 400)
  assert.equal((await p.introspect(token)).exp, Math.floor(p.now() / 1000) + DAY, 'a shorter life is one for all')
  p.pass(DAY)
  assert.deepEqual(await p.introspect(token), INACTIVE)
  await settings({})
  assert.equal((await p.introspect(token)).active, true)
  assert.equal((await tokensOf(user_id)).length, 1)
})

test('8.3.2 a token for a script ends in time, and is swept with an event', async () => {
  const { token, user_id } = await personWithToken({ days: '7' })
  p.pass(7 * DAY - 1)
  assert.equal((await p.introspect(token)).active, true)
  p.pass(1)
  assert.deepEqual(await p.introspect(token), INACTIVE)
  await deleteExpiredTokens(p.server.app.tenant)
  assert.deepEqual(await tokensOf(user_id), [])
  const [expired, created] = await eventsOf(user_id)
  assert.deepEqual([expired!.type, expired!.actor], ['permanent_token.expired', 'system'])
  assert.equal(JSON.parse(expired!.detail).token_id, JSON.parse(created!.detail).token_id)
})

test('8.3.2 7.4.2 a token for a script has lost what its owner has lost, and ends with them', async () => {
  const { tenant } = p.server.app
  const { agent, user_id, token } = await personWithToken({ 'scope.1': 'mcp:tools' })
  const scope = async () => (await p.introspect(token)).scope
  const setRoles = async (...roles: string[]) => {
    const user = (await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id }))!
    await updateUser(tenant, user, { roles }, { actor: 'cli', changed: ['roles'] })
  }
  const shown = async () =>
    (await open(agent, `${p.issuer}/account`)).html.match(/Read your data|Use the tools|Does not work now/g)
  assert.equal(await scope(), 'api:read mcp:tools')
  assert.deepEqual(await shown(), ['Read your data', 'Use the tools'])
  await setRoles('guest')
  assert.equal(await scope(), 'api:read')
  assert.deepEqual(await shown(), ['Read your data'], 'its owner sees what is left of it')
  await setRoles()
  assert.equal(await scope(), undefined)
  assert.deepEqual(await shown(), ['Does not work now'])
  assert.equal(await stateByApi(user_id), 'off')
  await setRoles('member')
  assert.equal(await stateByApi(user_id), 'works')
  assert.equal(await scope(), 'api:read mcp:tools')
  const form = { csrf_token: csrfOf(await open(agent, `${p.issuer}/account`)) }
  assert.equal((await post(agent, `${p.issuer}/account/sessions/end_others`, form)).status, 303)
  assert.equal(await scope(), 'api:read mcp:tools', 'it hangs on no session')
  await p.setDisabled(true, 'tenant')
  assert.equal(await scope(), undefined)
  await p.setDisabled(false, 'tenant')
  assert.equal(await scope(), undefined, 'nor does it come back')
  assert.equal(await stateByApi(user_id), 'ended')
  const other = await personWithToken()
  await p.setDisabled(true, { user_id: other.user_id })
  await p.setDisabled(false, { user_id: other.user_id })
  assert.deepEqual(await p.introspect(other.token), INACTIVE)
})

test('7.4.3 a token for a script outlives a changed password, unless its owner ends all; a reset ends it', async () => {
  const { agent, user, user_id, token } = await personWithToken()
  const change = async (present_password: string, password: string, apps: string) => {
    const page = await open(agent, `${p.issuer}/account/security/password`)
    assert.match(page.html, /End all of them/, 'it asks')
    const response = await post(agent, page.url, { csrf_token: csrfOf(page), present_password, password, apps })
    assert.equal(response.status, 303, await response.text())
  }
  await change(user.password, 'another horse in the rain', 'keep')
  assert.equal((await p.introspect(token)).active, true)
  await change('another horse in the rain', 'a third horse in the sun', 'end')
  assert.deepEqual([await p.introspect(token), await tokensOf(user_id)], [INACTIVE, []])
  const other = await personWithToken()
  const { tenant } = p.server.app
  const found = (await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id: other.user_id }))!
  await updateUser(tenant, found, { password: 'set by an administrator' }, { actor: 'cli', changed: ['password'] })
  assert.deepEqual(await p.introspect(other.token), INACTIVE)
  const again = await signIn(p, { ...other.user, password: 'set by an administrator' })
  assert.match((await open(again, `${p.issuer}/account`)).html, /nightly[\s\S]*Ended/, 'its owner is told')
})

test('RFC 7009 2.1 8.2.2 a token for a script is deleted by its owner, by an administrator, and by whoever holds it', async () => {
  const { agent, user_id, token } = await personWithToken()
  const { token_id } = (await tokensOf(user_id))[0]!
  const stranger = await personWithToken()
  const remove = async (by: UserAgent, path: string) => {
    const form = { csrf_token: csrfOf(await open(by, `${p.issuer}/account`)), user_id, token_id }
    return post(by, p.issuer + path, form)
  }
  await remove(stranger.agent, '/account/tokens/delete')
  assert.equal((await remove(stranger.agent, '/admin/user/delete_token')).status, 403)
  assert.equal((await p.introspect(token)).active, true, 'nobody else does')
  await remove(agent, '/account/tokens/delete')
  assert.deepEqual(await p.introspect(token), INACTIVE)

  const root = await signIn(p, ROOT)
  const shown = await open(root, `${p.issuer}/admin/user?user_id=${stranger.user_id}`)
  assert.match(shown.html, new RegExp(`nightly[\\s\\S]*${stranger.token.slice(0, 22)}`))
  const { response: told } = await root.submit(shown, {}, 'name="token_id"')
  assert.match(await told.text(), /The token is deleted/)
  assert.deepEqual(await p.introspect(stranger.token), INACTIVE)
  const [deleted] = await eventsOf(stranger.user_id, 'permanent_token.deleted')
  assert.match(deleted!.actor, /^user:/)

  const leaked = await personWithToken()
  const forged = leaked.token.slice(0, -1) + (leaked.token.endsWith('A') ? 'B' : 'A')
  for (const wrong of [forged, `${leaked.token}A`, leaked.token.slice(0, 40), 'sp_pt_'])
    assert.equal((await p.post('/revoke', { token: wrong }, null)).status, 200, 'as for every token that is none')
  assert.equal((await p.introspect(leaked.token)).active, true)
  assert.equal((await p.post('/revoke', { token: leaked.token }, null)).status, 200)
  assert.deepEqual(await p.introspect(leaked.token), INACTIVE)
  const [ended] = await eventsOf(leaked.user_id, 'permanent_token.deleted')
  assert.deepEqual([ended!.actor, JSON.parse(ended!.detail).reason], ['anonymous', 'revoked_by_holder'])
})

test('RFC 9700 4.15 the client_id that introspection says of a token for a script is no client’s', async () => {
  const { token } = await personWithToken()
  assert.equal((await p.introspect(token)).client_id, p.issuer)
  const named = { client_id: p.issuer, client_secret: 'secret-of-nobody', grant_types: ['client_credentials'] }
  await assert.rejects(p.server.addClient(named), /Member client_id is taken/)
})

test('9.2.2 10.3.1 a token for a script is good where it is for, and nowhere here', async () => {
  const { agent, token } = await personWithToken()
  const files = await make(agent, { uri: FILES, 'scope.0': 'files:read' })
  const authorization = `Bearer ${token}`
  for (const path of ['/userinfo', '/api/users', '/proxy/acme/me', '/api/connections']) {
    const { status } = await readReply(await fetch(p.issuer + path, { headers: { authorization } }))
    assert.ok(status === 401 || status === 403, `${path} ${status}`)
  }
  const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const type = 'urn:ietf:params:oauth:token-type:access_token'
  await p.server.addClient({
    ...{ client_id: 'exchanger', client_secret: 'secret-of-exchanger', grant_types: [grant_type], scope: 'files:read' },
  })
  const form = new URLSearchParams({ grant_type, subject_token: files, subject_token_type: type, resource: FILES })
  const headers = { authorization: `Basic ${btoa('exchanger:secret-of-exchanger')}` }
  const exchanged = await readReply(await fetch(`${p.issuer}/token`, { method: 'POST', headers, body: form }))
  assert.match(exchanged.body.error_description, /^The subject token is unknown/)
  assert.match(JSON.stringify(p.server.log.slice(-2)), /without a grant/, 'and not for who presents it')
  const refreshed = await p.post('/token', { grant_type: 'refresh_token', refresh_token: token })
  assert.equal(refreshed.body.error, 'invalid_grant')
})

test('the use of a token for a script is noted once an hour, and not by a request that fails or finds nothing', async () => {
  const { token, user_id } = await personWithToken()
  const used = async () => (await tokensOf(user_id))[0]!.last_used_at
  const wrong = { authorization: `Basic ${btoa('api:wrong')}` }
  const body = new URLSearchParams({ token })
  assert.equal((await fetch(`${p.issuer}/introspect`, { method: 'POST', headers: wrong, body })).status, 401)
  assert.deepEqual(await p.introspect(token, 'other'), INACTIVE)
  const bearer = { authorization: `Bearer ${token}` }
  assert.equal((await fetch(`${p.issuer}/userinfo`, { headers: bearer })).status, 401)
  assert.equal(await used(), null)
  await p.introspect(token)
  const first = await used()
  assert.equal(first, p.now())
  p.pass(3600)
  await p.introspect(token)
  assert.equal(await used(), first)
  p.pass(1)
  await p.introspect(token)
  assert.equal(await used(), p.now())
  await p.server.saveSettings({})
  p.pass(2 * 3600)
  const before = await used()
  const isNoted = async () => {
    assert.deepEqual(await p.introspect(token), INACTIVE)
    return (await used()) !== before
  }
  assert.equal(await isNoted(), false)
  await p.server.saveSettings(ON)
  const { tenant } = p.server.app
  const user = (await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id }))!
  await updateUser(tenant, user, { roles: [] }, { actor: 'cli', changed: ['roles'] })
  assert.equal(await isNoted(), false)
})
