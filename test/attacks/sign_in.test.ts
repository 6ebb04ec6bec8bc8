import assert from 'node:assert/strict'
import { createAdministration } from '../../server/src/cli/administration.ts'
import { ALICE, onBothDatabases } from '../parts/platform.ts'
import { csrfOf, isSignedIn, open, post, SAME, sessionOf, signIn, tryLogin } from '../parts/sign_in_steps.ts'
import { snapshotRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

testOnBoth(
  '6.3.8 CVE-2026-23511 CVE-2024-41952 unknown, wrong, disabled and without a password are one answer',
  async (p) => {
    const user_id = await p.server.addUser({ username: 'dora', password: 'password of dora' })
    await p.setDisabled(true, { user_id })
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
  },
)

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

testOnBoth('3.5.1 GHSA-c9rq-mvr5-3w32 a sign-in that no page of ours asked for is refused', async (p) => {
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

testOnBoth(
  '3.7.2 CVE-2020-4037 GHSA-qqxw-m5fj-f7gv CVE-2019-20479 CVE-2019-14857 CVE-2021-21291 CVE-2025-71403 return_to leads nowhere but into these pages',
  async (p) => {
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
      ...[
        '/hub/é',
        '/hub/a b',
        '/hub/\r\nSet-Cookie: x=y',
        `${p.issuer}/account`,
        'http:/hub/account',
        '/hub/./account',
      ],
    ]
    for (const return_to of bad) {
      const agent = new UserAgent()
      const page = await open(agent, `${p.issuer}/login?return_to=${encodeURIComponent(return_to)}`)
      const action = new URL(/action="([^"]*\/login[^"]*)"/.exec(page.html)![1]!.replaceAll('&amp;', '&'), p.issuer)
        .href
      const done = await post(agent, action, { csrf_token: csrfOf(page), ...ALICE })
      assert.equal(done.headers.get('location'), home, return_to)
      const again = await agent.request(`${p.issuer}/login?return_to=${encodeURIComponent(return_to)}`)
      assert.equal(again.headers.get('location'), home, `signed in: ${return_to}`)
    }
    for (const return_to of [
      '/hub/account',
      '/hub/account?x=1&y=%2F',
      '/hub/connect/acme?return_to=%2Fhub%2Faccount',
    ]) {
      const done = await (await signIn(p)).request(`${p.issuer}/login?return_to=${encodeURIComponent(return_to)}`)
      assert.equal(done.headers.get('location'), return_to)
    }
  },
)

testOnBoth(
  '7.4.2 8.3.2 while the tenant is disabled nobody signs in, and no session from then lives afterwards',
  async (p) => {
    const agent = new UserAgent()
    const page = await open(agent, `${p.issuer}/login`)
    const { tenant_id } = p.server.app.tenant
    const operator = createAdministration(p.server.app)
    const set = (disabled: boolean) => operator.switchTenant({ tenant_id, disabled })
    assert.equal((await set(true)).changed, true)
    const refused = await post(agent, page.url, { csrf_token: csrfOf(page), ...ALICE })
    assert.equal(refused.status, 503)
    assert.equal(sessionOf(agent), undefined)
    assert.equal((await set(true)).changed, false)
    assert.equal((await set(false)).tenant.disabled, null)
    assert.equal(await isSignedIn(p, agent), false)
    await signIn(p)
  },
)
