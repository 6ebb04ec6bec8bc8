import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createMailer } from '../../server/src/mail/mailer.ts'
import { atSecondFactor, newPerson, newPersonWithApp, signInWithApp, typeCode } from '../parts/factors.ts'
import { type MailServer, startMailServer } from '../parts/mail_server.ts'
import { onBothDatabases, type Platform, startPlatform } from '../parts/platform.ts'
import { csrfOf, isSignedIn, open, post, signIn, tryLogin } from '../parts/sign_in_steps.ts'
import { countRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const mail: Promise<MailServer> = startMailServer()
const testOnBoth = onBothDatabases({ mailer: async () => (await mail).mailer })
after(async () => (await mail).stop())

const NEW = 'a new one of my own'
const settle = (p: Platform) => p.server.app.web.inbound.outbox.settle()
let mailboxes = 0
const newAddress = () => `box${mailboxes++}@example.test`

/** Asks for a link, and answers what the page said. */
async function ask(p: Platform, username: string): Promise<string> {
  const agent = new UserAgent()
  const { response } = await agent.submit(await open(agent, `${p.issuer}/reset`), { username })
  await settle(p)
  return response.text()
}
const lettersTo = async (email: string) => (await mail).letters.filter(({ to }) => to.includes(email))

testOnBoth(
  '6.3.7 6.4.3 6.4.4 a password is reset by a link in a letter: everything ends, the second factor stays',
  async (p) => {
    const email = newAddress()
    const person = await newPersonWithApp(p, { email, roles: ['member'] })
    const agent = await signInWithApp(p, person)
    const { url } = await agent.follow(p.authorizeUrl('trusted'))
    const { body: tokens } = await p.exchange('trusted', new URL(url).searchParams.get('code')!)
    assert.match(await ask(p, person.user.username), /Check your e-mail/)
    const letter = (await lettersTo(email)).at(-1)!
    assert.deepEqual(
      [letter.from, letter.encrypted, letter.user, letter.subject],
      ['login@id.example', true, 'sally', `Reset your password at ${new URL(p.issuer).host}`],
    )
    const link = (await mail).linkTo(email)
    assert.ok(link.startsWith(`${p.issuer}/reset/password?token=sp_reset_`))
    assert.ok(letter.html.includes(link))
    const elsewhere = new UserAgent()
    const page = await open(elsewhere, link)
    assert.match(page.html, /Choose a new password/)
    const weak = await elsewhere.submit(page, { password: 'password123' })
    assert.equal(weak.response.status, 400)
    assert.match(await weak.response.text(), /would be guessed first/)
    const done = await elsewhere.submit(page, { password: NEW })
    assert.match(await done.response.text(), /Your password is changed/)
    assert.equal(await isSignedIn(p, agent), false)
    assert.equal((await p.refresh('trusted', tokens.refresh_token)).status, 400)
    assert.equal((await p.introspect(tokens.access_token)).active, false)
    assert.equal((await tryLogin(p, person.user.username, person.user.password)).status, 401)
    const at = await atSecondFactor(p, { ...person.user, password: NEW })
    assert.equal((await typeCode(at, person.code())).status, 303, 'the app is as it was')
    await settle(p)
    assert.match((await lettersTo(email)).at(-1)!.text, /the password was reset by a link/)
  },
)

testOnBoth('an address is found as well as a username, and every account that has it', async (p) => {
  const email = newAddress()
  const people = [await newPerson(p, { email }), await newPerson(p, { email })]
  await ask(p, email.toUpperCase())
  const letters = await lettersTo(email)
  assert.equal(letters.length, 2)
  for (const { user } of people) assert.ok(letters.some(({ text }) => text.includes(user.username)))
})

testOnBoth(
  '6.3.7 an e-mail address is confirmed by a link, for the user who asked, and the former one is told',
  async (p) => {
    const [former, email] = [newAddress(), newAddress()]
    const { user, user_id } = await newPerson(p, { email: former })
    const agent = await signIn(p, user)
    const security = await open(agent, `${p.issuer}/account/security`)
    assert.match(security.html, /Not confirmed/)
    const { response } = await agent.submit(security, { email }, 'Send a link')
    assert.match(await response.text(), new RegExp(`A link is on its way to <bdi>${email}`))
    await settle(p)
    const link = (await mail).linkTo(email)
    const { tenant_id } = p.server.app.tenant
    const stored = async () => (await p.server.store.findUser({ tenant_id, user_id }))!
    const page = await open(agent, link)
    assert.equal((await stored()).email, former, 'to open the link changes nothing')
    const confirmed = await agent.submit(page, {}, 'Confirm')
    assert.match(await confirmed.response.text(), /Your address is confirmed/)
    assert.deepEqual([(await stored()).email, (await stored()).email_verified], [email, 1])
    await settle(p)
    assert.match((await lettersTo(former)).at(-1)!.text, /address was changed to another one/)
    assert.equal((await lettersTo(email)).length, 1)
  },
)

testOnBoth('6.3.7 each change of how one signs in is told by letter', async (p) => {
  const email = newAddress()
  const person = await newPersonWithApp(p, { email })
  const told = async () => {
    await settle(p)
    return (await lettersTo(email)).at(-1)?.text ?? ''
  }
  assert.match(await told(), /an authenticator app was set up/)
  await typeCode(await atSecondFactor(p, person.user), person.recovery_codes[0]!)
  assert.match(await told(), /signed in with one of the recovery codes/)
  const agent = await signInWithApp(p, person)
  const submit = async (holds: string) => agent.submit(await open(agent, `${p.issuer}/account/security`), {}, holds)
  await submit('Make new codes')
  assert.match(await told(), /new recovery codes were made/)
  await submit('Turn off')
  assert.match(await told(), /the authenticator app was turned off/)
  const change = await open(agent, `${p.issuer}/account/security/password`)
  await agent.submit(change, { present_password: person.user.password, password: NEW })
  assert.match(await told(), /the password was changed/)
})

testOnBoth(
  '7.4.3 V9 6.2.2 6.2.3 a password change ends what the user wants ended: other sessions, connected apps, both or none',
  async (p) => {
    for (const [end_sessions, apps] of [
      ['', 'keep'],
      ['yes', 'keep'],
      ['', 'end'],
      ['yes', 'end'],
    ] as const) {
      const { user } = await newPerson(p, { roles: ['member'] })
      const here = await signIn(p, user)
      const there = await signIn(p, user)
      const back = await here.follow(p.authorizeUrl('trusted'))
      const { body: tokens } = await p.exchange('trusted', new URL(back.url).searchParams.get('code')!)
      const page = await open(here, `${p.issuer}/account/security/password`)
      assert.match(page.html, /Sign out everywhere else/)
      assert.match(page.html, /End all of them/)
      const wrong = await here.submit(page, { present_password: 'not this one', password: NEW })
      assert.equal(wrong.response.status, 401)
      const form = { present_password: user.password, password: NEW, end_sessions, apps }
      const { response } = await here.submit(page, form)
      assert.match(await response.text(), /role="status"[\s\S]*Your password is changed/)
      const what = JSON.stringify([end_sessions, apps])
      assert.equal(await isSignedIn(p, here), true, what)
      assert.equal(await isSignedIn(p, there), end_sessions === '', what)
      assert.equal((await p.refresh('trusted', tokens.refresh_token)).status, apps === 'keep' ? 200 : 400, what)
      assert.equal((await tryLogin(p, user.username, user.password)).status, 401)
      assert.equal((await tryLogin(p, user.username, NEW)).status, 303)
    }
  },
)

testOnBoth('6.2.5 6.2.8 a long password counts to its last character, and keeps its case and its form', async (p) => {
  const { user } = await newPerson(p)
  const agent = await signIn(p, user)
  const long = `Ünï ${'the cat sat on the mat, '.repeat(10)}end`
  const page = await open(agent, `${p.issuer}/account/security/password`)
  await agent.submit(page, { present_password: user.password, password: long.normalize('NFD') })
  assert.equal((await tryLogin(p, user.username, long.normalize('NFC'))).status, 303, 'one form of Unicode')
  for (const other of [long.slice(0, -1), `${long.slice(0, 72)}x${long.slice(73)}`, long.toLowerCase(), `${long} `]) {
    assert.equal((await tryLogin(p, user.username, other)).status, 401)
  }
})

test('without a mail server nothing offers what needs one, and says so', async () => {
  const p = await startPlatform()
  try {
    assert.doesNotMatch((await open(new UserAgent(), `${p.issuer}/login`)).html, /Forgot/)
    assert.match((await open(new UserAgent(), `${p.issuer}/reset`)).html, /This server sends no e-mail/)
    const agent = await signIn(p)
    const page = await open(agent, `${p.issuer}/account/security`)
    assert.match(page.html, /an address cannot be confirmed/)
    const form = { csrf_token: csrfOf(page), username: 'alice', email: 'alice@example.test' }
    assert.equal((await post(agent, `${p.issuer}/reset`, form)).status, 404)
    assert.equal((await post(agent, `${p.issuer}/account/security/email`, form)).status, 303)
    assert.equal((await countRows(p.server.store))['one_time_links'] ?? 0, 0)
  } finally {
    await p.stop()
  }
})

test('RFC 3207 a letter goes over an encrypted connection to a known server, or not at all', async () => {
  const server = await mail
  const letter = { lang: 'en', dir: 'ltr', subject: 'x', paragraphs: [], closing: [] } as const
  const send = async (url: string, tls?: { ca: string }) => {
    const mailer = createMailer({ url, from: server.from, ...(tls && { tls }) })
    try {
      await mailer.send('somebody@example.test', letter)
    } finally {
      mailer.close()
    }
  }
  await assert.rejects(send(server.url), /self.signed|certificate/i, 'nobody vouches for its certificate')
  const wrong = server.url.replace(/:[^:@]+@/, ':wrong@')
  await assert.rejects(send(wrong, { ca: server.certificate }), /535|credentials|login/i, 'a password that is wrong')
  assert.equal((await lettersTo('somebody@example.test')).length, 0)
  await server.mailer.send('somebody@example.test', letter)
  assert.equal((await lettersTo('somebody@example.test')).length, 1)
})

testOnBoth('a letter that the server refuses holds nobody up, and is in the log', async (p) => {
  const email = newAddress()
  const { user } = await newPerson(p, { email })
  const server = await mail
  server.refusing = true
  try {
    assert.match(await ask(p, user.username), /Check your e-mail/)
  } finally {
    server.refusing = false
  }
  assert.equal((await lettersTo(email)).length, 0)
  const logged = JSON.stringify(p.server.log.at(-1))
  assert.match(logged, /a letter was not sent/)
  assert.doesNotMatch(logged, /sp_reset_/)
})

testOnBoth('6.5.1 a code that is typed in the digits of an Arabic or Persian keyboard is that code', async (p) => {
  const { user, code } = await newPersonWithApp(p)
  for (const zero of [0x660, 0x6f0]) {
    const at = await atSecondFactor(p, user)
    const typed = [...code()].map((digit) => String.fromCodePoint(zero + Number(digit))).join('')
    assert.equal((await typeCode(at, typed)).status, 303)
    p.pass(30)
  }
})

/** What a page says of its own language: its direction, and whether headers and document agree. */
function languageOf(html: string, response: Response): string {
  const [, lang, dir] = /<html lang="([^"]+)" dir="([^"]+)"/.exec(html)!
  assert.equal(dir, lang === 'ar' ? 'rtl' : 'ltr')
  assert.equal(response.headers.get('content-language'), lang)
  assert.equal(response.headers.get('vary'), 'Accept-Language, Cookie')
  return lang!
}

testOnBoth(
  'OpenID Connect Core 3.1.2.1 pages are in the language that the client asks for, until the person chooses another one',
  async (p) => {
    const { user } = await newPerson(p, { roles: ['member'] })
    const agent = new UserAgent()
    const go = async (at: { url: string; response: Response }) => {
      const html = await at.response.text()
      return { url: at.url, html, lang: languageOf(html, at.response) }
    }
    const init = { headers: { 'accept-language': 'ar;q=0.9, en;q=0.5' } }
    const asked = p.authorizeUrl('web', { ui_locales: 'fr-FR de-CH ar' })
    const login = await go(await agent.follow(asked, init))
    assert.equal(login.lang, 'de')
    const wrong = await go(await agent.submit(login, { username: user.username, password: 'no' }))
    assert.deepEqual(
      [wrong.lang, /Passwort stimmt nicht/.test(wrong.html)],
      ['de', true],
      'it is kept from page to page',
    )
    const chosen = await go(await agent.submit(wrong, { locale: 'ar' }, 'name="locale"'))
    assert.deepEqual([chosen.lang, new URL(chosen.url).search], ['ar', new URL(login.url).search])
    const consent = await go(await agent.submit(chosen, user))
    assert.deepEqual([consent.lang, /name="decision"/.test(consent.html)], ['ar', true])
    const back = await go(await agent.submit(consent, { locale: 'en' }, 'name="locale"'))
    assert.deepEqual(
      [back.lang, /name="decision"/.test(back.html)],
      ['en', true],
      'a choice leads back to where it was made',
    )
    p.pass(2)
    const later = await go(await agent.follow(p.authorizeUrl('web', { ui_locales: 'de' })))
    assert.equal(later.lang, 'de', 'a later request asks for itself')
    const refused = await go(
      await agent.follow(p.authorizeUrl('web', { ui_locales: 'ar', redirect_uri: 'https://x.example' })),
    )
    assert.equal(refused.lang, 'ar', 'so are pages of what is wrong with a request')
    const logout = await go(await agent.follow(`${p.issuer}/logout?ui_locales=ar`))
    assert.equal(logout.lang, 'ar', 'a request to sign out asks as well')
  },
)

testOnBoth('what was pushed says in which language its user is asked', async (p) => {
  const query = Object.fromEntries(new URL(p.authorizeUrl('web', { ui_locales: 'ar' })).searchParams)
  const { body, status } = await p.post('/par', query, 'web')
  assert.equal(status, 201, JSON.stringify(body))
  const reference = { client_id: query['client_id']!, request_uri: body.request_uri as string }
  const url = `${p.issuer}/authorize?${new URLSearchParams(reference)}`
  const agent = new UserAgent()
  const { response } = await agent.follow(url)
  assert.match(await response.text(), /<html lang="ar" dir="rtl"/)
  const known = await signIn(p)
  const again = (await p.post('/par', query, 'web')).body.request_uri as string
  const shown = await known.follow(`${p.issuer}/authorize?${new URLSearchParams({ ...reference, request_uri: again })}`)
  assert.match(await shown.response.text(), /<html lang="ar" dir="rtl"[\s\S]*name="decision"/)
})

testOnBoth(
  'who is signed in chooses a language once, for every browser, for letters and for the claim locale',
  async (p) => {
    const email = newAddress()
    const { user } = await newPerson(p, { roles: ['member'], email })
    const agent = await signIn(p, user)
    const german = { headers: { 'accept-language': 'de-AT' } }
    const account = await agent.request(`${p.issuer}/account`, german)
    const page = { url: `${p.issuer}/account`, html: await account.text() }
    assert.equal(languageOf(page.html, account), 'de')
    const { response } = await agent.submit(page, { locale: 'ar' }, 'name="locale"')
    assert.equal(languageOf(await response.text(), response), 'ar')
    const elsewhere = await signIn(p, user)
    const there = await elsewhere.request(`${p.issuer}/account`, german)
    assert.equal(languageOf(await there.text(), there), 'ar', 'the choice is of the person')
    const { url } = await elsewhere.follow(p.authorizeUrl('trusted', { scope: 'openid profile', resource: undefined }))
    const { body } = await p.exchange('trusted', new URL(url).searchParams.get('code')!)
    assert.equal((await p.userinfo(body.access_token as string)).body['locale'], 'ar')
    await ask(p, user.username)
    const letter = (await lettersTo(email)).at(-1)!
    assert.match(letter.html, /<html lang="ar" dir="rtl">/)
    assert.match(letter.subject, /إعادة تعيين كلمة مرورك/)
    const csrf_token = csrfOf(page)
    const away = await post(elsewhere, `${p.issuer}/language`, {
      csrf_token,
      locale: 'de',
      return_to: 'https://x.example',
    })
    assert.equal(away.status, 403, 'a choice is a form of this browser')
    const off = {
      locale: 'xx',
      return_to: '//x.example/',
      csrf_token: csrfOf({ html: await (await elsewhere.request(page.url)).text() }),
    }
    const nowhere = await post(elsewhere, `${p.issuer}/language`, off)
    assert.deepEqual([nowhere.status, nowhere.headers.get('location')], [303, new URL(`${p.issuer}/account`).pathname])
  },
)

testOnBoth(
  '6.4.1 whoever is invited chooses a first password by a link, once, and has shown the address',
  async (p) => {
    const root = { username: `root${mailboxes}`, password: NEW }
    await p.server.addUser({ ...root, roles: ['administrator'] })
    const admin = await signIn(p, root)
    const email = newAddress()
    const form = await open(admin, `${p.issuer}/admin/users/new`)
    const wrong = await admin.submit(form, { username: email, email: 'nowhere' }, 'name="username"')
    assert.equal(wrong.response.status, 400)
    assert.match(await wrong.response.text(), /is not an address/)
    const made = await admin.submit(form, { username: email, email, 'roles.0': 'member' }, 'name="username"')
    assert.match(await made.response.text(), /A letter with a link/)
    const twice = await admin.submit(form, { username: email, email, 'roles.0': 'member' }, 'name="username"')
    assert.equal(new URL(twice.url).searchParams.get('user_id'), new URL(made.url).searchParams.get('user_id'))
    assert.equal(
      (await admin.submit(form, { username: email, email }, 'name="username"')).response.status,
      400,
      'taken',
    )
    await settle(p)
    const first = (await mail).linkTo(email)
    const invite = async () => {
      await admin.submit(await open(admin, made.url), {}, '/admin/user/invite')
      await settle(p)
      return (await mail).linkTo(email)
    }
    const person = new UserAgent()
    // Whoever presses twice sends two letters, and either works; a later one takes the place of both.
    await invite()
    assert.match((await open(person, first)).html, /Choose your password/)
    p.pass(60)
    const second = await invite()
    assert.doesNotMatch((await open(person, first)).html, /Choose your password/)
    const page = await open(person, second)
    assert.match(page.html, /Choose your password/)
    const done = await person.submit(page, { password: NEW })
    assert.match(await done.response.text(), /Your account is ready/)
    await settle(p)
    assert.equal((await lettersTo(email)).length, 3, 'a first password is no change to be told of')
    assert.doesNotMatch((await open(person, second)).html, /Choose your password/)
    assert.equal((await tryLogin(p, email, NEW)).status, 303)
    const { tenant_id, store } = p.server.app.tenant
    const user = (await store.findUserByUsername({ tenant_id, username_key: email }))!
    assert.deepEqual([user.email_verified, user.roles], [1, '["member"]'])
    const again = await open(admin, made.url)
    assert.doesNotMatch(again.html, /admin\/user\/invite/, 'who has a password asks for another one alone')
  },
)
