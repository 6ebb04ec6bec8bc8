import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { exportPlatform } from '../../server/src/apply/export_platform.ts'
import { sweepThrownAwayClients } from '../../server/src/inbound/administration/throw_away.ts'
import { event } from '../../server/src/inbound/event.ts'
import { JWT_API, onBothDatabases, type Platform } from '../parts/platform.ts'
import { runProgram } from '../parts/program.ts'
import { csrfOf, open, post, signIn } from '../parts/sign_in_steps.ts'
import type { UserAgent } from '../parts/user_agent.ts'

const test = onBothDatabases()
const ROOT = { username: 'root', password: 'correct horse battery' }
const IDP = 'https://idp.example'
const KEYS = JSON.stringify({
  keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }],
})
const SEEN = 'name="seen"'
const NEW_USER = 'name="user_id"'

async function asAdministrator(p: Platform): Promise<UserAgent> {
  const { tenant_id } = p.server.app.tenant
  const known = await p.server.store.findUserByUsername({ tenant_id, username_key: ROOT.username })
  if (!known) await p.server.addUser({ ...ROOT, roles: ['administrator'] })
  return signIn(p, ROOT)
}

const urlOf = (p: Platform, page: string, query: Record<string, string> = {}) =>
  `${p.issuer}/admin/${page}?${new URLSearchParams(query)}`

const readResource = async (p: Platform, uri: string) =>
  (await p.server.app.tenant.currentConfiguration()).resources.get(uri)

async function readIssuer(p: Platform, issuer: string) {
  const { tenant_id } = p.server.app.tenant
  const found = await p.server.store.findTrustedIssuer({ tenant_id, issuer })
  return found && { ...JSON.parse(found.rules), disabled: found.disabled_at !== null }
}

async function countEvents(p: Platform, type: string): Promise<number> {
  const { tenant_id } = p.server.app.tenant
  const found = await p.server.store.pageEvents({ tenant_id, before_event_id: '~', type, actor: '', most: 50 })
  return found.filter(({ actor }) => actor.startsWith('user:')).length
}

test('an administrator makes a resource and changes it; saved as it stands nothing changes', async (p) => {
  const agent = await asAdministrator(p)
  const uri = 'https://orders.example/api'
  const empty = await open(agent, urlOf(p, 'resources/new'))
  const typed = {
    ...{ uri, name: 'Orders', scopes: 'orders:read: See your orders\r\norders:write: Change: them\r\n' },
    ...{ default_scopes: 'orders:read', 'access_token.format': 'opaque', 'access_token.lifetime_seconds': '300' },
    ...{ 'access_token.signing_alg': 'ES256', every_user: 'true', introspection_clients: 'web\r\nother' },
  }
  const made = await agent.submit(empty, typed, SEEN)
  assert.match(await made.response.text(), /Saved\.[\s\S]*orders:write: Change: them/)
  const expected = {
    ...{ resource: uri, name: 'Orders', default_scopes: ['orders:read'], access_token_format: 'opaque' },
    scopes: new Map([
      ['orders:read', 'See your orders'],
      ['orders:write', 'Change: them'],
    ]),
    ...{ access_token_lifetime_seconds: 300, access_token_signing_alg: 'ES256', every_user: true },
    introspection_clients: ['web', 'other'],
  }
  assert.deepEqual(await readResource(p, uri), expected)
  assert.equal(await countEvents(p, 'resource.saved'), 1)
  assert.match((await open(agent, urlOf(p, 'resources'))).html, /https:\/\/orders\.example\/api/)

  const { html: shown } = await open(agent, urlOf(p, 'resource', { uri }))
  assert.match(shown, /As people read it[\s\S]*class="permissions"[\s\S]*See your orders[\s\S]*Change: them/)
  const page = await open(agent, urlOf(p, 'resource/edit', { uri }))
  await agent.submit(page, {}, SEEN)
  assert.equal(await countEvents(p, 'resource.saved'), 1)
  await agent.submit(page, { name: 'All orders', introspection_clients: '', 'access_token.signing_alg': '' }, SEEN)
  const { access_token_signing_alg: _, ...rest } = expected
  const { access_token_signing_alg: unset, ...now } = (await readResource(p, uri))!
  assert.deepEqual([now, unset], [{ ...rest, name: 'All orders', introspection_clients: [] }, undefined])
  assert.equal(await countEvents(p, 'resource.saved'), 2)

  const late = await agent.submit(page, { name: 'Late' }, SEEN)
  const html = await late.response.text()
  assert.equal(late.response.status, 409)
  assert.match(html, /somebody else has changed the configuration[\s\S]*value="Late"/)
  assert.equal((await readResource(p, uri))!.name, 'All orders')
  await agent.submit({ url: page.url, html }, {}, SEEN)
  assert.equal((await readResource(p, uri))!.name, 'Late')
})

