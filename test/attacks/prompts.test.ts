import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { askAuthorization } from '../parts/ask_authorization.ts'
import { ALICE, BOB, CALLBACK, CLIENTS, type ClientName, type Platform, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
before(async () => {
  p = await startPlatform()
})
after(() => p.stop())
const { assertRefused, signedIn } = askAuthorization(() => p)

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

test('10.7.1 N-05 CVE-2023-34246 a public client at an address that others can claim is asked for every time', async () => {
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

test('10.7.2 D-05 P-24 what the page did not show is not allowed by its button', async () => {
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
    (await p.getTokens('other')).id_token,
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
