import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkGuess, type Guess, LIMITS } from '../../server/src/inbound/limits.ts'
import { checkLogin, type Login, type LoginResult } from '../../server/src/inbound/users/check_login.ts'
import { onBothDatabases, type Platform } from '../parts/platform.ts'
import { csrfOf, open, post, SAME, signIn, tryLogin } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

const WRONG = 'guessed'
let names = 0

async function makeVictim(p: Platform) {
  const user = { username: `victim${++names}`, password: 'password of the victim' }
  return { ...user, user_id: await p.server.addUser(user) }
}

const login = (p: Platform, username: string, password: string, more: Partial<Login> = {}) =>
  checkLogin(p.server.app.web.inbound, { username, password, ...more })

/** A guess that costs no hash. */
const guess = (p: Platform, of: string, address?: string, right = false) =>
  checkGuess(p.server.app.web.inbound, { kind: 'password', of, address }, async () => right || null)

/** An address of its own for each guess, as a large botnet has. */
const somewhere = (i: number) => `198.51.${i >> 8}.${i & 255}`

const kinds = (results: readonly { kind: string }[]) => {
  const counts: Record<string, number> = {}
  for (const { kind } of results) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

testOnBoth('6.3.1 CVE-2024-4629 of 1,000 guesses in parallel at one account ten are evaluated', async (p) => {
  const { user_id } = await makeVictim(p)
  const guess: Guess = { kind: 'password', of: user_id, address: undefined }
  let evaluated = 0
  const verify = async () => {
    evaluated++
    return null
  }
  const guesses = Array.from({ length: 1000 }, (_, i) =>
    checkGuess(p.server.app.web.inbound, { ...guess, address: somewhere(i) }, verify),
  )
  assert.deepEqual(kinds(await Promise.all(guesses)), { wrong: 10, too_many: 990 })
  assert.equal(evaluated, 10)
})

testOnBoth(
  '6.1.1 whoever guesses, known devices of the owner sign in, and strangers never lock it for good',
  async (p) => {
    const { username, password } = await makeVictim(p)
    const owner = await signIn(p, { username, password })
    const results: LoginResult[] = []
    // An hour of an attacker who does not tire.
    const guesses = p.server.store.driver.dialect === 'sqlite' ? 10_000 : 2000
    for (let i = 0; i < guesses; i += 50) {
      p.pass(18)
      const guesses = Array.from({ length: 50 }, (_, n) => login(p, username, WRONG, { address: somewhere(i + n) }))
      results.push(...(await Promise.all(guesses)))
    }
    const { refused = 0 } = kinds(results)
    assert.ok(refused >= 10 && refused <= 30, `${refused} were evaluated in an hour`)
    assert.equal((await tryLogin(p, username, password)).status, 429, 'a browser that is not known has to wait')
    assert.equal((await tryLogin(p, username, password, signOut(owner))).status, 303, 'a known one does not')
    assert.equal(
      (await login(p, username, password, { address: somewhere(1) })).kind,
      'too_many',
      'for strangers as before',
    )
    p.pass(3600)
    assert.equal((await login(p, username, password)).kind, 'signed_in', 'an hour later anybody may try again')
  },
)

/** The same browser after its session. */
function signOut(agent: UserAgent): UserAgent {
  for (const cookie of agent.cookies.keys()) if (cookie.includes('session')) agent.cookies.delete(cookie)
  return agent
}

testOnBoth('6.1.1 a known device is not held up by who else guesses at its address', async (p) => {
  const victim = await makeVictim(p)
  const owner = signOut(await signIn(p, victim))
  for (let i = 0; i < LIMITS.guesses_of_address.most; i++) await guess(p, `somebody ${i}`, '127.0.0.1')
  assert.equal((await tryLogin(p, victim.username, victim.password)).status, 429)
  assert.equal((await tryLogin(p, victim.username, victim.password, owner)).status, 303)
  p.pass(LIMITS.guesses_of_address.seconds)
})

testOnBoth('6.1.1 whoever guesses does not keep the owner from a new password', async (p) => {
  const victim = await makeVictim(p)
  const owner = await signIn(p, victim)
  for (let i = 0; i < 20; i++) await login(p, victim.username, WRONG)
  const page = await open(owner, `${p.issuer}/account/security/password`)
  const change = async (present_password: string) =>
    (await owner.submit(page, { present_password, password: 'another one of the victim' }, 'present_password')).response
  assert.equal((await change('not this one')).status, 401)
  assert.equal((await change(victim.password)).status, 200)
})

testOnBoth('6.1.1 a known device has a counter of its own, and is known for one user alone', async (p) => {
  const [victim, other] = [await makeVictim(p), await makeVictim(p)]
  const owner = signOut(await signIn(p, victim))
  for (let i = 0; i < 10; i++) assert.equal((await tryLogin(p, victim.username, WRONG, owner)).status, 401)
  assert.equal(
    (await tryLogin(p, victim.username, victim.password, owner)).status,
    429,
    'a stolen cookie guesses no more',
  )
  assert.equal((await login(p, victim.username, victim.password)).kind, 'signed_in', 'and it locks nobody else out')
  const known = signOut(await signIn(p, victim))
  for (let i = 0; i < 10; i++) await login(p, other.username, WRONG)
  assert.equal((await tryLogin(p, other.username, other.password, known)).status, 429, 'this user is not known there')
  p.pass(61)
  signOut(await signIn(p, other, known))
  for (let i = 0; i < 20; i++) await login(p, other.username, WRONG)
  for (let i = 0; i < 20; i++) await login(p, victim.username, WRONG)
  signOut(await signIn(p, other, known))
  signOut(await signIn(p, victim, known))
})

testOnBoth(
  '6.1.1 8.3.2 a device is forgotten after 90 days and with everything else of a user that was disabled',
  async (p) => {
    const victim = await makeVictim(p)
    const fill = async () => {
      for (let i = 0; i < 20; i++) await login(p, victim.username, WRONG)
    }
    const owner = signOut(await signIn(p, victim))
    p.pass(90 * 86_400 - 1)
    await fill()
    signOut(await signIn(p, victim, owner))
    p.pass(90 * 86_400)
    await fill()
    assert.equal((await tryLogin(p, victim.username, victim.password, owner)).status, 429)
    p.pass(7200)
    signOut(await signIn(p, victim, owner))
    for (const disabled of [true, false]) await p.setDisabled(disabled, { user_id: victim.user_id })
    await fill()
    assert.equal((await tryLogin(p, victim.username, victim.password, owner)).status, 429)
  },
)

testOnBoth('6.1.1 a forged, changed or foreign device cookie is no known device', async (p) => {
  const victim = await makeVictim(p)
  const owner = signOut(await signIn(p, victim))
  const [name, value] = [...owner.cookies].find(([cookie]) => cookie.includes('device'))!
  for (let i = 0; i < 20; i++) await login(p, victim.username, WRONG)
  const bytes = Buffer.from(value, 'base64url')
  const changed = [0, 16, 21, 22, 37].map((place) => {
    const copy = Buffer.from(bytes)
    copy[place]! ^= 1
    return copy.toString('base64url')
  })
  const longer = Buffer.concat([bytes, bytes.subarray(16)]).toString('base64url')
  for (const cookie of [...changed, `${value}=`, value.slice(1), '', 'x'.repeat(5000), `${value}.`]) {
    const thief = new UserAgent()
    thief.cookies.set(name, cookie)
    assert.equal((await tryLogin(p, victim.username, victim.password, thief)).status, 429, cookie.slice(0, 50))
  }
  const twice = new UserAgent()
  twice.cookies.set(name, longer)
  assert.equal((await tryLogin(p, victim.username, victim.password, twice)).status, 303, 'what is ours is ours')
})

testOnBoth('6.3.1 ten wrong in ten minutes, then a wait that doubles up to an hour, and never for good', async (p) => {
  const { username } = await makeVictim(p)
  const waits: number[] = []
  for (let i = 0; i < 30; i++) {
    const result = await login(p, username, WRONG)
    if (result.kind !== 'too_many') continue
    waits.push((result.until - p.now()) / 60_000)
    p.pass((result.until - p.now()) / 1000)
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60])
})

