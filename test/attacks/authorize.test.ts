import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ALICE,
  BOB,
  CALLBACK,
  CLIENTS,
  type ClientName,
  challengeOf,
  JWT_API,
  OPAQUE_API,
  type Platform,
  SPA_CALLBACK,
  startPlatform,
  VERIFIER,
} from '../parts/platform.ts'
import { mutateRedirectUri } from '../parts/redirect_uri_mutations.ts'
import { countRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
before(async () => {
  p = await startPlatform()
})
after(() => p.stop())

/** A browser in which somebody is signed in already; with clients, they were allowed what they ask for. */
async function signedIn(user: typeof ALICE | typeof BOB = ALICE, ...clients: ClientName[]): Promise<UserAgent> {
  const agent = new UserAgent()
  for (const client of ['trusted', ...clients] as ClientName[]) await agent.authorize(p.authorizeUrl(client), user)
  return agent
}

/** Asserts that an answer is a page of ours and leads nowhere. */
async function assertPage(response: Response, what: string, status = 400): Promise<string> {
  assert.equal(response.status, status, what)
  assert.equal(response.headers.get('location'), null, what)
  assert.match(response.headers.get('content-type')!, /^text\/html/, what)
  assert.equal(response.headers.get('cache-control'), 'no-store', what)
  const html = await response.text()
  assert.doesNotMatch(html, /http-equiv="refresh"|<script(?! type="module" src="\/hub\/assets)/i, what)
  return html
}

/** Asserts that an answer is an error at the client's own address, whole and with nothing that could be a token. */
function assertRefused(response: Response, error: string, what: string, redirect_uri: string = CALLBACK): URL {
  assert.equal(response.status, 303, what)
  const location = response.headers.get('location')!
  assert.ok(location.startsWith(`${redirect_uri}?`), `${what}: ${location}`)
  const url = new URL(location)
  assert.equal(url.searchParams.get('error'), error, `${what}: ${location}`)
  assert.ok(url.searchParams.get('error_description'), what)
  assert.equal(url.searchParams.get('iss'), p.issuer, what)
  assert.equal(url.searchParams.get('code'), null, what)
  assert.equal(url.hash, '#_', 'B-02 a fragment of our own')
  assert.equal(response.headers.get('cache-control'), 'no-store', what)
  assert.equal(response.headers.get('referrer-policy'), 'no-referrer', what)
  return url
}

test('10.4.1 B-01 V-02 of hundreds of look-alikes of a redirect URI none is answered, signed in or not', async () => {
  const agent = await signedIn(ALICE, 'spa')
  const rows = await countRows(p.server.store)
  let count = 0
  for (const [client, registered] of [
    ['trusted', 'https://trusted.example/cb'],
    ['spa', SPA_CALLBACK],
    ['web', CALLBACK],
  ] as const) {
    for (const redirect_uri of mutateRedirectUri(registered)) {
      // Empty means absent, and then openid needs it all the same.
      const html = await assertPage(await agent.request(p.authorizeUrl(client, { redirect_uri })), redirect_uri)
      assert.doesNotMatch(html, /href="[^"]*evil|action="[^"]*evil/, redirect_uri)
      count++
    }
  }
  assert.ok(count >= 400, `${count} mutants`)
  for (const redirect_uri of mutateRedirectUri(SPA_CALLBACK).slice(0, 40)) {
    await assertPage(await new UserAgent().request(p.authorizeUrl('spa', { redirect_uri })), redirect_uri)
  }
  assert.deepEqual(await countRows(p.server.store), rows)
})

test('N-01 N-08 V-15 a native client may choose the port of its loopback address and nothing else', async () => {
  const agent = await signedIn()
  for (const redirect_uri of [
    'http://127.0.0.1/native',
    'http://127.0.0.1:49152/native',
    'com.example.app:/callback',
  ]) {
    const response = await agent.request(p.authorizeUrl('native', { redirect_uri }))
    assert.equal(response.status, 200, redirect_uri)
    assert.match(await response.text(), /name="decision"/)
  }
  for (const redirect_uri of [
    'http://127.0.0.1:49152/native/',
    'http://127.0.0.1:49152/native?x',
    'http://127.0.0.1:99999/native',
    'http://localhost:49152/native',
    'http://[::1]:49152/native',
    'https://127.0.0.1:49152/native',
    'http://127.0.0.1:80@evil.example/native',
    'com.example.app://callback',
    'com.example.app:/callback/x',
    'com.example.appp:/callback',
  ]) {
    await assertPage(await agent.request(p.authorizeUrl('native', { redirect_uri })), redirect_uri)
  }
})

test('RFC 6749 4.1.2.1 who asks and where to is settled on a page, everything else at the client', async () => {
  for (const name of ['client_id', 'redirect_uri'] as const) {
    const missing = await assertPage(await new UserAgent().request(p.authorizeUrl('web', { [name]: undefined })), name)
    assert.match(missing, new RegExp(name))
    const empty = await assertPage(await new UserAgent().request(p.authorizeUrl('web', { [name]: '' })), name)
    assert.match(empty, new RegExp(name))
    const again = `&${name}=${encodeURIComponent(name === 'client_id' ? 'web' : CALLBACK)}`
    for (const more of [again, `&${name}=evil`, `&${name}=%ff`, `&${name}=a%00`, `&${name}=${'x'.repeat(3000)}`]) {
      await assertPage(await new UserAgent().request(p.authorizeUrl('web') + more), more)
    }
  }
  for (const client_id of ['nobody', 'WEB', 'web ', 'web%00', "web' or '1'='1", '__proto__', 'constructor']) {
    await assertPage(await new UserAgent().request(p.authorizeUrl('web', { client_id })), client_id)
  }
})

test('V-08 RFC 6749 3.1 a repeated or broken parameter is invalid_request at the client, by name', async () => {
  const names = ['response_type', 'scope', 'nonce', 'code_challenge', 'code_challenge_method', 'prompt', 'max_age']
  const more = ['response_mode', 'login_hint', 'id_token_hint', 'ui_locales', 'acr_values', 'claims', 'unknown']
  for (const name of [...names, ...more]) {
    for (const [first, second] of [
      ['a', 'a'],
      ['a', 'b'],
      ['%ff', ''],
      ['a%00b', ''],
      ['%', ''],
    ]) {
      const url = new URL(p.authorizeUrl('web', { [name]: undefined }))
      const pairs = [first, second].filter((value) => value !== '').map((value) => `&${name}=${value}`)
      const response = await new UserAgent().request(url.href + pairs.join(''))
      const back = assertRefused(response, 'invalid_request', pairs.join(''))
      assert.match(back.searchParams.get('error_description')!, new RegExp(`\\b${name}\\b`))
      assert.equal(back.searchParams.get('state'), 'xyz')
    }
  }
  const back = assertRefused(
    await new UserAgent().request(`${p.authorizeUrl('web')}&state=abc`),
    'invalid_request',
    'state',
  )
  assert.equal(back.searchParams.get('state'), null, 'of two states none is echoed')
})

test('B-06 RFC 6749 4.1.2.1 each refusal comes back with its code, state and iss', async () => {
  const cases: [Record<string, string | undefined>, string][] = [
    [{ response_type: undefined }, 'invalid_request'],
    [{ response_type: '' }, 'invalid_request'],
    [{ scope: 'openid nothing:such' }, 'invalid_scope'],
    [{ scope: 'admin:write' }, 'invalid_scope'],
    [{ scope: 'openid vault:open' }, 'invalid_scope'],
    [{ scope: 'op"enid' }, 'invalid_scope'],
    [{ scope: undefined }, 'invalid_scope'],
    [{ scope: Array.from({ length: 101 }, (_, i) => `s${i}`).join(' ') }, 'invalid_scope'],
    [{ resource: 'http://evil.example/' }, 'invalid_target'],
    [{ resource: `${JWT_API}/` }, 'invalid_target'],
    [{ resource: `${JWT_API}#x` }, 'invalid_target'],
    [{ resource: 'mcp' }, 'invalid_target'],
    [{ resource: `${p.issuer}/proxy/none`, scope: 'openid' }, 'invalid_target'],
    [{ prompt: 'none' }, 'login_required'],
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ prompt: 'create' }, 'invalid_request'],
    [{ prompt: 'NONE' }, 'invalid_request'],
    [{ max_age: '-1' }, 'invalid_request'],
    [{ max_age: '1.5' }, 'invalid_request'],
    [{ max_age: '9'.repeat(20) }, 'invalid_request'],
    [{ nonce: 'n'.repeat(256) }, 'invalid_request'],
    [{ claims: 'not json' }, 'invalid_request'],
    [{ claims: '[]' }, 'invalid_request'],
    [{ request: 'eyJ' }, 'request_not_supported'],
    [{ request_uri: 'https://evil.example/r' }, 'request_uri_not_supported'],
    [{ registration: '{}' }, 'registration_not_supported'],
    [{ client_secret: 'secret-of-web' }, 'invalid_request'],
    [{ client_assertion: 'x' }, 'invalid_request'],
    [{ authorization_details: '[{"type":"payment"}]' }, 'invalid_authorization_details'],
  ]
  const agent = await signedIn()
  for (const [params, error] of cases) {
    const what = JSON.stringify(params)
    const back = assertRefused(
      await (error === 'login_required' ? new UserAgent() : agent).request(p.authorizeUrl('web', params)),
      error,
      what,
    )
    assert.equal(back.searchParams.get('state'), 'xyz', what)
    assert.doesNotMatch(back.href, /secret-of/, what)
  }
})

