import assert from 'node:assert/strict'
import { rotateClientSecret } from '../../server/src/inbound/clients/client_secrets.ts'
import { sweepUnusedClients } from '../../server/src/inbound/clients/unused_clients.ts'
import { ask, register, SELF_CALLBACK, withSettings } from '../parts/ask_registration.ts'
import { ALICE, challengeOf, JWT_API, onBothDatabases, VERIFIER } from '../parts/platform.ts'
import { signIn } from '../parts/sign_in_steps.ts'

const test = onBothDatabases()
const OPEN = { registration: 'open', dynamic_client_scopes: ['offline_access', 'mcp:tools'] }

test('registration is off, and not in discovery, until an administrator switches it on', async (p) => {
  await p.server.saveSettings({})
  const discover = async () => (await fetch(`${p.issuer}/.well-known/oauth-authorization-server`)).json()
  assert.equal((await discover()).registration_endpoint, undefined)
  const refused = await register(p, { redirect_uris: [SELF_CALLBACK] })
  assert.deepEqual([refused.status, refused.body.error], [403, 'access_denied'])
  for (const registration of ['token', 'open']) {
    await p.server.saveSettings({ registration })
    assert.equal((await discover()).registration_endpoint, `${p.issuer}/register`)
  }
})

test('RFC 7591 3.2.1 a registration answers everything that was registered, with its defaults', async (p) => {
  await withSettings(p, OPEN, async () => {
    const { status, headers, body } = await register(p, {
      client_name: 'App',
      redirect_uris: [SELF_CALLBACK],
      scope: 'mcp:tools api:read',
      contacts: ['me@app.example'],
      unknown_member: 'ignored',
    })
    assert.deepEqual([status, headers.get('cache-control')], [201, 'no-store'])
    assert.equal(headers.get('content-type'), 'application/json')
    const { client_id, client_secret, registration_access_token, ...rest } = body
    assert.match(client_id, /^[0-9a-f-]{36}$/)
    assert.match(client_secret, /^sp_cs_/)
    assert.match(registration_access_token, /^sp_rat_/)
    assert.deepEqual(rest, {
      client_name: 'App',
      redirect_uris: [SELF_CALLBACK],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      application_type: 'web',
      contacts: ['me@app.example'],
      scope: 'mcp:tools',
      client_id_issued_at: Math.floor(p.now() / 1000),
      client_secret_expires_at: 0,
      registration_client_uri: `${p.issuer}/register/${client_id}`,
    })
    const listed = await p.server.store.findClient({ tenant_id: p.server.app.tenant.tenant_id, client_id })
    assert.deepEqual([listed?.source, listed?.trusted], ['dynamic', 0])
  })
})

test('RFC 7592 2 a client reads, replaces and ends its registration with its own token', async (p) => {
  await withSettings(p, OPEN, async () => {
    const made = (
      await register(p, { client_name: 'App', redirect_uris: [SELF_CALLBACK], logo_uri: 'https://app.example/l' })
    ).body
    const { client_id, registration_access_token: token } = made
    const path = `/register/${client_id}`
    const { client_secret: _, ...kept } = made
    const read = await ask(p, 'GET', path, { token })
    assert.deepEqual([read.status, read.body], [200, kept])
    const update = { client_id, client_secret: made.client_secret, client_name: 'New', redirect_uris: [SELF_CALLBACK] }
    const updated = await ask(p, 'PUT', path, { token, json: update })
    const { logo_uri: __, ...without } = kept
    assert.deepEqual([updated.status, updated.body], [200, { ...without, client_name: 'New' }])
    assert.deepEqual((await ask(p, 'GET', path, { token })).body, updated.body)
    const ended = await ask(p, 'DELETE', path, { token })
    assert.deepEqual([ended.status, ended.text], [204, ''])
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const gone = await ask(p, method, path, { token, ...(method === 'PUT' && { json: update }) })
      assert.deepEqual([gone.status, gone.body.error], [401, 'invalid_token'], method)
    }
    const events = await p.server.store.pageEvents({
      ...{ tenant_id: p.server.app.tenant.tenant_id, before_event_id: '~', type: 'client.', actor: '', most: 50 },
    })
    const of_client = events.filter((one) => one.client_id === client_id).map(({ type }) => type)
    assert.deepEqual(of_client.sort(), ['client.created', 'client.deleted', 'client.updated'])
  })
})