test('a resource that cannot be is refused by the name of its member, and what was typed stays', async (p) => {
  const agent = await asAdministrator(p)
  const page = await open(agent, urlOf(p, 'resources/new'))
  const { config_version } = await p.server.app.tenant.currentConfiguration()
  for (const [change, field, sentence] of [
    [{ uri: '' }, 'uri', /Member uri is missing/],
    [{ uri: 'orders' }, 'uri', /must be an absolute URI/],
    [{ uri: JWT_API }, 'uri', /Member uri is that of a resource that is there already/],
    [{ uri: `${p.issuer}/api` }, 'uri', /is that of a resource that is there already/],
    [{ uri: `${p.issuer}/proxy/x` }, 'uri', /resource is one of the server itself/],
    [{ scopes: 'orders:read' }, 'scopes', /Member scopes has a line/],
    [{ scopes: 'orders:read:' }, 'scopes', /has no sentence for orders:read/],
    [{ scopes: 'a: x\na: y' }, 'scopes', /has a name twice/],
    [{ scopes: 'a"b: x' }, 'scopes', /has a character that no scope may have/],
    [{ default_scopes: 'other' }, 'default_scopes', /other is not among the scopes/],
    [{ introspection_clients: 'a b' }, 'introspection_clients', /each must be a client_id/],
    [{ 'access_token.lifetime_seconds': 'long' }, 'access_token.lifetime_seconds', /must be a whole number/],
    [{ 'access_token.lifetime_seconds': '86401' }, 'access_token.lifetime_seconds', /from 1 to 86400/],
    [{ 'access_token.format': 'saml' }, 'access_token.format', /must be jwt or opaque/],
    [{ 'access_token.signing_alg': 'none' }, 'access_token.signing_alg', /is not known/],
  ] as const) {
    const { response } = await agent.submit(page, { uri: 'https://new.example/', name: 'Typed', ...change }, SEEN)
    const html = await response.text()
    const what = JSON.stringify(change)
    assert.equal(response.status, 400, what)
    const marked = new RegExp(`id="${field.replace('.', '\\.')}-error"><bdi>([^<]*)`).exec(html)?.[1]
    assert.match(marked ?? '', sentence, what)
    assert.match(html, /value="Typed"/)
  }
  assert.equal((await p.server.app.tenant.currentConfiguration()).config_version, config_version)
})

test('what is the server’s own is shown and not changed', async (p) => {
  const agent = await asAdministrator(p)
  const uri = `${p.issuer}/api`
  const shown = await open(agent, urlOf(p, 'resource', { uri }))
  assert.match(shown.html, /This server describes it itself/)
  assert.doesNotMatch(shown.html, /admin\/resource\/edit/)
  assert.equal((await open(agent, urlOf(p, 'resource/edit', { uri }))).status, 404)
  const seen = String((await p.server.app.tenant.currentConfiguration()).config_version)
  const form = { csrf_token: csrfOf(shown), uri, seen, name: 'Mine' }
  assert.equal((await post(agent, `${p.issuer}/admin/resource/edit`, form)).status, 400)
  assert.notEqual((await readResource(p, uri))!.name, 'Mine')
})

