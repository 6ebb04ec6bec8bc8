import assert from 'node:assert/strict'
import { fetchClientLogos } from '../../server/src/inbound/clients/client_logos.ts'
import { readAdministratedClient, registerClient } from '../../server/src/inbound/clients/register_client.ts'
import { onBothDatabases, type Platform } from '../parts/platform.ts'
import { csrfOf, open, post, signIn } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const test = onBothDatabases()
const ROOT = { username: 'root', password: 'correct horse battery' }
const FORM = 'name="client_name"'

/** The browser of an administrator; the first of a platform makes them. */
async function asAdministrator(p: Platform): Promise<UserAgent> {
  const { tenant_id } = p.server.app.tenant
  const known = await p.server.store.findUserByUsername({ tenant_id, username_key: ROOT.username })
  if (!known) await p.server.addUser({ ...ROOT, roles: ['administrator'] })
  return signIn(p, ROOT)
}

/** Signs in anew, in a session that there is. */
async function renew(p: Platform, agent: UserAgent): Promise<void> {
  const page = await open(agent, `${p.issuer}/login?again=yes`)
  assert.equal((await post(agent, page.url, { csrf_token: csrfOf(page), ...ROOT })).status, 303)
}

/** A client that administrators of the console describe. */
async function register(
  p: Platform,
  json: object = {},
): Promise<{ client_id: string; client_secret: string | undefined }> {
  const described = { client_name: 'Notes', redirect_uris: ['https://notes.example/cb'], scope: 'openid', ...json }
  const metadata = readAdministratedClient(
    described,
    p.server.app.web.grant_types.map(({ grant_type }) => grant_type),
  )
  return registerClient(p.server.app.tenant, { metadata, source: 'console', actor: 'test' })
}

const urlOf = (p: Platform, client_id: string, page = '') =>
  `${p.issuer}/admin/client${page}?client_id=${encodeURIComponent(client_id)}`

async function read(p: Platform, client_id: string) {
  const { tenant_id } = p.server.app.tenant
  const record = (await p.server.store.findClient({ tenant_id, client_id }))!
  return { ...JSON.parse(record.metadata), trusted: record.trusted === 1 }
}

async function eventsOf(p: Platform, client_id: string, type: string) {
  const { tenant_id } = p.server.app.tenant
  const page = { tenant_id, before_event_id: '~', type, actor: '', most: 50 }
  return (await p.server.store.pageEvents(page)).filter((event) => event.client_id === client_id)
}

async function authenticates(p: Platform, client_id: string, client_secret: string): Promise<boolean> {
  const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: 'x',
    redirect_uri: 'https://notes.example/cb',
  })
  const answer = await fetch(`${p.issuer}/token`, { method: 'POST', headers: { authorization }, body })
  const { error } = (await answer.json()) as { error: string }
  assert.match(error, /^invalid_(client|grant)$/)
  return error === 'invalid_grant'
}

test('an administrator changes what is registered of a client; saved as it stands nothing changes and no event is left', async (p) => {
  const agent = await asAdministrator(p)
  const { client_id } = await register(p, { role_scopes: { clerk: ['openid'] }, response_modes: ['query'] })
  const before = await read(p, client_id)
  const page = await open(agent, urlOf(p, client_id, '/edit'))
  assert.match(page.html, /<textarea id="redirect_uris"[^>]*>\nhttps:\/\/notes\.example\/cb<\/textarea>/)
  await agent.submit(page, {}, FORM)
  assert.deepEqual(await read(p, client_id), before)
  assert.deepEqual(await eventsOf(p, client_id, 'client.updated'), [])

  const { url, response } = await agent.submit(
    page,
    {
      ...{ redirect_uris: 'https://notes.example/cb\r\nhttps://notes.example/other\r\n', scope: 'openid email' },
      ...{ role_scopes: '', 'token_exchange.impersonation': 'true', trusted: 'true', profile: 'oauth21' },
      ...{ access_token_lifetime_seconds: '77', backchannel_logout_uri: 'https://notes.example/out' },
    },
    FORM,
  )
  const shown = await response.text()
  assert.match(url, /\/admin\/client\?client_id=/)
  assert.match(shown, /Saved\./)
  for (const text of ['https://notes.example/other', 'openid email', 'impersonation: true', '77', 'oauth21']) {
    assert.ok(shown.includes(text), text)
  }
  const { role_scopes: _, ...rest } = before
  assert.deepEqual(await read(p, client_id), {
    ...rest,
    ...{ redirect_uris: ['https://notes.example/cb', 'https://notes.example/other'], scope: 'openid email' },
    ...{ token_exchange: { resources: [], impersonation: true }, trusted: true, profile: 'oauth21' },
    ...{ access_token_lifetime_seconds: 77, backchannel_logout_uri: 'https://notes.example/out' },
  })
  const [event, ...more] = await eventsOf(p, client_id, 'client.updated')
  assert.equal(more.length, 0)
  assert.match(event!.actor, /^user:/)
  assert.deepEqual(
    new Set(JSON.parse(event!.detail).changed),
    new Set([
      ...['redirect_uris', 'scope', 'role_scopes', 'token_exchange', 'trusted', 'profile'],
      ...['access_token_lifetime_seconds', 'backchannel_logout_uri'],
    ]),
  )
})