test('10.4.4 10.6.1 B-08 V-03 only code is a response type, and refusals of the others stay out of the query', async () => {
  for (const response_type of [
    'token',
    'id_token',
    'id_token token',
    'code token',
    'code id_token',
    'code id_token token',
  ]) {
    const response = await (await signedIn()).request(p.authorizeUrl('web', { response_type }))
    assert.equal(response.status, 303)
    const [address, fragment] = response.headers.get('location')!.split('#')
    assert.equal(address, CALLBACK, response_type)
    const answer = new URLSearchParams(fragment)
    assert.deepEqual(
      [answer.get('error'), answer.get('iss'), answer.get('state')],
      ['unsupported_response_type', p.issuer, 'xyz'],
    )
    assert.equal(answer.get('access_token'), null)
  }
  for (const response_type of ['none', 'CODE', 'code code', ' ', 'password']) {
    assertRefused(
      await new UserAgent().request(p.authorizeUrl('web', { response_type })),
      'unsupported_response_type',
      response_type,
    )
  }
  const metadata = await (await fetch(`${p.issuer}/.well-known/openid-configuration`)).json()
  assert.deepEqual(metadata.response_types_supported, ['code'])
  assert.deepEqual(
    metadata.grant_types_supported.filter((name: string) => /password|implicit/.test(name)),
    [],
  )
})

