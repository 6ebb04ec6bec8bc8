import assert from 'node:assert/strict'
import { ALICE, BOB, onBothDatabases, type Platform } from '../parts/platform.ts'
import { countRows, snapshotRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()
const FORM = 'application/x-www-form-urlencoded'
const SAME = { 'sec-fetch-site': 'same-origin' }

interface Page {
  readonly url: string
  readonly html: string
  readonly status: number
}

async function open(agent: UserAgent, url: string): Promise<Page> {
  const { url: at, response } = await agent.follow(url)
  return { url: at, html: await response.text(), status: response.status }
}

const csrfOf = ({ html }: { html: string }) => /name="csrf_token" value="([^"]+)"/.exec(html)?.[1] ?? ''

function post(agent: UserAgent, url: string, form: Record<string, string>, headers: Record<string, string> = SAME) {
  const body = new URLSearchParams(form).toString()
  return agent.request(url, { method: 'POST', headers: { 'content-type': FORM, ...headers }, body })
}

async function tryLogin(p: Platform, username: string, password: string, agent = new UserAgent()): Promise<Response> {
  const page = await open(agent, `${p.issuer}/login`)
  return post(agent, page.url, { csrf_token: csrfOf(page), username, password })
}

async function signIn(
  p: Platform,
  user: { username: string; password: string } = ALICE,
  agent = new UserAgent(),
): Promise<UserAgent> {
  const response = await tryLogin(p, user.username, user.password, agent)
  assert.equal(response.status, 303, await response.text())
  return agent
}

/** Whether the server takes this browser for signed in. */
async function isSignedIn(p: Platform, agent: UserAgent): Promise<boolean> {
  const response = await agent.request(p.authorizeUrl('trusted', { prompt: 'none' }))
  return new URL(response.headers.get('location')!).searchParams.has('code')
}

/** Asserts that a posted consent was not taken: the page is shown again. */
async function assertAskedAgain(response: Response, what: string): Promise<string> {
  assert.deepEqual([response.status, response.headers.get('location')], [200, null], what)
  const html = await response.text()
  assert.match(html, /name="decision"/, what)
  return html
}

const sessionOf = (agent: UserAgent) => [...agent.cookies].find(([name]) => name.includes('session'))

async function setUser(p: Platform, user_id: string, disabled: boolean): Promise<void> {
  const { tenant_id } = p.server.app.tenant
  const event = { tenant_id, event_id: crypto.randomUUID(), at: p.now(), type: 'user.disabled', actor: 'cli' }
  await p.server.store.setUserDisabled({ tenant_id, user_id, disabled, event })
}

testOnBoth('6.3.8 CVE-2026-23511 unknown, wrong, disabled and without a password are one answer', async (p) => {
  const disabled = await p.server.addUser({ username: 'dora', password: 'password of dora' })
  await setUser(p, disabled, true)
  await p.server.addUser({ username: 'erin' })
  const seen = new Set<string>()
  const tries = [
    ['alice', 'guessed-it'],
    ['nobody', 'guessed-it'],
    ['dora', 'password of dora'],
    ['dora', 'guessed-it'],
    ['erin', 'guessed-it'],
    ['alice', 'x'.repeat(2000)],
  ]
  for (const [username, password] of tries as [string, string][]) {
    const response = await tryLogin(p, username, password)
    const html = await response.text()
    assert.equal(response.status, 401, username)
    assert.doesNotMatch(html, new RegExp(password), 'a password never comes back')
    const plain = html.replaceAll(username, '[username]').replaceAll(csrfOf({ html }), '[csrf]')
    seen.add(JSON.stringify([response.status, plain, [...response.headers.keys()].sort()]))
  }
  assert.equal(seen.size, 1)
})