test('CVE-2026-1486 an administrator trusts an issuer for what is named, changes it, and switches it off', async (p) => {
  const agent = await asAdministrator(p)
  assert.match((await open(agent, urlOf(p, 'trusted_issuers'))).html, /Nobody is trusted/)
  const typed = {
    ...{ issuer: IDP, jwks: KEYS, subject_is: 'username', subjects: '{ "a: b|7": "alice" }' },
    ...{ clients: 'web\r\nspa', scope: 'openid', software_statements: 'true' },
  }
  const made = await agent.submit(await open(agent, urlOf(p, 'trusted_issuers/new')), typed, SEEN)
  assert.match(await made.response.text(), /Saved\.[\s\S]*a: b\|7/)
  const expected = {
    ...{ jwks: JSON.parse(KEYS), subject_is: 'username', subjects: { 'a: b|7': 'alice' }, clients: ['web', 'spa'] },
    ...{ scope: 'openid', software_statements: true, disabled: false },
  }
  assert.deepEqual(await readIssuer(p, IDP), expected)
  assert.equal(await countEvents(p, 'trusted_issuer.saved'), 1)

  const page = await open(agent, urlOf(p, 'trusted_issuer/edit', { issuer: IDP }))
  await agent.submit(page, {}, SEEN)
  assert.equal(await countEvents(p, 'trusted_issuer.saved'), 1)
  const off = await agent.submit(page, { disabled: 'true', scope: '' }, SEEN)
  assert.match(await off.response.text(), /This issuer is disabled/)
  assert.deepEqual(await readIssuer(p, IDP), { ...expected, scope: '', disabled: true })
  const late = await agent.submit(page, { scope: 'openid email' }, SEEN)
  assert.equal(late.response.status, 409)
  assert.match(await late.response.text(), /somebody else has changed this issuer[\s\S]*value="openid email"/)
  assert.deepEqual(await readIssuer(p, IDP), { ...expected, scope: '', disabled: true })
  assert.match((await open(agent, urlOf(p, 'trusted_issuers'))).html, /idp\.example[\s\S]*badge danger">Disabled/)
  assert.equal(await countEvents(p, 'trusted_issuer.saved'), 2)
})

test('an issuer that cannot be trusted is refused by the name of its member, and what was typed stays', async (p) => {
  const agent = await asAdministrator(p)
  const page = await open(agent, urlOf(p, 'trusted_issuers/new'))
  const good = { issuer: 'https://new.example', jwks: KEYS, clients: 'web' }
  await agent.submit(page, { ...good, issuer: 'https://taken.example' }, SEEN)
  for (const [change, field, sentence] of [
    [{ issuer: '' }, 'issuer', /Member issuer is missing/],
    [{ issuer: 'a b' }, 'issuer', /issuer must be an iss, without spaces/],
    [{ issuer: p.issuer }, 'issuer', /issuer is this server itself/],
    [{ issuer: 'https://taken.example', scope: 'email' }, 'issuer', /Member issuer is trusted already/],
    [{ jwks: '' }, 'jwks', /or jwks_uri is needed/],
    [{ jwks: '{' }, 'jwks', /is not JSON/],
    [{ jwks_uri: 'https://new.example/jwks' }, 'jwks', /and not both/],
    [{ jwks: '', jwks_uri: 'file:///etc/passwd' }, 'jwks_uri', /must be an https URL/],
    [{ subjects: '["alice"]' }, 'subjects', /must map sub to username/],
    [{ subjects: '{"a":1}' }, 'subjects', /Member subjects must map each sub to a username/],
    [{ subject_is: 'email' }, 'subject_is', /must be user_id or username/],
    [{ scope: 'a"b' }, 'scope', /scope/],
  ] as const) {
    const { response } = await agent.submit(page, { ...good, ...change }, SEEN)
    const html = await response.text()
    const what = JSON.stringify(change)
    assert.equal(response.status, 400, what)
    assert.match(html, sentence, what)
    assert.match(html, new RegExp(`id="${field}-error"`), what)
    assert.match(html, /<textarea id="clients"[^>]*>\nweb<\/textarea>/, what)
    assert.equal(await readIssuer(p, 'https://new.example'), null)
  }
})

test('a form that is sent twice, at once or after a step back, leads to what it made, and makes it once', async (p) => {
  const agent = await asAdministrator(p)
  const uri = 'https://twice.example/api'
  const issuer = 'https://twice.example'
  for (const [path, typed, to, event] of [
    ['users/new', { username: 'twice' }, /\/admin\/user\?user_id=[\w-]+$/, 'user.created'],
    ['roles/new', { role: 'twice', scopes: 'a\r\nb' }, /\/admin\/roles$/, 'role.saved'],
    ['role/edit?role=twice', { scopes: 'b\r\nc' }, /\/admin\/roles$/, 'role.saved'],
    ['resources/new', { uri, scopes: 'a: See a' }, /\/admin\/resource\?uri=/, 'resource.saved'],
    [
      'trusted_issuers/new',
      { issuer, jwks: KEYS, clients: 'web' },
      /\/trusted_issuer\?issuer=/,
      'trusted_issuer.saved',
    ],
    ['settings/edit', { password_min_length: '13' }, /\/admin\/settings$/, 'settings.saved'],
  ] as const) {
    const page = await open(agent, `${p.issuer}/admin/${path}`)
    const before = await countEvents(p, event)
    const send = async () => {
      const { url, response } = await agent.submit(page, typed, path === 'users/new' ? NEW_USER : SEEN)
      return { url, status: response.status, html: await response.text() }
    }
    const answers = [...(await Promise.all([send(), send(), send()])), await send()]
    for (const { url, status, html } of answers) {
      assert.equal(status, 200, `${path}: ${html}`)
      assert.match(url, to)
    }
    assert.equal(new Set(answers.map(({ url }) => url)).size, 1, path)
    assert.equal(await countEvents(p, event), before + 1, path)
  }
  // A step back to describe somebody else makes another user, and never one of a name that is taken.
  const page = await open(agent, urlOf(p, 'users/new'))
  const urls = []
  for (const username of ['once', 'other', 'twice']) {
    const { url, response } = await agent.submit(page, { username }, NEW_USER)
    urls.push(url)
    if (username !== 'twice') continue
    assert.match(await response.text(), /is that of somebody else/)
  }
  assert.equal(new Set(urls).size, 3)
  await p.server.saveSettings({})
})

/** The calls and the commands that a page shows, each as the words that a shell makes of it. */
function scriptsOf(html: string, token: string): { calls: string[][]; commands: string[][] } {
  const blocks = [...html.matchAll(/<pre dir="ltr"><code>([\s\S]*?)<\/code><\/pre>/g)].map(([, block]) =>
    block!.replace(/&(?:#39|quot|lt|gt|amp);/g, (entity) => ENTITIES[entity]!),
  )
  const env = { TOKEN: token }
  const words = (lines: string) =>
    execFileSync('sh', ['-c', `printf '%s\\0' ${lines}`], { env, encoding: 'utf8' })
      .split('\0')
      .slice(0, -1)
  const calls = blocks.flatMap((block) => (block.startsWith('curl ') ? block.split('\n\n') : []))
  const commands = blocks.flatMap((block) => (block.startsWith('sallyport ') ? block.split(/\n(?=sallyport )/) : []))
  return { calls: calls.map(words), commands: commands.map(words) }
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ '&#39;': "'", '&quot;': '"', '&lt;': '<', '&gt;': '>', '&amp;': '&' },
}

let commanded = false

/** Does what curl would do with such words. */
async function call(words: readonly string[]): Promise<number> {
  const after = (option: string) => words.flatMap((word, i) => (words[i - 1] === option ? [word] : []))
  const headers = new Headers(after('-H').map((line): [string, string] => line.split(': ', 2) as [string, string]))
  const [method = 'GET'] = after('-X')
  const [body] = after('--json')
  if (body !== undefined) headers.set('content-type', 'application/json')
  const url = words.find((word) => word.startsWith('http'))!
  const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) })
  const text = await response.text()
  assert.ok(response.ok, `${method} ${url} ${body}: ${text}`)
  return response.status
}

