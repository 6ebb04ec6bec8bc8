import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { askToSignUp, signUp } from '../../server/src/inbound/users/sign_up.ts'
import { newPerson } from '../parts/factors.ts'
import { type MailServer, startMailServer } from '../parts/mail_server.ts'
import { ALICE, onBothDatabases, type Platform, startPlatform } from '../parts/platform.ts'
import { csrfOf, isSignedIn, open, post, SAME, tryLogin } from '../parts/sign_in_steps.ts'
import { countRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const mail: Promise<MailServer> = startMailServer()
const testOnBoth = onBothDatabases({ mailer: async () => (await mail).mailer })
after(async () => (await mail).stop())

const PASSWORD = 'a long one of my own'
let people = 0
const newName = () => `newcomer${people++}`
const newAddress = () => `${newName()}@example.test`
const settle = (p: Platform) => p.server.app.web.inbound.outbox.settle()
const lettersTo = async (email: string) => (await mail).letters.filter(({ to }) => to.includes(email))
const signUpPage = (p: Platform, agent: UserAgent) => open(agent, `${p.issuer}/sign_up`)

/** The user of a name, if there is one. */
function findMade(p: Platform, username: string) {
  const { tenant_id } = p.server.app.tenant
  return p.server.store.findUserByUsername({ tenant_id, username_key: username })
}

/** Asks for a link to an address, and answers what the page said. */
async function ask(p: Platform, email: string, agent = new UserAgent(), url = `${p.issuer}/sign_up`) {
  const { response } = await agent.submit(await open(agent, url), { email })
  const html = await response.text()
  await settle(p)
  return { status: response.status, html }
}

testOnBoth('with sign_up: open whoever comes makes an account without a role, and is signed in', async (p) => {
  await p.server.saveSettings({ sign_up: 'open' })
  const agent = new UserAgent()
  const login = await open(agent, `${p.issuer}/login`)
  const href = /href="([^"]*\/sign_up[^"]*)"/.exec(login.html)![1]!
  const page = await open(agent, new URL(href.replaceAll('&amp;', '&'), p.issuer).href)
  const [username, email] = [newName(), newAddress()]
  const { url, response } = await agent.submit(page, { username, name: 'New Comer', email, password: PASSWORD })
  assert.deepEqual([new URL(url).pathname, response.status], ['/hub/account', 200])
  assert.equal(await isSignedIn(p, agent), true)
  const user = (await findMade(p, username))!
  assert.deepEqual([user.name, user.roles, user.email, user.email_verified], ['New Comer', '[]', email, 0])
  const { tenant_id } = p.server.app.tenant
  const events = await p.server.store.pageEvents({
    tenant_id,
    before_event_id: '~',
    type: 'user.created',
    actor: 'sign_up',
    most: 1,
  })
  assert.equal(events[0]?.user_id, user.user_id)
  // What was only typed is nobody's address until its letter is answered.
  await settle(p)
  const link = (await mail).linkTo(email)
  assert.ok(link.startsWith(`${p.issuer}/account/security/email/confirm?token=`))
  const { response: confirmed } = await agent.submit(await open(agent, link), {}, 'Confirm')
  assert.match(await confirmed.text(), /Your address is confirmed/)
  assert.equal((await tryLogin(p, username, PASSWORD)).status, 303)
  await p.server.saveSettings({})
})

testOnBoth('6.2.1 6.2.4 what is typed wrongly is told at its field, and no account is made', async (p) => {
  await p.server.saveSettings({ sign_up: 'open', password_min_length: 10 })
  const taken = await newPerson(p)
  const agent = new UserAgent()
  const page = await signUpPage(p, agent)
  const username = newName()
  for (const [what, form, said] of [
    ['without username', { password: PASSWORD }, /This is needed/],
    ['without password', { username }, /This is needed/],
    ['a taken name, however it is spelled', { username: taken.user.username.toUpperCase() }, /This username is taken/],
    ['a short password', { username, password: 'ninechars' }, /Use at least 10 characters/],
    ['a password that is guessed first', { username, password: 'password1234' }, /would be guessed first/],
    ['the name as password', { username: 'kolibri-kolibri', password: 'kolibri-kolibri' }, /would be guessed first/],
    ['no address', { username, email: 'nowhere' }, /That is not an e-mail address/],
    ['an address as name', { username: newAddress() }, /A username has .* no @/],
    ['what is read as one', { username: 'eve\uff20example.test' }, /A username has .* no @/],
    ['a name with a control character', { username: 'a\u0007b' }, /A username has /],
    ['a name that looks like another', { username: `${taken.user.username}\u200b` }, /A username has /],
    ['a name that turns the text around', { username: 'a\u202enimda' }, /A username has /],
    ['a name without characters', { username: ' \u3000 ' }, /A username has /],
  ] as const) {
    const before = await countRows(p.server.store)
    const { response } = await agent.submit(page, {
      ...(what.startsWith('without ') ? {} : { password: PASSWORD }),
      ...form,
    })
    const html = await response.text()
    assert.equal(response.status, 400, what)
    assert.match(html, said, what)
    assert.ok(!html.includes(PASSWORD), what)
    assert.equal((await countRows(p.server.store))['users'], before['users'], what)
    p.pass(3601)
  }
  await p.server.saveSettings({})
})

testOnBoth('6.6.2 with sign_up: verified an account begins with a link to its address, which works once', async (p) => {
  await p.server.saveSettings({ sign_up: 'verified' })
  const agent = new UserAgent()
  const email = newAddress()
  const { html } = await ask(p, email, agent)
  assert.match(html, new RegExp(`Check your e-mail[\\s\\S]*<bdi>${email}`))
  assert.equal(await findMade(p, email), null)
  const link = (await mail).linkTo(email)
  const page = await open(agent, link)
  assert.ok(page.html.includes(email))
  const weak = await agent.submit(page, { password: email })
  assert.match(await weak.response.text(), /would be guessed first/)
  const { url } = await agent.submit(page, {
    name: 'Ada',
    password: PASSWORD,
    email: 'other@example.test',
    username: 'root',
  })
  assert.equal(new URL(url).pathname, '/hub/account')
  const user = (await findMade(p, email))!
  assert.deepEqual([user.username, user.email, user.email_verified, user.name], [email, email, 1, 'Ada'])
  assert.equal((await tryLogin(p, email.toUpperCase(), PASSWORD)).status, 303)
  // Once more, by somebody who found the letter.
  const thief = new UserAgent()
  const again = await thief.submit(await open(thief, link), { password: 'another one of theirs' })
  assert.match(await again.response.text(), /This link no longer works/)
  assert.equal((await tryLogin(p, email, 'another one of theirs')).status, 401)
  for (const token of ['', 'sp_sign_up_AAAA', `${new URL(link).searchParams.get('token')}A`]) {
    assert.match(
      (await open(thief, `${p.issuer}/sign_up/account?token=${token}`)).html,
      /This link no longer works/,
      token,
    )
  }
  const late = newAddress()
  await ask(p, late)
  p.pass(901)
  assert.match((await open(thief, (await mail).linkTo(late))).html, /This link no longer works/)
  await p.server.saveSettings({})
})

testOnBoth(
  '6.3.8 an address that has an account gets a letter that says so; page, rows and work are alike',
  async (p) => {
    await p.server.saveSettings({ sign_up: 'verified' })
    const known = newAddress()
    const { user } = await newPerson(p, { email: known })
    const before = await countRows(p.server.store)
    const seen = new Set<string>()
    for (const email of [known, known.toUpperCase(), newAddress()]) {
      const agent = new UserAgent()
      const page = await signUpPage(p, agent)
      const response = await post(agent, page.url, { csrf_token: csrfOf(page), email })
      const plain = (await response.text()).replace(/<strong>.*<\/strong>/, '[email]')
      seen.add(JSON.stringify([response.status, plain, [...response.headers.keys()].sort()]))
      await settle(p)
    }
    assert.equal(seen.size, 1)
    const after = await countRows(p.server.store)
    for (const table of ['users', 'one_time_links', 'events']) assert.equal(after[table], before[table], table)
    const store = p.server.store as unknown as Record<string, (args: unknown) => Promise<unknown>>
    const original = store['findUsersByEmail']!
    let lookups = 0
    store['findUsersByEmail'] = (args) => {
      lookups++
      return original(args)
    }
    try {
      await askToSignUp(p.server.app.web.inbound, { email: known, address: undefined, query: {} })
      assert.equal(lookups, 0, 'nothing is looked up before the answer, so that its time tells nothing')
      await settle(p)
      assert.equal(lookups, 1)
    } finally {
      store['findUsersByEmail'] = original
    }
    const [letter] = await lettersTo(known)
    assert.ok(letter!.text.includes(user.username) && !letter!.text.includes('sp_sign_up_'))
    await p.server.saveSettings({})
  },
)

testOnBoth('1.3.11 an address that could be read as another one gets no letter', async (p) => {
  await p.server.saveSettings({ sign_up: 'verified' })
  const before = (await mail).letters.length
  for (const email of [
    '<eve@example.test>',
    'eve(comment)@example.test',
    '"eve"@example.test',
    'eve\\@example.test',
    'a:eve@example.test',
    '=?utf-8?q?eve=40example.test=3e?=@example.org',
    'eve@[127.0.0.1]',
    'eve@example.test.',
    'eve@example\u3002test',
    '\uff45ve@example.test',
    'eve\u200b@example.test',
    'eve@exam\u00adple.test',
    'eve\u2028@example.test',
  ]) {
    p.pass(3601)
    const { status, html } = await ask(p, email)
    assert.equal(status, 400, email)
    assert.match(html, /That is not an e-mail address/, email)
  }
  assert.equal((await mail).letters.length, before)
  for (const email of [`o'brien+${newName()}@example.test`, `${newName()}@müller.test`]) {
    const { length } = (await mail).letters
    await ask(p, email)
    assert.equal((await mail).letters.length, length + 1, email)
  }
  await p.server.saveSettings({})
})

testOnBoth('15.4.2 of 16 who take one name in the same moment one has it', async (p) => {
  await p.server.saveSettings({ sign_up: 'open' })
  const { tenant, web } = p.server.app
  const configuration = await tenant.currentConfiguration()
  const name = newName()
  const take = (i: number) => {
    const person = {
      username: i % 2 ? name : name.toUpperCase(),
      name: undefined,
      email: undefined,
      password: PASSWORD,
    }
    return signUp(web.inbound, configuration, { ...person, email_verified: false, address: `198.51.100.${i}` })
  }
  const came = await Promise.all(Array.from({ length: 16 }, (_, i) => take(i)))
  assert.equal(came.filter((one) => one !== 'taken').length, 1)
  await p.server.saveSettings({})
})

testOnBoth('8.3.2 whose account is disabled gets no second one by its address', async (p) => {
  await p.server.saveSettings({ sign_up: 'verified' })
  const email = newAddress()
  const { user_id, user } = await newPerson(p, { email })
  await p.setDisabled(true, { user_id })
  await ask(p, email)
  const [letter] = await lettersTo(email)
  assert.ok(letter!.text.includes(user.username) && !letter!.text.includes('sp_sign_up_'))
  await p.server.saveSettings({})
})

testOnBoth('OpenID Connect Prompt Create prompt=create leads to a new account and back to the client', async (p) => {
  const create = { prompt: 'create', login_hint: 'somebody@example.test' }
  const discovered = async () =>
    (await (await fetch(`${p.issuer}/.well-known/openid-configuration`)).json()).prompt_values_supported
  assert.ok(!(await discovered()).includes('create'))
  const off = new URL((await new UserAgent().follow(p.authorizeUrl('trusted', create))).url).searchParams
  assert.equal(off.get('error'), 'invalid_request')
  assert.match(off.get('error_description')!, /^Parameter prompt may hold only none, login/)
  for (const sign_up of ['open', 'verified']) {
    await p.server.saveSettings({ sign_up })
    assert.ok((await discovered()).includes('create'), sign_up)
    const both = new URL((await new UserAgent().follow(p.authorizeUrl('trusted', { prompt: 'create none' }))).url)
    assert.equal(both.searchParams.get('error'), 'invalid_request', sign_up)
    const agent = new UserAgent()
    // Whoever is signed in already wants another account.
    if (sign_up === 'open') await agent.authorize(p.authorizeUrl('trusted'), ALICE)
    const at = await agent.follow(p.authorizeUrl('trusted', create))
    assert.equal(new URL(at.url).pathname, '/hub/sign_up', sign_up)
    const html = await at.response.text()
    assert.match(html, /value="somebody@example.test"/)
    const name = sign_up === 'open' ? newName() : newAddress()
    const form = sign_up === 'open' ? { username: name, email: '', password: PASSWORD } : { email: name }
    let back = await agent.submit({ url: at.url, html }, form)
    if (sign_up === 'verified') {
      await settle(p)
      back = await agent.submit(await open(agent, (await mail).linkTo(name)), { password: PASSWORD })
    }
    const code = new URL(back.url).searchParams.get('code')!
    const { body } = await p.exchange('trusted', code)
    const sub = JSON.parse(Buffer.from(body.id_token.split('.')[1], 'base64url').toString()).sub
    assert.equal(sub, (await findMade(p, name))!.user_id, sign_up)
  }
  await p.server.saveSettings({})
})

testOnBoth(
  'OpenID Connect Prompt Create who has an account signs in instead; another browser gets no code',
  async (p) => {
    await p.server.saveSettings({ sign_up: 'verified' })
    const { user } = await newPerson(p)
    const agent = new UserAgent()
    const at = await open(agent, p.authorizeUrl('trusted', { prompt: 'create' }))
    const login = /href="([^"]*)">I have an account/.exec(at.html)![1]!.replaceAll('&amp;', '&')
    const back = await agent.submit(await open(agent, new URL(login, p.issuer).href), user)
    assert.ok(new URL(back.url).searchParams.has('code'))
    const email = newAddress()
    const began = new UserAgent()
    await ask(p, email, began, p.authorizeUrl('trusted', { prompt: 'create' }))
    const phone = new UserAgent()
    const there = await phone.submit(await open(phone, (await mail).linkTo(email)), { password: PASSWORD })
    assert.equal(new URL(there.url).pathname, '/hub/account')
    assert.equal(await isSignedIn(p, began), false)
    await p.server.saveSettings({})
  },
)