testOnBoth('6.3.1 CVE-2024-4629 of 64 parallel guesses at most ten are evaluated', async (p) => {
  const victim = { username: 'victim', password: 'password of the victim' }
  await p.server.addUser(victim)
  const agent = new UserAgent()
  const page = await open(agent, `${p.issuer}/login`)
  const guess = (password: string) =>
    post(agent, page.url, { csrf_token: csrfOf(page), username: victim.username, password })
  const replies = await Promise.all(Array.from({ length: 64 }, (_, i) => guess(`guess ${i}`)))
  const evaluated = replies.filter(({ status }) => status === 401)
  assert.ok(evaluated.length <= 10, `${evaluated.length} were evaluated`)
  for (const { status, headers } of replies.filter(({ status }) => status !== 401)) {
    assert.equal(status, 429)
    assert.ok(Number(headers.get('retry-after')) > 0)
  }
  assert.equal((await guess(victim.password)).status, 429, 'not even the right one')
  assert.equal(sessionOf(agent), undefined)
  p.pass(601)
  await signIn(p, victim)
})

testOnBoth('CVE-2025-24806 every spelling of a username is one counter, and a stranger has one too', async (p) => {
  await p.server.addUser({ username: 'Frank', password: 'password of frank' })
  const spellings = ['frank', 'FRANK', ' Frank ', 'ｆｒａｎｋ', 'fRank']
  for (let i = 0; i < 10; i++) assert.equal((await tryLogin(p, spellings[i % 5]!, 'wrong')).status, 401)
  for (const spelling of spellings)
    assert.equal((await tryLogin(p, spelling, 'password of frank')).status, 429, spelling)
  for (let i = 0; i < 10; i++) assert.equal((await tryLogin(p, 'no such person', 'wrong')).status, 401)
  assert.equal((await tryLogin(p, 'no such person', 'wrong')).status, 429, 'which tells nothing about who exists')
  await signIn(p, ALICE)
})

testOnBoth('3.5.1 B-09 GHSA-c9rq-mvr5-3w32 a sign-in that no page of ours asked for is refused', async (p) => {
  const victim = new UserAgent()
  const page = await open(victim, `${p.issuer}/login`)
  const other = await open(new UserAgent(), `${p.issuer}/login`)
  const before = await snapshotRows(p.server.store)
  const good = { csrf_token: csrfOf(page), ...ALICE }
  const { origin } = new URL(p.issuer)
  const forms: [string, Record<string, string>][] = [
    ['no token', { ...ALICE }],
    ['an empty token', { ...ALICE, csrf_token: '' }],
    ['the token of another browser', { ...ALICE, csrf_token: csrfOf(other) }],
    ['a changed token', { ...good, csrf_token: `${csrfOf(page).slice(0, -1)}_` }],
  ]
  for (const [what, form] of forms) assert.equal((await post(victim, page.url, form)).status, 403, what)
  const sources: [string, Record<string, string>][] = [
    ['cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['same-site', { 'sec-fetch-site': 'same-site' }],
    ['none', { 'sec-fetch-site': 'none' }],
    ['cross-site with our origin', { 'sec-fetch-site': 'cross-site', origin }],
    ['another origin', { origin: 'https://evil.example' }],
    ['origin null', { origin: 'null' }],
    ['another port', { origin: 'http://127.0.0.1:1' }],
    ['another scheme', { origin: origin.replace('http:', 'https:') }],
    ['neither header', {}],
  ]
  for (const [what, headers] of sources) assert.equal((await post(victim, page.url, good, headers)).status, 403, what)
  for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json', '']) {
    assert.equal((await post(victim, page.url, good, { ...SAME, 'content-type': type })).status, 415, type)
  }
  assert.equal(sessionOf(victim), undefined)
  assert.deepEqual(await snapshotRows(p.server.store), before)
  const ours = await post(victim, page.url, good, { origin })
  assert.equal(ours.status, 303, 'an old browser says Origin alone')
})

