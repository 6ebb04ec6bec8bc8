import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HOME, HUB_ID, type Hub, JOHN, ROOT, startHub } from '../parts/hub.ts'
import { UserAgent } from '../parts/user_agent.ts'

let hub: Hub
before(async () => {
  hub = await startHub()
})
after(() => hub.stop())

test('H5 services are made, listed in pages, changed and deleted, each answer with just the fields asked for', async () => {
  const names = ['Zeta', 'alpha', 'Beta', 'beta_2']
  const made = []
  for (const name of names) made.push(await hub.register({ name, version: '1' }))
  const list = (query: string) => hub.rest('GET', `services?${query}`)
  const first = (await list('fields=name&$top=2&orderBy=name')).body
  assert.deepEqual(first, { skip: 0, top: 2, total: 4, services: [{ name: 'alpha' }, { name: 'Beta' }] })
  const second = (await list('fields=name&$skip=2&$top=2')).body
  assert.deepEqual(second.services, [{ name: 'beta_2' }, { name: 'Zeta' }])
  assert.deepEqual((await list('query=BETA&fields=id,name')).body.total, 2)
  assert.deepEqual((await list('query=name:beta_&fields=name')).body.services, [{ name: 'beta_2' }], 'no wildcard')
  assert.deepEqual(
    (await list('orderBy=creationTime&fields=name')).body.services.map(({ name }: { name: string }) => name),
    names,
  )
  assert.deepEqual((await list('fields=total')).body, { total: 4 })
  for (const wrong of ['$top=x', '$skip=-1', 'orderBy=secret', 'fields=a('])
    assert.equal((await list(wrong)).status, 400, wrong)
  const { id } = made[0]!
  const whole = (await hub.rest('GET', `services/${id}`)).body
  assert.deepEqual([whole.name, whole.homeUrl, whole.redirectUris, whole.trusted], ['Zeta', HOME, ['/auth'], false])
  assert.equal(JSON.stringify(whole).includes('secret'), false)
  const changed = await hub.rest('POST', `services/${id}?fields=name,trusted,version`, {
    body: { name: 'Eta', trusted: true },
  })
  assert.deepEqual(changed.body, { name: 'Eta', trusted: true, version: '1' })
  const { tenant_id } = hub.server.app.tenant
  const resources = async () =>
    (await hub.server.store.loadTenantConfig({ tenant_id }))!.resources.map(({ resource }) => resource)
  assert.ok((await resources()).includes(`${hub.base}/api/rest/services/${id}`))
  assert.equal((await hub.rest('DELETE', `services/${id}`)).status, 200)
  assert.equal((await hub.rest('GET', `services/${id}`)).status, 404)
  assert.equal((await hub.rest('DELETE', `services/${id}`)).status, 404)
  assert.ok(!(await resources()).includes(`${hub.base}/api/rest/services/${id}`), 'its resource goes with it')
  assert.equal((await list('fields=id')).body.total, 3)
})

test('H5 only an administrator sees and changes services, and a service sees itself', async () => {
  const service = await hub.register({ name: 'Self', trusted: true })
  const other = await hub.register({ name: 'Other' })
  const token = (await hub.token({ grant_type: 'client_credentials', scope: HUB_ID }, service)).body.access_token
  const me = await hub.rest('GET', 'services/me?fields=id,name', { token })
  assert.deepEqual([me.status, me.body], [200, { id: service.id, name: 'Self' }])
  assert.equal((await hub.rest('GET', `services/${service.id}`, { token })).status, 200)
  for (const [method, path] of [
    ['GET', 'services'],
    ['GET', `services/${other.id}`],
    ['POST', `services/${service.id}`],
    ['DELETE', `services/${service.id}`],
    ['GET', `users/${hub.john_id}`],
  ] as const) {
    const { status, body } = await hub.rest(method, path, {
      token,
      ...(method === 'POST' && { body: { trusted: true } }),
    })
    assert.deepEqual([status, body.error], [403, 'insufficient_scope'], `${method} ${path}`)
    assert.equal((await hub.rest(method, path, { token: null })).status, 401, `${method} ${path}`)
  }
  assert.equal((await hub.rest('PUT', `services/${service.id}`)).status, 405)
  const elsewhere = (await hub.token({ grant_type: 'client_credentials', scope: service.id }, service)).body
    .access_token
  assert.equal(
    (await hub.rest('GET', 'services/me', { token: elsewhere })).status,
    401,
    'a token for a service is not for Hub',
  )
})