test('RFC 7592 2 nobody else manages a registration, and all of them are told alike', async (p) => {
  await withSettings(p, OPEN, async () => {
    const one = (await register(p, { redirect_uris: [SELF_CALLBACK] })).body
    const other = (await register(p, { redirect_uris: [SELF_CALLBACK] })).body
    const path = `/register/${one.client_id}`
    const secrets = [other.registration_access_token, one.client_secret, `${one.registration_access_token}x`, 'x']
    const answers = []
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const json = method === 'PUT' ? { client_id: one.client_id, redirect_uris: [SELF_CALLBACK] } : undefined
      for (const token of secrets) answers.push(await ask(p, method, path, { token, json }))
      answers.push(await ask(p, method, '/register/nobody', { token: one.registration_access_token, json }))
      answers.push(await ask(p, method, '/register/web', { token: one.registration_access_token, json }))
      answers.push(await ask(p, method, '/register/', { token: one.registration_access_token, json }))
    }
    for (const { status, body, headers } of answers) {
      assert.deepEqual([status, body.error], [401, 'invalid_token'])
      assert.match(headers.get('www-authenticate')!, /^Bearer realm=".*", error="invalid_token"/)
      assert.equal(body.error_description, answers[0]!.body.error_description)
    }
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const json = method === 'PUT' ? {} : undefined
      assert.equal((await ask(p, method, path, { json })).status, 401)
      assert.equal((await ask(p, method, path, { json, headers: { authorization: 'Basic eDp5' } })).status, 401)
    }
    assert.equal((await ask(p, 'GET', path, { token: one.registration_access_token })).status, 200)
    await p.setDisabled(true, { client_id: one.client_id })
    assert.equal((await ask(p, 'GET', path, { token: one.registration_access_token })).status, 401)
  })
})

test('RFC 7592 2.2 an update names its client, and nothing that only the server says', async (p) => {
  await withSettings(p, OPEN, async () => {
    const { client_id, registration_access_token: token } = (await register(p, { redirect_uris: [SELF_CALLBACK] })).body
    const put = (json: unknown) => ask(p, 'PUT', `/register/${client_id}`, { token, json })
    const good = { client_id, redirect_uris: [SELF_CALLBACK] }
    for (const json of [
      { redirect_uris: [SELF_CALLBACK] },
      { ...good, client_id: 'web' },
      { ...good, client_id: null },
      { ...good, client_secret: 'of my own choice' },
      { ...good, client_secret: 7 },
      { ...good, registration_access_token: token },
      { ...good, registration_client_uri: 'https://app.example' },
      { ...good, client_secret_expires_at: 0 },
      { ...good, client_id_issued_at: 1 },
      { ...good, redirect_uris: ['https://app.example/#x'] },
      { client_id },
    ]) {
      const { status, body } = await put(json)
      assert.equal(status, 400, JSON.stringify(json))
      assert.match(body.error, /^invalid_(client_metadata|redirect_uri)$/)
    }
    assert.equal((await put(good)).status, 200)
  })
})