testOnBoth('7.2.4 CVE-2023-29019 a cookie that was planted before the sign-in is worth nothing after it', async (p) => {
  const attacker = await signIn(p, BOB)
  const planted = sessionOf(attacker)!
  const victim = new UserAgent()
  victim.cookies.set(...planted)
  p.pass(1)
  await victim.submit(await open(victim, p.authorizeUrl('trusted', { prompt: 'login' })), ALICE)
  assert.notEqual(sessionOf(victim)![1], planted[1])
  assert.equal(await isSignedIn(p, attacker), false, 'the session that was planted has ended')
  assert.equal(await isSignedIn(p, victim), true)
  const name = planted[0]
  for (const value of ['', 'x', 'A'.repeat(64), sessionOf(victim)![1].toLowerCase(), `${sessionOf(victim)![1]}A`]) {
    const forged = new UserAgent()
    forged.cookies.set(name, value)
    assert.equal(await isSignedIn(p, forged), false, value)
  }
})

testOnBoth('GHSA-2ccf-ffrj-m4qw the token of forms changes with the sign-in, and again with the next', async (p) => {
  const agent = new UserAgent()
  const before = csrfOf(await open(agent, `${p.issuer}/login`))
  await signIn(p, ALICE, agent)
  const consent = p.authorizeUrl('web', { prompt: 'consent' })
  const first = await open(agent, consent)
  assert.notEqual(csrfOf(first), before)
  const action = new URL(/action="([^"]*\/consent[^"]*)"/.exec(first.html)![1]!.replaceAll('&amp;', '&'), p.issuer).href
  await assertAskedAgain(await post(agent, action, { csrf_token: before, decision: 'allow' }), 'the token from before')
  await signIn(p, ALICE, agent).catch(() => {})
  assert.equal((await post(agent, action, { csrf_token: csrfOf(first), decision: 'allow' })).status, 303)
})

testOnBoth('7.4.1 CVE-2025-12390 after sign-out the cookie is dead on the server, on every replica', async (p) => {
  const agent = await signIn(p)
  const stolen = sessionOf(agent)!
  const replica = await p.openReplica()
  const page = await open(agent, p.authorizeUrl('web', { prompt: 'consent' }))
  const done = await post(agent, `${p.issuer}/logout`, { csrf_token: csrfOf(page) })
  assert.equal(done.status, 200)
  assert.equal(sessionOf(agent), undefined, 'the browser forgets it')
  const thief = new UserAgent()
  thief.cookies.set(...stolen)
  assert.equal(await isSignedIn(p, thief), false)
  const url = p.authorizeUrl('trusted', { prompt: 'none' })
  const elsewhere = await replica.fetch(new Request(url, { headers: { cookie: stolen.join('=') } }))
  assert.match(elsewhere.headers.get('location')!, /error=login_required/)
})

testOnBoth('10.6.2 nobody is signed out by a request that is not their own', async (p) => {
  const agent = await signIn(p)
  const csrf_token = csrfOf(await open(agent, p.authorizeUrl('web', { prompt: 'consent' })))
  await agent.request(`${p.issuer}/logout`)
  await post(agent, `${p.issuer}/logout`, {})
  await post(agent, `${p.issuer}/logout`, { csrf_token }, { 'sec-fetch-site': 'cross-site' })
  await post(agent, `${p.issuer}/login/switch`, { csrf_token }, {})
  assert.equal(await isSignedIn(p, agent), true)
})

testOnBoth('7.3.1 a session that nobody uses for eight hours is over, one that is used goes on', async (p) => {
  const used = await signIn(p)
  const idle = await signIn(p)
  for (let hour = 0; hour < 9; hour += 3) {
    p.pass(3 * 3600)
    assert.equal(await isSignedIn(p, used), true)
  }
  assert.equal(await isSignedIn(p, idle), false)
})

testOnBoth('7.3.2 no session lasts longer than thirty days, however busy', async (p) => {
  const agent = await signIn(p)
  for (let i = 0; i < 30 * 4 - 1; i++) {
    p.pass(6 * 3600)
    const response = await agent.request(
      `${p.issuer}/authorize?${new URL(p.authorizeUrl('trusted', { prompt: 'none' })).searchParams}`,
    )
    if (i % 10 === 0) assert.match(response.headers.get('location')!, /[?&]code=/, `${i}`)
  }
  p.pass(6 * 3600)
  assert.equal(await isSignedIn(p, agent), false)
})