testOnBoth('6.3.1 of a hundred wrong in a day, slow as they are, each further one costs an hour', async (p) => {
  let evaluated = 0
  for (let round = 0; round < 24 * 6; round++) {
    for (let i = 0; i < 9; i++) if ((await guess(p, 'victim of patience')).kind === 'wrong') evaluated++
    p.pass(600)
  }
  assert.ok(evaluated >= 100 && evaluated <= 124, `${evaluated} in a day`)
})

testOnBoth('CVE-2026-45364 an address is one, however it is written, and a /64 is one', async (p) => {
  const spellings = ['2001:db8:1:2::1', '2001:DB8:1:2:0:0:0:2', '2001:db8:0001:0002::3%eth0', '2001:db8:1:2:ffff::']
  const v4 = ['203.0.113.9', '::ffff:203.0.113.9', '::ffff:cb00:7109', '0:0:0:0:0:FFFF:203.0.113.9']
  for (const [same, other] of [
    [spellings, '2001:db8:1:3::1'],
    [v4, '203.0.113.10'],
  ] as const) {
    for (let i = 0; i < LIMITS.guesses_of_address.most; i++) {
      assert.equal((await guess(p, `${other}${i}`, same[i % same.length])).kind, 'wrong', `${i}`)
    }
    for (const address of same) assert.equal((await guess(p, `${other} more`, address)).kind, 'too_many', address)
    assert.equal((await guess(p, `${other} more`, other)).kind, 'wrong')
  }
})

