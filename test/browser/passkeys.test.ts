import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { checkLogin } from '../../server/src/inbound/users/check_login.ts'
import { Authenticator } from '../parts/authenticator.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { type MailServer, startMailServer } from '../parts/mail_server.ts'
import { ALICE } from '../parts/platform.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { Visitor } from '../parts/visitor.ts'

let running: { browser: Browser; close(): Promise<void> }
let server: TestServer
let mail: MailServer

before(async () => {
  running = await launchBrowser()
  mail = await startMailServer()
  server = await startSallyport({ host: 'localhost', path: '/hub', app: { mailer: mail.mailer } })
})
after(async () => {
  await server?.stop()
  await mail?.stop()
  await running?.close()
})

let users = 0
/** Somebody of their own at the page about signing in, with a key that is not set up yet. */
async function atSecurity(options: { synced?: boolean; javaScriptEnabled?: boolean } = {}) {
  const user = { username: `alice${users++}`, password: ALICE.password }
  const user_id = await server.addUser({ ...user, email: 'alice@example.test' })
  const { synced, ...rest } = options
  const person = await Visitor.open(running.browser, rest)
  const key = await Authenticator.in(person.page, synced === undefined ? {} : { synced })
  await person.visit(`${server.issuer}/account/security`)
  await person.signIn(user)
  assert.equal(await person.heading(), 'Sign-in and security')
  return { user, user_id, person, key }
}

/** The same with a passkey, its recovery codes kept. */
async function withPasskey(options: { synced?: boolean } = {}) {
  const one = await atSecurity(options)
  await one.person.fill('name', 'Work laptop')
  await one.key.whileTouched(async () => {
    await one.person.press('Add a passkey')
    await one.person.page.waitForURL('**/passkeys')
  })
  assert.equal(await one.person.heading(), 'Keep your recovery codes')
  return one
}

async function signOut(person: Visitor): Promise<void> {
  await person.press('Sign out')
  await person.visit(`${server.issuer}/account`)
  assert.equal(await person.heading(), 'Sign in')
}

const sessionsOf = (user_id: string) =>
  server.store.driver.exclusively((session) =>
    session.query(`select acr, amr from sessions where user_id = '${user_id}' and ended_at is null`),
  )

test('6.3.3 a passkey is made on the account page and signs in without a username', async () => {
  const { person, key, user_id } = await withPasskey()
  await person.press('I have kept them')
  const page = await person.page.locator('main').innerText()
  for (const words of ['Work laptop', 'On one device', 'never used', '10 codes left'])
    assert.ok(page.includes(words), words)
  const [made] = await key.keys()
  assert.equal(made!.isResidentCredential, true)
  assert.equal(made!.rpId, 'localhost')
  assert.ok(!Buffer.from(made!.userHandle!, 'base64').toString('latin1').includes('alice'), 'the handle names nobody')
  await signOut(person)
  await key.whileTouched(async () => {
    await person.press('Sign in with a passkey')
    await person.page.waitForURL('**/account')
  })
  assert.equal(await person.heading(), 'Your account')
  assert.deepEqual({ ...(await sessionsOf(user_id))[0] }, { acr: 'phr', amr: '["hwk","user","mfa"]' })
  await person.close()
})

test('6.1.1 whoever guesses at the password does not hold up the passkey', async () => {
  const { user, person, key } = await withPasskey()
  await person.press('I have kept them')
  await signOut(person)
  const guess = () => checkLogin(server.app.web.inbound, { username: user.username, password: 'guessed' })
  for (let i = 0; i < 10; i++) assert.equal((await guess()).kind, 'refused')
  assert.equal((await guess()).kind, 'too_many')
  await key.whileTouched(async () => {
    await person.press('Sign in with a passkey')
    await person.page.waitForURL('**/account')
  })
  assert.equal(await person.heading(), 'Your account')
  assert.equal((await guess()).kind, 'too_many', 'nor does the passkey help whoever guesses')
  await person.close()
})

test('conditional mediation offers passkeys where the username is typed', async () => {
  const { person, key } = await withPasskey({ synced: true })
  await person.press('I have kept them')
  assert.ok((await person.page.locator('main').innerText()).includes('On your devices'))
  await person.press('Sign out')
  await key.whileTouched(async () => {
    await person.visit(`${server.issuer}/account`)
    await person.page.waitForURL('**/account')
  })
  assert.equal(await person.heading(), 'Your account')
  await person.close()
})

