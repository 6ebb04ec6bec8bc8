import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { updateUser } from '../../server/src/inbound/users/administer_users.ts'
import { askForSignInLink, codeOf } from '../../server/src/inbound/users/sign_in_link.ts'
import { showUserCode } from '../../server/src/oauth/device.ts'
import { newPerson, newPersonWithApp, typeCode } from '../parts/factors.ts'
import { type MailServer, startMailServer } from '../parts/mail_server.ts'
import { onBothDatabases, type Platform, startPlatform } from '../parts/platform.ts'
import { csrfOf, isSignedIn, open, type Page, post, SAME, sessionOf, signIn } from '../parts/sign_in_steps.ts'
import { countRows, dumpRows, printRow } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const mail: Promise<MailServer> = startMailServer()
const testOnBoth = onBothDatabases({ mailer: async () => (await mail).mailer })
after(async () => (await mail).stop())

let mailboxes = 0
const newAddress = () => `reader${mailboxes++}@example.test`
const settle = (p: Platform) => p.server.app.web.inbound.outbox.settle()
const lettersTo = async (email: string) => (await mail).letters.filter(({ to }) => to.includes(email))
const allow = (p: Platform, more: Record<string, unknown> = {}) =>
  p.server.saveSettings({ sign_in_link: true, ...more })
const tokenOf = (link: string) => new URL(link).searchParams.get('token')!

/** Shows that an address is its user's. */
async function confirmAddress(p: Platform, user_id: string): Promise<void> {
  const { tenant } = p.server.app
  const record = (await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id }))!
  await updateUser(tenant, record, { email_verified: true }, { actor: 'cli', changed: ['email_verified'] })
}

/** Somebody whose address is confirmed. */
async function newReader(p: Platform) {
  const email = newAddress()
  const person = await newPerson(p, { email })
  await confirmAddress(p, person.user_id)
  return { ...person, email, username: person.user.username }
}

/** Presses "E-mail me a link" on a sign-in page. */
async function ask(p: Platform, username: string, agent = new UserAgent(), page?: Page) {
  const login = page ?? (await open(agent, `${p.issuer}/login`))
  const action = /formaction="([^"]*)"/.exec(login.html)?.[1]?.replaceAll('&amp;', '&')
  assert.ok(action, login.html)
  const response = await post(agent, new URL(action, p.issuer).href, { csrf_token: csrfOf(login), username })
  const sent = { url: new URL(action, p.issuer).href, html: await response.text(), status: response.status }
  await settle(p)
  return { agent, sent }
}

/** The same, with the link that came. */
async function askAndRead(p: Platform, reader: { username: string; email: string }, agent?: UserAgent, page?: Page) {
  const asked = await ask(p, reader.username, agent, page)
  return { ...asked, link: (await mail).linkTo(reader.email) }
}

/** Opens a link and presses its button. */
async function enter(agent: UserAgent, link: string) {
  const page = await open(agent, link)
  const { url, response } = await agent.submit(page, {}, 'name="token"')
  return { url, status: response.status, html: await response.text() }
}

/** The code that a link shows where it was not asked for. */
async function readCode(link: string, agent = new UserAgent()): Promise<string> {
  const { html } = await open(agent, link)
  const code = /<bdi dir="ltr">([A-Z]{4}-[A-Z]{4})</.exec(html)?.[1]
  assert.ok(code, html)
  return code
}

const newest = async (p: Platform, type: string) => {
  const { tenant_id } = p.server.app.tenant
  const filter = { tenant_id, before_event_id: '~', type, actor: '', most: 1 }
  return (await p.server.store.pageEvents(filter))[0]
}