test('what is wrong is refused by its name, what was typed stays, and nothing is changed', async (p) => {
  const agent = await asAdministrator(p)
  const { client_id } = await register(p)
  const before = await read(p, client_id)
  const page = await open(agent, urlOf(p, client_id, '/edit'))
  for (const [name, text, sentence] of [
    ['redirect_uris', 'https://notes.example/cb#f', 'A redirect URI must not have a fragment'],
    ['post_logout_redirect_uris', 'https://*.example/', 'Member post_logout_redirect_uris: A redirect URI'],
    ['logo_uri', 'javascript:alert(1)', 'Member logo_uri must be an https URL'],
    ['jwks', '{"keys":[', 'Member jwks is not JSON'],
    ['role_scopes', 'clerk', 'Member role_scopes has a line'],
    ['access_token_lifetime_seconds', 'soon', 'Member access_token_lifetime_seconds must be a whole number'],
    ['service_account.role', 'clerk', 'Member service_account must name'],
    ['dpop_bound_access_tokens', 'true', 'Member dpop_bound_access_tokens cannot be true'],
  ] as const) {
    const typed = {
      client_name: `Typed for ${name}`,
      'grant_types.0': 'authorization_code',
      'grant_types.9': 'implicit',
    }
    const { response } = await agent.submit(page, { ...typed, [name]: text }, FORM)
    const html = await response.text()
    assert.equal(response.status, 400, name)
    assert.ok(html.includes(sentence), `${name}: ${/class="wrong"[\s\S]{0,300}/.exec(html)?.[0]}`)
    assert.ok(html.includes(`value="Typed for ${name}"`), name)
    const again = await agent.submit({ url: page.url, html }, {}, FORM)
    assert.equal(again.response.status, 400, `${name}: what was typed is still in the form`)
    assert.deepEqual(await read(p, client_id), before, name)
  }
  assert.deepEqual(await eventsOf(p, client_id, 'client.updated'), [])
})

test('each redirect URI that is wrong is told of, not the first alone, and one that stands is warned of', async (p) => {
  const agent = await asAdministrator(p)
  const { client_id } = await register(p)
  const typed = 'https://a.example/#x\r\nhttps://good.example/cb\r\nhttps://b.example/*'
  const told = (html: string) => /id="redirect_uris-error">([\s\S]*?)<\/p>/.exec(html)?.[1] ?? ''
  const page = await open(agent, urlOf(p, client_id, '/edit'))
  const edited = await agent.submit(page, { redirect_uris: typed }, FORM)
  const empty = await open(agent, `${p.issuer}/admin/clients/new`)
  const made = await agent.submit(empty, { client_name: 'Two wrong', redirect_uris: typed }, FORM)
  for (const { response } of [edited, made]) {
    assert.equal(response.status, 400)
    const words = told(await response.text())
    assert.match(words, /a\.example[\s\S]*fragment[\s\S]*b\.example[\s\S]*wildcard/)
    assert.doesNotMatch(words, /good\.example/)
  }
  const saved = await agent.submit(page, { redirect_uris: 'http://localhost:3000/cb\nhttps://a.example/' }, FORM)
  assert.match(await saved.response.text(), /There are better ones[\s\S]*127\.0\.0\.1[\s\S]*is a start page/)
})