testOnBoth('3.7.2 CVE-2020-4037 GHSA-qqxw-m5fj-f7gv return_to leads nowhere but into these pages', async (p) => {
  const home = '/hub/account'
  const bad = [
    ...[
      'https://evil.example/',
      '//evil.example',
      '///evil.example',
      '/\\evil.example',
      '\\\\evil.example',
      '/\\/evil.example',
    ],
    ...[
      '/\t/evil.example',
      '/\n/evil.example',
      '/%09/evil.example',
      '/%5cevil.example',
      '/%2f%2fevil.example',
      ' //evil.example',
    ],
    ...[
      'javascript:alert(1)',
      'data:text/html,x',
      '/hub/../../evil',
      '/hub/..',
      '/hub/%2e%2e/x',
      '/hub',
      '/hubx/account',
      '/account',
      '',
    ],
    ...[
      '/hub/account#@evil.example',
      '/hub//evil.example/..',
      '/hub/\\evil',
      'hub/account',
      '@evil.example',
      '.evil.example',
      `${p.issuer}@evil.example`,
    ],
    ...['/hub/é', '/hub/a b', '/hub/\r\nSet-Cookie: x=y', `${p.issuer}/account`, 'http:/hub/account', '/hub/./account'],
  ]
  for (const return_to of bad) {
    const agent = new UserAgent()
    const page = await open(agent, `${p.issuer}/login?return_to=${encodeURIComponent(return_to)}`)
    const action = new URL(/action="([^"]*\/login[^"]*)"/.exec(page.html)![1]!.replaceAll('&amp;', '&'), p.issuer).href
    const done = await post(agent, action, { csrf_token: csrfOf(page), ...ALICE })
    assert.equal(done.headers.get('location'), home, return_to)
    const again = await agent.request(`${p.issuer}/login?return_to=${encodeURIComponent(return_to)}`)
    assert.equal(again.headers.get('location'), home, `signed in: ${return_to}`)
  }
  for (const return_to of ['/hub/account', '/hub/account?x=1&y=%2F', '/hub/connect/acme?return_to=%2Fhub%2Faccount']) {
    const done = await (await signIn(p)).request(`${p.issuer}/login?return_to=${encodeURIComponent(return_to)}`)
    assert.equal(done.headers.get('location'), return_to)
  }
})

testOnBoth('T-06 B-09 a consent that the page did not post is no consent', async (p) => {
  const agent = await signIn(p)
  const page = await open(agent, p.authorizeUrl('other', { prompt: 'consent' }))
  const action = new URL(/action="([^"]*\/consent[^"]*)"/.exec(page.html)![1]!.replaceAll('&amp;', '&'), p.issuer).href
  const before = await countRows(p.server.store)
  const csrf_token = csrfOf(page)
  const forged: [string, Record<string, string>, Record<string, string>][] = [
    ['cross-site', { decision: 'allow', csrf_token }, { 'sec-fetch-site': 'cross-site' }],
    ['neither header', { decision: 'allow', csrf_token }, {}],
  ]
  for (const [what, form, headers] of forged) assert.equal((await post(agent, action, form, headers)).status, 403, what)
  await assertAskedAgain(await post(agent, action, { decision: 'allow' }), 'no token')
  await assertAskedAgain(
    await post(agent, action, { decision: 'allow', csrf_token: `${csrf_token}x` }),
    'another token',
  )
  for (const decision of ['', 'ALLOW', 'yes', 'true']) {
    await assertAskedAgain(await post(agent, action, { csrf_token, decision }), 'an answer that is none')
  }
  assert.equal((await post(agent, `${action}x`, { csrf_token, decision: 'allow' })).status, 400, 'a changed request')
  assert.equal((await post(agent, `${p.issuer}/consent`, { csrf_token, decision: 'allow' })).status, 400, 'no request')
  assert.deepEqual(await countRows(p.server.store), before)
  assert.match((await post(agent, action, { csrf_token, decision: 'allow' })).headers.get('location')!, /[?&]code=/)
})