testOnBoth('6.1.1 right passwords of many at one address are not counted', async (p) => {
  for (let i = 0; i < 120; i++) {
    assert.equal((await guess(p, `employee${i % 40}`, '203.0.113.77', true)).kind, 'right', `${i}`)
  }
})

testOnBoth(
  '2.4.1 15.4.4 one address takes sixteen of 64 places for passwords, and others still find one',
  async (p) => {
    const flood = Array.from({ length: 200 }, (_, i) => login(p, `nobody${i}`, WRONG, { address: '203.0.113.50' }))
    const { username, password } = await makeVictim(p)
    const other = login(p, username, password, { address: '203.0.113.51' })
    const counts = kinds(await Promise.all(flood))
    assert.equal(counts['refused']! + counts['busy']!, 200)
    assert.ok(counts['busy']! >= 100, `${counts['busy']} were sent away`)
    assert.equal((await other).kind, 'signed_in')
  },
)

testOnBoth('GHSA-85v8-vx4w-q684 CVE-2024-32868 each factor is counted, and no factor forgives another', async (p) => {
  const context = p.server.app.web.inbound
  const of = `user${++names}`
  const guess = (kind: Guess['kind'], right: boolean) =>
    checkGuess(context, { kind, of, address: undefined }, async () => (right ? 'opened' : null))
  for (const kind of ['second_factor', 'email_code'] as const) {
    for (let i = 0; i < 10; i++) {
      assert.equal((await guess(kind, false)).kind, 'wrong')
      assert.deepEqual(await guess('password', true), { kind: 'right', value: 'opened' })
    }
    assert.equal((await guess(kind, true)).kind, 'too_many', `${kind}: not even the right one`)
  }
  for (let i = 0; i < 5; i++) {
    assert.equal((await guess('user_code', true)).kind, 'right', 'a right code is not counted, and forgives nothing')
    assert.equal((await guess('user_code', false)).kind, 'wrong')
  }
  assert.equal((await guess('user_code', true)).kind, 'too_many')
})

