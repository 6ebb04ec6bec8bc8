import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { LANGUAGES } from '../pages/sample_view.ts'
import { ALICE, BOB, type Bridge, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { Keyboard } from '../parts/keyboard.ts'
import { Visitor } from '../parts/visitor.ts'
import { startWebApp, type WebApp } from '../parts/web_app.ts'

/** Somebody in two roles. */
const CAROL = { username: 'carol', password: 'keys and no mouse at all' } as const

let running: { browser: Browser; close(): Promise<void> }
let bridge: Bridge
let app: WebApp

before(async () => {
  running = await launchBrowser()
  bridge = await startBridge({ path: '/hub' })
  app = await startWebApp()
  await bridge.server.addRole('clerk', ['api:read'])
  await bridge.server.addUser({
    ...CAROL,
    name: 'Carol Example',
    email: 'carol@example.test',
    roles: ['member', 'clerk'],
  })
  await register('shop')
})
after(async () => {
  await app?.close()
  await bridge?.stop()
  await running?.close()
})

/** A client of its own for a story, so that no consent is remembered from another one. */
async function register(client_id: string, more: Record<string, unknown> = {}): Promise<void> {
  const client_secret = `secret-of-${client_id}`
  await bridge.server.addClient({
    ...{ client_id, client_secret, client_name: 'Corner Shop', redirect_uris: [app.redirect_uri] },
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid email profile offline_access api:read',
    ...more,
  })
  await app.register({ issuer: bridge.issuer, client_id, client_secret })
}

/** A browser at the consent page of a client that nobody knows yet. */
async function atConsent(
  client_id: string,
  user = ALICE as { username: string; password: string },
  query = '',
): Promise<Visitor> {
  await register(client_id)
  const person = await Visitor.open(running.browser)
  await person.visit(`${app.origin}/login?${query}`)
  assert.equal(await person.heading(), 'Sign in')
  await person.signIn(user)
  assert.equal(await person.heading(), 'Allow Corner Shop to use your account?')
  return person
}

/** The living grants of a user at a client. */
async function grantsOf(username: 'alice' | 'bob', client_id: string): Promise<number> {
  const { tenant_id, store } = bridge.server.app.tenant
  const grants = await store.listGrantsOfUser({ tenant_id, user_id: bridge.users[username] })
  return grants.filter((grant) => grant.client_id === client_id).length
}

test('10.7.2 P-24 V-12 the page says who asks, for whom, what for, and where the answer goes', async () => {
  const person = await atConsent('says', ALICE, 'scope=openid+email+offline_access+api:read')
  const page = await person.page.locator('main').innerText()
  for (const words of ['Alice Example', 'Signed in as alice', 'Know who you are', 'e-mail', 'Read your notes']) {
    assert.ok(page.includes(words), words)
  }
  assert.match(page, /While you are away/)
  assert.ok(page.includes(new URL(app.origin).host))
  assert.match(page, /Client ID\s+says/)
  await person.close()
})

test('allow signs the app in, cancel tells it so; both are final', async () => {
  const person = await atConsent('allow')
  await person.press('Allow')
  assert.equal(await person.heading(), 'Signed in as alice')
  assert.equal(await grantsOf('alice', 'allow'), 1)
  await person.close()

  const other = await atConsent('deny')
  await other.press('Cancel')
  assert.equal(await other.heading(), 'Not signed in: access_denied')
  assert.equal(await grantsOf('alice', 'deny'), 0)
  const { error, iss, state } = app.refusals.at(-1)!
  assert.equal(error, 'access_denied')
  assert.equal(iss, bridge.issuer)
  assert.ok(state)
  await other.visit(`${app.origin}/login`)
  assert.equal(await other.heading(), 'Allow Corner Shop to use your account?')
  await other.close()
})

test('“Not you?” leads another person to the same request, and takes nothing from the first', async () => {
  const person = await atConsent('switch')
  await person.press('Not you?')
  assert.equal(await person.heading(), 'Sign in')
  assert.match(await person.page.locator('main').innerText(), /to continue to Corner Shop/)
  await person.signIn(BOB)
  assert.match(await person.page.locator('main').innerText(), /Signed in as bob/)
  await person.press('Allow')
  assert.equal(await person.heading(), 'Signed in as bob')
  assert.equal(await grantsOf('alice', 'switch'), 0)
  await person.close()
})

test('the back button never leads to another account, and brings no second sign-in', async () => {
  const person = await atConsent('back')
  await person.press('Allow')
  assert.equal(await person.heading(), 'Signed in as alice')
  const { length } = app.sign_ins
  for (;;) {
    await person.page.goBack()
    if (person.page.url() === 'about:blank') break
    assert.match(await person.heading(), /^(Signed in as alice|Not signed in: an answer to nothing|Sign in|Allow .*)$/)
    assert.doesNotMatch(await person.page.content(), /bob/i)
  }
  assert.equal(app.sign_ins.length, length)
  await person.close()
})

test('a double click on Allow signs in once', async () => {
  const person = await atConsent('double')
  const { length } = app.sign_ins
  await person.page.getByRole('button', { name: 'Allow' }).dblclick()
  await person.page.waitForURL(`${app.origin}/**`)
  assert.match(await person.heading(), /^Signed in as alice$/)
  assert.equal(app.sign_ins.length, length + 1)
  const { tenant_id, store } = bridge.server.app.tenant
  const grants = await store.listGrantsOfUser({ tenant_id, user_id: bridge.users.alice })
  // What was answered twice was redeemed once; the rest is swept when its code has expired.
  assert.equal(
    grants.filter(({ client_id, last_used_at }) => client_id === 'double' && last_used_at !== null).length,
    1,
  )
  await person.close()
})

test('two tabs at once are two requests, each answered to itself', async () => {
  const first = await atConsent('tabs', ALICE, 'scope=openid+profile')
  const second = await first.openTab()
  await second.visit(`${app.origin}/login?scope=openid+profile+api:read`)
  assert.equal(await second.heading(), 'Allow Corner Shop to use your account?')
  await first.press('Allow')
  assert.equal(await first.heading(), 'Signed in as alice')
  assert.equal(app.sign_ins.at(-1)!.scope, 'openid profile')
  await second.press('Allow')
  assert.equal(await second.heading(), 'Signed in as alice')
  assert.equal(app.sign_ins.at(-1)!.scope, 'openid profile api:read')
  await first.close()
})

for (const known of [false, true]) {
  const before = known ? ', not even where their consent is remembered' : ''
  test(`CVE-2025-12390 a page shown to one user is never answered for another${before}`, async () => {
    const client_id = `shared-${known}`
    if (known) {
      const bob = await atConsent(client_id, BOB)
      await bob.press('Allow')
      await bob.close()
    }
    const first = known ? await Visitor.open(running.browser) : await atConsent(client_id)
    if (known) {
      await first.visit(`${app.origin}/login`)
      await first.signIn(ALICE)
    }
    const second = await first.openTab()
    await second.visit(`${bridge.issuer}/account`)
    await second.press('Sign out')
    await second.press('Sign in again')
    await second.signIn(BOB)
    assert.match(await second.page.locator('main').innerText(), /Bob Example/)

    const { length } = app.sign_ins
    await first.press('Allow')
    assert.equal(await first.heading(), 'Allow Corner Shop to use your account?')
    assert.match(await first.page.locator('main').innerText(), /Signed in as bob/)
    assert.equal(app.sign_ins.length, length)
    assert.equal(await grantsOf('alice', client_id), 0)
    await first.press('Allow')
    assert.equal(await first.heading(), 'Signed in as bob')
    await first.close()
  })
}

test('a page whose session has ended asks to sign in again, and then goes on', async () => {
  const first = await atConsent('ended')
  const second = await first.openTab()
  await second.visit(`${bridge.issuer}/account`)
  await second.press('Sign out')
  await first.press('Allow')
  assert.equal(await first.heading(), 'Sign in')
  await first.signIn(ALICE)
  await first.press('Allow')
  assert.equal(await first.heading(), 'Signed in as alice')
  await first.close()
})

test('GHSA-2ccf-ffrj-m4qw a sign-in page from before another sign-in is not taken, and says why', async () => {
  await register('stale')
  const first = await Visitor.open(running.browser)
  await first.visit(`${app.origin}/login`)
  const second = await first.openTab()
  await second.visit(`${app.origin}/login`)
  await second.signIn(BOB)
  await first.signIn(ALICE)
  assert.equal(await first.heading(), 'Sign in')
  assert.match(await first.page.locator('main').innerText(), /nothing was sent on/)
  await first.signIn(ALICE)
  assert.match(await first.page.locator('main').innerText(), /Signed in as alice/)
  await second.press('Allow')
  assert.match(await second.page.locator('main').innerText(), /Signed in as alice/)
  await first.close()
})

test('an account can be connected on the way, and comes back to the same question', async () => {
  await register('connects')
  const person = await Visitor.open(running.browser)
  // As long as requests get: the way back carries it all.
  const query = new URLSearchParams({
    resource: `${bridge.issuer}/proxy/acme`,
    scope: 'openid',
    ui_hint: 'x'.repeat(2500),
  })
  await person.visit(`${app.origin}/login?${query}`)
  await person.signIn(ALICE)
  assert.match(await person.page.locator('main').innerText(), /Which acme account may Corner Shop use\?\s+None/)
  bridge.foreign.auto_login = 'alice-at-acme'
  await person.press('Connect your acme account')
  assert.equal(await person.heading(), 'Allow Corner Shop to use your account?')
  assert.equal(
    await person.page.locator('input[type=radio]:checked').inputValue(),
    (await bridge.connections())[0]!.connection_id,
  )
  await person.press('Allow')
  assert.match(await person.heading(), /^Signed in|^Failed/)
  const { tenant_id, store } = bridge.server.app.tenant
  const grants = await store.listGrantsOfUser({ tenant_id, user_id: bridge.users.alice })
  assert.ok(grants.find(({ client_id }) => client_id === 'connects')!.connections)
  await person.close()
})

for (const javaScriptEnabled of [true, false]) {
  test(`5.9 form_post goes to the app ${javaScriptEnabled ? 'by itself' : 'by its button, without JavaScript'}`, async () => {
    await register(`post-${javaScriptEnabled}`)
    const person = await Visitor.open(running.browser, { javaScriptEnabled })
    await person.visit(`${app.origin}/login?response_mode=form_post`)
    await person.signIn(ALICE)
    await person.press('Allow')
    if (!javaScriptEnabled) {
      assert.equal(await person.heading(), 'Back to the application')
      await person.press('Continue')
    }
    await person.page.waitForURL(`${app.origin}/callback`)
    assert.equal(await person.heading(), 'Signed in as alice')
    await person.close()
  })
}

test('with the keyboard alone: sign in, leave out what is optional, pick a role, allow', async () => {
  await register('keys', { optional_scope: 'profile email', one_role: true })
  const person = await Visitor.open(running.browser)
  const keys = new Keyboard(person.page)
  await person.visit(`${app.origin}/login?scope=openid+profile+email+api:read`)
  await person.page.waitForFunction(() => document.activeElement?.id === 'username')
  await keys.type('Username or e-mail', CAROL.username)
  await keys.type('Password', CAROL.password)
  await keys.to('Sign in')
  await keys.to('Password', 'Shift+Tab')
  await keys.go('Sign in')
  assert.equal(await person.heading(), 'Allow Corner Shop to use your account?')
  await keys.to('Skip to content')
  await keys.to('Not you?')
  for (const scope of ['See your name and profile Optional', 'See your e-mail address Optional']) {
    await keys.to(scope)
    await keys.press('Space')
  }
  await keys.to('See your name and profile Optional', 'Shift+Tab')
  await keys.press('Space')
  await keys.to('member')
  await keys.press('ArrowDown')
  assert.equal((await keys.at()).name, 'clerk')
  await keys.to('Cancel')
  await keys.go('Allow', 'Space')
  assert.match(await person.heading(), /^Signed in as [\da-f-]{36}$/, 'the name was left out')
  const { scope, access_token } = app.sign_ins.at(-1)!
  assert.equal(scope, 'openid email api:read')
  assert.deepEqual(JSON.parse(atob(access_token.split('.')[1]!)).roles, ['clerk'])
  await person.close()
})

test('with the keyboard alone, from right to left: type the code of a device, compare it, allow', async () => {
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
  const client_id = 'tv'
  await bridge.server.addClient({
    ...{ client_id, client_name: 'Big Television', token_endpoint_auth_method: 'none', scope: 'openid api:read' },
    ...{ grant_types: [grant_type], redirect_uris: [] },
  })
  const ask = async (path: string, form: Record<string, string>) => {
    const body = new URLSearchParams({ client_id, ...form })
    return (await fetch(bridge.issuer + path, { method: 'POST', body })).json() as Promise<Record<string, string>>
  }
  const { device_code, user_code } = await ask('/device_authorization', { scope: 'openid api:read' })
  const { login, device, layout } = LANGUAGES.find('ar')!.text
  const person = await Visitor.open(running.browser, { locale: 'ar' })
  const keys = new Keyboard(person.page)
  await person.visit(`${bridge.issuer}/device`)
  await keys.type(login.username, CAROL.username)
  await keys.type(login.password, CAROL.password)
  await keys.go(login.submit)
  await keys.type(device.user_code, user_code!.toLowerCase().replace('-', ' '))
  await keys.go(device.go_on)
  assert.match(await person.page.locator('main').innerText(), new RegExp(user_code!))
  await keys.to(layout.skip)
  await keys.to(device.cancel)
  await keys.go(device.allow)
  assert.match(await person.heading(), /Big Television/)
  assert.ok((await ask('/token', { grant_type, device_code: device_code! }))['access_token'])
  await person.close()
})

// The last one: it moves the clock.
test('a request that is an hour old has expired: nothing is allowed, and it can be started again', async () => {
  const person = await atConsent('old')
  bridge.clock.offset += 61 * 60_000
  await person.press('Allow')
  assert.equal(await person.heading(), 'This page has expired')
  assert.equal(await grantsOf('alice', 'old'), 0)
  await person.press('Start again')
  if ((await person.heading()) === 'Sign in') await person.signIn(ALICE)
  await person.press('Allow')
  assert.equal(await person.heading(), 'Signed in as alice')
  await person.close()
})