test('10.4.12 a response mode that the server or the client does not have is refused in the usual one', async () => {
  for (const response_mode of ['query.jwt', 'form_post.jwt', 'jwt', 'web_message', 'FRAGMENT', 'none']) {
    assertRefused(
      await new UserAgent().request(p.authorizeUrl('web', { response_mode })),
      'invalid_request',
      response_mode,
    )
  }
  await p.server.addClient({
    client_id: 'query-only',
    redirect_uris: [CALLBACK],
    scope: 'openid',
    response_modes: ['query'],
  })
  for (const response_mode of ['fragment', 'form_post']) {
    const response = await new UserAgent().request(p.authorizeUrl('web', { client_id: 'query-only', response_mode }))
    assertRefused(response, 'invalid_request', response_mode)
  }
})

test('10.4.6 B-10 CVE-2024-23647 CVE-2024-22258 CVE-2025-4144 no way around S256 for any client', async () => {
  const agent = await signedIn(ALICE, 'web', 'post', 'spa')
  const good = challengeOf(VERIFIER)
  const combinations: Record<string, string | undefined>[] = [
    { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge: '', code_challenge_method: '' },
    { code_challenge: undefined },
    { code_challenge: '' },
    { code_challenge_method: undefined },
    { code_challenge_method: '' },
    { code_challenge_method: 'plain' },
    { code_challenge_method: 's256' },
    { code_challenge_method: 'S512' },
    { code_challenge: VERIFIER, code_challenge_method: 'plain' },
    { code_challenge: good.slice(0, -1) },
    { code_challenge: `${good}=` },
    { code_challenge: `${good}A` },
    { code_challenge: good.replace(/^./, '+') },
    { code_challenge: good.replace(/^./, '/') },
    { code_challenge: good.replace(/^./, ' ') },
  ]
  for (const client of ['web', 'post', 'spa', 'trusted'] as const) {
    for (const params of combinations) {
      const response = await agent.request(p.authorizeUrl(client, params))
      const back = assertRefused(
        response,
        'invalid_request',
        JSON.stringify([client, params]),
        CLIENTS[client].redirect_uri,
      )
      assert.match(back.searchParams.get('error_description')!, /code_challenge/)
    }
  }
  const exempt = await agent.request(
    p.authorizeUrl('exempt', { code_challenge: VERIFIER, code_challenge_method: 'plain' }),
  )
  assertRefused(exempt, 'invalid_request', 'a client that need not use PKCE may still not weaken it')
})