test('6.3.4 whoever has a passkey is asked for it after the password', async () => {
  const { person, key, user } = await withPasskey()
  const codes = await person.page.locator('.recovery_codes code').allInnerTexts()
  assert.equal(codes.length, 10)
  await person.press('I have kept them')
  await signOut(person)
  await person.signIn(user)
  assert.equal(await person.heading(), 'One more step')
  await person.visit(`${server.issuer}/account`)
  assert.equal(await person.heading(), 'Sign in', 'the password alone is no session')
  await person.signIn(user)
  await key.whileTouched(async () => {
    await person.press('Confirm with a passkey')
    await person.page.waitForURL('**/account')
  })
  await signOut(person)
  await person.signIn(user)
  await person.fill('code', codes[3]!.toLowerCase().replaceAll('-', ' '))
  await person.press('Continue')
  assert.equal(await person.heading(), 'Your account', 'a recovery code does as well')
  await person.close()
})

test('a passkey whose owner is not verified is refused, and says what to do', async () => {
  const { person, key } = await withPasskey()
  await person.press('I have kept them')
  await signOut(person)
  await key.setVerified(false)
  await key.whileTouched(async () => {
    await person.press('Sign in with a passkey')
    await person.page.getByText('That did not work').waitFor()
  })
  assert.equal(await person.heading(), 'Sign in')
  await key.setVerified(true)
  await key.whileTouched(async () => {
    await person.press('Sign in with a passkey')
    await person.page.waitForURL('**/account')
  })
  await person.close()
})

test('WebAuthn 6.1.1 a copy of a key whose counter stood still is refused', async () => {
  const { person, key } = await withPasskey()
  await person.press('I have kept them')
  const [copied] = await key.keys()
  await signOut(person)
  await key.whileTouched(async () => {
    await person.press('Sign in with a passkey')
    await person.page.waitForURL('**/account')
  })
  const thief = await Visitor.open(running.browser)
  const copy = await Authenticator.in(thief.page)
  await copy.put({ ...copied!, signCount: 0 })
  await thief.visit(`${server.issuer}/login`)
  await copy.whileTouched(async () => {
    await thief.press('Sign in with a passkey')
    await thief.page.getByText('This passkey was not accepted').waitFor()
  })
  await thief.close()
  await person.close()
})

test('without JavaScript the page offers everything but passkeys', async () => {
  const { person } = await atSecurity({ javaScriptEnabled: false })
  assert.equal(await person.page.getByRole('button', { name: 'Add a passkey' }).isVisible(), false)
  assert.ok((await person.page.locator('main').innerText()).includes('this browser must know passkeys'))
  await person.visit(`${server.issuer}/login?again=yes`)
  assert.equal(await person.page.getByRole('button', { name: /passkey/ }).isVisible(), false)
  assert.equal(await person.heading(), 'Confirm that it is you')
  await person.close()
})

test('6.6.2 without script a link signs in where it was asked for; opened elsewhere its code does', async () => {
  await server.saveSettings({ sign_in_link: true })
  const user = { username: 'reader', password: ALICE.password, email: 'reader@example.test' }
  await server.addUser({ ...user, email_verified: true })
  const withoutScript = { javaScriptEnabled: false, viewport: { width: 320, height: 640 } }
  const [person, phone] = await Promise.all([1, 2].map(() => Visitor.open(running.browser, withoutScript)))
  const ask = async () => {
    await person!.visit(`${server.issuer}/account`)
    await person!.fill('username', user.username)
    // The field of the password is empty, and must be filled for the other button alone.
    await person!.press('E-mail me a link instead')
    assert.equal(await person!.heading(), 'Check your e-mail')
    await server.app.web.inbound.outbox.settle()
    return mail.linkTo(user.email)
  }
  await person!.visit(await ask())
  assert.equal(await person!.heading(), `Sign in as ${user.username}?`)
  await person!.press('Sign in')
  assert.equal(await person!.heading(), 'Your account')
  await signOut(person!)
  await phone!.visit(await ask())
  assert.equal(await phone!.heading(), 'Your code')
  await person!.fill('code', await phone!.page.locator('.user-code').innerText())
  await person!.press('Sign in')
  assert.equal(await person!.heading(), 'Your account')
  await phone!.visit(`${server.issuer}/account`)
  assert.equal(await phone!.heading(), 'Sign in')
  assert.deepEqual([person!.complaints, phone!.complaints], [[], []])
  await Promise.all([person!.close(), phone!.close()])
  await server.saveSettings({})
})