testOnBoth('a guess that could not be looked at is not counted', async (p) => {
  const { username, user_id, password } = await makeVictim(p)
  const guess: Guess = { kind: 'password', of: user_id, address: '203.0.113.99' }
  const fail = () => Promise.reject(new Error('the database is away'))
  for (let i = 0; i < 200; i++) {
    await assert.rejects(checkGuess(p.server.app.web.inbound, guess, fail), /away/)
  }
  assert.equal((await login(p, username, password, { address: '203.0.113.99' })).kind, 'signed_in')
})

testOnBoth('T-07 guesses at names that nobody has are one event, and those at a user one a moment', async (p) => {
  const { username, user_id } = await makeVictim(p)
  const { tenant_id, store } = p.server.app.tenant
  const list = () => store.pageEvents({ tenant_id, before_event_id: '~', type: 'login.refused', actor: '', most: 100 })
  const { refused_logins } = p.server.app.web.inbound
  await refused_logins.flush()
  const before = new Set((await list()).map(({ event_id }) => event_id))
  for (let i = 0; i < 300; i++) refused_logins.count(null, somewhere(i >> 6), false)
  for (let i = 0; i < 12; i++) await login(p, username, WRONG, { address: '2001:db8::7' })
  await refused_logins.flush()
  const made = (await list()).filter(({ event_id }) => !before.has(event_id))
  const of = (user_id: string | null) =>
    made
      .filter((event) => event.user_id === user_id)
      .map(({ detail }) => JSON.parse(detail) as { count: number; blocked: boolean; addresses: string[] })
  assert.deepEqual(of(null), [{ count: 300, blocked: false, addresses: [0, 1, 2, 3, 4].map(somewhere) }])
  const ofUser = of(user_id)
  assert.equal(
    ofUser.reduce((sum, { count }) => sum + count, 0),
    10,
    'what was not looked at is not listed',
  )
  // A slow machine writes several, one a second.
  assert.equal(ofUser.filter(({ blocked }) => blocked).length, 1)
  for (const { addresses } of ofUser) assert.deepEqual(addresses, ['2001:db8:0:0::/64'])
})

testOnBoth('6.2.1 a password is as long as it is hashed: 1024 characters outside the BMP sign in', async (p) => {
  const username = `long${++names}`
  const signs = Array.from({ length: 1023 }, (_, i) => String.fromCodePoint(0x1f300 + ((i * 37) % 199)))
  const password = `${signs.join('')}e\u0301`
  await p.server.addUser({ username, password })
  assert.equal((await login(p, username, password)).kind, 'signed_in')
  assert.equal((await login(p, username, password.normalize('NFC'))).kind, 'signed_in')
  for (const wrong of [`${password}x`, `${password}${'\u{1f511}'}`, password.slice(0, -3)]) {
    assert.equal((await login(p, username, wrong)).kind, 'refused')
  }
})

testOnBoth('a username whose compared form is longer than it was typed is whole', async (p) => {
  // One character that the compared form writes with eighteen.
  const username = '\ufdfa'.repeat(20) + ++names
  await p.server.addUser({ username, password: 'a password of mine' })
  assert.equal((await login(p, username, 'a password of mine')).kind, 'signed_in')
})

testOnBoth('6.3.1 the page of too many tries says when to come again, and keeps what was typed', async (p) => {
  const { username } = await makeVictim(p)
  for (let i = 0; i < 10; i++) await login(p, username, WRONG)
  const agent = new UserAgent()
  const page = await open(agent, `${p.issuer}/login`)
  const refused = await post(agent, page.url, { csrf_token: csrfOf(page), username, password: WRONG }, SAME)
  assert.equal(refused.status, 429)
  assert.equal(refused.headers.get('retry-after'), '60')
  const html = await refused.text()
  assert.match(html, /Too many tries\. Try again in 1 minute\./)
  assert.match(html, new RegExp(`value="${username}"`))
})

test('every kind of guess has limits kept in the database', () => {
  for (const name of ['password', 'second_factor', 'email_code', 'user_code'] as const) {
    assert.equal(LIMITS[name].kept_in, 'database')
  }
})