test('H5 H11 users/me answers whose token it is, to a browser of another origin too', async () => {
  const service = await hub.register()
  const { access_token } = await hub.signIn(service, { scope: HUB_ID })
  const { body } = await hub.rest('GET', 'users/me?fields=guest,id,name,login,profile/avatar/url,profile/email/email', {
    token: access_token,
  })
  assert.deepEqual(body, {
    ...{ guest: false, id: hub.john_id, name: 'John Doe', login: 'john' },
    profile: { avatar: {}, email: { email: 'john@example.com' } },
  })
  const preflight = await fetch(`${hub.base}/api/rest/users/me`, {
    ...{
      method: 'OPTIONS',
      headers: { origin: 'https://spa.example', 'access-control-request-headers': 'authorization' },
    },
  })
  assert.equal(preflight.status, 204)
  const read = await fetch(`${hub.base}/api/rest/users/me?fields=id`, {
    headers: { origin: 'https://spa.example', authorization: `Bearer ${access_token}` },
  })
  assert.equal(read.headers.get('access-control-allow-origin'), '*')
  assert.equal(read.headers.get('cache-control'), 'no-store')
})

test('H5 CVE-2020-10187 a user sees and deletes their refresh tokens and approvals, and with an approval goes the access', async () => {
  const service = await hub.register({ name: 'Offline' })
  const offline = await hub.signIn(service, { scope: `${service.id} ${HUB_ID}`, access_type: 'offline' })
  const again = await hub.signIn(service, { scope: `${service.id} ${HUB_ID}`, access_type: 'offline' })
  const account = await hub.register({ name: 'Account', trusted: true })
  const { access_token: token } = await hub.signIn(account, { scope: HUB_ID })
  const list = async (name: string) => (await hub.rest('GET', `users/me/${name}`, { token })).body
  const tokens = await list('refreshtokens')
  const mine = tokens.refreshtokens.filter(({ client }: { client: { id: string } }) => client.id === service.id)
  assert.equal(mine.length, 2)
  for (const item of mine) {
    assert.deepEqual(Object.keys(item), ['id', 'client', 'scope', 'creationTime', 'lastAccessTime'])
    assert.deepEqual(item.client, { id: service.id, name: 'Offline' })
  }
  assert.equal((await hub.rest('DELETE', `users/me/refreshtokens/${mine.at(-1).id}`, { token })).status, 200)
  const refresh = (refresh_token: string) => hub.token({ grant_type: 'refresh_token', refresh_token }, service)
  assert.equal((await refresh(offline.refresh_token)).body.error, 'invalid_grant', 'the older one was deleted')
  assert.equal((await refresh(again.refresh_token)).status, 200)
  const approved = (await list('approvedscopes')).approvedscopes
  const approval = approved.find(({ client }: { client: { id: string } }) => client.id === service.id)
  assert.deepEqual(Object.keys(approval), ['id', 'client', 'scope', 'updateTime'])
  assert.deepEqual(approval.client, { id: service.id, name: 'Offline' })
  assert.equal((await hub.rest('DELETE', `users/me/approvedscopes/${service.id}`, { token })).status, 200)
  const dead = await hub.rest('GET', 'users/me', { token: again.access_token })
  assert.equal(dead.status, 401, 'the approval was what this token rested on')
  assert.equal(
    (await hub.rest('GET', `users/${hub.john_id}/approvedscopes`)).body.approvedscopes.length,
    approved.length - 1,
  )
  assert.equal((await hub.rest('DELETE', `users/${hub.john_id}/approvedscopes/${service.id}`)).status, 404)
  const root = await hub.signIn(account, { scope: HUB_ID }, ROOT)
  const foreign = await hub.rest('GET', `users/${hub.john_id}/refreshtokens`, { token: root.access_token })
  assert.equal(foreign.status, 403, "no user sees another's by a token for Hub alone")
})

test('H5 an untrusted service learns who the user is, and sees and changes nothing that is theirs', async () => {
  const service = await hub.register({ name: 'Curious' })
  const { access_token: token } = await hub.signIn(service, { scope: HUB_ID })
  assert.equal((await hub.rest('GET', 'users/me', { token })).status, 200)
  const body = { name: 'mine', scope: [{ id: service.id }] }
  for (const [method, path] of [
    ['GET', 'refreshtokens'],
    ['GET', 'approvedscopes'],
    ['DELETE', `approvedscopes/${service.id}`],
    ['GET', 'permanenttokens'],
    ['POST', 'permanenttokens'],
  ] as const) {
    const answer = await hub.rest(method, `users/me/${path}`, { token, ...(method === 'POST' && { body }) })
    assert.deepEqual([answer.status, answer.body.error], [403, 'insufficient_scope'], `${method} ${path}`)
  }
})