testOnBoth('2.3.1 CVE-2026-18963 no step of the flow can be skipped', async (p) => {
  const { url } = await new UserAgent().follow(p.authorizeUrl('other', { prompt: 'consent' }))
  const request = new URL(url).searchParams.get('request')!
  const nobody = new UserAgent()
  const login = await open(nobody, `${p.issuer}/consent?request=${request}`)
  assert.match(login.url, /\/login\?/)
  assert.match((await open(nobody, `${p.issuer}/consent?request=${request}x`)).html, /<h1>/)
  assert.equal((await nobody.request(`${p.issuer}/consent?request=${request.slice(1)}`)).status, 400)
  const agent = await signIn(p)
  const csrf_token = csrfOf(await open(agent, p.authorizeUrl('web', { prompt: 'consent' })))
  // The request of the sign-in page, whose consent page nobody has been shown.
  const early = await post(agent, `${p.issuer}/consent?request=${request}`, { csrf_token, decision: 'allow' })
  assert.equal(early.status, 200)
  assert.match(await early.text(), /name="decision"/)
  p.pass(3601)
  const late = await agent.request(`${p.issuer}/consent?request=${request}`)
  assert.equal(late.status, 400, 'an hour later it is over')
})

testOnBoth(
  'Z-11 GHSA-c9h6-v78w-52wj two users in one browser: what one was shown the other cannot have allowed',
  async (p) => {
    const agent = await signIn(p, ALICE)
    const shown = await open(agent, p.authorizeUrl('other', { prompt: 'consent' }))
    const action = new URL(/action="([^"]*\/consent[^"]*)"/.exec(shown.html)![1]!.replaceAll('&amp;', '&'), p.issuer)
      .href
    p.pass(1)
    const page = await open(agent, p.authorizeUrl('trusted', { prompt: 'login' }))
    await agent.submit(page, BOB)
    const before = await countRows(p.server.store)
    for (const csrf_token of [csrfOf(shown), csrfOf(await open(agent, p.authorizeUrl('web', { prompt: 'consent' })))]) {
      const again = await post(agent, action, { csrf_token, decision: 'allow' })
      assert.match(await assertAskedAgain(again, 'Bob is asked for himself'), /Bob Example/)
    }
    assert.deepEqual(await countRows(p.server.store), before)
  },
)

testOnBoth(
  '7.4.2 8.3.2 while the tenant is disabled nobody signs in, and no session from then lives afterwards',
  async (p) => {
    const agent = new UserAgent()
    const page = await open(agent, `${p.issuer}/login`)
    const { tenant_id } = p.server.app.tenant
    const set = (disabled: boolean) => {
      const event = { tenant_id, event_id: crypto.randomUUID(), at: p.now(), type: 'tenant.disabled', actor: 'cli' }
      return p.server.store.setTenantDisabled({ tenant_id, disabled, event })
    }
    await set(true)
    const refused = await post(agent, page.url, { csrf_token: csrfOf(page), ...ALICE })
    assert.equal(refused.status, 503)
    assert.equal(sessionOf(agent), undefined)
    await set(false)
    assert.equal(await isSignedIn(p, agent), false)
    await signIn(p)
  },
)

testOnBoth('3.3.1 cookies are HttpOnly, SameSite=Lax, of this path alone and short', async (p) => {
  const agent = new UserAgent()
  const first = await agent.request(`${p.issuer}/login`)
  const login = await tryLogin(p, ALICE.username, ALICE.password)
  const lines = [...first.headers.getSetCookie(), ...login.headers.getSetCookie()]
  assert.ok(lines.length >= 2)
  for (const line of lines) {
    assert.match(line, /; HttpOnly/i)
    assert.match(line, /; SameSite=Lax/i)
    assert.match(line, /; Path=\/hub(;|$)/i)
    assert.doesNotMatch(line, /domain/i)
    assert.ok(line.length < 512)
  }
})
