import assert from 'node:assert/strict'
import { askAuthorization } from '../parts/ask_authorization.ts'
import {
  ALICE,
  BOB,
  CALLBACK,
  CLIENTS,
  type ClientName,
  challengeOf,
  JWT_API,
  onBothDatabases,
  type Platform,
  type Reply,
  VERIFIER,
} from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

const REQUEST = {
  response_type: 'code',
  redirect_uri: CALLBACK,
  scope: 'openid api:read',
  resource: JWT_API,
  state: 'pushed',
  nonce: 'n-1',
  code_challenge: challengeOf(VERIFIER),
  code_challenge_method: 'S256',
}

const push = (p: Platform, more: Record<string, string> = {}, client: ClientName | null = 'web'): Promise<Reply> =>
  p.post('/par', { ...REQUEST, ...more }, client)

/** The URL with which a browser comes for a pushed request. */
function urlOf(p: Platform, request_uri: string, client_id = 'web', more: Record<string, string> = {}): string {
  return `${p.issuer}/authorize?${new URLSearchParams({ client_id, request_uri, ...more })}`
}

async function pushed(p: Platform, more: Record<string, string> = {}, client: ClientName = 'web'): Promise<string> {
  const { status, body } = await push(p, more, client)
  assert.equal(status, 201, JSON.stringify(body))
  return body.request_uri
}

testOnBoth(
  'RFC 9126 2.2 P-23 a pushed request is 201 with a name of its own, good for less than ten minutes',
  async (p) => {
    const { status, body, headers } = await push(p)
    assert.equal(status, 201)
    assert.match(body.request_uri, /^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$/)
    assert.equal(body.expires_in, 90)
    assert.deepEqual(Object.keys(body), ['request_uri', 'expires_in'])
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.notEqual(await pushed(p), body.request_uri)
    for (const client of ['post', 'spa', 'native'] as const) {
      const { redirect_uri } = CLIENTS[client]
      assert.equal((await push(p, { redirect_uri }, client)).status, 201, client)
    }
  },
)

testOnBoth(
  'RFC 9126 4 10.4.15 the answer is to what was pushed, whatever the browser brings beside its name',
  async (p) => {
    const request_uri = await pushed(p)
    const forged = {
      scope: 'openid email mcp:tools',
      state: 'forged',
      redirect_uri: 'https://evil.example/',
      nonce: 'x',
    }
    const more = {
      ...forged,
      response_mode: 'fragment',
      authorization_details: '[{"type":"connection","connector":"x"}]',
    }
    const back = await new UserAgent().authorize(
      `${urlOf(p, request_uri, 'web', more)}&scope=twice&login_hint=%ff`,
      ALICE,
    )
    assert.equal(back.origin + back.pathname, CALLBACK)
    assert.equal(back.searchParams.get('state'), 'pushed')
    assert.equal(back.searchParams.get('iss'), p.issuer)
    const { body } = await p.exchange('web', back.searchParams.get('code')!)
    assert.equal(body.scope, 'openid api:read')
    assert.equal(body.authorization_details, undefined)
  },
)