test('prompt=none is answered without a page: login_required, consent_required, or a code', async () => {
  const silent = (client: ClientName, more = {}) => p.authorizeUrl(client, { prompt: 'none', ...more })
  assertRefused(await new UserAgent().request(silent('web')), 'login_required', 'nobody is signed in')
  const agent = await signedIn()
  assertRefused(await agent.request(silent('other')), 'consent_required', 'never asked')
  await agent.authorize(p.authorizeUrl('other'), ALICE)
  const location = new URL((await agent.request(silent('other'))).headers.get('location')!)
  assert.match(location.searchParams.get('code')!, /^sp_ac_/)
  assert.equal(location.searchParams.get('iss'), p.issuer)
  p.pass(1)
  assertRefused(await agent.request(silent('other', { max_age: '0' })), 'login_required', 'max_age=0')
  assertRefused(
    await agent.request(silent('other', { scope: 'openid phone api:read' })),
    'invalid_scope',
    "not the client's",
  )
})

test('10.7.1 CVE-2023-34246 a public client at an address that others can claim is asked for every time', async () => {
  const agent = await signedIn(ALICE, 'native', 'spa')
  const back = await agent.request(p.authorizeUrl('native', { prompt: 'none' }))
  assertRefused(back, 'consent_required', 'native', CLIENTS.native.redirect_uri)
  const page = await agent.follow(p.authorizeUrl('native'))
  assert.match(await page.response.text(), /name="decision"/)
  const spa = await agent.request(p.authorizeUrl('spa', { prompt: 'none' }))
  assert.match(spa.headers.get('location')!, /[?&]code=/, "an https address is its owner's alone")
})