test('15.3.3 10.4.7 8.2.3 a client that registers itself is never trusted and sets nothing that is ours', async (p) => {
  await withSettings(p, OPEN, async () => {
    const greedy = {
      ...{ trusted: true, require_pkce: false, default_resource: p.issuer, access_token_lifetime_seconds: 86_400 },
      ...{ scope_by_policy: false, unverified: false, every_service: true, one_role: true, source: 'console' },
      ...{
        client_id: 'web',
        client_secret: 'mine',
        role_scopes: { administrator: ['admin:write'] },
        profile: 'legacy',
      },
      ...{ scope: 'admin:write admin:read vault:token openid mcp:tools api:read', redirect_uris: [SELF_CALLBACK] },
      ...{ grant_types: ['authorization_code', 'client_credentials', 'password', 'implicit'] },
    }
    const { status, body } = await register(p, greedy)
    assert.equal(status, 201)
    assert.notEqual(body.client_id, 'web')
    assert.deepEqual([body.scope, body.grant_types], ['mcp:tools', ['authorization_code']])
    const { tenant_id } = p.server.app.tenant
    const kept = JSON.parse((await p.server.store.findClient({ tenant_id, client_id: body.client_id }))!.metadata)
    const { trusted, require_pkce, unverified, scope_by_policy, default_resource, every_service } = kept
    assert.deepEqual([trusted, require_pkce, unverified, scope_by_policy], [false, true, true, true])
    assert.deepEqual([default_resource, every_service, kept.profile], [undefined, undefined, undefined])
    const { registration_access_token: token, client_id } = body
    const update = await ask(p, 'PUT', `/register/${client_id}`, {
      token,
      json: { ...greedy, client_id, client_secret: null },
    })
    assert.equal(update.status, 200)
    const again = JSON.parse((await p.server.store.findClient({ tenant_id, client_id }))!.metadata)
    assert.deepEqual([again.trusted, again.unverified, again.scope_by_policy], [false, true, true])
  })
})

