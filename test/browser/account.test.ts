import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oauth from 'openid-client'
import type { Browser } from 'playwright-core'
import { ALICE, type Bridge, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { Keyboard } from '../parts/keyboard.ts'
import { Visitor } from '../parts/visitor.ts'
import { startWebApp, type WebApp, type WebAppTokens } from '../parts/web_app.ts'

let running: { browser: Browser; close(): Promise<void> }
let bridge: Bridge
let app: WebApp
let config: oauth.Configuration

before(async () => {
  running = await launchBrowser()
  bridge = await startBridge({ path: '/hub' })
  bridge.foreign.auto_login = 'alice-at-acme'
  app = await startWebApp()
  const client = { client_id: 'shop', client_secret: 'secret-of-shop' }
  await bridge.server.addClient({
    ...{ ...client, client_name: 'Corner Shop', redirect_uris: [app.redirect_uri] },
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    scope: 'openid email profile offline_access api:read',
  })
  config = await app.register({ issuer: bridge.issuer, ...client })
})
after(async () => {
  await app?.close()
  await bridge?.stop()
  await running?.close()
})

/** A browser on the account page, with the app allowed and an account connected that it may use. */
async function atAccount(
  options: { javaScriptEnabled?: boolean } = {},
): Promise<{ person: Visitor; tokens: WebAppTokens }> {
  const person = await Visitor.open(running.browser, options)
  await person.visit(`${bridge.issuer}/account`)
  await person.signIn(ALICE)
  if ((await bridge.connections()).length === 0) {
    await person.press('Connect acme')
    assert.equal(await person.heading(), 'Your account')
  }
  const query = new URLSearchParams([
    ['scope', 'openid offline_access api:read'],
    ['resource', bridge.issuer],
    ['resource', `${bridge.issuer}/proxy/acme`],
    ['prompt', 'consent'],
  ])
  await person.visit(`${app.origin}/login?${query}`)
  await person.press('Allow')
  assert.match(await person.heading(), /^Signed in as /)
  await person.visit(`${bridge.issuer}/account`)
  return { person, tokens: app.sign_ins.at(-1)! }
}

const isActive = async (token: string) => (await oauth.tokenIntrospection(config, token)).active

/** Both directions, as the app finds them. */
async function rights(tokens: WebAppTokens): Promise<{ active: boolean; refresh: boolean; proxy: number }> {
  const proxied = await bridge.get('/proxy/acme/me', tokens.access_token)
  const refresh = await oauth.refreshTokenGrant(config, tokens.refresh_token!).then(
    (renewed) => Object.assign(tokens, { refresh_token: renewed.refresh_token }),
    () => null,
  )
  return { active: await isActive(tokens.access_token), refresh: refresh !== null, proxy: proxied.status }
}

test('the page shows who may do what, through which account', async () => {
  const { person } = await atAccount()
  const page = await person.page.locator('main').innerText()
  for (const words of [
    ...['Alice Example', 'Corner Shop', 'Read your notes', 'Stay connected while you are away'],
    ...['uses your acme account alice-at-acme@foreign.example', 'Used by Corner Shop', 'Chrome on Linux', 'This one'],
  ]) {
    assert.ok(page.replaceAll(/\s+/g, ' ').includes(words), `${words} in ${page}`)
  }
  await person.close()
})

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? '' : ', without JavaScript'
  test(`10.4.9 10.7.3 an app that is removed loses both directions at once${how}`, async () => {
    const { person, tokens } = await atAccount({ javaScriptEnabled })
    assert.deepEqual(await rights(tokens), { active: true, refresh: true, proxy: 200 })
    await person.press('Remove access')
    const question = await person.page.locator('[popover]:popover-open').innerText()
    assert.match(question, /Remove access of Corner Shop\?/)
    assert.match(question, /can no longer use the accounts that you connected/)
    await person.press('Keep')
    assert.equal(await isActive(tokens.access_token), true)
    await person.press('Remove access')
    await person.page.locator('[popover]:popover-open').getByRole('button', { name: 'Remove access' }).click()
    await person.page.waitForLoadState()
    assert.match(await person.page.locator('main').innerText(), /No app can use your account/)
    assert.deepEqual(await rights(tokens), { active: false, refresh: false, proxy: 401 })
    await person.visit(`${app.origin}/login`)
    assert.equal(await person.heading(), 'Allow Corner Shop to use your account?', 'the consent is forgotten as well')
    await person.close()
  })
}