test('a form for a client that is sent twice, at once or after a step back, makes one, and leads to it', async (p) => {
  const agent = await asAdministrator(p)
  const page = await open(agent, `${p.issuer}/admin/clients/new`)
  const typed = { client_name: 'Sent twice', redirect_uris: 'https://twice.example/cb', scope: 'openid' }
  const send = () => agent.submit(page, { ...typed, token_endpoint_auth_method: 'client_secret_basic' }, FORM)
  const answers = await Promise.all([send(), send(), send()])
  answers.push(await send())
  const pages = await Promise.all(answers.map(async ({ url, response }) => ({ url, html: await response.text() })))
  assert.equal(pages.filter(({ html }) => /sp_cs_/.test(html)).length, 1, 'one secret, once')
  const others = pages.filter(({ html }) => !/sp_cs_/.test(html))
  for (const { url, html } of others) {
    assert.match(url, /\/admin\/client\?client_id=.*twice=true/)
    assert.match(html, /This form was sent twice[\s\S]*Sent twice|Sent twice[\s\S]*This form was sent twice/)
  }
  const { tenant_id } = p.server.app.tenant
  const clients = await p.server.store.pageClients({ tenant_id, after_client_id: '', most: 100 })
  assert.equal(clients.filter(({ client_name }) => client_name === 'Sent twice').length, 1)
  // Another tab has a form of its own, and a refusal keeps the form's.
  const tab = await open(agent, `${p.issuer}/admin/clients/new`)
  const refused = await agent.submit(tab, { ...typed, redirect_uris: 'nothing' }, FORM)
  const again = await agent.submit({ url: tab.url, html: await refused.response.text() }, typed, FORM)
  assert.equal(again.response.status, 200)
  assert.match((await agent.submit(tab, typed, FORM)).url, /twice=true/)
})

test('whoever saves over what somebody else has just changed is told so first', async (p) => {
  const agent = await asAdministrator(p)
  const { client_id } = await register(p)
  const [mine, theirs] = [
    await open(agent, urlOf(p, client_id, '/edit')),
    await open(agent, urlOf(p, client_id, '/edit')),
  ]
  p.pass(1)
  await agent.submit(theirs, { scope: 'openid email' }, FORM)
  const again = await agent.submit(theirs, { scope: 'openid email' }, FORM)
  assert.deepEqual([again.response.status, /Saved/.test(await again.response.text())], [200, true], 'sent twice')
  const late = await agent.submit(mine, { client_name: 'Mine' }, FORM)
  const html = await late.response.text()
  assert.equal(late.response.status, 409)
  assert.match(html, /somebody else has changed this client/)
  assert.match(html, /value="Mine"/)
  assert.deepEqual(
    [(await read(p, client_id)).client_name, (await read(p, client_id)).scope],
    ['Notes', 'openid email'],
  )
  await agent.submit({ url: mine.url, html }, {}, FORM)
  assert.deepEqual([(await read(p, client_id)).client_name, (await read(p, client_id)).scope], ['Mine', 'openid'])
})

test('a client that begins to authenticate by a secret gets one, shown once', async (p) => {
  const agent = await asAdministrator(p)
  const { client_id } = await register(p, { token_endpoint_auth_method: 'none' })
  for (const [method, secrets] of [
    ['client_secret_basic', 1],
    ['client_secret_jwt', 1],
    ['client_secret_post', 0],
  ] as const) {
    const page = await open(agent, urlOf(p, client_id, '/edit'))
    const { response } = await agent.submit(page, { token_endpoint_auth_method: method }, FORM)
    const html = await response.text()
    const found = html.match(/sp_cs_[\w-]{43}/g) ?? []
    assert.equal(new Set(found).size, secrets, method)
    assert.equal((await read(p, client_id)).token_endpoint_auth_method, method)
    assert.doesNotMatch((await open(agent, urlOf(p, client_id))).html, /sp_cs_/)
    if (method === 'client_secret_basic') assert.equal(await authenticates(p, client_id, found[0]!), true)
    p.pass(1)
    const twice = await agent.submit(page, { token_endpoint_auth_method: method }, FORM)
    assert.match(await twice.response.text(), secrets === 1 ? /This form was sent twice/ : /Saved/)
  }
})