test('V-05 prototype pollution and members that are given twice come to nothing', async (p) => {
  await withSettings(p, OPEN, async () => {
    const polluted = `{"__proto__":{"trusted":true},"constructor":{"prototype":{"trusted":true}},"redirect_uris":["${SELF_CALLBACK}"]}`
    const { status, body } = await ask(p, 'POST', '/register', { body: polluted })
    assert.equal(status, 201)
    assert.equal(({} as { trusted?: unknown }).trusted, undefined)
    assert.equal(body.trusted, undefined)
    for (const text of [
      `{"redirect_uris":["${SELF_CALLBACK}"],"redirect_uris":["https://evil.example"]}`,
      `{"client_name":"a","client\\u005fname":"b","redirect_uris":["${SELF_CALLBACK}"]}`,
      '[]',
      'null',
      '"x"',
      '7',
      '',
      '{',
      `{"redirect_uris":["${SELF_CALLBACK}"]}}`,
      `\ufeff{"redirect_uris":["${SELF_CALLBACK}"]}`,
    ]) {
      const refused = await ask(p, 'POST', '/register', { body: text })
      assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_client_metadata'], text)
    }
    const deep = `{"redirect_uris":["${SELF_CALLBACK}"],"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    assert.ok((await ask(p, 'POST', '/register', { body: deep })).status < 500)
    const wrong_type = { headers: { 'content-type': 'application/x-www-form-urlencoded' } }
    assert.equal((await register(p, { redirect_uris: [SELF_CALLBACK] }, wrong_type)).status, 400)
    const plain = await register(
      p,
      { redirect_uris: [SELF_CALLBACK] },
      { headers: { 'content-type': 'application/json; charset=utf-8' } },
    )
    assert.equal(plain.status, 201)
  })
})

test('a description may have 128 kB, and no more', async (p) => {
  await withSettings(p, OPEN, async () => {
    const sized = (bytes: number) => {
      const body = `{"redirect_uris":["${SELF_CALLBACK}"],"x":""}`
      return body.replace('""', `"${'x'.repeat(bytes - body.length)}"`)
    }
    assert.equal((await ask(p, 'POST', '/register', { body: sized(131_072) })).status, 201)
    const refused = await ask(p, 'POST', '/register', { body: sized(131_073) })
    assert.deepEqual([refused.status, refused.body.error], [413, 'invalid_request'])
    const socket = await fetch(`${p.issuer}/register`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: sized(131_073) },
    })
    assert.equal(socket.status, 413)
  })
})

test('a browser at any origin may register, and reads the answer without credentials', async (p) => {
  await withSettings(p, OPEN, async () => {
    const origin = 'https://inspector.example'
    const preflight = await ask(p, 'OPTIONS', '/register', { headers: { origin } })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
    assert.match(preflight.headers.get('access-control-allow-headers')!, /Content-Type.*MCP-Protocol-Version/)
    const { status, headers, body } = await register(p, { redirect_uris: [SELF_CALLBACK] }, { headers: { origin } })
    assert.deepEqual([status, headers.get('access-control-allow-origin')], [201, '*'])
    assert.equal(headers.get('access-control-allow-credentials'), null)
    const managed = await ask(p, 'OPTIONS', `/register/${body.client_id}`, { headers: { origin } })
    assert.match(managed.headers.get('access-control-allow-methods')!, /GET, PUT, DELETE/)
    for (const method of ['GET', 'PUT', 'DELETE']) assert.equal((await ask(p, method, '/register')).status, 405, method)
    assert.equal((await ask(p, 'POST', '/register/x', { json: {} })).status, 405)
  })
})

test('10.4.11 what a client that registered itself may have is the tenant’s policy, as it stands now', async (p) => {
  await withSettings(p, { registration: 'open' }, async () => {
    const json = { redirect_uris: [SELF_CALLBACK], scope: 'mcp:tools', token_endpoint_auth_method: 'none' }
    const { client_id, scope, client_secret, client_secret_expires_at } = (await register(p, json)).body
    assert.deepEqual([scope, client_secret, client_secret_expires_at], [undefined, undefined, undefined])
    const agent = await signIn(p)
    const challenge = { code_challenge: challengeOf(VERIFIER), code_challenge_method: 'S256' }
    const start = (asked: string) => {
      const request = { response_type: 'code', client_id, redirect_uri: SELF_CALLBACK, resource: JWT_API, scope: asked }
      return `${p.issuer}/authorize?${new URLSearchParams({ ...request, ...challenge })}`
    }
    const redeem = async (asked: string) => {
      const code = (await agent.authorize(start(asked), ALICE)).searchParams.get('code')!
      const form = {
        grant_type: 'authorization_code',
        code,
        client_id,
        redirect_uri: SELF_CALLBACK,
        code_verifier: VERIFIER,
      }
      return (await p.post('/token', form, null)).body
    }
    // Nothing is in the policy, so there is nothing to have, asked for or not.
    for (const asked of ['mcp:tools', 'openid', '']) {
      const { response } = await agent.follow(start(asked))
      assert.equal(response.status, 400, asked)
      assert.match(await response.text(), /invalid_scope/, asked)
    }
    await p.server.saveSettings({ ...OPEN, dynamic_client_scopes: ['mcp:tools', 'api:read'] })
    const tokens = await redeem('mcp:tools api:read openid offline_access')
    assert.equal(tokens.scope, 'mcp:tools api:read')
    assert.deepEqual((await p.introspect(tokens.access_token)).scope, 'mcp:tools api:read')
    await p.server.saveSettings({ ...OPEN, dynamic_client_scopes: ['mcp:tools'] })
    assert.deepEqual((await p.introspect(tokens.access_token)).scope, 'mcp:tools')
    assert.equal((await redeem('mcp:tools api:read')).scope, 'mcp:tools')
    // Never administration or the vault, whatever the policy says.
    await p.server.saveSettings({ ...OPEN, dynamic_client_scopes: ['admin:write', 'vault:token', 'mcp:tools'] })
    const greedy = await register(p, { ...json, scope: 'admin:write vault:token mcp:tools' })
    assert.equal(greedy.body.scope, 'mcp:tools')
    const resource = `resource=${encodeURIComponent(`${p.issuer}/api`)}`
    const back = await agent.authorize(start('admin:write').replace(/resource=[^&]*/, resource), ALICE)
    assert.equal(back.searchParams.get('error'), 'invalid_scope')
  })
})

test('a secret that is set to end does, and an update renews it', async (p) => {
  await withSettings(p, { ...OPEN, dynamic_client_secret_days: 2 }, async () => {
    const made = (
      await register(p, { redirect_uris: [SELF_CALLBACK], token_endpoint_auth_method: 'client_secret_post' })
    ).body
    assert.equal(made.client_secret_expires_at, Math.floor(p.now() / 1000) + 2 * 86_400)
    const { client_id, registration_access_token: token } = made
    const use = async (client_secret: string) =>
      (
        await p.post(
          '/token',
          { ...{ grant_type: 'authorization_code', code: 'x', redirect_uri: SELF_CALLBACK }, client_id, client_secret },
          null,
        )
      ).body.error
    assert.equal(await use(made.client_secret), 'invalid_grant')
    p.pass(86_400)
    const update = { client_id, redirect_uris: [SELF_CALLBACK], token_endpoint_auth_method: 'client_secret_post' }
    const renewed = (await ask(p, 'PUT', `/register/${client_id}`, { token, json: update })).body
    assert.equal(renewed.client_secret_expires_at, Math.floor(p.now() / 1000) + 2 * 86_400)
    assert.notEqual(renewed.client_secret, made.client_secret)
    assert.deepEqual(
      [await use(made.client_secret), await use(renewed.client_secret)],
      ['invalid_grant', 'invalid_grant'],
    )
    p.pass(86_400)
    assert.deepEqual(
      [await use(made.client_secret), await use(renewed.client_secret)],
      ['invalid_client', 'invalid_grant'],
    )
    p.pass(86_400)
    assert.equal(await use(renewed.client_secret), 'invalid_client')
    const { tenant } = p.server.app
    const record = (await tenant.store.findClient({ tenant_id: tenant.tenant_id, client_id }))!
    const further = (await rotateClientSecret(tenant, { record, actor: 'cli', now: p.now() }))!
    assert.equal(await use(further), 'invalid_grant')
    assert.equal(await use(renewed.client_secret), 'invalid_client', 'what is over does not begin anew by a rotation')
  })
})

test('2.3.2 five clients an hour are registered from one address, and a refused one takes no turn', async (p) => {
  await withSettings(p, OPEN, async () => {
    const address = '198.51.100.7'
    for (let i = 0; i < 9; i++) assert.equal((await register(p, { redirect_uris: ['x'] }, { address })).status, 400)
    for (let i = 0; i < 5; i++) {
      assert.equal((await register(p, { redirect_uris: [SELF_CALLBACK] }, { address })).status, 201, String(i))
    }
    const sixth = await register(p, { redirect_uris: [SELF_CALLBACK] }, { address })
    assert.equal(sixth.status, 429)
    assert.ok(Number(sixth.headers.get('retry-after')) > 3000)
    assert.equal((await register(p, { redirect_uris: [SELF_CALLBACK] }, { address: '198.51.100.8' })).status, 201)
    p.pass(3601)
    assert.equal((await register(p, { redirect_uris: [SELF_CALLBACK] }, { address })).status, 201)
  })
})

test('T-07 clients that registered themselves and were never used are swept, with an event', async (p) => {
  await withSettings(p, { ...OPEN, dynamic_client_unused_days: 3 }, async () => {
    const { tenant, web } = p.server.app
    const { tenant_id, store } = tenant
    const unused = (await register(p, { redirect_uris: [SELF_CALLBACK] })).body.client_id
    await sweepUnusedClients(web.inbound)
    assert.notEqual(await store.findClient({ tenant_id, client_id: unused }), null)
    p.pass(3 * 86_400 + 1)
    const fresh = (await register(p, { redirect_uris: [SELF_CALLBACK] })).body.client_id
    assert.ok((await sweepUnusedClients(web.inbound)) >= 1)
    assert.equal(await store.findClient({ tenant_id, client_id: unused }), null)
    assert.notEqual(await store.findClient({ tenant_id, client_id: fresh }), null)
    assert.notEqual(await store.findClient({ tenant_id, client_id: 'web' }), null)
    const events = await store.pageEvents({
      tenant_id,
      before_event_id: '~',
      type: 'client.deleted',
      actor: 'system',
      most: 200,
    })
    const [swept] = events.filter(({ client_id }) => client_id === unused)
    assert.deepEqual(JSON.parse(swept!.detail), { reason: 'unused' })
  })
})