test('with the keyboard alone an app is removed: Escape takes the question away and leads back to its button', async () => {
  const { person, tokens } = await atAccount()
  const keys = new Keyboard(person.page)
  const asked = () => person.page.locator('[popover]:popover-open').count()
  await keys.to('Skip to content')
  await keys.press('Enter')
  await keys.to('Remove access')
  await keys.press('Enter')
  await keys.to('Keep')
  await keys.press('Escape')
  assert.deepEqual([await asked(), (await keys.at()).name], [0, 'Remove access'])
  await keys.press('Space')
  await keys.to('Keep')
  await keys.press('Enter')
  assert.deepEqual([await asked(), await isActive(tokens.access_token)], [0, true])
  assert.equal((await keys.at()).name, 'Remove access')
  await keys.press('Enter')
  await keys.to('Keep')
  await keys.to('Remove access')
  await keys.go('Remove access')
  assert.match(await person.page.locator('main').innerText(), /No app can use your account/)
  const focused = person.page.locator('[role="status"]:focus')
  assert.equal(
    await focused.innerText(),
    'The app can no longer use your account.',
    'what was done is where one goes on',
  )
  assert.equal(await isActive(tokens.access_token), false)
  await person.close()
})

test('an account that is disconnected stops for every app, and is taken back at the provider', async () => {
  const { person, tokens } = await atAccount()
  const handed = await oauth.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
    ...{ subject_token: tokens.access_token, audience: 'connector:acme' },
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  })
  const atProvider = async () => {
    const headers = { authorization: `Bearer ${handed.access_token}` }
    return (await fetch(`${bridge.foreign.issuer}/me`, { headers })).status
  }
  assert.equal(await atProvider(), 200)
  await person.press('Disconnect')
  assert.match(await person.page.locator('[popover]:popover-open').innerText(), /Corner Shop can no longer use it/)
  await person.page.locator('[popover]:popover-open').getByRole('button', { name: 'Disconnect' }).click()
  await person.page.waitForLoadState()
  assert.match(await person.page.locator('main').innerText(), /No account is connected/)
  assert.deepEqual(await rights(tokens), { active: true, refresh: true, proxy: 404 })
  assert.equal(await atProvider(), 401)
  await person.close()
})

test('7.5.2 one session is ended, then all others, and this one goes on', async () => {
  const here = await Visitor.open(running.browser)
  await here.visit(`${bridge.issuer}/account`)
  await here.signIn(ALICE)
  await here.press('Sign out everywhere else')
  await here.page.locator('[popover]:popover-open').getByRole('button').last().click()
  await here.page.waitForLoadState()
  const others: Visitor[] = []
  for (const device of ['Firefox', 'Safari', 'Edge']) {
    const other = await Visitor.open(running.browser, { userAgent: `${device} of a test` })
    await other.visit(`${bridge.issuer}/account`)
    await other.signIn(ALICE)
    others.push(other)
  }
  const headings = async () => {
    const seen = []
    for (const { page } of [here, ...others]) {
      await page.goto(`${bridge.issuer}/account`)
      seen.push(await page.locator('h1').innerText())
    }
    return seen
  }
  await here.page.reload()
  const rows = await here.page.locator('.rows h3').allInnerTexts()
  assert.equal(rows.length, 4, rows.join())
  assert.match(rows[0]!, /^Chrome on Linux\s+This one$/)
  await here.press('Sign out Firefox')
  assert.deepEqual(await headings(), ['Your account', 'Sign in', 'Your account', 'Your account'])
  await here.press('Sign out everywhere else')
  await here.page.locator('[popover]:popover-open').getByRole('button').last().click()
  await here.page.waitForLoadState()
  assert.deepEqual(await headings(), ['Your account', 'Sign in', 'Sign in', 'Sign in'])
  assert.equal((await here.page.locator('.rows h3').allInnerTexts()).length, 1)
  for (const visitor of [here, ...others]) await visitor.close()
})

