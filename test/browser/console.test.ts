import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oauth from 'openid-client'
import type { Browser } from 'playwright-core'
import { event } from '../../server/src/inbound/event.ts'
import { endSessionsOfUser } from '../../server/src/inbound/users/administer_users.ts'
import { ALICE, type Bridge, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { Keyboard } from '../parts/keyboard.ts'
import { makePng } from '../parts/pictures.ts'
import { Visitor } from '../parts/visitor.ts'
import { startWebApp, type WebApp } from '../parts/web_app.ts'

const ROOT = { username: 'root', password: 'correct horse battery' }
const DAY_MS = 86_400_000

let running: { browser: Browser; close(): Promise<void> }
let bridge: Bridge
let app: WebApp

before(async () => {
  running = await launchBrowser()
  bridge = await startBridge({ path: '/hub' })
  app = await startWebApp()
  await bridge.server.addUser({ ...ROOT, name: 'Ada Admin', roles: ['administrator', 'member'] })
})
after(async () => {
  await app?.close()
  await bridge?.stop()
  await running?.close()
})

async function atConsole(page = '/admin', options: { javaScriptEnabled?: boolean } = {}): Promise<Visitor> {
  const person = await Visitor.open(running.browser, options)
  await person.visit(bridge.issuer + page)
  await person.signIn(ROOT)
  return person
}

/** Makes a client on the console's page; answers what the page shows once. */
async function create(
  person: Visitor,
  name: string,
  scope = '',
): Promise<{ client_id: string; client_secret: string }> {
  await person.visit(`${bridge.issuer}/admin/clients/new`)
  await person.fill('client_name', name)
  await person.page.check('[value=client_secret_basic]')
  await person.fill('redirect_uris', app.redirect_uri)
  await person.fill('scope', scope)
  await person.press('Create client')
  assert.equal(await person.heading(), `${name} is registered`)
  const [client_id, client_secret] = await person.page.locator('.copyable').allInnerTexts()
  return { client_id: client_id!, client_secret: client_secret! }
}

/** Opens the question before an ending, and says yes. */
async function confirm(person: Visitor, label: string): Promise<string> {
  await person.press(label)
  const question = person.page.locator('[popover]:popover-open')
  const words = await question.innerText()
  await question.getByRole('button').last().click()
  await person.page.waitForLoadState()
  return words
}

const authenticates = async (client_id: string, client_secret: string) => {
  const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x' })
  const answer = await fetch(`${bridge.issuer}/token`, { method: 'POST', headers: { authorization }, body })
  const { error } = (await answer.json()) as { error: string }
  assert.ok(error === 'invalid_grant' || error === 'invalid_client', error)
  return error === 'invalid_grant'
}

for (const javaScriptEnabled of [true, false]) {
  test(`a new secret works at once, the one before for 30 days${javaScriptEnabled ? '' : ', without JavaScript'}`, async () => {
    const person = await atConsole('/admin', { javaScriptEnabled })
    const { client_id, client_secret } = await create(person, 'Rotating')
    await person.press('Go to the client')
    assert.match(await confirm(person, 'Make a new secret'), /newest secret of now works for 30 days more/)
    const renewed = (await person.page.locator('.copyable').allInnerTexts())[1]!
    assert.notEqual(renewed, client_secret)
    assert.deepEqual(
      [await authenticates(client_id, client_secret), await authenticates(client_id, renewed)],
      [true, true],
    )

    await person.page.reload()
    assert.equal(await person.heading(), 'Rotating', 'the page of the client, and no third secret')
    assert.deepEqual(
      [await authenticates(client_id, client_secret), await authenticates(client_id, renewed)],
      [true, true],
    )
    assert.match(await person.page.locator('main').innerText(), /Made just now[\s\S]*Expires /)
    assert.doesNotMatch(await person.page.content(), new RegExp(renewed))

    bridge.clock.offset += 30 * DAY_MS + 1000
    assert.deepEqual(
      [await authenticates(client_id, client_secret), await authenticates(client_id, renewed)],
      [false, true],
    )
    bridge.clock.offset = 0
    await person.close()
  })
}

test('what is shown once is copied by a button beside it, and selected where the browser forbids that', async () => {
  const person = await atConsole()
  const { client_secret } = await create(person, 'Copied')
  await person.page.evaluate(() => {
    const writeText = async (text: string) => {
      if (document.title === 'forbidden') throw new Error('forbidden')
      document.title = text
    }
    Object.defineProperty(navigator, 'clipboard', { value: { writeText } })
  })
  const said = person.page.getByRole('button', { name: 'Copy: Client secret' }).locator('+ [role=status]')
  assert.equal(await said.textContent(), '', 'what will say it stands there, so that it is heard')
  await person.press('Copy: Client secret')
  assert.equal(await person.page.title(), client_secret)
  assert.equal(await said.innerText(), 'Copied')
  await person.page.evaluate(() => {
    document.title = 'forbidden'
  })
  await person.press('Copy: Client secret')
  assert.match(await said.innerText(), /^Selected/)
  assert.equal(await person.page.evaluate(() => String(getSelection())), client_secret)
  await person.press(/^Copy: Client ID/)
  assert.equal(await said.textContent(), '', 'one is said at a time')
  await person.close()
})

test('with the keyboard alone a client is made, from the overview to a sign-in', async () => {
  const person = await Visitor.open(running.browser)
  const keys = new Keyboard(person.page)
  await person.visit(`${bridge.issuer}/admin`)
  await keys.type('Username or e-mail', ROOT.username)
  await keys.type('Password', ROOT.password)
  await keys.go('Sign in')
  await keys.go('Clients')
  await keys.to('Skip to content')
  await keys.press('Enter')
  await keys.go('New client')
  await keys.type('Name', 'Made by keys')
  await keys.to('Web server')
  await keys.press('ArrowDown')
  await keys.press('ArrowUp')
  await keys.to('By a key')
  await keys.press('ArrowDown')
  await keys.type('Redirect URIs', app.redirect_uri)
  await keys.go('Create client')
  assert.equal(await person.heading(), 'Made by keys is registered')
  const [client_id, client_secret] = await person.page.locator('.copyable').allInnerTexts()
  await app.register({ issuer: bridge.issuer, client_id: client_id!, client_secret: client_secret! })
  await person.visit(`${app.origin}/login`)
  await keys.go('Allow')
  assert.equal(await person.heading(), 'Signed in as root')
  await person.close()
})

test('without JavaScript a client is changed, and what was typed stays when it is refused', async () => {
  const person = await atConsole('/admin', { javaScriptEnabled: false })
  const { client_id } = await create(person, 'Changing')
  await person.visit(`${bridge.issuer}/admin/client?client_id=${client_id}`)
  await person.press('Change')
  await person.page.getByText('Authentication and keys').click()
  await person.fill('client_name', 'Changed')
  await person.fill('jwks', '{ "keys": [] }')
  await person.press('Save')
  assert.match(await person.page.locator('.wrong').innerText(), /Member jwks must have 1 to 20 keys/)
  assert.equal(await person.page.locator('[name="client_name"]').inputValue(), 'Changed')
  await person.fill('jwks', '')
  await person.press('Save')
  assert.equal(await person.heading(), 'Changed')
  assert.match(await person.page.locator('main').innerText(), /Saved\./)
  assert.deepEqual(person.complaints, [])
  await person.close()
})

test('without JavaScript a tenant chooses a picture, sees it before it is saved, and others after', async () => {
  const person = await atConsole('/admin/settings/brand', { javaScriptEnabled: false })
  const { page } = person
  const painted = (of: typeof page) =>
    of
      .locator('.tenant img')
      .first()
      .evaluate((img: HTMLImageElement) => img.naturalWidth)
  await person.fill('brand_accent', '#ffd54a')
  await page.setInputFiles('[name=brand_logo]', {
    name: 'logo.html',
    mimeType: 'text/html',
    buffer: makePng({ width: 40 }),
  })
  await person.press('Show without saving')
  assert.match(await page.locator('main').innerText(), /It is not saved yet/)
  assert.equal(await painted(page), 40)
  await person.press('Save')
  assert.match(await page.locator('main').innerText(), /Saved\./)
  const other = await Visitor.open(running.browser)
  await other.visit(`${bridge.issuer}/login`)
  assert.equal(await painted(other.page), 40)
  const button = other.page.getByRole('button', { name: 'Sign in', exact: true })
  assert.equal(await button.evaluate((one) => getComputedStyle(one).backgroundColor), 'rgb(127, 106, 37)')
  await person.visit(`${bridge.issuer}/admin/settings/brand`)
  await page.getByLabel('Take the picture away').check()
  await person.fill('brand_accent', '')
  await person.press('Save')
  await other.visit(`${bridge.issuer}/login`)
  assert.equal(await other.page.locator('.tenant img').count(), 0)
  await other.close()
  await person.close()
})

test('a client that is disabled gets nothing; enabled again it starts from nothing', async () => {
  const person = await atConsole()
  const made = await create(person, 'Switched')
  const config = await app.register({ issuer: bridge.issuer, ...made })
  await person.visit(`${app.origin}/login`)
  await person.press('Allow')
  const { access_token } = app.sign_ins.at(-1)!
  const isActive = async () => (await oauth.tokenIntrospection(config, access_token)).active
  assert.equal(await isActive(), true)

  await person.visit(`${bridge.issuer}/admin/client?client_id=${made.client_id}`)
  assert.match((await person.page.locator('main').innerText()).replaceAll(/\s+/g, ' '), /Active grants 1, of 1 user/)
  await confirm(person, 'Disable')
  assert.match(await person.page.locator('main').innerText(), /This client is disabled/)
  assert.equal(await authenticates(made.client_id, made.client_secret), false)
  await person.visit(`${app.origin}/login`)
  assert.equal(await person.heading(), 'This application is not known here')

  await person.visit(`${bridge.issuer}/admin/client?client_id=${made.client_id}`)
  await person.press('Enable')
  assert.equal(await isActive(), false)
  await person.visit(`${app.origin}/login`)
  assert.equal(await person.heading(), 'Signed in as root', 'what the user allowed is remembered')
  assert.equal((await oauth.tokenIntrospection(config, app.sign_ins.at(-1)!.access_token)).active, true)
  await person.close()
})

test('a client that is deleted is gone with its grants', async () => {
  const person = await atConsole()
  const made = await create(person, 'Doomed')
  await person.press('Go to the client')
  assert.match(await confirm(person, 'Delete'), /Delete Doomed\?/)
  assert.equal(await person.heading(), 'Clients')
  assert.doesNotMatch(await person.page.locator('main').innerText(), /Doomed/)
  assert.equal(await authenticates(made.client_id, made.client_secret), false)
  await person.visit(`${bridge.issuer}/admin/client?client_id=${made.client_id}`)
  assert.equal(await person.heading(), 'There is no such page')
  await person.close()
})

test('what cannot be registered says why, at its field, and keeps what was typed', async () => {
  const person = await atConsole('/admin/clients/new')
  for (const [field, value, words] of [
    ['redirect_uris', 'http://evil.example/cb', /http only at/],
    ['redirect_uris', 'javascript:alert(1)', /redirect URI/i],
    ['redirect_uris', 'https://good.example/cb#x', /fragment/],
    ['scope', 'a"b', /scope/],
  ] as const) {
    await person.visit(`${bridge.issuer}/admin/clients/new`)
    await person.fill('client_name', '<b>Bold</b> & Sons')
    await person.fill('redirect_uris', 'https://good.example/cb')
    await person.fill(field, value)
    await person.press('Create client')
    assert.equal(await person.heading(), 'New client')
    const input = person.page.locator(`[name="${field}"]`)
    assert.equal(await input.getAttribute('aria-invalid'), 'true')
    const described = (await input.getAttribute('aria-describedby'))!.split(' ')[0]!
    assert.match(await person.page.locator(`[id="${described}"]`).innerText(), words)
    assert.equal(await input.inputValue(), value)
    assert.equal(await person.page.locator('[name=client_name]').inputValue(), '<b>Bold</b> & Sons')
  }
  await person.page.check('[value=browser]')
  assert.equal(
    await person.page.locator('[value=private_key_jwt]').isVisible(),
    false,
    'a page has nothing to prove by',
  )
  await person.page.check('[value=machine]')
  assert.equal(await person.page.locator('[value=private_key_jwt]').isChecked(), true, 'B-24')
  await person.fill('scope', '')
  await person.press('Create client')
  assert.equal(await person.page.locator('[name=scope]').getAttribute('aria-invalid'), 'true')
  await person.visit(`${bridge.issuer}/admin/clients`)
  assert.doesNotMatch(await person.page.content(), /Bold/)
  await person.close()
})

test('each page of the console opens from its navigation, and says what there is', async () => {
  const alice = await bridge.signIn()
  await bridge.connect(alice)
  const person = await atConsole()
  for (const [entry, words] of [
    ['Overview', /Connections\s+1/],
    ['Clients', /The web app/],
    ['Users', /Alice Example/],
    ['Connectors', /acme/],
    ['Connections', /alice-at-acme@foreign\.example/],
    ['Events', /connection\.connected/],
  ] as const) {
    await person.page.locator('#nav').getByRole('link', { name: entry, exact: true }).click()
    await person.page.waitForLoadState()
    assert.equal(await person.heading(), entry)
    assert.match(await person.page.locator('main').innerText(), words)
  }
  await person.visit(`${bridge.issuer}/admin/connectors`)
  await person.press('acme')
  assert.match(await person.page.locator('main').innerText(), /\/hub\/connect\/acme\/callback/)
  assert.doesNotMatch(await person.page.content(), /secret-at-acme/)
  await person.press('Show its connections')
  assert.match(await person.page.locator('main').innerText(), /alice-at-acme/)
  await person.close()
})

test('lists are filtered and paged in the address', async () => {
  for (let i = 0; i < 60; i++) {
    await bridge.server.addClient({
      client_name: `Client ${i}`,
      redirect_uris: ['https://a.example/cb'],
      scope: 'openid',
    })
  }
  const person = await atConsole('/admin/clients')
  const rows = () => person.page.locator('tbody tr').count()
  assert.equal(await rows(), 50)
  await person.press('Next page')
  assert.match(person.page.url(), /cursor=/)
  assert.ok((await rows()) >= 12)
  await person.press('First page')
  assert.equal(await rows(), 50)

  await person.visit(`${bridge.issuer}/admin/events?event=session.&actor=root`)
  const events = await person.page.locator('tbody tr').allInnerTexts()
  assert.ok(events.length > 0 && events.every((row) => /session\.\w+\s+root/.test(row)), events.join('\n'))
  await person.press('Clear')
  assert.match(await person.page.locator('tbody').innerText(), /client\.created/)

  await person.visit(`${bridge.issuer}/admin/connections`)
  await person.page.selectOption('[name=state]', 'needs_reconsent')
  await person.press('Apply')
  assert.match(await person.page.locator('main').innerText(), /No connection/)
  await person.visit(`${bridge.issuer}/admin/users?q=ali`)
  assert.deepEqual(await person.page.locator('tbody tr').count(), 1)
  await person.close()
})

test('the log is followed with the keyboard, as text and not as markup, stops when told, and ends with the session', async () => {
  const { tenant } = bridge.server.app
  const { tenant_id, store } = tenant
  const happen = async (type: string) => {
    const more = { client_id: `<img src=x onerror=alert(1)> ${type}` }
    await store.recordEvent(event(tenant, type, 'cli', more))
    await store.sealEvents({ tenant_id, most: 1000 })
  }
  const person = await atConsole('/admin/events?event=live.')
  const { page } = person
  const status = page.locator('#live [role=status]')
  assert.equal(await page.getByRole('link', { name: 'Look for new events' }).count(), 0)
  await page.getByRole('button', { name: 'Follow live' }).focus()
  await page.keyboard.press('Enter')
  assert.equal(await status.innerText(), 'New events appear at the top as they happen.')
  await happen('live.first')
  await happen('other.kind')
  await happen('live.second')
  await page.getByText('live.second', { exact: true }).waitFor()
  assert.deepEqual(await page.locator('tbody code').allInnerTexts(), ['live.second', 'live.first'])
  assert.match(await page.locator('tbody tr').first().innerText(), /<img src=x onerror=alert\(1\)> live\.second/)
  await page.getByText('New events: 2').waitFor()

  const button = page.getByRole('button', { name: 'Stop following' })
  assert.equal(await button.getAttribute('aria-pressed'), 'true')
  await page.keyboard.press('Enter')
  assert.deepEqual([await status.innerText(), await page.locator('tbody tr').count()], ['', 2])
  await happen('live.third')
  await page.route('**/admin/events/follow?*', (route) => route.fulfill({ status: 502 }), { times: 1 })
  await page.keyboard.press('Enter')
  await page.getByText('The connection was lost. It is tried again.').waitFor()
  await page.getByText('live.third', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'live.third', exact: true }).click()
  await page.waitForURL(/\/admin\/event\?event_id=/)
  assert.match(await page.locator('main').innerText(), /live\.third/)

  assert.deepEqual(
    person.complaints.splice(0).filter((complaint) => !complaint.includes('502')),
    [],
  )

  await page.goBack()
  const opened = page.waitForResponse(/\/admin\/events\/follow/)
  await page.getByRole('button', { name: 'Follow live' }).press('Enter')
  await opened
  const user = (await store.findUserByUsername({ tenant_id, username_key: ROOT.username }))!
  await endSessionsOfUser(tenant, user.user_id, 'test')
  await happen('live.unseen')
  await page.getByText('You are signed out, or may look no more.').waitFor()
  assert.equal(await page.getByText('live.unseen').count(), 0)
  assert.equal(await page.getByRole('button', { name: 'Follow live' }).getAttribute('aria-pressed'), 'false')
  assert.deepEqual(person.complaints, [])
  await person.close()

  const without = await atConsole('/admin/events?event=live.', { javaScriptEnabled: false })
  await happen('live.later')
  await without.press('Look for new events')
  assert.match(await without.page.locator('tbody').innerText(), /live\.later/)
  await without.close()
})

test('8.3.1 who is no administrator sees no page of the console, and changes nothing', async () => {
  const person = await Visitor.open(running.browser)
  await person.visit(`${bridge.issuer}/admin`)
  await person.signIn(ALICE)
  assert.equal(await person.heading(), 'You may not see this page')
  for (const page of [
    'clients',
    'clients/new',
    'client?client_id=web',
    'users',
    'connectors',
    'connections',
    'events',
  ]) {
    await person.visit(`${bridge.issuer}/admin/${page}`)
    assert.equal(await person.heading(), 'You may not see this page')
    assert.doesNotMatch(await person.page.content(), /The web app|bob@|Client ID/)
  }
  await person.press('Go to your account')
  assert.equal(await person.heading(), 'Your account')
  assert.equal(await person.page.getByRole('link', { name: 'Console' }).count(), 0)
  await person.close()
})