testOnBoth('6.3.3 where everybody needs a second factor, a new account begins with it', async (p) => {
  await p.server.saveSettings({ sign_up: 'open', mfa: 'required' })
  const agent = new UserAgent()
  const { url } = await agent.submit(await signUpPage(p, agent), { username: newName(), password: PASSWORD })
  assert.equal(new URL(url).pathname, '/hub/login/enrol')
  assert.equal(await isSignedIn(p, agent), false)
  await p.server.saveSettings({})
})

testOnBoth('2.4.1 an address asks for 20 accounts or letters in an hour, and a mailbox gets three', async (p) => {
  await p.server.saveSettings({ sign_up: 'open' })
  p.pass(3601)
  const agent = new UserAgent()
  const page = await signUpPage(p, agent)
  const taken = await newPerson(p)
  const form = { csrf_token: csrfOf(page), username: taken.user.username, password: PASSWORD }
  const statuses: number[] = []
  for (let i = 0; i < 21; i++) statuses.push((await post(agent, page.url, form)).status)
  assert.deepEqual(statuses, [...Array(20).fill(400), 429])
  await p.server.saveSettings({ sign_up: 'verified' })
  p.pass(3601)
  const email = newAddress()
  for (let i = 0; i < 5; i++)
    assert.equal((await ask(p, email)).status, 200, 'who asks too often is told nothing of it')
  assert.equal((await lettersTo(email)).length, 3)
  const [local, domain] = email.split('@') as [string, string]
  const before = (await mail).letters.length
  for (const spelling of [`${local}+1@${domain}`, `${local}+2@${domain.toUpperCase()}`, email.toUpperCase()]) {
    assert.equal((await ask(p, spelling)).status, 200)
  }
  assert.equal((await mail).letters.length, before, 'however the address is spelled')
  await p.server.saveSettings({})
  p.pass(3601)
})

