import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { createPermanentToken } from '../../server/src/inbound/tokens/permanent_tokens.ts'
import { COMPAT_DOORS } from '../../server/src/web/compat/index.ts'
import { pageRoutes } from '../../server/src/web/routes.ts'
import { cookieNames } from '../../server/src/web/web.ts'
import { ALICE, BOB, type Bridge, startBridge } from '../parts/bridge.ts'
import { basic, challengeOf, readReply, VERIFIER } from '../parts/platform.ts'
import { createDatabase, startPostgres } from '../parts/postgres.ts'
import { sendRaw } from '../parts/raw_http.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { csrfOf, open, post } from '../parts/sign_in_steps.ts'
import { printRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const ROOT = { username: 'root', password: 'correct horse battery' }
const CALLBACK = 'http://127.0.0.1:3000/callback'

let bridge: Bridge
before(async () => {
  bridge = await startBridge({ path: '/hub' })
  await bridge.server.addUser({ ...ROOT, roles: ['administrator'] })
})
after(() => bridge.stop())

/** The rows of which `mine` holds, as text: equal before and after whatever must not touch them. */
async function rowsOf(server: TestServer, mine: (row: string) => boolean): Promise<string[]> {
  return (await printRows(server.store)).filter(mine)
}

test('8.2.2 CVE-2025-27507 by no form does anybody change what is of somebody else, whatever ids they know', async () => {
  const { server, issuer, users } = bridge
  const { tenant } = server.app
  const alice = await bridge.signIn(ALICE)
  await bridge.connect(alice)
  await bridge.obtain(alice)
  const { tenant_id, store } = tenant
  const user = (await store.findUser({ tenant_id, user_id: users.alice }))!
  const state = (await store.loadTenantState({ tenant_id }))!
  const asked = { user, state, name: 'ci', scope: ['api:read'], resource: [`${issuer}/notes`], actor: 'test' }
  const made = await createPermanentToken(tenant, { ...asked, expires_at: null, most: 1 })
  const { token_id } = made as Exclude<typeof made, string>
  const [session] = await store.listSessionsOfUser({ tenant_id, user_id: users.alice })
  const [connection] = await bridge.connections()
  const known = {
    ...{ client_id: 'web', token_id, connection_id: connection!.connection_id, user_id: users.alice },
    ...{
      sid: session!.session_id,
      session_id: session!.session_id,
      connector: 'acme',
      username: 'alice',
      role: 'member',
    },
    ...{ authority: bridge.foreign.issuer, account: 'alice-at-acme', credential_id: 'x', email: 'bob@evil.example' },
    ...{
      name: 'trusted',
      on: 'true',
      decision: 'allow',
      confirm: 'yes',
      scope: '',
      redirect_uris: 'https://evil.example/',
    },
  }
  let bob = await bridge.signIn(BOB)
  const before = await rowsOf(server, (row) => !row.includes(users.bob))
  const forms = pageRoutes(COMPAT_DOORS).routes.filter(({ method }) => method === 'POST')
  const paths = [...new Set(forms.map(({ path }) => path))].filter(
    (path) => !/^\/(api|login|authorize|reset|setup)/.test(path),
  )
  assert.ok(paths.length > 25)
  for (const path of paths) {
    // Whoever was signed out by the last form signs in again: each is posted by somebody.
    let page = await open(bob, `${issuer}/account`)
    if (/name="username"/.test(page.html)) {
      bob = await bridge.signIn(BOB)
      page = await open(bob, `${issuer}/account`)
    }
    const answer = await post(bob, issuer + path, { ...known, csrf_token: csrfOf(page) })
    if (path.startsWith('/admin')) assert.equal(answer.status, 403, path)
    await answer.text()
  }
  assert.deepEqual(await rowsOf(server, (row) => !row.includes(users.bob)), before)
})

test('CVE-2026-33504 a page token is a value to compare with, and nothing else', async () => {
  const root = await bridge.signIn(ROOT)
  const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const cursors = [
    `' or '1'='1`,
    `'; drop table users; --`,
    `x' union select password_hash from users --`,
    '") or 1=1 --',
    '\\',
    '$1',
    '?1',
    '%',
    json({ after: `' or 1=1 --`, order: 'password_hash desc' }),
    json({ last_id: { $gt: '' } }),
    'eyJhbGciOiJub25lIn0.eyJwYWdlIjoiMSJ9.',
    '-1',
    `${'9'.repeat(400)}`,
    '\u202e\ud83d\ude00',
  ]
  const lists = ['users', 'clients', 'connections', 'events'].map((name) => `/admin/${name}`)
  const all = await Promise.all(lists.map(async (list) => (await open(root, bridge.issuer + list)).html))
  const shown = (html: string) => (html.match(/<tr\b/g) ?? []).length
  const before = await rowsOf(bridge.server, () => true)
  for (const cursor of cursors) {
    for (const [i, list] of lists.entries()) {
      const page = await open(root, `${bridge.issuer}${list}?cursor=${encodeURIComponent(cursor)}`)
      assert.equal(page.status, 200, `${list} ${cursor}`)
      assert.ok(shown(page.html) <= shown(all[i]!), `${list} ${cursor}`)
      assert.doesNotMatch(page.html, /\$argon2|sp_[a-z]{2}_/, `${list} ${cursor}`)
    }
  }
  assert.deepEqual(await rowsOf(bridge.server, () => true), before)
  assert.deepEqual(
    bridge.server.log.filter((line) => (line as { level: string }).level === 'error'),
    [],
  )
})

test('CVE-2025-54576 CVE-2026-41059 CVE-2026-40575 what is open to all opens nothing else: by query, fragment, header or spelling', async () => {
  const port = Number(new URL(bridge.issuer).port)
  const guarded = ['/hub/account', '/hub/admin/users', '/hub/api/connections', '/hub/proxy/acme/me', '/hub/userinfo']
  const free = ['/healthz', '/hub/login', '/hub/jwks', '/.well-known/openid-configuration/hub']
  const headers = [
    'X-Forwarded-Uri',
    'X-Forwarded-Path',
    'X-Original-URL',
    'X-Original-URI',
    'X-Rewrite-URL',
    'X-HTTP-Path',
  ]
  for (const path of guarded) {
    for (const open_path of free) {
      const targets = [
        ...['?', '?x=', '?x=1&', '#', '#?', '?#', '%3F', '%23', ';', ';/..', '%00', '%0a', '/%2e%2e', '\\..'].map(
          (between) => path + between + open_path,
        ),
        ...['/..', '/../..', '/%2e%2e', '/.', '/;', '?', '#', '//', '%3F', '%23', ';x=', '%00'].map(
          (between) => open_path + between + path,
        ),
      ]
      const requests = [
        ...targets.map((target) => `GET ${target} HTTP/1.1\r\n`),
        ...headers.map((name) => `GET ${path} HTTP/1.1\r\n${name}: ${open_path}\r\n`),
      ]
      await Promise.all(
        requests.map(async (request) => {
          const answer = await sendRaw(port, `${request}Host: localhost\r\nConnection: close\r\n\r\n`)
          const status = Number(answer.split(' ')[1])
          const line = request.split('\r\n')[0]!
          // What is open answers as ever, whatever hangs on it.
          const is_open = line.startsWith(`GET ${open_path}?`)
          if (!is_open) assert.ok([303, 400, 401, 404].includes(status), `${request} ${status}`)
          if (status === 303) assert.match(answer, /\r\nlocation: \/hub\/login\?/i, request)
          assert.doesNotMatch(answer, /sign out|insufficient_scope|connection_id/i, request)
        }),
      )
    }
  }
})

test('CVE-2026-70474 CVE-2025-64431 8.4.1 what one tenant has given out is nothing at another of the same database', async () => {
  const database = await createDatabase((await startPostgres()).url)
  const root = new RootKey(randomBytes(32))
  const servers: TestServer[] = []
  const device = 'urn:ietf:params:oauth:grant-type:device_code'
  for (const name of ['ours', 'theirs']) {
    const server = await startSallyport({ location: { postgres: database.url }, root })
    servers.push(server)
    await server.addResource({ resource: `${server.issuer}/notes`, scopes: '{"api:read":"Read"}' })
    await server.addRole('member', ['api:read'])
    await server.addUser({ ...ALICE, roles: ['member'] })
    await server.addUser({ ...ROOT, roles: ['administrator'] })
    await server.addClient({
      ...{ client_id: 'web', client_secret: 'secret-of-web', redirect_uris: [CALLBACK], trusted: true },
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials', device],
      scope: 'openid offline_access api:read admin:read vault:token',
    })
    await server.addClient({ client_id: `only-${name}`, client_secret: 'secret-of-one', redirect_uris: [CALLBACK] })
  }
  const [ours, theirs] = servers as [TestServer, TestServer]
  try {
    assert.notEqual(ours.app.tenant.tenant_id, theirs.app.tenant.tenant_id)
    const call = async (at: TestServer, path: string, form: Record<string, string>) => {
      const headers = { authorization: basic('web', 'secret-of-web') }
      return readReply(await fetch(at.issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) }))
    }
    const bearer = async (at: TestServer, path: string, token: string) =>
      readReply(await fetch(at.issuer + path, { headers: { authorization: `Bearer ${token}` } }))
    const asked = {
      ...{ response_type: 'code', client_id: 'web', redirect_uri: CALLBACK, scope: 'openid offline_access api:read' },
      ...{ code_challenge: challengeOf(VERIFIER), code_challenge_method: 'S256' },
    }
    const agent = new UserAgent()
    const codeOf = async () => {
      const query = new URLSearchParams({ ...asked, resource: `${ours.issuer}/notes` })
      return (await agent.authorize(`${ours.issuer}/authorize?${query}`, ALICE)).searchParams.get('code')!
    }
    const redeem = (at: TestServer, code: string) =>
      call(at, '/token', { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER })
    const refresh = (at: TestServer, refresh_token: string) =>
      call(at, '/token', { grant_type: 'refresh_token', refresh_token })
    const { body: tokens } = await redeem(ours, await codeOf())
    assert.ok(tokens.access_token && tokens.refresh_token && tokens.id_token, JSON.stringify(tokens))
    const admin = (
      await call(ours, '/token', {
        grant_type: 'client_credentials',
        scope: 'admin:read',
        resource: `${ours.issuer}/api`,
      })
    ).body
    assert.equal((await bearer(ours, '/api/connections', admin.access_token)).status, 200)
    const code = await codeOf()
    const { body: pushed } = await call(ours, '/par', asked)
    const { body: shown } = await call(ours, '/device_authorization', { scope: 'openid' })
    const before = await rowsOf(theirs, () => true)

    assert.deepEqual((await redeem(theirs, code)).body.error, 'invalid_grant')
    assert.deepEqual((await refresh(theirs, tokens.refresh_token)).body.error, 'invalid_grant')
    const poll = await call(theirs, '/token', { grant_type: device, device_code: shown.device_code })
    assert.ok(['invalid_grant', 'expired_token'].includes(poll.body.error), poll.text)
    for (const token of [tokens.access_token, tokens.refresh_token, admin.access_token]) {
      assert.deepEqual((await call(theirs, '/introspect', { token })).body, { active: false })
      assert.equal((await call(theirs, '/revoke', { token })).status, 200)
      for (const path of ['/userinfo', '/api/connections']) {
        assert.equal((await bearer(theirs, path, token)).status, 401, path)
      }
    }
    const at_authorize = new URLSearchParams({ client_id: 'web', request_uri: pushed.request_uri })
    assert.equal((await new UserAgent().request(`${theirs.issuer}/authorize?${at_authorize}`)).status, 400)
    // The browser of a person of one tenant, its cookies under the names of the other.
    const stranger = new UserAgent()
    const [from, to] = [cookieNames(ours.issuer), cookieNames(theirs.issuer)]
    for (const kind of ['session', 'browser', 'device'] as const) {
      const value = agent.cookies.get(from[kind])
      if (value !== undefined) stranger.cookies.set(to[kind], value)
    }
    assert.ok(stranger.cookies.has(to.session))
    for (const path of ['/account', '/admin', `/device?user_code=${shown.user_code}`]) {
      assert.match((await open(stranger, theirs.issuer + path)).url, /\/login\?/, path)
    }
    // An administrator of one, and what the other has.
    const root_there = new UserAgent()
    const login = await open(root_there, `${theirs.issuer}/login`)
    await root_there.submit(login, ROOT)
    assert.equal((await open(root_there, `${theirs.issuer}/admin/client?client_id=only-theirs`)).status, 200)
    assert.equal((await open(root_there, `${theirs.issuer}/admin/client?client_id=only-ours`)).status, 404)
    const csrf_token = csrfOf(await open(root_there, `${theirs.issuer}/admin/client?client_id=only-theirs`))
    for (const path of ['rotate-secret', 'disable', 'delete'].map((what) => `/admin/client/${what}`)) {
      await (await post(root_there, theirs.issuer + path, { csrf_token, client_id: 'only-ours' })).text()
    }
    for (const list of ['users', 'clients', 'events', 'connections']) {
      const { html } = await open(root_there, `${theirs.issuer}/admin/${list}`)
      assert.doesNotMatch(html, /only-ours/, list)
    }
    const after_all = await rowsOf(theirs, () => true)
    const { tenant_id } = theirs.app.tenant
    assert.deepEqual(
      after_all.filter((row) => !row.includes(`tenant_id=${tenant_id}`)),
      before.filter((row) => !row.includes(`tenant_id=${tenant_id}`)),
      'nothing of the first tenant has changed',
    )
    // All of it is still good where it came from.
    assert.equal((await redeem(ours, code)).status, 200)
    assert.equal((await refresh(ours, tokens.refresh_token)).status, 200)
    assert.equal((await call(ours, '/introspect', { token: tokens.access_token })).body.active, true)
    assert.equal((await open(agent, `${ours.issuer}/account`)).url, `${ours.issuer}/account`)
  } finally {
    for (const server of servers) await server.stop()
    await database.drop()
  }
})