test('7.5.1 7.5.3 what gives rights, shows a secret or decides who signs in is opened and saved after a new sign-in', async (p) => {
  const agent = await asAdministrator(p)
  const { client_id } = await register(p, { token_endpoint_auth_method: 'none' })
  const { tenant } = p.server.app
  const { tenant_id, store } = tenant
  const issuer = { issuer: 'https://others.example', jwks_uri: 'https://others.example/jwks' }
  const forms = [
    [`/admin/client/edit?client_id=${client_id}`, { token_endpoint_auth_method: 'client_secret_basic' }, FORM],
    ['/admin/settings/edit', { session_idle_seconds: '60' }, 'name="session_idle_seconds"'],
    ['/admin/role/edit?role=administrator', { scopes: 'admin:read admin:write' }, 'name="scopes"'],
    ['/admin/roles/new', { role: 'clerk', scopes: 'vault:token' }, 'name="scopes"'],
    ['/admin/trusted_issuers/new', issuer, 'name="jwks_uri"'],
  ] as const
  const base = new URL(p.issuer).pathname.replace(/\/$/, '')
  const pages = []
  for (const [path] of forms) pages.push(await open(agent, `${p.issuer}${path}`))
  const shown = await open(agent, urlOf(p, client_id))
  const stand = async () => [
    (await tenant.currentConfiguration()).config_version,
    await read(p, client_id),
    await store.pageTrustedIssuers({ tenant_id, after_issuer: '', most: 9 }),
  ]
  const before = await stand()
  p.pass(11 * 60)
  const ways_back: string[] = []
  for (const [i, [path, typed, form]] of forms.entries()) {
    const { response, url } = await agent.submit(pages[i]!, typed, form)
    assert.doesNotMatch(await response.text(), /sp_cs_/, path)
    const { pathname, searchParams } = new URL(url)
    const way_back = searchParams.get('return_to')!
    assert.ok(way_back.startsWith(`${base}${path}${path.includes('?') ? '&' : '?'}typed=`), way_back)
    assert.equal(pathname, `${base}/login`)
    ways_back.push(way_back)
    // In whatever spelling of the path: the router takes them all.
    for (const spelt of [path, path.replace('/e', '/%65')]) {
      assert.match((await open(agent, `${p.issuer}${spelt}`)).url, /\/login\?return_to=.*again=yes/, spelt)
    }
  }
  const switched = await agent.submit(shown, {}, 'client/switch')
  assert.match(switched.url, /\/login\?return_to=.*again=yes/)
  await switched.response.text()
  assert.deepEqual(await stand(), before)

  await renew(p, agent)
  for (const [i, [path, typed, form]] of forms.entries()) {
    const filled = await open(agent, new URL(ways_back[i]!, p.issuer).href)
    assert.match(filled.html, /nothing is done yet/, path)
    assert.deepEqual(await stand(), before, 'to come back submits nothing')
    // Role, settings and issuer are each a change of the configuration that the others had not seen.
    if (i > 0) continue
    const { response } = await agent.submit(filled, {}, form)
    assert.match(await response.text(), /sp_cs_/)
    assert.equal((await read(p, client_id)).token_endpoint_auth_method, Object.values(typed)[0])
    before.splice(1, 1, await read(p, client_id))
  }
})

const TYPED = 'name="role"'