testOnBoth('a link to the mailbox signs in, in the browser that asked and after one click', async (p) => {
  await allow(p)
  const reader = await newReader(p)
  const { agent, sent, link } = await askAndRead(p, reader)
  assert.match(sent.html, /Check your e-mail/)
  const [letter] = await lettersTo(reader.email)
  assert.match(letter!.subject, /^Sign in to /)
  assert.ok(link.startsWith(`${p.issuer}/login/link/open?`))
  const page = await open(agent, link)
  assert.match(page.html, new RegExp(`Sign in as <strong><bdi>${reader.username}`))
  assert.equal(await isSignedIn(p, agent), false, 'what mail servers open signs nobody in')
  const { url } = await enter(agent, link)
  assert.equal(new URL(url).pathname, '/hub/account')
  assert.equal(await isSignedIn(p, agent), true)
  const event = await newest(p, 'session.started')
  assert.deepEqual(JSON.parse(event!.detail), { amr: [], factor: 'sign_in_link' })
  assert.equal((await newest(p, 'sign_in_link.asked'))!.user_id, reader.user_id)
  // Once more, by whoever finds the letter, in this browser and in others.
  for (const later of [agent, new UserAgent()]) {
    const over = await open(later, link)
    assert.deepEqual([over.status, /This link no longer works/.test(over.html)], [400, true])
  }
  // By the address as well, in whatever case; and signed in by the letter, they may ask for the next one.
  for (let i = 0; i < 3; i++) {
    const next = await askAndRead(p, { ...reader, username: reader.email.toUpperCase() })
    assert.equal(new URL((await enter(next.agent, next.link)).url).pathname, '/hub/account')
  }
  await p.server.saveSettings({})
})

testOnBoth(
  'a button that is pressed twice sends one letter, and its link holds; later a newer one comes',
  async (p) => {
    await allow(p)
    const reader = await newReader(p)
    const agent = new UserAgent()
    const login = await open(agent, `${p.issuer}/login`)
    const { link } = await askAndRead(p, reader, agent, login)
    await ask(p, reader.username, agent, login)
    assert.equal((await lettersTo(reader.email)).length, 1)
    assert.match((await open(agent, link)).html, /name="token"/)
    p.pass(20)
    const newer = await askAndRead(p, reader, agent, login)
    assert.notEqual(newer.link, link)
    assert.equal((await open(agent, link)).status, 400)
    assert.equal(new URL((await enter(agent, newer.link)).url).pathname, '/hub/account')
    await p.server.saveSettings({})
  },
)

testOnBoth(
  'OIDC Core 3.1.2.1 prompt=login and max_age are met by a link as by a password, and for that request alone',
  async (p) => {
    await allow(p)
    const reader = await newReader(p)
    const agent = await signIn(p, reader.user)
    p.pass(100)
    for (const wish of [{ prompt: 'login' }, { max_age: '60' }]) {
      const login = await open(agent, p.authorizeUrl('trusted', { ...wish, login_hint: reader.username }))
      assert.match(login.html, new RegExp(`value="${reader.username}"`))
      const { link } = await askAndRead(p, reader, agent, login)
      const page = await open(agent, link)
      assert.match(page.html, /to continue to/)
      p.pass(61)
      const { url } = await enter(agent, link)
      const code = new URL(url).searchParams.get('code')
      assert.ok(code, url)
      const { body } = await p.exchange('trusted', code)
      const claims = JSON.parse(Buffer.from(body.id_token.split('.')[1], 'base64url').toString())
      assert.deepEqual([claims.sub, claims.acr, claims.amr], [reader.user_id, 'pwd', []])
      assert.equal(claims.auth_time, Math.floor(p.now() / 1000), 'the time of the click, not of the letter')
      p.pass(100)
    }
    // To change how they sign in, people without a password confirm by a link.
    p.pass(601)
    const anew = await open(agent, `${p.issuer}/account/security`)
    assert.match(anew.html, /Confirm that it is you/)
    const { link } = await askAndRead(p, reader, agent, anew)
    assert.equal(new URL((await enter(agent, link)).url).pathname, '/hub/account/security')
    await p.server.saveSettings({})
  },
)