test('10.7.1 I9 what was allowed at one resource is not allowed at another that has a scope of the same name', async () => {
  const calendar = 'http://127.0.0.1:5000/calendar'
  const notes = 'http://127.0.0.1:5000/notes'
  const scopes = JSON.stringify({ read: 'Read it', delete: 'Delete it' })
  for (const resource of [calendar, notes]) await p.server.addResource({ resource, scopes })
  await p.server.addRole('keeper', ['read', 'delete'])
  const carol = { username: 'carol', password: 'carol and her password' }
  await p.server.addUser({ ...carol, roles: ['keeper'] })
  const client = {
    client_id: 'desk',
    client_secret: 'secret-of-desk',
    redirect_uris: [CALLBACK],
    scope: 'openid read delete',
  }
  await p.server.addClient(client)
  const ask = (resource: string, scope: string, more = {}) =>
    p.authorizeUrl('web', { client_id: 'desk', resource, scope, ...more })
  const agent = new UserAgent()
  await agent.authorize(ask(calendar, 'openid read'), carol)
  await agent.authorize(ask(notes, 'openid delete'), carol)
  for (const [resource, scope] of [
    [calendar, 'openid read'],
    [notes, 'delete'],
    [calendar, 'read'],
  ] as const) {
    const response = await agent.request(ask(resource, scope, { prompt: 'none' }))
    assert.match(response.headers.get('location')!, /[?&]code=/, `${resource} ${scope}`)
  }
  for (const [resource, scope] of [
    [calendar, 'delete'],
    [notes, 'read'],
    [calendar, 'read delete'],
  ] as const) {
    assertRefused(
      await agent.request(ask(resource, scope, { prompt: 'none' })),
      'consent_required',
      `${resource} ${scope}`,
    )
  }
})

test('10.7.2 D-05 what the page did not show is not allowed by its button', async () => {
  const resource = 'http://127.0.0.1:5000/moving'
  const scopes = JSON.stringify({ read: 'Read it', delete: 'Delete it' })
  await p.server.addResource({ resource, scopes, default_scopes: '["read"]', every_user: 1 })
  const client = { client_id: 'mover', client_secret: 'secret-of-mover', redirect_uris: [CALLBACK] }
  await p.server.addClient({ ...client, scope: 'read delete' })
  const agent = await signedIn()
  const shown = await agent.follow(p.authorizeUrl('web', { client_id: 'mover', resource, scope: undefined }))
  const html = await shown.response.text()
  assert.doesNotMatch(html, /Delete it/)
  await p.server.addResource({ resource, scopes, default_scopes: '["read","delete"]', every_user: 1 })
  const form = html.match(/<form[\s\S]*?<\/form>/g)!.find((text) => text.includes('name="decision"'))!
  const again = await agent.submit({ url: shown.url, html: form }, { decision: 'allow' })
  const second = await again.response.text()
  assert.match(second, /Delete it/, 'the page is shown again')
  const next = second.match(/<form[\s\S]*?<\/form>/g)!.find((text) => text.includes('name="decision"'))!
  const back = await agent.submit({ url: again.url, html: next }, { decision: 'allow' })
  assert.match(back.url, /[?&]code=/)
})

test('7.6.2 prompt=login, select_account and max_age each bring the sign-in page, and it cannot be skipped', async () => {
  for (const params of [
    { prompt: 'login' },
    { prompt: 'select_account' },
    { prompt: 'login consent' },
    { max_age: '60' },
  ]) {
    const agent = await signedIn(ALICE, 'web')
    p.pass(61)
    const { url, response } = await agent.follow(p.authorizeUrl('web', params))
    const html = await response.text()
    assert.match(html, /name="password"/, JSON.stringify(params))
    const cookies = new Map(agent.cookies)
    // The page after sign-in, asked for without signing in.
    const skipped = await agent.follow(url.replace('/login?', '/consent?'))
    assert.match(skipped.url, /\/login\?/, JSON.stringify(params))
    const signed = await agent.submit({ url, html }, ALICE)
    assert.notDeepEqual(agent.cookies, cookies, 'a new session')
    assert.ok(new URL(signed.url).searchParams.has('code') || /name="decision"/.test(await signed.response.text()))
  }
  const agent = await signedIn(ALICE, 'web')
  p.pass(59)
  const within = await agent.request(p.authorizeUrl('web', { max_age: '60' }))
  assert.match(within.headers.get('location')!, /[?&]code=/)
  const asked = await agent.follow(p.authorizeUrl('web', { prompt: 'consent' }))
  assert.match(await asked.response.text(), /name="decision"/)
})