test('the calls that pages of the console show do at the API what their forms do, and a command does it too', async (p) => {
  const agent = await asAdministrator(p)
  const scope = 'admin:read admin:write'
  await p.server.addClient({
    ...{
      client_id: 'ops',
      client_secret: 'secret-of-ops',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      scope,
    },
  })
  const authorization = `Basic ${Buffer.from('ops:secret-of-ops').toString('base64')}`
  const asked = new URLSearchParams({ grant_type: 'client_credentials', scope, resource: `${p.issuer}/api` })
  const answer = await fetch(`${p.issuer}/token`, { method: 'POST', headers: { authorization }, body: asked })
  const { access_token } = (await answer.json()) as { access_token: string }
  const shown = async (path: string, query: Record<string, string> = {}) => {
    const { html, status } = await open(agent, urlOf(p, path, query))
    assert.equal(status, 200, path)
    const scripts = scriptsOf(html, access_token)
    assert.ok(scripts.calls.length > 0 && scripts.calls.length === scripts.commands.length, path)
    return scripts
  }
  const run = async (path: string, query: Record<string, string> = {}) => {
    for (const words of (await shown(path, query)).calls) await call(words)
  }
  await run('roles/new')
  await run('users/new')
  await run('resource/edit', { uri: 'https://orders.example/api' })
  await run('settings/edit')
  await run('trusted_issuer/edit', { issuer: IDP })
  await run('clients/new')
  const { tenant_id, store } = p.server.app.tenant
  const find = async () =>
    (await store.pageClients({ tenant_id, after_client_id: '', most: 99 })).find((one) => one.client_name === 'Notes')
  const client_id = (await find())!.client_id

  // The form knows what stands; a command of the program does it once more, with what is changed in it.
  const { calls, commands } = await shown('client/edit', { client_id })
  await call(calls[0]!)
  // A process takes a second: one database is enough for it.
  if (!commanded) {
    commanded = true
    const words = commands[0]!
      .slice(1)
      .map((word) => word.replace('metadata.client_name=Notes', 'metadata.client_name=By command'))
    const env = { SALLYPORT_ACCESS_TOKEN: access_token, SALLYPORT_ISSUER: p.issuer }
    const { code, stderr } = await runProgram(words, { cwd: tmpdir(), env })
    assert.equal(code, 0, stderr)
    assert.equal((await store.findClient({ tenant_id, client_id }))!.client_name, 'By command')
  }
  // Every button of the pages of a client and of a user; the last of them deletes.
  await run('client', { client_id })
  assert.equal(await store.findClient({ tenant_id, client_id }), null)
  const user = (await store.findUserByUsername({ tenant_id, username_key: 'alice@example.com' }))!
  await run('user', { user_id: user.user_id })
  assert.equal(await store.findUserByUsername({ tenant_id, username_key: 'alice@example.com' }), null)
})