test('H5 a permanent token is shown once, is for the services it names, and dies when it is deleted', async () => {
  const service = await hub.register({ name: 'Tracker', trusted: true })
  const other = await hub.register({ name: 'Other' })
  const { access_token: token } = await hub.signIn(service, { scope: HUB_ID })
  const make = (body: unknown, by = token) => hub.rest('POST', 'users/me/permanenttokens', { body, token: by })
  const made = await make({ name: 'ci', scope: [{ id: HUB_ID }, { id: service.id }] })
  assert.equal(made.status, 200, JSON.stringify(made.body))
  const { id, token: permanent } = made.body
  assert.match(permanent, /^sp_pt_[\w-]{64}$/)
  const listed = (await hub.rest('GET', 'users/me/permanenttokens', { token })).body.permanenttokens
  assert.deepEqual(
    listed.map(({ name }: { name: string }) => name),
    ['ci'],
  )
  assert.ok(!JSON.stringify(listed).includes('sp_pt_'))
  assert.equal((await hub.rest('GET', 'users/me?fields=login', { token: permanent })).body.login, 'john')
  const { body: used } = await hub.rest('GET', `users/me/permanenttokens/${id}`, { token })
  assert.deepEqual([listed[0].lastAccessTime, typeof used.lastAccessTime], [null, 'number'])
  const introspect = async (by: { id: string; secret: string }) => {
    const response = await fetch(`${hub.base}/introspect`, {
      ...{ method: 'POST', body: new URLSearchParams({ token: permanent }) },
      headers: { authorization: `Basic ${btoa(`${by.id}:${by.secret}`)}` },
    })
    return response.json()
  }
  const seen = await introspect(service)
  assert.deepEqual([seen.active, seen.sub, seen.username, seen.scope], [true, hub.john_id, 'john', service.id])
  assert.deepEqual(await introspect(other), { active: false }, 'not a service that it is for')
  for (const wrong of [
    {},
    { name: 'x' },
    { name: 'x', scope: [] },
    { name: 'x', scope: [{ id: 'nobody' }] },
    { name: 7, scope: [HUB_ID] },
  ]) {
    assert.equal((await make(wrong)).status, 400, JSON.stringify(wrong))
  }
  const foreign = await hub.rest('POST', `users/${hub.john_id}/permanenttokens`, {
    body: { name: 'x', scope: [HUB_ID] },
  })
  assert.equal(foreign.status, 403, 'nobody makes one for another, an administrator neither')
  assert.equal((await hub.rest('DELETE', `users/me/permanenttokens/${id}`, { token: permanent })).status, 200)
  assert.equal((await hub.rest('GET', 'users/me', { token: permanent })).status, 401)
  assert.deepEqual(await introspect(service), { active: false })
})

test('H5 a permanent token stands on the account page of its user, who deletes it there', async () => {
  const service = await hub.register({ name: 'Wiki', trusted: true })
  const { access_token } = await hub.signIn(service, { scope: HUB_ID })
  const body = { name: 'nightly build', scope: [{ id: service.id }, { id: HUB_ID }] }
  const { token } = (await hub.rest('POST', 'users/me/permanenttokens', { body, token: access_token })).body
  const agent = new UserAgent()
  const login = await agent.follow(`${hub.base}/login`)
  const page = await agent.submit({ url: login.url, html: await login.response.text() }, JOHN, 'name="password"')
  const html = await page.response.text()
  assert.match(html, /Tokens for scripts[\s\S]*nightly build[\s\S]*Use Wiki in your name/)
  assert.ok(!html.includes(token))
  const after = await agent.submit({ url: page.url, html }, {}, 'name="token_id"')
  assert.doesNotMatch(await after.response.text(), /nightly build/)
  assert.equal((await hub.rest('GET', 'users/me', { token })).status, 401)
})

test('H5 a permanent token dies with its user, for good', async () => {
  const service = await hub.register({ trusted: true })
  const user_id = await hub.server.addUser({ username: 'temp', password: 'for a short time' })
  const { access_token } = await hub.signIn(
    service,
    { scope: HUB_ID },
    { username: 'temp', password: 'for a short time' },
  )
  const body = { name: 'ci', scope: [{ id: HUB_ID }] }
  const { token } = (await hub.rest('POST', 'users/me/permanenttokens', { body, token: access_token })).body
  const { tenant_id } = hub.server.app.tenant
  const event = { tenant_id, event_id: crypto.randomUUID(), at: Date.now(), type: 'user.disabled', actor: 'cli' }
  await hub.server.store.setUserDisabled({ tenant_id, user_id, disabled: true, event })
  assert.equal((await hub.rest('GET', 'users/me', { token })).status, 401)
  await hub.server.store.setUserDisabled({
    tenant_id,
    user_id,
    disabled: false,
    event: { ...event, event_id: crypto.randomUUID() },
  })
  assert.equal((await hub.rest('GET', 'users/me', { token })).status, 401)
  const rows = JSON.stringify(await hub.server.store.listPermanentTokens({ tenant_id, user_id }))
  assert.ok(!rows.includes(token.slice(6)))
})