test('id_token_hint names who must be signed in, and takes nothing but ID tokens of this issuer', async () => {
  const { id_token, access_token } = await p.getTokens('web')
  const agent = await signedIn(ALICE, 'web')
  const other = await signedIn(BOB, 'web')
  const ask = (id_token_hint: string, more = {}) => p.authorizeUrl('web', { id_token_hint, prompt: 'none', ...more })
  assert.match((await agent.request(ask(id_token))).headers.get('location')!, /[?&]code=/)
  assertRefused(await other.request(ask(id_token)), 'login_required', 'somebody else')
  const [header, payload, signature] = id_token.split('.')
  const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
  const hints = [
    access_token,
    'x',
    `${header}.${payload}.`,
    `${unsigned}.${payload}.`,
    `${header}.${payload}.${signature}A`,
  ]
  for (const hint of hints) assertRefused(await agent.request(ask(hint)), 'invalid_request', hint)
  // Signing in does not make somebody else of her.
  p.pass(1)
  const page = await other.follow(p.authorizeUrl('web', { id_token_hint: id_token }))
  assert.match(page.url, /\/login\?/)
  const again = await other.submit({ url: page.url, html: await page.response.text() }, BOB)
  assert.equal(new URL(again.url).searchParams.get('error'), 'login_required')
  p.pass(7200)
  assert.match((await agent.request(ask(id_token))).headers.get('location')!, /[?&]code=/, 'an expired hint is a hint')
})

test('state comes back as it was, or not at all', async () => {
  const agent = await signedIn(ALICE, 'web')
  for (const state of [
    'x',
    ' a+b&c=d#e%2520 ',
    '"><script>alert(1)</script>',
    'é漢🔐',
    "';--",
    '[]{}',
    'x'.repeat(2000),
    '../..',
    'null',
  ]) {
    const url = new URL((await agent.request(p.authorizeUrl('web', { state }))).headers.get('location')!)
    assert.equal(url.searchParams.get('state'), state)
    assert.deepEqual([...url.searchParams.keys()].sort(), ['code', 'iss', 'state'])
    assert.equal(url.origin + url.pathname, CALLBACK)
  }
  const none = new URL((await agent.request(p.authorizeUrl('web', { state: undefined }))).headers.get('location')!)
  assert.equal(none.searchParams.get('state'), null)
  for (const state of ['x'.repeat(4097), 'a\r\nSet-Cookie: x=y', 'a\tb', 'a\u0000']) {
    const back = assertRefused(
      await agent.request(p.authorizeUrl('web', { state })),
      'invalid_request',
      state.slice(0, 20),
    )
    assert.equal(back.searchParams.get('state'), null)
  }
})

test('5.9 form_post posts exactly the answer to exactly the address, and nothing in it is markup', async () => {
  const agent = await signedIn(ALICE, 'web')
  const state = `"'><script>alert(1)</script>&amp;`
  for (const params of [{}, { scope: 'admin:write' }]) {
    const response = await agent.request(p.authorizeUrl('web', { response_mode: 'form_post', state, ...params }))
    const html = await assertPage(response, 'form_post', 200)
    assert.match(html, /<form method="post" action="http:\/\/127\.0\.0\.1:3000\/callback"/)
    assert.doesNotMatch(html, /<script>alert/)
    const fields = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(([, name]) => name)
    const answer = 'scope' in params ? ['error', 'error_description', 'state', 'iss'] : ['code', 'state', 'iss']
    assert.deepEqual(fields, answer)
    assert.match(response.headers.get('content-security-policy')!, /script-src 'self'/)
  }
})