test('7.5.3 what was typed before a sign-in anew fills the form in again, for who typed it, where and when they did', async (p) => {
  const agent = await asAdministrator(p)
  const other = { username: 'other', password: 'correct horse battery two' }
  const { tenant_id } = p.server.app.tenant
  const known = await p.server.store.findUserByUsername({ tenant_id, username_key: other.username })
  if (!known) await p.server.addUser({ ...other, roles: ['administrator'] })
  const page = await open(agent, `${p.issuer}/admin/roles/new`)
  p.pass(11 * 60)
  const late = async (typed: Record<string, string>) => {
    const { url, response } = await agent.submit(page, typed, TYPED)
    await response.text()
    return new URL(new URL(url).searchParams.get('return_to')!, p.issuer).href
  }
  const hostile = '"><script>alert(1)</script>'
  const way_back = await late({ role: hostile, scopes: 'orders:read\r\norders:write', client_secret: 'never-kept' })
  const too_long = await late({ role: 'clerk', scopes: 'x'.repeat(5000) })
  const just_fits = await late({ role: 'clerk', scopes: 'y'.repeat(4500) })
  assert.ok(!way_back.includes('orders') && way_back.length < 7000)
  const isFilled = async (who: UserAgent, url: string) => {
    const { html, status } = await open(who, url)
    assert.equal(status, 200, url)
    assert.doesNotMatch(html, /<script>alert|never-kept/)
    return /orders:write/.test(html)
  }
  assert.match((await open(agent, way_back)).url, /\/login\?/, 'nobody comes back who has not signed in')
  await renew(p, agent)
  assert.equal(await isFilled(agent, way_back), true)
  assert.match((await open(agent, too_long)).html, /too long to be kept/)
  assert.match((await open(agent, just_fits)).html, /y{4500}/)
  assert.equal((await p.server.app.tenant.currentConfiguration()).roles.has('clerk'), false)

  const sealed = new URL(way_back).searchParams.get('typed')!
  const elsewhere = await signIn(p, ROOT)
  const somebody = await signIn(p, other)
  const same_browser = new UserAgent()
  for (const [name, value] of agent.cookies) if (!name.includes('session')) same_browser.cookies.set(name, value)
  await signIn(p, other, same_browser)
  const altered = `${sealed.slice(0, 60)}${sealed[60] === 'A' ? 'B' : 'A'}${sealed.slice(61)}`
  for (const [what, who, url] of [
    ['another browser', elsewhere, way_back],
    ['another user', somebody, way_back],
    ['another user of the same browser', same_browser, way_back],
    ['altered', agent, way_back.replace(sealed, altered)],
    ['another form', agent, `${p.issuer}/admin/role/edit?role=administrator&typed=${sealed}`],
    ['with more behind it', agent, `${way_back}&x=1`],
  ] as const) {
    assert.equal(await isFilled(who, url), false, what)
  }
  // It submits nothing: the token of before the sign-in is worth nothing after it.
  const forged = { csrf_token: csrfOf(page), role: 'clerk', scopes: 'orders:write' }
  assert.equal((await post(agent, `${p.issuer}/admin/roles/new`, forged)).status, 403)
  p.pass(9 * 60)
  assert.equal(await isFilled(agent, way_back), true)
  p.pass(61)
  await renew(p, agent)
  assert.equal(await isFilled(agent, way_back), false, 'too old')
})

test('7.4.1 7.5.3 what was typed in a session that is over by then waits for who typed it, and for nobody else', async (p) => {
  const agent = await asAdministrator(p)
  const other = { username: 'other', password: 'correct horse battery two' }
  const { tenant_id } = p.server.app.tenant
  const known = await p.server.store.findUserByUsername({ tenant_id, username_key: other.username })
  if (!known) await p.server.addUser({ ...other, roles: ['administrator'] })
  const typed = { role: 'clerk', scopes: 'orders:read orders:write' }
  const page = await open(agent, `${p.issuer}/admin/roles/new`)
  const wayBackOf = async (who: UserAgent, form: Record<string, string> = {}) => {
    const { url, response } = await who.submit(page, { ...typed, ...form }, TYPED)
    assert.match(await response.text(), /name="password"/)
    return new URL(url).searchParams.get('return_to')!
  }
  const elsewhere = await asAdministrator(p)
  await elsewhere.submit(await open(elsewhere, `${p.issuer}/account`), {}, 'sessions/end_others')
  const way_back = await wayBackOf(agent)
  assert.match(way_back, /\/admin\/roles\/new\?typed=./)
  assert.equal((await p.server.app.tenant.currentConfiguration()).roles.has('clerk'), false)

  const same_browser = new UserAgent()
  for (const [name, value] of agent.cookies) if (!name.includes('session')) same_browser.cookies.set(name, value)
  assert.doesNotMatch(
    await wayBackOf(same_browser),
    /typed=/,
    'without the cookie of that session nobody knows who typed',
  )
  assert.doesNotMatch(await wayBackOf(agent, { csrf_token: 'x' }), /typed=/, 'of a page that is none of that session')
  const isFilled = async (user: typeof ROOT, who: UserAgent) => {
    await signIn(p, user, who)
    return /orders:write/.test((await open(who, new URL(way_back, p.issuer).href)).html)
  }
  assert.deepEqual([await isFilled(other, same_browser), await isFilled(ROOT, agent)], [false, true])

  const late = await open(agent, `${p.issuer}/admin/roles/new`)
  p.pass(2 * 86_400)
  const idle = await agent.submit(late, typed, TYPED)
  assert.match(
    new URL(idle.url).searchParams.get('return_to')!,
    /typed=/,
    'nor is it lost when nobody was there for long',
  )
})