test('8.3.1 10.2.1 only administrators, by pages of ours, describe resources and trusted issuers', async (p) => {
  const root = await asAdministrator(p)
  const alice = await signIn(p)
  const alices = csrfOf(await open(alice, `${p.issuer}/account`))
  const roots = csrfOf(await open(root, urlOf(p, 'resources/new')))
  const { config_version } = await p.server.app.tenant.currentConfiguration()
  const evil = 'https://evil.example'
  for (const [page, form] of [
    ['resources/new', { uri: evil, seen: String(config_version) }],
    ['resource/edit', { uri: JWT_API, seen: String(config_version), name: 'Stolen', introspection_clients: 'evil' }],
    ['trusted_issuers/new', { issuer: evil, seen: 'nothing', jwks: KEYS, clients: 'web', subject_is: 'username' }],
    ['trusted_issuer/edit', { issuer: IDP, seen: 'nothing', jwks: KEYS, clients: 'web', subject_is: 'username' }],
  ] as const) {
    const url = `${p.issuer}/admin/${page}`
    assert.equal((await open(alice, urlOf(p, page))).status, 403, page)
    assert.equal((await post(alice, url, { ...form, csrf_token: alices })).status, 403, `${page} by a user`)
    assert.equal((await post(root, url, form)).status, 403, `${page} without a token`)
    assert.equal((await post(root, url, { ...form, csrf_token: alices })).status, 403, `${page} by another's token`)
    const foreign = { 'sec-fetch-site': 'cross-site', origin: evil }
    assert.equal((await post(root, url, { ...form, csrf_token: roots }, foreign)).status, 403, `${page} from afar`)
  }
  for (const page of ['resources', 'resource', 'trusted_issuers', 'trusted_issuer']) {
    assert.equal((await open(alice, urlOf(p, page, { uri: JWT_API, issuer: IDP }))).status, 403, page)
  }
  for (const page of ['resource', 'resource/edit', 'trusted_issuer', 'trusted_issuer/edit']) {
    assert.equal((await open(root, urlOf(p, page, { uri: 'x', issuer: 'x' }))).status, 404, page)
  }
  assert.equal((await p.server.app.tenant.currentConfiguration()).config_version, config_version)
  assert.equal(await readIssuer(p, evil), null)
})