testOnBoth('6.6.2 B-09 elsewhere a link signs nobody in: it shows a code for the browser that asked', async (p) => {
  await allow(p)
  const reader = await newReader(p)
  // A stranger who asks with somebody's name, and one who sends the link to their own account along.
  const { agent: asker, sent, link } = await askAndRead(p, reader)
  const phone = new UserAgent()
  const shown = await open(phone, link)
  assert.equal(shown.status, 200)
  assert.ok(!shown.html.includes('name="token"'))
  const csrf_token = csrfOf(shown)
  const forced = await post(phone, link.replace(/\?.*/, ''), { csrf_token, token: tokenOf(link) })
  assert.match(await forced.text(), /Your code/)
  assert.deepEqual([await isSignedIn(p, phone), await isSignedIn(p, asker)], [false, false])
  const code = await readCode(link, phone)
  // The code is nothing in another browser either, not even for the same name.
  const other = await ask(p, 'somebody else')
  const wrong = await other.agent.submit(other.sent, { code }, 'name="code"')
  assert.equal(wrong.response.status, 401)
  for (const [typed, status] of [
    ['', 400],
    ['BCDF-GHJK', 401],
    ['!', 401],
    ['x'.repeat(500), 401],
  ] as const) {
    const { response } = await asker.submit(sent, { code: typed }, 'name="code"')
    assert.equal(response.status, status, typed.slice(0, 9))
  }
  const { url } = await asker.submit(sent, { code: code.toLowerCase().replace('-', ' ') }, 'name="code"')
  assert.equal(new URL(url).pathname, '/hub/account')
  assert.deepEqual([await isSignedIn(p, phone), await isSignedIn(p, asker)], [false, true])
  // For another request than the one that asked the link and the code are nothing, even in the same browser.
  const again = await askAndRead(p, reader, asker, await open(asker, p.authorizeUrl('trusted', { prompt: 'login' })))
  const at = new URL(again.link)
  for (const query of [`token=${tokenOf(again.link)}`, `token=${tokenOf(again.link)}&return_to=/hub/account`]) {
    assert.match((await open(asker, `${at.origin}${at.pathname}?${query}`)).html, /Your code/, query)
  }
  assert.ok(new URL((await enter(asker, again.link)).url).searchParams.has('code'))
  await p.server.saveSettings({})
})