testOnBoth('B-09 no other site makes an account, and none is made where sign_up is off', async (p) => {
  const agent = new UserAgent()
  const csrf_token = csrfOf(await open(agent, `${p.issuer}/login`))
  const username = newName()
  for (const path of ['/sign_up', '/sign_up/account']) {
    const form = { csrf_token, username, email: 'x@example.test', password: PASSWORD, token: 'sp_sign_up_AAAA' }
    assert.equal((await open(agent, p.issuer + path)).status, 404, path)
    assert.equal((await post(agent, p.issuer + path, form)).status, 404, path)
  }
  assert.ok(!(await open(agent, `${p.issuer}/login`)).html.includes('/sign_up'))
  await p.server.saveSettings({ sign_up: 'open' })
  const form = { username, password: PASSWORD }
  for (const [headers, more] of [
    [{ 'sec-fetch-site': 'cross-site' }, { csrf_token }],
    [SAME, {}],
  ] as const) {
    assert.equal((await post(agent, `${p.issuer}/sign_up`, { ...form, ...more }, headers)).status, 403)
  }
  assert.equal(await findMade(p, username), null)
  await p.server.saveSettings({})
})

test('without e-mail, sign_up: verified is off', async (t) => {
  const p = await startPlatform()
  t.after(() => p.stop())
  await p.server.saveSettings({ sign_up: 'verified' })
  assert.equal((await open(new UserAgent(), `${p.issuer}/sign_up`)).status, 404)
  const metadata = await (await fetch(`${p.issuer}/.well-known/openid-configuration`)).json()
  assert.ok(!metadata.prompt_values_supported.includes('create'))
})
