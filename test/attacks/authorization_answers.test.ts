import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { payloads } from '../pages/payloads.ts'
import { askAuthorization } from '../parts/ask_authorization.ts'
import { ALICE, CALLBACK, JWT_API, OPAQUE_API, type Platform, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
before(async () => {
  p = await startPlatform()
})
after(() => p.stop())
const { assertPage, assertRefused, signedIn } = askAuthorization(() => p)

test('10.4.4 10.6.1 B-08 V-03 Q-06 only code is a response type, and refusals of the others stay out of the query', async () => {
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
    // The fragment alone is there for clients that an administrator has switched it on for.
    const error = response_type === 'token' ? 'unauthorized_client' : 'unsupported_response_type'
    assert.deepEqual([answer.get('error'), answer.get('iss'), answer.get('state')], [error, p.issuer, 'xyz'])
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

test('10.4.12 B-21 a response mode that the server or the client does not have is refused in the usual one', async () => {
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

const HOSTILE = payloads.filter((payload) => !/\p{Cc}/u.test(payload))

test('5.9 CVE-2023-6134 form_post posts exactly the answer to exactly the address, and nothing in it is markup', async () => {
  const agent = await signedIn(ALICE, 'web')
  for (const state of HOSTILE) {
    for (const params of [{}, { scope: 'admin:write' }]) {
      const response = await agent.request(p.authorizeUrl('web', { response_mode: 'form_post', state, ...params }))
      const html = await assertPage(response, 'form_post', 200)
      assert.match(html, /<form method="post" action="http:\/\/127\.0\.0\.1:3000\/callback"/)
      const fields = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"<>]*)">/g)]
      const answer = 'scope' in params ? ['error', 'error_description', 'state', 'iss'] : ['code', 'state', 'iss']
      assert.deepEqual(
        fields.map(([, name]) => name),
        answer,
        state,
      )
      assert.deepEqual(html.match(/<(form|script|iframe|img|svg)\b/g), ['<form', '<script'], state)
      assert.match(response.headers.get('content-security-policy')!, /script-src 'self'/)
    }
  }
  for (const redirect_uri of [
    `${CALLBACK}/`,
    `${CALLBACK}?x`,
    'javascript:alert(1)',
    'https://evil.example/callback',
  ]) {
    const response = await agent.request(p.authorizeUrl('web', { response_mode: 'form_post', redirect_uri }))
    assert.doesNotMatch(await assertPage(response, redirect_uri), /<form[^>]* action="(?!\/hub\/)/, redirect_uri)
  }
})

test('GHSA-9vm7-v8wj-3fqw in no response mode, known or not, is what a stranger sends more than a value', async () => {
  const agent = await signedIn(ALICE, 'web')
  const modes = ['query', 'fragment', 'form_post', 'query.jwt', 'fragment.jwt', 'form_post.jwt', 'jwt', 'web_message']
  for (const response_mode of [...modes, ...HOSTILE]) {
    const state = '"\'><script>alert(1)</script>'
    const response = await agent.request(p.authorizeUrl('web', { response_mode, state }))
    const html = await response.text()
    assert.doesNotMatch(html, /<script(?! type="module" src="\/hub\/assets)|<(img|svg|iframe)/, response_mode)
    const location = response.headers.get('location')
    assert.equal(response.status, response_mode === 'form_post' ? 200 : 303, response_mode)
    if (location !== null) assert.match(location, /^http:\/\/127\.0\.0\.1:3000\/callback[?#][^"<>]*$/, response_mode)
  }
})

test('CVE-2023-6717 a form is posted to a web server and to no other kind of address', async () => {
  const redirect_uri = 'com.example.app:/callback'
  const response = await new UserAgent().request(p.authorizeUrl('native', { redirect_uri, response_mode: 'form_post' }))
  assert.equal(response.status, 303)
  const back = new URL(response.headers.get('location')!)
  assert.deepEqual([back.protocol, back.searchParams.get('error')], ['com.example.app:', 'invalid_request'])
  assert.match(back.searchParams.get('error_description')!, /response_mode/)
})

test('CVE-2021-32792 what was posted before the sign-in is markup on no page after it', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const payload of HOSTILE.filter((text) => text.length < 100)) {
    const hostile = { state: payload, login_hint: payload, response_mode: 'form_post', prompt: 'login consent' }
    const body = new URL(p.authorizeUrl('post', hostile)).search.slice(1)
    const agent = new UserAgent()
    const login = await agent.follow(`${p.issuer}/authorize`, { method: 'POST', headers, body })
    const pages = [await login.response.text()]
    // One of them goes the whole way.
    if (payload === HOSTILE[6]) {
      const consent = await agent.submit({ url: login.url, html: pages[0]! }, ALICE)
      pages.push(await consent.response.text())
      const form = pages[1]!.match(/<form[\s\S]*?<\/form>/g)!.find((text) => text.includes('decision'))!
      const answer = await agent.submit({ url: consent.url, html: form }, { decision: 'allow' })
      pages.push(await answer.response.text())
      assert.match(pages[2]!, /<form method="post" action="http:\/\/127\.0\.0\.1:3000\/callback"/)
    }
    for (const html of pages) {
      assert.doesNotMatch(
        html,
        /<script(?! [^>]*src="\/hub\/assets\/)|<(img|svg(?! class="icon")|iframe|object|embed|base)\b/i,
        payload,
      )
      assert.doesNotMatch(html, /<[a-z]+ (?:[a-z-]+="[^"]*" )*on[a-z]+=/i, payload)
    }
  }
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

test('B-13 CVE-2025-69196 the resources of a code are those that were asked for', async () => {
  const url = `${p.authorizeUrl('web', { scope: 'openid api:read' })}&resource=${encodeURIComponent(OPAQUE_API)}`
  const back = await new UserAgent().authorize(url, ALICE)
  const code = back.searchParams.get('code')!
  for (const resource of [p.issuer, `${p.issuer}/api`, 'http://evil.example/']) {
    assert.equal((await p.exchange('web', code, { resource })).body.error, 'invalid_target', resource)
  }
  const { body } = await p.exchange('web', code, { resource: JWT_API })
  assert.equal(JSON.parse(atob(body.access_token.split('.')[1])).aud, JWT_API)
})