test('7.5.3 a new secret is shown to whoever has just signed in; two live until the older one is ended, each with its times', async (p) => {
  const late = await asAdministrator(p)
  const { client_id, client_secret } = await register(p)
  p.pass(3600)
  const again = await late.submit(await open(late, urlOf(p, client_id)), {}, '>Make a new secret<')
  assert.match(again.url, /\/login\?return_to=.*again=yes/)
  assert.equal((await eventsOf(p, client_id, 'client.secret_rotated')).length, 0)
  const agent = await asAdministrator(p)
  const page = await open(agent, urlOf(p, client_id))
  assert.doesNotMatch(page.html, /End it now/)
  const rotated = await agent.submit(page, {}, '>Make a new secret<')
  const newest = /sp_cs_[\w-]{43}/.exec(await rotated.response.text())![0]
  const both = async () => [
    await authenticates(p, client_id, client_secret!),
    await authenticates(p, client_id, newest),
  ]
  assert.deepEqual(await both(), [true, true])

  const shown = await open(agent, urlOf(p, client_id))
  assert.doesNotMatch(shown.html, /sp_cs_/)
  assert.match(
    shown.html.replace(/<[^>]*>/g, ' '),
    /The newest\s+Made\s[\s\S]*Has no end[\s\S]*The one before\s+Made\s[\s\S]*Expires\s/,
  )
  const stale = await agent.submit(shown, { seen: 'x' }, '>End it now<')
  assert.equal(stale.response.status, 200)
  assert.deepEqual(await both(), [true, true], 'a page of before a rotation ends nothing')
  const ended = await agent.submit(shown, {}, '>End it now<')
  assert.doesNotMatch(await ended.response.text(), /End it now/)
  assert.deepEqual(await both(), [false, true])
  assert.equal((await eventsOf(p, client_id, 'client.former_secret_ended')).length, 1)
  assert.equal((await eventsOf(p, client_id, 'client.secret_rotated')).length, 1)

  await agent.submit(shown, {}, '>End it now<')
  assert.deepEqual(await both(), [false, true], 'the only one stays')
  assert.equal((await eventsOf(p, client_id, 'client.former_secret_ended')).length, 1)
})

test('8.3.1 10.2.1 only administrators, by pages of ours, change a client or its secrets', async (p) => {
  const root = await asAdministrator(p)
  const alice = await signIn(p)
  const { client_id, client_secret } = await register(p)
  const before = await read(p, client_id)
  const page = await open(root, urlOf(p, client_id, '/edit'))
  const alices = csrfOf(await open(alice, `${p.issuer}/account`))
  const seen = /name="seen" value="([^"]*)"/.exec(page.html)![1]!
  assert.equal((await open(alice, urlOf(p, client_id, '/edit'))).status, 403)
  for (const path of ['/edit', '/rotate_secret', '/end_secret']) {
    const form = { client_id, seen, client_name: 'Stolen', redirect_uris: 'https://evil.example/cb' }
    const url = `${p.issuer}/admin/client${path}`
    assert.equal((await post(alice, url, { ...form, csrf_token: alices })).status, 403, `${path} by a user`)
    assert.equal((await post(root, url, { ...form, csrf_token: alices })).status, 403, `${path} by another's token`)
    assert.equal((await post(root, url, form)).status, 403, `${path} without a token`)
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    assert.equal(
      (await post(root, url, { ...form, csrf_token: csrfOf(page) }, foreign)).status,
      403,
      `${path} from afar`,
    )
    const nobody = { ...form, client_id: 'nobody', csrf_token: csrfOf(page) }
    assert.equal((await post(root, url, nobody)).status, 404, `${path} of nobody`)
  }
  assert.deepEqual(await read(p, client_id), before)
  assert.equal(await authenticates(p, client_id, client_secret!), true)
  assert.deepEqual(await eventsOf(p, client_id, 'client.secret_rotated'), [])
})