testOnBoth(
  'P-16 only an authenticated client pushes, and what is wrong with its request is told at once',
  async (p) => {
    const no = {}
    const wrong: [Record<string, string>, ClientName | null, number, string][] = [
      [no, null, 401, 'invalid_client'],
      [{ client_id: 'web' }, null, 401, 'invalid_client'],
      [{ client_id: 'web', client_secret: 'wrong' }, null, 401, 'invalid_client'],
      [{ client_id: 'other' }, 'web', 400, 'invalid_request'],
      [no, 'api', 400, 'unauthorized_client'],
      [{ request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'web', 400, 'invalid_request'],
      [{ request: 'e30.e30.' }, 'web', 400, 'request_not_supported'],
      [{ redirect_uri: 'https://evil.example/' }, 'web', 400, 'invalid_request'],
      [{ redirect_uri: '' }, 'web', 400, 'invalid_request'],
      [{ response_type: 'token' }, 'web', 400, 'unauthorized_client'],
      [{ response_mode: 'web_message' }, 'web', 400, 'invalid_request'],
      [{ code_challenge: '' }, 'web', 400, 'invalid_request'],
      [{ code_challenge_method: 'plain' }, 'web', 400, 'invalid_request'],
      [{ scope: 'no:such' }, 'web', 400, 'invalid_scope'],
      [{ resource: 'https://nowhere.example/' }, 'web', 400, 'invalid_target'],
      [{ prompt: 'none login' }, 'web', 400, 'invalid_request'],
      [{ claims: '[' }, 'web', 400, 'invalid_request'],
      [{ authorization_details: '[{"type":"x"}]' }, 'web', 400, 'invalid_authorization_details'],
    ]
    for (const [more, client, status, error] of wrong) {
      const reply = await push(p, more, client)
      assert.deepEqual([reply.status, reply.body.error], [status, error], JSON.stringify(more))
      assert.equal(reply.headers.get('cache-control'), 'no-store')
    }
    const url = await fetch(`${p.issuer}/par`)
    assert.deepEqual([url.status, url.headers.get('allow')], [405, 'POST'])
  },
)

testOnBoth(
  'P-26 a pushed request is answered once: again, in another browser or by another hand, it is over',
  async (p) => {
    const request_uri = await pushed(p)
    const url = urlOf(p, request_uri)
    const agent = new UserAgent()
    assert.ok((await agent.authorize(url, ALICE)).searchParams.has('code'))
    for (const browser of [agent, new UserAgent()]) {
      const again = await browser.request(url)
      assert.equal(again.status, 400)
      assert.match(await again.text(), /request_uri/)
      assert.equal(again.headers.get('location'), null)
    }
    const denied = await pushed(p, { prompt: 'consent' })
    const back = await new UserAgent().authorize(urlOf(p, denied), ALICE, 'deny')
    assert.equal(back.searchParams.get('error'), 'access_denied')
    assert.equal((await new UserAgent().request(urlOf(p, denied))).status, 400, 'a refusal is an answer')
  },
)

testOnBoth('P-26 whoever only looks at the link of a pushed request does not use it up', async (p) => {
  const url = urlOf(p, await pushed(p))
  for (let i = 0; i < 3; i++) {
    const preview = await new UserAgent().follow(url)
    assert.equal(preview.response.status, 200)
  }
  assert.ok((await new UserAgent().authorize(url, ALICE)).searchParams.has('code'))
})

testOnBoth('P-26 of many tabs that allow one pushed request at once, one gets a code', async (p) => {
  const agent = new UserAgent()
  await agent.authorize(p.authorizeUrl('trusted'), ALICE)
  const url = urlOf(p, await pushed(p, { prompt: 'consent' }))
  const page = await agent.follow(url)
  const html = (await page.response.text()).match(/<form[\s\S]*?<\/form>/g)!.find((form) => form.includes('decision'))!
  const tries = Array.from({ length: 8 }, () => agent.submit({ url: page.url, html }, { decision: 'allow' }))
  const answers = (await Promise.all(tries)).map(({ url }) => new URL(url).searchParams)
  assert.equal(answers.filter((params) => params.has('code')).length, 1)
})

testOnBoth('RFC 9126 2.2 P-23 a browser comes within 90 s or not at all, and may then take its time', async (p) => {
  const [late, early] = [urlOf(p, await pushed(p)), urlOf(p, await pushed(p, { prompt: 'consent' }))]
  p.pass(89)
  const agent = new UserAgent()
  const login = await agent.follow(early)
  p.pass(1)
  assert.equal((await new UserAgent().request(late)).status, 400)
  p.pass(1200)
  const html = await login.response.text()
  const consent = await agent.submit({ url: login.url, html }, ALICE)
  const form = (await consent.response.text())
    .match(/<form[\s\S]*?<\/form>/g)!
    .find((text) => text.includes('decision'))!
  const back = await agent.submit({ url: consent.url, html: form }, { decision: 'allow' })
  assert.match(back.url, /[?&]code=/)
})

testOnBoth("P-16 another client's, a made-up or a changed name is refused on a page and leads nowhere", async (p) => {
  const { assertPage } = askAuthorization(() => p)
  const request_uri = await pushed(p)
  for (const [url, what] of [
    [urlOf(p, request_uri, 'other'), 'another client'],
    [urlOf(p, request_uri, 'nobody'), 'no client'],
    [`${p.issuer}/authorize?request_uri=${encodeURIComponent(request_uri)}`, 'client_id missing'],
    [urlOf(p, `${request_uri}x`), 'longer'],
    [urlOf(p, request_uri.slice(0, -1)), 'shorter'],
    [urlOf(p, 'urn:ietf:params:oauth:request_uri:'), 'empty'],
    [`${urlOf(p, request_uri)}&request_uri=${encodeURIComponent(request_uri)}`, 'twice'],
    [`${urlOf(p, request_uri)}&client_id=web`, 'client_id twice'],
  ] as const) {
    await assertPage(await new UserAgent().request(url), what)
  }
  // A name of somebody else's is no name of ours (OpenID Connect Core section 6.2).
  const foreign = await new UserAgent().request(p.authorizeUrl('web', { request_uri: 'https://evil.example/request' }))
  const location = new URL(foreign.headers.get('location')!)
  assert.equal(location.searchParams.get('error'), 'request_uri_not_supported')
})

testOnBoth('T-02 5.3 the row of a pushed request says nothing of it, and goes with the answer', async (p) => {
  const secret = 'a-very-recognisable-state'
  const request_uri = await pushed(p, { state: secret, login_hint: 'alice@example.test' })
  const { tenant_id, keys } = p.server.app.tenant
  const name = request_uri.slice('urn:ietf:params:oauth:request_uri:'.length)
  const request_hash = keys.hashSecret(name)
  const row = await p.server.store.findPushedRequest({ tenant_id, request_hash })
  const bytes = Buffer.from(row!.sealed).toString('latin1')
  for (const text of [secret, 'alice', name, CALLBACK]) assert.ok(!bytes.includes(text), text)
  await new UserAgent().authorize(urlOf(p, request_uri), ALICE)
  assert.equal(await p.server.store.findPushedRequest({ tenant_id, request_hash }), null)
})

testOnBoth('10.4.13 where requests must be pushed, by client or by tenant, a direct one is refused', async (p) => {
  const client = { client_id: 'pusher', client_secret: 'secret-of-pusher', redirect_uris: [CALLBACK] }
  await p.server.addClient({ ...client, scope: 'openid api:read', require_pushed_authorization_requests: true })
  const direct = await new UserAgent().request(p.authorizeUrl('web', { client_id: 'pusher', scope: 'openid api:read' }))
  const refused = new URL(direct.headers.get('location')!)
  assert.equal(refused.searchParams.get('error'), 'invalid_request')
  assert.match(refused.searchParams.get('error_description')!, /request_uri/)
  const { client_id, client_secret } = client
  const { body } = await push(p, { client_id, client_secret }, null)
  assert.equal(body.error, 'invalid_client', 'registered for Basic')
  await p.server.saveSettings({ require_pushed_authorization_requests: true })
  const metadata = await (await fetch(`${p.issuer}/.well-known/openid-configuration`)).json()
  assert.equal(metadata.require_pushed_authorization_requests, true)
  assert.equal(metadata.pushed_authorization_request_endpoint, `${p.issuer}/par`)
  const web = await new UserAgent().request(p.authorizeUrl('web'))
  assert.equal(new URL(web.headers.get('location')!).searchParams.get('error'), 'invalid_request')
  assert.ok((await new UserAgent().authorize(urlOf(p, await pushed(p)), BOB)).searchParams.has('code'))
  await p.server.saveSettings({})
})

testOnBoth('a request that is too long for a URL fits into a pushed one, up to 128 kB', async (p) => {
  const claims = JSON.stringify({
    userinfo: Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`claim_${i}_${'x'.repeat(60)}`, null])),
  })
  const long = { claims, state: 's'.repeat(4096), login_hint: 'x'.repeat(255) }
  const direct = await new UserAgent().request(p.authorizeUrl('web', { claims, state: 's'.repeat(1000) }))
  assert.notEqual(direct.status, 200)
  const back = await new UserAgent().authorize(urlOf(p, await pushed(p, long)), ALICE)
  assert.equal(back.searchParams.get('state'), long.state)
  const filler = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`unknown_${i}`, 'x'.repeat(16_000)]))
  assert.equal((await push(p, filler)).status, 201, '80 kB of what nobody knows')
  const more = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`unknown_${i}`, 'x'.repeat(16_000)]))
  assert.equal((await push(p, more)).status, 413)
})