test('the playground registers a throw-away client, and throws away none but the one before', async (p) => {
  const agent = await asAdministrator(p)
  const page = await open(agent, `${p.issuer}/playground/flow?flow=client_credentials`)
  const start = async (former?: string) => {
    const form = { flow: 'client_credentials', csrf_token: csrfOf(page), ...(former && { former }) }
    const answer = await post(agent, `${p.issuer}/playground/client`, form)
    assert.equal(answer.status, 201)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    return (await answer.json()) as { client_id: string; client_secret: string; scope: string }
  }
  const { tenant_id } = p.server.app.tenant
  const find = (client_id: string) => p.server.store.findClient({ tenant_id, client_id })
  const first = await start()
  assert.match(first.client_id, /^playground-/)
  const kept = await find(first.client_id)
  assert.equal(kept?.source, 'playground')
  assert.equal(JSON.parse(kept.metadata).grant_lifetime_seconds, 3600, 'a run that nobody ends is over within the hour')
  const second = await start(first.client_id)
  assert.equal(await find(first.client_id), null)
  await start('web')
  assert.ok(await find('web'), 'a client of somebody else stays')
  assert.ok(await find(second.client_id))
})

test('5.17 the playground is for administrators, in development and where the operator allows it', async (p) => {
  const alice = await signIn(p)
  assert.equal((await open(alice, `${p.issuer}/playground`)).status, 403)
  const root = await asAdministrator(p)
  const page = await open(root, `${p.issuer}/playground`)
  const form = { flow: 'client_credentials', csrf_token: csrfOf(page) }
  const paths = ['', '/flow?flow=client_credentials', '/flow?flow=dpop', '/callback']
  const statuses = () =>
    Promise.all(paths.map(async (path) => (await open(root, `${p.issuer}/playground${path}`)).status))
  const start = async (flow: string) => (await post(root, `${p.issuer}/playground/client`, { ...form, flow })).status
  assert.deepEqual([await start('client_credentials'), await start('dpop')], [201, 201])
  Object.assign(p.server.app.web, { production: true, playground: false })
  try {
    assert.deepEqual(await statuses(), [404, 404, 404, 404])
    assert.deepEqual([await start('client_credentials'), await start('dpop')], [404, 404])
    assert.doesNotMatch((await open(root, `${p.issuer}/admin`)).html, /href="[^"]*\/playground"/)
    Object.assign(p.server.app.web, { playground: true })
    assert.deepEqual(await statuses(), [200, 404, 200, 200])
    assert.deepEqual(
      [await start('client_credentials'), await start('dpop')],
      [404, 201],
      'of people, not of the tenant',
    )
  } finally {
    Object.assign(p.server.app.web, { production: false, playground: true })
  }
})

test('5.17 an issuer of the playground speaks for a user of its own, and both go with their client', async (p) => {
  const { tenant } = p.server.app
  const { tenant_id, store } = tenant
  const root = await asAdministrator(p)
  const page = await open(root, `${p.issuer}/playground/flow?flow=jwt_bearer`)
  const [key] = JSON.parse(KEYS).keys
  const form = { flow: 'jwt_bearer', csrf_token: csrfOf(page), jwk: JSON.stringify(key) }
  const start = (more: Record<string, string> = {}) => post(root, `${p.issuer}/playground/client`, { ...form, ...more })
  const made = (await (await start()).json()) as { client_id: string; trusted_issuer: string }
  const { client_id, trusted_issuer: issuer } = made
  const rules = JSON.parse((await store.findTrustedIssuer({ tenant_id, issuer }))!.rules)
  assert.deepEqual(rules.clients, [client_id])
  assert.deepEqual(rules.subjects, { somebody: client_id })
  assert.equal(rules.scope, 'openid profile')
  const { roles, email, password_hash, user_id } = (await store.findUserByUsername({
    tenant_id,
    username_key: client_id,
  }))!
  assert.deepEqual({ roles, email, password_hash }, { roles: '[]', email: null, password_hash: null })

  const { platform } = await exportPlatform(p.server.app.web, { users: true })
  assert.doesNotMatch(JSON.stringify(platform), /playground-/)

  // Whatever somebody makes of the issuer meanwhile, none goes with it but the user that was made for it.
  const changed = JSON.stringify({ ...rules, subjects: { somebody: 'alice' } })
  const saved = event(tenant, 'trusted_issuer.saved', 'test')
  await store.saveTrustedIssuer({ tenant_id, issuer, rules: changed, disabled: false, event: saved })
  assert.equal((await start({ former: client_id })).status, 201)
  assert.equal(await store.findTrustedIssuer({ tenant_id, issuer }), null)
  assert.equal(await store.findUser({ tenant_id, user_id }), null)
  assert.ok(await store.findUserByUsername({ tenant_id, username_key: 'alice' }))

  const by_hand = (await (await start()).json()) as { client_id: string; trusted_issuer: string }
  for (const wrong of ['', 'no key', '{"kty":"EC","crv":"P-256","x":"x","y":"y","d":"private"}']) {
    assert.equal((await start({ jwk: wrong, former: by_hand.client_id })).status, 400, wrong)
  }
  assert.ok(await store.findClient({ tenant_id, client_id: by_hand.client_id }), 'a start that fails ends no run')
  await post(root, `${p.issuer}/admin/client/delete`, { client_id: by_hand.client_id, csrf_token: csrfOf(page) })
  const left = [
    await store.findClient({ tenant_id, client_id: by_hand.client_id }),
    await store.findTrustedIssuer({ tenant_id, issuer: by_hand.trusted_issuer }),
    await store.findUserByUsername({ tenant_id, username_key: by_hand.client_id }),
  ]
  assert.deepEqual(left, [null, null, null], 'whoever deletes the client in the console leaves nobody who is trusted')
  Object.assign(p.server.app.web, { production: true })
  try {
    assert.equal((await start()).status, 404, 'nobody is trusted in production')
  } finally {
    Object.assign(p.server.app.web, { production: false })
  }
})

