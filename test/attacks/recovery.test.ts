import assert from 'node:assert/strict'
import { after } from 'node:test'
import { updateUser } from '../../server/src/inbound/users/administer_users.ts'
import { linkArrival } from '../../server/src/inbound/users/federation.ts'
import { askForReset } from '../../server/src/inbound/users/recovery.ts'
import { newPerson, newPersonWithApp } from '../parts/factors.ts'
import { type MailServer, startMailServer } from '../parts/mail_server.ts'
import { onBothDatabases, type Platform } from '../parts/platform.ts'
import { csrfOf, isSignedIn, open, post, SAME, signIn, tryLogin } from '../parts/sign_in_steps.ts'
import { countRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const mail: Promise<MailServer> = startMailServer()
const testOnBoth = onBothDatabases({ mailer: async () => (await mail).mailer })
after(async () => (await mail).stop())

const NEW = 'a new one of my own'
let mailboxes = 0
const newAddress = () => `victim${mailboxes++}@example.test`
const settle = (p: Platform) => p.server.app.web.inbound.outbox.settle()
const lettersTo = async (email: string) => (await mail).letters.filter(({ to }) => to.includes(email))

async function ask(p: Platform, username: string, headers: Record<string, string> = {}): Promise<Response> {
  const agent = new UserAgent()
  const page = await open(agent, `${p.issuer}/reset`)
  // The limit of an address is not what is looked at here.
  p.pass(3601)
  const fresh = await open(agent, page.url)
  return post(agent, page.url, { csrf_token: csrfOf(fresh), username }, { ...SAME, ...headers })
}

/** Somebody with a mailbox, and the token of the link that was sent there. */
async function withLink(p: Platform) {
  const email = newAddress()
  const person = await newPerson(p, { email })
  await ask(p, person.user.username)
  await settle(p)
  const link = (await mail).linkTo(email)
  return { ...person, email, link, token: new URL(link).searchParams.get('token')! }
}

async function postReset(p: Platform, form: Record<string, string>, agent = new UserAgent()): Promise<number> {
  const page = await open(agent, `${p.issuer}/reset`)
  return (await post(agent, `${p.issuer}/reset/password`, { csrf_token: csrfOf(page), ...form })).status
}

const canSignIn = async (p: Platform, username: string, password: string) =>
  (await tryLogin(p, username, password)).status === 303

testOnBoth(
  '6.3.8 CVE-2026-23511 CVE-2024-41952 who asks for a reset learns nothing: known, unknown, disabled, without address',
  async (p) => {
    const known = await newPerson(p, { email: newAddress() })
    const without = await newPerson(p)
    const disabled = await newPerson(p, { email: newAddress() })
    await p.setDisabled(true, { user_id: disabled.user_id })
    const before = await countRows(p.server.store)
    const seen = new Set<string>()
    const names = [known, without, disabled].map(({ user }) => user.username)
    for (const name of [...names, 'nobody-at-all', 'nobody@example.test', `nul\u0001`, 'x'.repeat(500)]) {
      const response = await ask(p, name)
      const html = await response.text()
      const plain = html.replace(/<strong>.*<\/strong>/, '[name]')
      seen.add(JSON.stringify([response.status, plain, [...response.headers.keys()].sort()]))
    }
    assert.equal(seen.size, 1)
    await settle(p)
    const after = await countRows(p.server.store)
    assert.equal((after['one_time_links'] ?? 0) - (before['one_time_links'] ?? 0), 1)
  },
)

testOnBoth('6.3.8 nothing is looked up before the answer, so that its time tells nothing', async (p) => {
  const { user } = await newPerson(p, { email: newAddress() })
  const store = p.server.store as unknown as Record<string, (args: unknown) => Promise<unknown>>
  const original = store['findUserByUsername']!
  let lookups = 0
  store['findUserByUsername'] = (args) => {
    lookups++
    return original(args)
  }
  try {
    await askForReset(p.server.app.web.inbound, { username: user.username, address: undefined })
    assert.equal(lookups, 0)
    await settle(p)
    assert.equal(lookups, 1)
  } finally {
    store['findUserByUsername'] = original
  }
})

testOnBoth(
  '2.4.1 CVE-2025-64101 a mailbox gets three letters an hour at most, and links of the issuer alone',
  async (p) => {
    const email = newAddress()
    const { user } = await newPerson(p, { email })
    const agent = new UserAgent()
    const page = await open(agent, `${p.issuer}/reset`)
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' }
    p.pass(3601)
    for (let i = 0; i < 6; i++) {
      const form = { csrf_token: csrfOf(page), username: user.username }
      const response = await post(agent, page.url, form, { ...SAME, ...forged })
      assert.equal(response.status, 200, 'who asks too often is told nothing of it')
      await settle(p)
    }
    const letters = await lettersTo(email)
    assert.equal(letters.length, 3)
    for (const { text, html } of letters) {
      assert.ok(text.includes(`${p.issuer}/reset/password?token=`))
      assert.ok(!`${text}${html}`.includes('evil.example'))
    }
  },
)

testOnBoth(
  '6.8.1 whoever leaves a stranger an account with their address does not stay in it beside them',
  async (p) => {
    const { tenant } = p.server.app
    const { tenant_id } = tenant
    const link = (user_id: string, account: string) =>
      linkArrival(tenant, user_id, {
        authority: 'https://other.example',
        account,
        connector: 'acme',
        account_name: null,
      })
    const late = await withLink(p)
    await link(late.user_id, 'late')
    await postReset(p, { token: late.token, password: NEW })
    assert.deepEqual(
      [await canSignIn(p, late.user.username, NEW), await canSignIn(p, late.user.username, late.user.password)],
      [false, true],
    )
    const email = newAddress()
    const { user, user_id } = await newPerson(p, { email })
    await link(user_id, 'early')
    await ask(p, email)
    await settle(p)
    assert.equal((await lettersTo(email)).length, 0)
    const record = (await p.server.store.findUser({ tenant_id, user_id }))!
    await updateUser(tenant, record, { email_verified: true }, { actor: 'cli', changed: ['email_verified'] })
    await ask(p, email)
    await settle(p)
    const token = new URL((await mail).linkTo(email)).searchParams.get('token')!
    await postReset(p, { token, password: NEW })
    assert.equal(
      await canSignIn(p, user.username, NEW),
      true,
      'of an address that was shown to be theirs nothing changes',
    )
  },
)

testOnBoth('2.3.1 CVE-2026-18963 from no state is there a way past the link: state by request', async (p) => {
  type Case = Awaited<ReturnType<typeof withLink>>
  const states: Record<string, (one: Case) => Promise<unknown>> = {
    sent: async () => {},
    opened: (one) => open(new UserAgent(), one.link),
    used: (one) => postReset(p, { token: one.token, password: 'the first new one' }),
    replaced: (one) => ask(p, one.user.username).then(() => settle(p)),
    late: async () => p.pass(901),
    disabled: (one) => p.setDisabled(true, { user_id: one.user_id }),
    moved: (one) => moveMailbox(p, one.user_id),
  }
  const requests: Record<string, (one: Case) => Promise<number>> = {
    'no token': () => postReset(p, { password: NEW }),
    'an empty token': () => postReset(p, { token: '', password: NEW }),
    'a changed token': (one) => postReset(p, { token: `${one.token.slice(0, -2)}AA`, password: NEW }),
    'a token that begins right': (one) => postReset(p, { token: one.token.slice(0, -1), password: NEW }),
    'the username in its place': (one) =>
      postReset(p, { token: one.user.username, username: one.user.username, password: NEW }),
    'no password': (one) => postReset(p, { token: one.token }),
    'a password that is refused': (one) => postReset(p, { token: one.token, password: 'short' }),
    'the right one': (one) => postReset(p, { token: one.token, password: NEW }),
  }
  for (const [state, enter] of Object.entries(states)) {
    for (const [request, send] of Object.entries(requests)) {
      const one = await withLink(p)
      await enter(one)
      const status = await send(one)
      const works = (state === 'sent' || state === 'opened') && request === 'the right one'
      const what = `${state}, ${request}`
      assert.equal(status, works ? 200 : 400, what)
      const { tenant_id } = p.server.app.tenant
      const user = (await p.server.store.findUser({ tenant_id, user_id: one.user_id }))!
      const resets = works || state === 'used' ? 1 : 0
      assert.equal(user.epoch, resets + (state === 'disabled' ? 1 : 0), what)
      // Whoever knows too many tokens that are none has to wait.
      p.pass(601)
    }
  }
})

async function moveMailbox(p: Platform, user_id: string): Promise<void> {
  const { tenant_id } = p.server.app.tenant
  const nothing = {
    name: null,
    email: newAddress(),
    email_verified: false,
    claims: '{}',
    roles: '[]',
    password_hash: null,
  }
  const event = { tenant_id, event_id: `move ${user_id}`, at: p.now(), type: 'user.updated', actor: 'test' }
  await p.server.store.updateUser({ tenant_id, user: { user_id, ...nothing }, event })
}

testOnBoth('6.6.2 a link is its user’s alone, in whatever browser it is opened', async (p) => {
  const victim = await withLink(p)
  const other = await newPersonWithApp(p, { email: newAddress() })
  // In the browser of somebody else it resets whom it was made for.
  await postReset(p, { token: victim.token, password: NEW, username: other.user.username }, other.agent)
  assert.equal(await canSignIn(p, victim.user.username, NEW), true)
  assert.equal(await isSignedIn(p, other.agent), true)
  assert.equal(await canSignIn(p, other.user.username, NEW), false)
  // A link to an address confirms it for whom it was made for, and not for who opens it.
  const mine = await newPerson(p)
  const agent = await signIn(p, mine.user)
  const email = newAddress()
  p.pass(1)
  const page = await open(agent, `${p.issuer}/account/security`)
  await agent.submit(page, { email }, 'Send a link')
  await settle(p)
  const link = (await mail).linkTo(email)
  const token = new URL(link).searchParams.get('token')!
  const thief = await signIn(p, (await newPerson(p)).user)
  assert.match((await open(thief, link)).html, /That link no longer works/)
  const csrf_token = csrfOf(await open(thief, `${p.issuer}/account`))
  const forced = await post(thief, `${p.issuer}/account/security/email/confirm`, { csrf_token, token })
  assert.match(
    (await open(thief, new URL(forced.headers.get('location')!, p.issuer).href)).html,
    /That link no longer works/,
  )
  assert.match((await open(new UserAgent(), link)).url, /\/login\?/, 'nobody who is not signed in')
  assert.equal(await postReset(p, { token, password: NEW }), 400, 'nor is it a reset')
  const { tenant_id } = p.server.app.tenant
  const stored = await p.server.store.findUser({ tenant_id, user_id: mine.user_id })
  assert.deepEqual([stored?.email, stored?.email_verified], [null, 0])
})

testOnBoth('3.5.1 no other site resets a password or asks for one', async (p) => {
  const victim = await withLink(p)
  const agent = new UserAgent()
  const csrf_token = csrfOf(await open(agent, `${p.issuer}/reset`))
  const forms: [string, Record<string, string>, Record<string, string>][] = [
    ['/reset', { csrf_token, username: victim.user.username }, { 'sec-fetch-site': 'cross-site' }],
    ['/reset', { username: victim.user.username }, SAME],
    ['/reset/password', { csrf_token, token: victim.token, password: NEW }, { 'sec-fetch-site': 'cross-site' }],
    ['/reset/password', { token: victim.token, password: NEW }, SAME],
  ]
  for (const [path, form, headers] of forms) {
    assert.equal((await post(agent, p.issuer + path, form, headers)).status, 403, path)
  }
  await settle(p)
  assert.equal((await lettersTo(victim.email)).length, 1)
  assert.equal(await canSignIn(p, victim.user.username, victim.user.password), true)
})

testOnBoth('1.2.5 a name brings no header and no address into a letter', async (p) => {
  const email = newAddress()
  const username = `eve <b>\u202E x ${mailboxes}`
  await p.server.addUser({ username, password: 'correct horse battery', email })
  await ask(p, username)
  await settle(p)
  const [letter, ...more] = await lettersTo(email)
  assert.equal(more.length, 0)
  assert.deepEqual(letter!.to, [email])
  assert.ok(letter!.html.includes('eve &lt;b&gt; x') && !letter!.html.includes('<b>'))
  assert.ok(!letter!.text.includes('\u202E'))
})

testOnBoth('CVE-2026-40574 what is no address, or two in one, is none, whoever says it', async (p) => {
  const email = newAddress()
  const user = { username: `careful ${mailboxes}`, password: 'correct horse battery' }
  const user_id = await p.server.addUser({ ...user, email })
  const agent = await signIn(p, user)
  const csrf_token = csrfOf(await open(agent, `${p.issuer}/account/security`))
  const { tenant_id, store } = p.server.app.tenant
  for (const odd of [
    'a@corp.example@evil.example',
    '"a@corp.example"@evil.example',
    'a@',
    '@b.example',
    'a b@c.example',
    'a@b.example\r\nBcc: c@d.example',
    'a@b.example, c@d.example',
    'a'.repeat(65) + '@b.example',
  ]) {
    const answer = await post(agent, `${p.issuer}/account/security/email`, { csrf_token, email: odd })
    assert.match(
      (await open(agent, new URL(answer.headers.get('location')!, p.issuer).href)).html,
      /That is not an e-mail address/,
      odd,
    )
    await assert.rejects(p.server.addUser({ username: 'nobody yet', email: odd }), /email is not an address/, odd)
  }
  await settle(p)
  assert.deepEqual(await lettersTo(email), [])
  assert.equal((await store.findUser({ tenant_id, user_id }))!.email, email)
})