testOnBoth(
  'V-08 15.3.7 parameters of a pushed request: repeated, oversized, not UTF-8, of another content type',
  async (p) => {
    const { client_id, client_secret } = CLIENTS.web
    const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
    const body = new URLSearchParams(REQUEST).toString()
    const send = async (text: string, type = 'application/x-www-form-urlencoded', query = '') => {
      const headers = { authorization, 'content-type': type }
      const response = await fetch(`${p.issuer}/par${query}`, { method: 'POST', headers, body: text })
      return [response.status, ((await response.json()) as { error?: string }).error]
    }
    for (const name of Object.keys(REQUEST).filter((name) => name !== 'resource')) {
      assert.deepEqual(await send(`${body}&${name}=x`), [400, 'invalid_request'], name)
    }
    assert.deepEqual(await send(`${body}&login_hint=%ff`), [400, 'invalid_request'])
    assert.deepEqual(await send(`${body}&login_hint=%00`), [400, 'invalid_request'])
    assert.deepEqual(await send(`${body}&x=${'y'.repeat(17_000)}`), [400, 'invalid_request'])
    assert.deepEqual(await send(JSON.stringify(REQUEST), 'application/json'), [400, 'invalid_request'])
    assert.deepEqual(await send(body, 'application/x-www-form-urlencoded', '?client_secret=x'), [
      400,
      'invalid_request',
    ])
    assert.deepEqual(await send(`${body}&login_hint=&unknown=1`), [201, undefined])
  },
)

testOnBoth('RFC 8707 several resources are pushed, and each token is for those that it names', async (p) => {
  const form = new URLSearchParams({ ...REQUEST, client_id: 'post', client_secret: CLIENTS.post.client_secret })
  form.append('resource', p.issuer)
  const response = await fetch(`${p.issuer}/par`, { method: 'POST', body: form })
  const { request_uri } = (await response.json()) as { request_uri: string }
  const back = await new UserAgent().authorize(urlOf(p, request_uri, 'post'), ALICE)
  const { body } = await p.exchange('post', back.searchParams.get('code')!, { resource: JWT_API })
  const seen = await p.introspect(body.access_token, 'post')
  assert.equal(seen.aud, JWT_API)
  const refreshed = await p.refresh('post', body.refresh_token)
  assert.deepEqual((await p.introspect(refreshed.body.access_token, 'post')).aud, [JWT_API, p.issuer])
  const foreign = await p.refresh('post', refreshed.body.refresh_token, { resource: 'http://127.0.0.1:5000/vault' })
  assert.equal(foreign.body.error, 'invalid_target')
})