test('5.17 a document names the client of a flow only where the tenant takes such clients', async (p) => {
  const root = await asAdministrator(p)
  const url = `${p.issuer}/playground/flow?flow=document_client`
  const page = await open(root, url)
  assert.match(page.html, /dynamic_client_scopes/)
  const by_hand = await open(root, `${p.issuer}/playground/flow?flow=mutual_tls`)
  assert.match(by_hand.html, /client_certificate_header/)
  assert.doesNotMatch(by_hand.html, /data-flow=/)
  assert.doesNotMatch(page.html, /data-flow=/)
  const start = async (document: string) => {
    const form = { flow: 'document_client', csrf_token: csrfOf(page), document }
    const answer = await post(root, `${p.issuer}/playground/client`, form)
    return answer.status === 201 ? ((await answer.json()) as { client_id: string }).client_id : answer.status
  }
  assert.equal(await start('https://app.example/client.json'), 422)
  await p.server.saveSettings({ metadata_documents: 'any', dynamic_client_scopes: ['openid', 'offline_access'] })
  try {
    assert.match((await open(root, url)).html, /data-flow=/)
    assert.equal(await start('https://app.example/client.json'), 'https://app.example/client.json')
    assert.deepEqual([await start('http://app.example/client.json'), await start('')], [422, 422])
  } finally {
    await p.server.saveSettings({})
  }
})

test('7.5.3 5.17 a client of the playground is made by who has signed in just now, and goes after a day with its grants', async (p) => {
  const { tenant_id } = p.server.app.tenant
  const root = await asAdministrator(p)
  const page = await open(root, `${p.issuer}/playground/flow?flow=dpop`)
  const start = () => post(root, `${p.issuer}/playground/client`, { flow: 'dpop', csrf_token: csrfOf(page) })
  const { client_id } = (await (await start()).json()) as { client_id: string }
  p.pass(11 * 60)
  const asked = await start()
  assert.equal(asked.status, 303)
  const to = new URL(asked.headers.get('location')!, p.issuer)
  assert.match(to.pathname, /\/login$/)
  assert.match(to.searchParams.get('return_to')!, /\/playground\/flow\?flow=dpop$/)
  await sweepThrownAwayClients(p.server.app.web.inbound)
  assert.ok(await p.server.store.findClient({ tenant_id, client_id }))
  p.pass(86_400)
  await p.server.store.countTokensIssued({ tenant_id, client_id, count: 1 })
  assert.ok((await sweepThrownAwayClients(p.server.app.web.inbound)) >= 1)
  assert.equal(await p.server.store.findClient({ tenant_id, client_id }), null)
  assert.ok(await p.server.store.findClient({ tenant_id, client_id: 'web' }))
})