test('a client that a platform file describes, or that registered itself, is not changed in the console', async (p) => {
  const agent = await asAdministrator(p)
  const csrf_token = csrfOf(await open(agent, `${p.issuer}/admin/clients/new`))
  const { client_id: by_itself } = await register(p)
  const { tenant_id } = p.server.app.tenant
  await p.server.saveSettings({ registration: 'open' })
  const json = JSON.stringify({ redirect_uris: ['https://self.example/cb'] })
  const headers = { 'content-type': 'application/json' }
  const made = await fetch(`${p.issuer}/register`, { method: 'POST', headers, body: json })
  const { client_id: stranger } = (await made.json()) as { client_id: string }
  for (const [client_id, where] of [
    ['web', /A platform file describes this client/],
    [stranger, /This client registered itself/],
  ] as const) {
    const before = (await p.server.store.findClient({ tenant_id, client_id }))!
    const page = await open(agent, urlOf(p, client_id))
    assert.match(page.html, where)
    assert.doesNotMatch(page.html, /admin\/client\/edit/)
    assert.match((await open(agent, urlOf(p, client_id, '/edit'))).url, /\/admin\/client\?/)
    const { keys } = p.server.app.tenant
    const seen = keys.hashSecret(before.metadata).toString('base64url')
    const form = { csrf_token, client_id, seen, client_name: 'Taken over', redirect_uris: 'https://evil.example/cb' }
    const answer = await post(agent, `${p.issuer}/admin/client/edit`, form)
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), /described elsewhere/)
    assert.equal((await p.server.store.findClient({ tenant_id, client_id }))!.metadata, before.metadata)
  }
  assert.match((await open(agent, urlOf(p, by_itself))).html, /admin\/client\/edit/)
})

test('5.8 the page of a client tells what became of its logo, and has it fetched again', async (p) => {
  const agent = await asAdministrator(p)
  const { inbound } = p.server.app.web
  // No private address is fetched from: what is told is why.
  const { client_id } = await register(p, { logo_uri: 'https://127.0.0.1/logo.png' })
  const look = async () => (await open(agent, urlOf(p, client_id))).html
  assert.match(await look(), /It is fetched within a few seconds/)
  await fetchClientLogos(inbound)
  const failed = await open(agent, urlOf(p, client_id))
  assert.match(failed.html, /It could not be fetched .*Its address leads to a host that this server does not call/)
  assert.match(failed.html, /sallyport clients fetch-logo/)
  const again = await agent.submit(failed, {}, 'action="/hub/admin/client/logo"')
  assert.match(await again.response.text(), /It is fetched within a few seconds/)
  const [asked, ...more] = await eventsOf(p, client_id, 'client.logo_asked')
  assert.match(asked!.actor, /^user:/)
  assert.equal(more.length, 0)
  assert.equal(await fetchClientLogos(inbound), 1)
  await p.setDisabled(true, { client_id })
  assert.match(await look(), /It is not fetched while the client is disabled/)

  // One without a logo has no such part, and there is nothing to ask for.
  const plain = await register(p)
  assert.doesNotMatch((await open(agent, urlOf(p, plain.client_id))).html, /client\/logo/)
  for (const other of [plain.client_id, 'unknown']) {
    const csrf_token = csrfOf(failed)
    assert.equal((await post(agent, `${p.issuer}/admin/client/logo`, { csrf_token, client_id: other })).status, 303)
    assert.deepEqual(await eventsOf(p, other, 'client.logo_asked'), [])
  }
  const { tenant_id } = p.server.app.tenant
  const made = { client_id: 'itself', client_name: 'Itself', source: 'open', trusted: false, client_secret_hash: null }
  const metadata = JSON.stringify({ ...(await read(p, client_id)), trusted: undefined })
  const event = { tenant_id, event_id: 'e-itself', at: p.now(), type: 'client.created', actor: 'test' }
  await p.server.store.createClient({ tenant_id, client: { ...made, metadata }, event })
  const unverified = (await open(agent, urlOf(p, 'itself'))).html
  assert.match(unverified, /It is neither fetched nor shown/)
  assert.doesNotMatch(unverified, /client\/logo"/)
})