testOnBoth(
  '6.3.8 who asks for a link learns nothing: known, unknown, disabled, without or with an unconfirmed address',
  async (p) => {
    await allow(p)
    const reader = await newReader(p)
    const disabled = await newReader(p)
    await p.setDisabled(true, { user_id: disabled.user_id })
    // Of such an account a stranger may know the password, who made it with this address.
    const unconfirmed = await newPerson(p, { email: newAddress() })
    const without = await newPerson(p)
    const before = await countRows(p.server.store)
    const seen = new Set<string>()
    const names = [reader, disabled].map(({ username }) => username)
    for (const name of [...names, unconfirmed.user.username, without.user.username, 'nobody-at-all', 'x'.repeat(500)]) {
      const agent = new UserAgent()
      const { sent } = await ask(p, name, agent)
      const { response } = await agent.submit(sent, { code: 'BCDF-GHJK' }, 'name="code"')
      const plain = (html: string) =>
        html.replaceAll(/csrf_token" value="[^"]+"|<strong>.*<\/strong>|value="[^"]*"/g, '')
      seen.add(JSON.stringify([sent.status, plain(sent.html), response.status, plain(await response.text())]))
      p.pass(3601)
    }
    assert.equal(seen.size, 1)
    const after = await countRows(p.server.store)
    assert.equal((after['one_time_links'] ?? 0) - (before['one_time_links'] ?? 0), 1)
    await p.server.saveSettings({})
  },
)

testOnBoth('6.3.8 6.6.3 nobody is looked up before the answer, and no row holds a link or its code', async (p) => {
  await allow(p)
  const reader = await newReader(p)
  const store = p.server.store as unknown as Record<string, (args: unknown) => Promise<unknown>>
  const original = store['findUserByUsername']!
  let lookups = 0
  store['findUserByUsername'] = (args) => {
    lookups++
    return original(args)
  }
  const asked = { browser: 'b', query: {}, username: reader.username, address: undefined, device: undefined }
  try {
    await askForSignInLink(p.server.app.web.inbound, asked)
    assert.equal(lookups, 0)
    await settle(p)
    assert.equal(lookups, 1)
  } finally {
    store['findUserByUsername'] = original
  }
  const { tenant } = p.server.app
  const token = tokenOf((await mail).linkTo(reader.email))
  const [link] = await tenant.store.findSignInLinks({
    tenant_id: tenant.tenant_id,
    hash: tenant.keys.hashSecret(token),
  })
  const rows = [...(await dumpRows(p.server.store))].flatMap(([, all]) => all.map((row) => printRow(row, [])))
  const secrets = [token, token.replace('sp_sign_in_', ''), codeOf(tenant, link!), showUserCode(codeOf(tenant, link!))]
  for (const secret of secrets) assert.ok(!rows.some((row) => row.includes(secret)), secret)
  await p.server.saveSettings({})
})

testOnBoth('6.3.3 6.3.4 a link is one factor: whoever has, or must have, a second one is asked for it', async (p) => {
  await allow(p)
  const email = newAddress()
  const person = await newPersonWithApp(p, { email })
  await confirmAddress(p, person.user_id)
  const { agent, link } = await askAndRead(p, { username: person.user.username, email })
  const at = await enter(agent, link)
  assert.equal(new URL(at.url).pathname, '/hub/login/factor')
  assert.equal(await isSignedIn(p, agent), false)
  assert.match((await open(new UserAgent(), link)).html, /This link no longer works/)
  assert.equal((await newest(p, 'sign_in_link.used'))!.user_id, person.user_id)
  assert.equal((await typeCode({ agent, page: at }, '000000')).status, 401)
  assert.equal((await typeCode({ agent, page: at }, person.code())).status, 303)
  assert.equal(await isSignedIn(p, agent), true)
  p.pass(30)
  // By the code of a link, too; and where everybody must have one, whoever has none sets it up.
  const second = await askAndRead(p, { username: person.user.username, email })
  const code = await readCode(second.link)
  const typed = await second.agent.submit(second.sent, { code }, 'name="code"')
  assert.equal(new URL(typed.url).pathname, '/hub/login/factor')
  await allow(p, { mfa: 'required' })
  const reader = await newReader(p)
  const third = await askAndRead(p, reader)
  assert.equal(new URL((await enter(third.agent, third.link)).url).pathname, '/hub/login/enrol')
  assert.equal(await isSignedIn(p, third.agent), false)
  await p.server.saveSettings({})
})

testOnBoth('2.3.1 6.5.1 6.5.5 a link is good once, for ten minutes, and until its account changes', async (p) => {
  await allow(p)
  type Case = Awaited<ReturnType<typeof askAndRead>> & { reader: Awaited<ReturnType<typeof newReader>> }
  const { tenant } = p.server.app
  const { tenant_id, store } = tenant
  const ends: Record<string, (one: Case) => Promise<unknown>> = {
    'ten minutes': async () => p.pass(600),
    'a newer one': ({ reader }) => ask(p, reader.username),
    'the setting': () => p.server.saveSettings({}),
    'a disabled account': ({ reader }) => p.setDisabled(true, { user_id: reader.user_id }),
    'another address': async ({ reader }) => {
      const record = (await store.findUser({ tenant_id, user_id: reader.user_id }))!
      await updateUser(tenant, record, { email: newAddress() }, { actor: 'cli', changed: ['email'] })
    },
    'signing out everywhere else': async ({ reader }) => {
      const agent = await signIn(p, reader.user)
      const csrf_token = csrfOf(await open(agent, `${p.issuer}/account`))
      assert.equal((await post(agent, `${p.issuer}/account/sessions/end_others`, { csrf_token })).status, 303)
    },
  }
  for (const [what, end] of Object.entries(ends)) {
    // The contract of the store says the same of each end; here each way in says it once.
    for (const by of what === 'a newer one' ? (['link', 'code', 'open page'] as const) : (['open page'] as const)) {
      await allow(p)
      const reader = await newReader(p)
      const one = { ...(await askAndRead(p, reader)), reader }
      const code = await readCode(one.link)
      const opened = await open(one.agent, one.link)
      await end(one)
      const response =
        by === 'link'
          ? await one.agent.request(one.link)
          : by === 'code'
            ? (await one.agent.submit(one.sent, { code }, 'name="code"')).response
            : (await one.agent.submit(opened, {}, 'name="token"')).response
      assert.ok([400, 401, 404].includes(response.status), `${what}, by ${by}: ${response.status}`)
      assert.equal(await isSignedIn(p, one.agent), false, `${what}, by ${by}`)
      p.pass(3601)
    }
  }
  // Two clicks and a code at once are one sign-in.
  await allow(p)
  const reader = await newReader(p)
  const { agent, sent, link } = await askAndRead(p, reader)
  const code = await readCode(link)
  const page = await open(agent, link)
  const sessions = () => store.listSessionsOfUser({ tenant_id, user_id: reader.user_id })
  const post_link = () =>
    post(agent, page.url.replace(/&?token=[^&]*/, ''), { csrf_token: csrfOf(page), token: tokenOf(link) })
  const came = await Promise.all([
    ...[post_link(), post_link(), post_link()],
    post(agent, sent.url.replace('/login/link', '/login/link/code'), { csrf_token: csrfOf(sent), code }),
  ])
  assert.deepEqual(came.filter(({ status }) => status === 303).length, 1)
  assert.equal((await sessions()).length, 1)
  await p.server.saveSettings({})
})

testOnBoth(
  '6.3.1 6.6.3 CVE-2024-4629 codes are counted where they are typed; strangers’ letters do not use up the owner’s',
  async (p) => {
    await allow(p)
    const reader = await newReader(p)
    const { agent, sent, link } = await askAndRead(p, reader)
    const code = await readCode(link)
    const statuses: number[] = []
    for (let i = 0; i < 11; i++) {
      statuses.push((await agent.submit(sent, { code: 'BCDF-GHJK' }, 'name="code"')).response.status)
    }
    assert.deepEqual(statuses, [...Array(10).fill(401), 429])
    const late = await agent.submit(sent, { code }, 'name="code"')
    assert.equal(late.response.status, 429, 'not even the right one')
    assert.match(await late.response.text(), /Too many tries\. Try again in 1 minute\./)
    assert.equal(new URL((await enter(agent, link)).url).pathname, '/hub/account', 'the link itself nobody guesses')
    p.pass(3601)
    for (let i = 0; i < 6; i++) assert.equal((await ask(p, reader.username)).sent.status, 200)
    const before = (await lettersTo(reader.email)).length
    assert.equal(before, 4, 'three in an hour, and one before')
    // From where they signed in before, the owner has letters of their own.
    agent.cookies.delete(sessionOf(agent)![0])
    const own = await askAndRead(p, reader, agent)
    assert.equal((await lettersTo(reader.email)).length, before + 1)
    assert.equal(new URL((await enter(agent, own.link)).url).pathname, '/hub/account')
    p.pass(3601)
    await p.server.saveSettings({})
  },
)

testOnBoth('3.5.1 B-09 no other site asks for a link or follows one, and there is none where it is off', async (p) => {
  const agent = new UserAgent()
  const login = await open(agent, `${p.issuer}/login`)
  assert.ok(!login.html.includes('formaction'))
  const csrf_token = csrfOf(login)
  const form = { username: 'alice', token: 'sp_sign_in_AAAA', code: 'BCDF-GHJK' }
  const paths = ['/login/link', '/login/link/code', '/login/link/open']
  for (const path of paths) {
    assert.equal((await post(agent, p.issuer + path, { csrf_token, ...form })).status, 404, path)
  }
  assert.equal((await open(agent, `${p.issuer}/login/link/open?token=sp_sign_in_AAAA`)).status, 404)
  await allow(p)
  for (const path of paths) {
    const foreign = { 'sec-fetch-site': 'cross-site' }
    assert.equal((await post(agent, p.issuer + path, { csrf_token, ...form }, foreign)).status, 403, path)
    assert.equal((await post(agent, p.issuer + path, form, SAME)).status, 403, path)
  }
  const embedded = { headers: { 'sec-fetch-dest': 'iframe' } }
  assert.equal((await agent.request(`${p.issuer}/login/link/open?token=sp_sign_in_AAAA`, embedded)).status, 403)
  for (const token of ['', 'sp_sign_in_AAAA', 'sp_reset_AAAA']) {
    const over = await post(agent, `${p.issuer}/login/link/open`, { csrf_token, token })
    assert.deepEqual([over.status, /This link no longer works/.test(await over.text())], [400, true], token)
  }
  const nameless = await post(agent, `${p.issuer}/login/link`, { csrf_token })
  assert.deepEqual([nameless.status, /Enter your username/.test(await nameless.text())], [400, true])
  await p.server.saveSettings({})
})

test('without e-mail there is no link to sign in by', async (t) => {
  const p = await startPlatform()
  t.after(() => p.stop())
  await allow(p)
  assert.ok(!(await open(new UserAgent(), `${p.issuer}/login`)).html.includes('formaction'))
})