test('B-15 a client that a stranger registered cannot make us redirect before the user has answered', async () => {
  await p.server.saveSettings({ service_registration: 'open' })
  const registered = await fetch(`${p.issuer}/api/rest/services?fields=id,secret`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Evil', homeUrl: 'https://evil.example', redirectUris: ['https://evil.example/cb'] }),
  })
  const { id } = await registered.json()
  const ask = (params: Record<string, string | undefined>) =>
    p.authorizeUrl('web', {
      client_id: id,
      redirect_uri: 'https://evil.example/cb',
      resource: undefined,
      scope: id,
      ...params,
    })
  const agent = await signedIn()
  const broken = [
    { scope: 'no:such' },
    { response_type: 'x' },
    { code_challenge: undefined },
    { resource: 'urn:x' },
    { max_age: 'x' },
  ]
  for (const params of broken) {
    for (const browser of [new UserAgent(), agent])
      await assertPage(await browser.request(ask(params)), JSON.stringify(params))
  }
  await assertPage(await new UserAgent().request(ask({ prompt: 'none' })), 'prompt=none')
  const back = await agent.authorize(ask({}), ALICE, 'deny')
  assert.equal(back.origin, 'https://evil.example')
  assert.equal(back.searchParams.get('error'), 'access_denied')
  await p.server.saveSettings({})
})

test('a disabled client gets a page, and its users are not asked to sign in', async () => {
  await p.setDisabled(true, { client_id: 'other' })
  await assertPage(await new UserAgent().request(p.authorizeUrl('other')), 'disabled')
  await p.setDisabled(false, { client_id: 'other' })
})

test('4.2.5 a request too long to be carried through the sign-in is refused cleanly', async () => {
  for (const length of [1000, 3000, 3900]) {
    const { url, response } = await new UserAgent().follow(p.authorizeUrl('web', { state: 'x'.repeat(length) }))
    assert.match(url, /\/login\?request=/)
    assert.equal(response.status, 200)
  }
  const claims = JSON.stringify({
    userinfo: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`claim${i}_`, null])),
  })
  const state = 'x'.repeat(3900)
  const form = new URL(p.authorizeUrl('web', { state, claims })).search.slice(1)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await new UserAgent().request(`${p.issuer}/authorize`, { method: 'POST', headers, body: form })
  const back = assertRefused(response, 'invalid_request', 'too long')
  assert.match(back.searchParams.get('error_description')!, /long/)
  assert.equal((await fetch(`${p.authorizeUrl('web')}&x=${'x'.repeat(9000)}`)).status, 414)
})

test('OpenID Connect Core 3.1.2.1 an authorization request may be posted, and finds who is signed in', async () => {
  const agent = await signedIn(ALICE, 'web')
  const body = new URL(p.authorizeUrl('web')).search.slice(1)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const posted = await agent.follow(`${p.issuer}/authorize`, { method: 'POST', headers, body })
  assert.match(posted.url, /[?&]code=/)
  // A browser leaves SameSite=Lax cookies out of a form that another site posts.
  const { cookies } = agent
  const kept = new Map(cookies)
  cookies.clear()
  const foreign = await agent.request(`${p.issuer}/authorize`, { method: 'POST', headers, body })
  assert.equal(foreign.status, 303)
  for (const [name, value] of kept) cookies.set(name, value)
  const gone_on = await agent.follow(new URL(foreign.headers.get('location')!, p.issuer).href)
  assert.match(gone_on.url, /[?&]code=/)
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
    const response = await agent.request(`${p.issuer}/authorize`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    await assertPage(response, type, 415)
  }
})

test('B-13 the resources of a code are those that were asked for', async () => {
  const url = `${p.authorizeUrl('web', { scope: 'openid api:read' })}&resource=${encodeURIComponent(OPAQUE_API)}`
  const back = await new UserAgent().authorize(url, ALICE)
  const code = back.searchParams.get('code')!
  for (const resource of [p.issuer, `${p.issuer}/api`, 'http://evil.example/']) {
    assert.equal((await p.exchange('web', code, { resource })).body.error, 'invalid_target', resource)
  }
  const { body } = await p.exchange('web', code, { resource: JWT_API })
  assert.equal(JSON.parse(atob(body.access_token.split('.')[1])).aud, JWT_API)
})