test('7.4.1 signing out ends what hangs on the session, and the back button shows nothing of it', async () => {
  const { person } = await atAccount()
  await person.visit(`${app.origin}/login?scope=openid+api:read&prompt=consent`)
  await person.press('Allow')
  const { access_token } = app.sign_ins.at(-1)!
  assert.equal(await isActive(access_token), true)
  await person.visit(`${bridge.issuer}/account`)
  await person.press('Sign out')
  assert.equal(await person.heading(), 'You are signed out')
  assert.equal(await isActive(access_token), false)
  await person.page.goBack()
  assert.equal(await person.heading(), 'Sign in')
  await person.close()
})

test('a form of a session that is over does nothing, and asks to sign in again', async () => {
  const { person, tokens } = await atAccount()
  const tab = await person.openTab()
  await tab.visit(`${bridge.issuer}/account`)
  await tab.press('Sign out')
  await person.press('Remove access')
  await person.page.locator('[popover]:popover-open').getByRole('button', { name: 'Remove access' }).click()
  await person.page.waitForLoadState()
  assert.equal(await person.heading(), 'Sign in')
  await person.signIn(ALICE)
  assert.equal(await person.heading(), 'Your account')
  assert.equal(await isActive(tokens.access_token), true)
  await person.close()
})

for (const javaScriptEnabled of [true, false]) {
  test(`the switch of colours holds${javaScriptEnabled ? '' : ', without JavaScript'}`, async () => {
    const person = await Visitor.open(running.browser, { colorScheme: 'light', javaScriptEnabled })
    await person.visit(`${bridge.issuer}/account`)
    await person.signIn(ALICE)
    const theme = () => person.page.locator('html').getAttribute('data-theme')
    assert.equal(await theme(), null)
    await person.press('Dark')
    assert.equal(new URL(person.page.url()).pathname, '/hub/account')
    assert.equal(await theme(), 'dark')
    await person.page.goto(`${bridge.issuer}/nothing`)
    assert.equal(await theme(), 'dark')
    await person.press('Go to your account')
    await person.press('Light')
    assert.equal(await theme(), 'light')
    await person.press('System')
    assert.equal(await theme(), null)
    await person.close()
  })
}

test('RFC 7662 4 with the keyboard alone a token for a script is made, read once, and deleted; the API hears of each', async () => {
  const notes = `${bridge.issuer}/notes`
  const scopes = JSON.stringify({ 'api:read': 'Read your notes' })
  await bridge.server.addResource({ resource: notes, name: 'Notes', scopes, introspection_clients: '["shop"]' })
  await bridge.server.saveSettings({ personal_access_tokens: true })
  const person = await Visitor.open(running.browser)
  await person.visit(`${bridge.issuer}/account`)
  await person.signIn(ALICE)
  const keys = new Keyboard(person.page)
  await keys.go('New token')
  assert.equal(await person.heading(), 'A token for a script')
  await keys.type('Name', 'nightly')
  await keys.go('Make token')
  assert.match(await person.page.locator('fieldset').innerText(), /Tick at least one/)
  await keys.to('Read your notes')
  await keys.press('Space')
  await keys.go('Make token')
  assert.equal(await person.heading(), 'nightly is ready')
  const [token, line] = await person.page.locator('pre').allInnerTexts()
  assert.equal(line, `curl -H 'Authorization: Bearer ${token}' '${notes}'`)
  await keys.to('Copy')
  assert.deepEqual((await oauth.tokenIntrospection(config, token!)).scope, 'api:read')
  await person.page.reload()
  assert.match(await person.page.locator('main').innerText(), /The form was sent twice/)
  assert.ok(!(await person.page.content()).includes(token!))
  await person.page.getByRole('button', { name: 'Delete' }).focus()
  await keys.press('Enter')
  await keys.to('Keep')
  await keys.go('Delete')
  assert.match(await person.page.locator('main').innerText(), /The token is deleted[\s\S]*No token yet/)
  assert.equal(await isActive(token!), false)
  await person.close()
})
