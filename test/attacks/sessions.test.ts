import assert from 'node:assert/strict'
import { rotateSigningKeys } from '../../server/src/inbound/keys/signing_keys.ts'
import { ALICE, BOB, basic, onBothDatabases } from '../parts/platform.ts'
import {
  assertAskedAgain,
  csrfOf,
  isSignedIn,
  open,
  post,
  sessionOf,
  signIn,
  tryLogin,
} from '../parts/sign_in_steps.ts'
import { countRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

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

testOnBoth(
  '7.2.2 7.2.3 a session has a name of 256 random bits, made for it alone, and nothing else opens one',
  async (p) => {
    const [name] = sessionOf(await signIn(p))!
    const names = new Set<string>()
    for (let i = 0; i < 10; i++) {
      const bytes = Buffer.from(sessionOf(await signIn(p))![1], 'base64url')
      assert.equal(bytes.length, 16 + 32)
      names.add(bytes.subarray(16).toString('hex'))
    }
    assert.equal(names.size, 10)
    const tokens = await p.getTokens('trusted')
    const { access_token: machine } = (await p.post('/token', { grant_type: 'client_credentials' }, 'web')).body
    const secrets = [
      tokens.access_token,
      tokens.refresh_token,
      tokens.id_token,
      machine,
      'secret-of-web',
      ALICE.password,
    ]
    for (const secret of secrets) {
      const cookie = new UserAgent()
      cookie.cookies.set(name, secret)
      assert.equal(await isSignedIn(p, cookie), false)
      for (const authorization of [`Bearer ${secret}`, basic('alice', secret), basic('web', secret)]) {
        const { status, headers } = await new UserAgent().request(`${p.issuer}/account`, { headers: { authorization } })
        assert.equal(status, 303)
        assert.match(headers.get('location')!, /\/login\?return_to=/)
      }
    }
  },
)

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

testOnBoth(
  '7.4.1 CVE-2025-12390 7.2.1 after sign-out the cookie is dead on the server, on every replica',
  async (p) => {
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
  },
)

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

testOnBoth('T-06 a consent that the page did not post is no consent', async (p) => {
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
  const agent = new UserAgent()
  const { url } = await agent.follow(p.authorizeUrl('other', { prompt: 'consent' }))
  const request = new URL(url).searchParams.get('request')!
  const login = await open(agent, `${p.issuer}/consent?request=${request}`)
  assert.match(login.url, /\/login\?/)
  assert.match((await open(agent, `${p.issuer}/consent?request=${request}x`)).html, /<h1>/)
  assert.equal((await agent.request(`${p.issuer}/consent?request=${request.slice(1)}`)).status, 400)
  assert.equal((await new UserAgent().request(`${p.issuer}/consent?request=${request}`)).status, 400, 'another browser')
  await agent.authorize(p.authorizeUrl('trusted'), ALICE)
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
  // What lives for a moment does so by a browser whose clock is wrong, too (RFC 6265 section 5.3).
  await signIn(p, ALICE, agent)
  const csrf_token = csrfOf(await open(agent, `${p.issuer}/account`))
  const ended = await post(agent, `${p.issuer}/account/sessions/end_others`, { csrf_token })
  assert.match(ended.headers.getSetCookie().join('\n'), /told_\w+=sessions; Max-Age=60;/)
})

testOnBoth('6.2.10 a password is good for as long as nobody changes it, and nobody is made to', async (p) => {
  for (let month = 0; month < 10; month++) {
    p.pass(28 * 86_400)
    // As the upkeep does in the meantime.
    await rotateSigningKeys(p.server.app.tenant)
  }
  const done = await tryLogin(p, ALICE.username, ALICE.password)
  assert.equal(done.status, 303)
  assert.match(done.headers.get('location')!, /\/account$/)
})
