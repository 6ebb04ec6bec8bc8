import assert from 'node:assert/strict'
import { atSecondFactor, newPerson, newPersonWithApp, readApp, signInWithApp, typeCode } from '../parts/factors.ts'
import { ALICE, BOB, onBothDatabases, type Platform } from '../parts/platform.ts'
import { csrfOf, isSignedIn, open, post, sessionOf, signIn, tryLogin } from '../parts/sign_in_steps.ts'
import { snapshotRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

const pendingOf = (agent: UserAgent) => [...agent.cookies].find(([name]) => name.includes('sign_in'))

testOnBoth('6.5.1 of 64 parallel sign-ins with one code one succeeds', async (p) => {
  const person = await newPersonWithApp(p)
  // A device that is known has counters of its own, but the code is one code.
  const places = await Promise.all(Array.from({ length: 8 }, () => atSecondFactor(p, person.user)))
  const code = person.code()
  const tries = await Promise.all(Array.from({ length: 64 }, (_, i) => typeCode(places[i % 8]!, code)))
  assert.equal(tries.filter(({ status }) => status === 303).length, 1)
  for (const { status } of tries) assert.ok([303, 401, 429].includes(status), `${status}`)
  const { tenant_id } = p.server.app.tenant
  const sessions = await p.server.store.listSessionsOfUser({ tenant_id, user_id: person.user_id })
  assert.equal(sessions.length, 2, 'the one in which it was set up, and one more')
})

testOnBoth(
  'GHSA-85v8-vx4w-q684 CVE-2024-32868 CVE-2025-64102 guesses at the second factor are counted, and not forgotten by the password',
  async (p) => {
    const person = await newPersonWithApp(p)
    let evaluated = 0
    for (let i = 0; i < 14; i++) {
      // A new password sign-in each time, which must not begin the count anew.
      const at = await atSecondFactor(p, person.user)
      const { status } = await typeCode(at, String(i).padStart(6, '0'))
      assert.ok(status === 401 || status === 429)
      if (status === 401) evaluated++
    }
    assert.ok(evaluated <= 10, `${evaluated} were evaluated`)
    const right = await typeCode(await atSecondFactor(p, person.user), person.code())
    assert.equal(right.status, 429, 'not even the right one')
    assert.ok(Number(right.headers.get('retry-after')) > 0)
    const recovery = await typeCode(await atSecondFactor(p, person.user), person.recovery_codes[0]!)
    assert.equal(recovery.status, 429, 'codes of both kinds are one counter')
    p.pass(3601)
    assert.equal((await typeCode(await atSecondFactor(p, person.user), person.code())).status, 303)
  },
)

testOnBoth('CVE-2024-4629 of 64 parallel guesses at a code at most ten are evaluated', async (p) => {
  const person = await newPersonWithApp(p)
  const places = await Promise.all(Array.from({ length: 8 }, () => atSecondFactor(p, person.user)))
  const tries = await Promise.all(Array.from({ length: 64 }, (_, i) => typeCode(places[i % 8]!, String(100_000 + i))))
  const evaluated = tries.filter(({ status }) => status === 401).length
  assert.ok(evaluated <= 10, `${evaluated} were evaluated`)
})

testOnBoth('6.3.4 CVE-2026-9091 the right password alone opens nothing for whoever has a second factor', async (p) => {
  const person = await newPersonWithApp(p)
  const { agent, page } = await atSecondFactor(p, person.user)
  assert.equal(sessionOf(agent), undefined)
  assert.equal(await isSignedIn(p, agent), false)
  for (const path of ['/account', '/account/security', '/admin', '/device', '/account/security/totp']) {
    const { html } = await open(agent, p.issuer + path)
    assert.doesNotMatch(html, /Sign out/, path)
  }
  const pending = pendingOf(agent)!
  // What stands for the password is no session, whatever it is called.
  const thief = new UserAgent()
  const name = sessionOf(person.agent)![0]
  thief.cookies.set(name, pending[1])
  assert.equal(await isSignedIn(p, thief), false)
  // Nor does it open the second step in another browser.
  const other = new UserAgent()
  other.cookies.set(...pending)
  assert.match((await open(other, page.url)).url, /\/login\?/)
  // Whoever has a factor cannot set up another one to get by.
  const enrol = await open(agent, `${p.issuer}/login/enrol`)
  assert.match(enrol.url, /\/login\/factor\?/)
  const forged = await post(agent, `${p.issuer}/login/enrol`, { csrf_token: csrfOf(page), enrolment: 'x', code: '1' })
  assert.match(forged.headers.get('location')!, /\/login\/factor\?/)
})

testOnBoth('6.3.4 every way in asks the same of the same user', async (p) => {
  await p.server.addClient({
    ...{ client_id: 'ropc', client_secret: 'secret-of-ropc', redirect_uris: [] },
    ...{ grant_types: ['password'], scope: 'api:read' },
  })
  const both = async (user: { username: string; password: string }) => {
    const page = await tryLogin(p, user.username, user.password)
    const basic = Buffer.from('ropc:secret-of-ropc').toString('base64')
    const grant = await fetch(`${p.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'password', ...user, scope: 'api:read' }),
    })
    const place = page.status === 303 ? new URL(page.headers.get('location')!, p.issuer).pathname : `${page.status}`
    return [place, grant.status, ((await grant.json()) as { error?: string }).error]
  }
  const plain = await newPerson(p, { roles: ['member'] })
  assert.deepEqual(await both(plain.user), ['/hub/account', 200, undefined])
  const app = await newPersonWithApp(p, { roles: ['member'] })
  assert.deepEqual(await both(app.user), ['/hub/login/factor', 400, 'invalid_grant'])
  await p.server.saveSettings({ mfa: 'required' })
  assert.deepEqual(await both(plain.user), ['/hub/login/enrol', 400, 'invalid_grant'])
  await p.server.saveSettings({ mfa: 'required_for_administrators' })
  assert.deepEqual(await both(plain.user), ['/hub/account', 200, undefined])
  await p.server.saveSettings({})
  await p.setDisabled(true, { user_id: plain.user_id })
  assert.deepEqual(await both(plain.user), ['401', 400, 'invalid_grant'])
  await p.setDisabled(true, { user_id: app.user_id })
  assert.deepEqual(await both(app.user), ['401', 400, 'invalid_grant'], 'disabled and with a factor looks alike')
  const locked = await newPerson(p, { roles: ['member'] })
  for (let i = 0; i < 10; i++) await tryLogin(p, locked.user.username, 'guessed it')
  const [place, status] = await both(locked.user)
  assert.deepEqual([place, status], ['429', 429])
})

testOnBoth('6.3.4 a sign-in that stopped half way ends with its user, password or time', async (p) => {
  const ends: [string, (person: Awaited<ReturnType<typeof newPersonWithApp>>) => Promise<unknown>][] = [
    ['disabled', (person) => p.setDisabled(true, { user_id: person.user_id })],
    ['time', async () => p.pass(601)],
    ['a new password', (person) => changePassword(p, person.user_id)],
  ]
  for (const [what, end] of ends) {
    const person = await newPersonWithApp(p)
    const at = await atSecondFactor(p, person.user)
    await end(person)
    const answer = await typeCode(at, person.code())
    assert.equal(answer.status, 303, what)
    assert.match(answer.headers.get('location')!, /\/login\?.*over=yes/, what)
    assert.equal(sessionOf(at.agent), undefined, what)
  }
})

async function changePassword(p: Platform, user_id: string): Promise<void> {
  const { tenant_id } = p.server.app.tenant
  const { password_hash } = (await p.server.store.findUser({ tenant_id, user_id }))!
  const event = { tenant_id, event_id: user_id, at: p.now(), type: 'password.changed', actor: 'test' }
  await p.server.store.changePassword({
    ...{ tenant_id, user_id, former_hash: password_hash!, password_hash: 'another', only_session_id: null },
    ...{ end_apps: false, event },
  })
}

testOnBoth(
  '6.3.4 GHSA-xg6x-h9c9-2m83 a session that began before the tenant asked for two factors is none',
  async (p) => {
    const { user } = await newPerson(p)
    const agent = await signIn(p, user)
    assert.equal(await isSignedIn(p, agent), true)
    await p.server.saveSettings({ mfa: 'required' })
    assert.equal(await isSignedIn(p, agent), false)
    assert.match((await open(agent, `${p.issuer}/account`)).url, /\/login\?/)
    await p.server.saveSettings({})
  },
)

testOnBoth('7.2.4 CVE-2024-28197 the session has an id that nobody saw before the last factor', async (p) => {
  const person = await newPersonWithApp(p)
  const attacker = await signIn(p, BOB)
  const planted = sessionOf(attacker)!
  const victim = new UserAgent()
  victim.cookies.set(...planted)
  const page = await open(victim, `${p.issuer}/login?again=yes`)
  const factor = await victim.submit(page, person.user)
  const at = { agent: victim, page: { url: factor.url, html: await factor.response.text() } }
  const first = pendingOf(victim)![1]
  const again = await victim.submit(await open(victim, `${p.issuer}/login?again=yes`), person.user)
  assert.notEqual(pendingOf(victim)![1], first, 'each password makes a value of its own')
  assert.match(again.url, /\/login\/factor/)
  assert.equal(sessionOf(victim)![1], planted[1], 'nothing has changed yet')
  assert.equal((await typeCode(at, person.code())).status, 303)
  assert.notEqual(sessionOf(victim)![1], planted[1])
  assert.equal(pendingOf(victim), undefined)
  assert.equal(await isSignedIn(p, attacker), false, 'the session that was planted has ended')
})

testOnBoth(
  'GHSA-c9h6-v78w-52wj whoever signs in anew as somebody else gets a session of their own, and old grants stay',
  async (p) => {
    const agent = new UserAgent()
    const code = await p.getCode('web', { prompt: 'consent' }, agent)
    const { body: tokens } = await p.exchange('web', code)
    const before = sessionOf(agent)![1]
    const grants = async (username: string) => {
      const { tenant_id } = p.server.app.tenant
      const user = await p.server.store.findUserByUsername({ tenant_id, username_key: username })
      return p.server.store.listGrantsOfUser({ tenant_id, user_id: user!.user_id })
    }
    const of_alice = await grants(ALICE.username)
    const of_bob = await grants(BOB.username)
    const { url, response } = await agent.follow(p.authorizeUrl('web', { prompt: 'login' }))
    await agent.submit({ url, html: await response.text() }, BOB)
    assert.notEqual(sessionOf(agent)![1], before)
    assert.deepEqual(await grants(BOB.username), of_bob, 'nothing of the one has become the other’s')
    assert.deepEqual(
      (await grants(ALICE.username)).map(({ grant_id }) => grant_id),
      of_alice.map(({ grant_id }) => grant_id),
    )
    assert.equal((await p.refresh('web', tokens.refresh_token)).status, 200, 'the app goes on for whom it was allowed')
    const thief = new UserAgent()
    thief.cookies.set(sessionOf(agent)![0], before)
    assert.equal(await isSignedIn(p, thief), false)
  },
)

testOnBoth('CVE-2026-105211 6.5.2 no code, seed or hash of one is in an answer or a row', async (p) => {
  const person = await newPersonWithApp(p)
  const at = await atSecondFactor(p, person.user)
  const answers = [at.page.html, await (await typeCode(at, '000000')).text()]
  const agent = await signInWithApp(p, person)
  for (const path of ['/account', '/account/security', '/account/security/password']) {
    answers.push((await open(agent, p.issuer + path)).html)
  }
  const tokens = await p.exchange(
    'trusted',
    new URL((await agent.follow(p.authorizeUrl('trusted'))).url).searchParams.get('code')!,
  )
  answers.push(
    tokens.text,
    JSON.stringify(await p.introspect(tokens.body.access_token)),
    (await p.userinfo(tokens.body.access_token)).text,
  )
  const rows = JSON.stringify(await snapshotRows(p.server.store))
  const bare = person.recovery_codes.map((code) => code.replaceAll('-', ''))
  for (const secret of [person.secret, person.code(-1), person.code(), ...person.recovery_codes, ...bare]) {
    for (const answer of answers) assert.ok(!answer.includes(secret))
    if (secret.length > 6) assert.ok(!rows.includes(secret))
  }
})

testOnBoth('8.2.1 the seed of a page is good for the user whom it was shown, and for a while', async (p) => {
  const [one, other] = [await newPerson(p), await newPerson(p)]
  const agents = [await signIn(p, one.user), await signIn(p, other.user)] as const
  const [mine, theirs] = [
    await open(agents[0], `${p.issuer}/account/security/totp`),
    await open(agents[1], `${p.issuer}/account/security/totp`),
  ]
  const enrolment = /name="enrolment" value="([^"]+)"/.exec(mine.html)![1]!
  const code = readApp(p, mine.html).code()
  const swapped = await agents[1].submit(theirs, { enrolment, code }, 'enrolment')
  assert.equal(swapped.response.status, 400)
  for (const changed of [`${enrolment}A`, enrolment.slice(1), '']) {
    assert.equal((await agents[0].submit(mine, { enrolment: changed, code }, 'enrolment')).response.status, 400)
  }
  assert.equal((await agents[0].submit(mine, { code }, 'enrolment')).response.status, 200)
  const { tenant_id } = p.server.app.tenant
  assert.equal((await p.server.store.loadFactors({ tenant_id, user_id: other.user_id })).totp, null)
})

testOnBoth(
  'GHSA-hp74-gm6m-2qm5 where a passkey is essential no code will do, and where it is preferred one does',
  async (p) => {
    const person = await newPersonWithApp(p)
    const { tenant_id } = p.server.app.tenant
    const bytes = new TextEncoder().encode(person.user_id)
    const event = { tenant_id, event_id: `key of ${person.user_id}`, at: p.now(), type: 'factor.added', actor: 'test' }
    await p.server.store.addPasskey({
      ...{ tenant_id, user_id: person.user_id, recovery_codes: [], most: 20, event },
      challenge: { kind: 'passkey', id_hash: bytes, expires_at: p.now() + 1000 },
      passkey: {
        ...{ credential_id: person.user_id, name: 'Key', public_key: bytes, counter: 0, transports: '[]' },
        ...{ backup_eligible: 0, backed_up: 0 },
      },
    })
    const ask = async (params: Record<string, string>) => {
      const agent = new UserAgent()
      const login = await open(agent, p.authorizeUrl('trusted', params))
      const { url, response } = await agent.submit(login, person.user)
      return { agent, page: { url, html: await response.text() } }
    }
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'phr' } } })
    const essential = await ask({ claims })
    assert.match(essential.page.html, /asks for a passkey this time/)
    assert.doesNotMatch(essential.page.html, /name="code"/)
    const csrf_token = csrfOf(await open(essential.agent, `${p.issuer}/login`))
    const forced = await post(essential.agent, essential.page.url, { csrf_token, code: person.code() })
    assert.equal(forced.status, 401)
    assert.equal(sessionOf(essential.agent), undefined)
    const preferred = await ask({ acr_values: 'phr' })
    assert.match(preferred.page.html, /name="code"/)
    const answered = await typeCode(preferred, person.code())
    const end = await preferred.agent.follow(new URL(answered.headers.get('location')!, p.issuer).href)
    assert.match(end.url, /[?&]code=/, 'and nobody is asked twice')
  },
)
