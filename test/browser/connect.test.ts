import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { type ConnectPlatform, startConnectPlatform } from '../parts/connect_platform.ts'
import { writeConnectScript } from '../parts/connect_script.ts'
import { Visitor } from '../parts/visitor.ts'

let bridge: Bridge
let platform: ConnectPlatform
let chromium: { browser: Browser; close(): Promise<void> }
let pages: Server
let origin: string
/** What the platform's own server is asked to do by its page. */
// biome-ignore lint/suspicious/noExplicitAny: what the API answered
let made: any

before(async () => {
  bridge = await startBridge({ path: '/hub' })
  platform = await startConnectPlatform(bridge)
  chromium = await launchBrowser()
  // The platform: a page at another origin, under a policy as strict as such pages have, that loads the script from here.
  pages = createServer((request, response) => {
    const { issuer } = bridge
    const server = new URL(issuer).origin
    const policy = `default-src 'none'; script-src 'unsafe-inline' ${server}; connect-src ${server}; form-action ${server}`
    const headers = { 'content-type': 'text/html', 'content-security-policy': policy }
    if (request.url?.startsWith('/isolated')) {
      Object.assign(headers, { 'cross-origin-opener-policy': 'same-origin' })
    }
    response.writeHead(200, headers).end(`<!doctype html><title>Platform</title><button>Connect</button><p></p>
<script type="module">
  import { connect, connectByRedirect } from '${made?.script.src}'
  const query = new URLSearchParams(location.search)
  document.querySelector('button').onclick = () => {
    window.stop_it = new AbortController()
    const options = { issuer: '${issuer}', session_token: window.session_token, signal: window.stop_it.signal, closed_ms: 500 }
    if (query.has('redirect')) return connectByRedirect(options)
    connect({ ...options, ...window.more }).then(
      (done) => { document.querySelector('p').textContent = JSON.stringify(done) },
      (error) => { document.querySelector('p').textContent = error.name + ' ' + error.reason },
    )
  }
  document.title = 'Ready'
</script>`)
  })
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
  // Another origin, and another site too.
  origin = `http://localhost:${(pages.address() as AddressInfo).port}`
})
after(async () => {
  pages.close()
  await chromium.close()
  await bridge.stop()
})

/** Somebody at the page of the platform, which has a session for them. */
async function open(path = '/', ask: object = {}) {
  made = await platform.make({ origins: [origin], ...ask })
  const visitor = await Visitor.open(chromium.browser)
  visitor.context.setDefaultTimeout(10_000)
  await visitor.visit(origin + path)
  await visitor.page.waitForFunction(() => document.title === 'Ready')
  await visitor.page.evaluate((token) => Object.assign(window, { session_token: token }), made.session_token)
  return visitor
}

/** What the page was told in the end. */
async function outcome(page: Page): Promise<string> {
  await page.waitForFunction(() => document.querySelector('p')!.textContent !== '')
  return page.locator('p').innerText()
}

async function popupOf(visitor: Visitor): Promise<Page> {
  const [popup] = await Promise.all([visitor.context.waitForEvent('page'), visitor.page.click('button')])
  return popup
}

async function signIn(popup: Page, username: string): Promise<void> {
  await popup.waitForSelector('[name=username]')
  await popup.fill('[name=username]', username)
  await popup.click('[value=allow]')
}

const closed = (popup: Page) => popup.isClosed() || popup.waitForEvent('close')

test('a page connects in a popup that closes itself, and its server confirms with what the page was told', async () => {
  bridge.foreign.auto_login = null
  const visitor = await open()
  const seen: string[] = []
  visitor.context.on('request', (request) => seen.push(request.url()))
  const popup = await popupOf(visitor)
  await signIn(popup, 'alice-at-acme')
  await popup.click('[value=allow]')
  await closed(popup)
  const told = JSON.parse(await outcome(visitor.page))
  assert.equal(told.session_id, made.session_id)
  const { confirmation_code } = told
  assert.match(confirmation_code, /^sp_cn_/)
  const confirmed = await platform.call('POST', `/connect_sessions/${told.session_id}/confirm`, { confirmation_code })
  assert.deepEqual([confirmed.body.status, confirmed.body.connection_id], ['connected', told.connection_id])
  // Neither the token of the session nor the code was in a URL.
  for (const part of ['/connect/session', '/callback?', '/interaction/']) {
    assert.ok(
      seen.some((url) => url.includes(part)),
      `${part} in ${seen}`,
    )
  }
  for (const url of seen) assert.ok(!/sp_c[sn]_/.test(url), url)
  await visitor.close()
})

test('a message says no more than that it is time to look, at the exact origin, and others say nothing here', async () => {
  bridge.foreign.auto_login = 'carol-at-acme'
  const visitor = await open('/', { end_user_id: 'u-2' })
  await visitor.page.evaluate(() => {
    const heard: unknown[] = []
    Object.assign(window, { heard })
    addEventListener('message', ({ data, origin }) => heard.push([data, origin]))
    // Whatever a frame or another window says is not what the popup says.
    postMessage({ type: 'sallyport:connect', connection_id: 'forged' }, location.origin)
  })
  // A page that looks by itself may be done, and close the popup, before that has said anything.
  await visitor.page.route('**/connect/session/status', async (route) => {
    const from_us = (us: string) =>
      (window as unknown as { heard: [object, string][] }).heard.some(([, from]) => from === us)
    await visitor.page.waitForFunction(from_us, new URL(bridge.issuer).origin)
    await route.continue()
  })
  const popup = await popupOf(visitor)
  await closed(popup)
  const told = JSON.parse(await outcome(visitor.page))
  assert.notEqual(told.connection_id, 'forged')
  const heard = await visitor.page.evaluate(() => (window as unknown as { heard: [object, string][] }).heard)
  const ours = heard.filter(([, from]) => from === new URL(bridge.issuer).origin)
  assert.equal(ours.length, 1)
  for (const [data] of ours) assert.deepEqual(data, { type: 'sallyport:connect' })
  await visitor.close()
})

test('a page that is cut off from its popup finds out all the same', async () => {
  bridge.foreign.auto_login = 'dora-at-acme'
  const visitor = await open('/isolated', { end_user_id: 'u-3' })
  await visitor.page.evaluate(() => Object.assign(window, { more: { closed_ms: 60_000 } }))
  const popup = await popupOf(visitor)
  const told = JSON.parse(await outcome(visitor.page))
  assert.match(told.confirmation_code, /^sp_cn_/)
  if (!popup.isClosed()) assert.match(await popup.locator('h1').innerText(), /is connected/)
  await visitor.close()
})

test('a person who says no is told so by the page, and the popup is gone', async () => {
  bridge.foreign.auto_login = null
  const visitor = await open('/', { end_user_id: 'u-4' })
  const popup = await popupOf(visitor)
  await signIn(popup, 'erin-at-acme')
  await popup.click('[value=deny]')
  assert.equal(await outcome(visitor.page), 'ConnectError refused')
  await closed(popup)
  await visitor.close()
})

test('a popup that is closed, blocked or no longer wanted ends the wait with its reason', async () => {
  bridge.foreign.auto_login = null
  const visitor = await open('/', { end_user_id: 'u-5' })
  const popup = await popupOf(visitor)
  await popup.waitForSelector('[name=username]')
  await popup.close()
  assert.equal(await outcome(visitor.page), 'ConnectError closed')

  await visitor.page.evaluate(() => {
    document.querySelector('p')!.textContent = ''
    window.open = () => null
  })
  await visitor.page.click('button')
  assert.equal(await outcome(visitor.page), 'ConnectError blocked')
  await visitor.close()

  const other = await open('/', { end_user_id: 'u-6' })
  const second = await popupOf(other)
  await second.waitForSelector('[name=username]')
  await other.page.evaluate(() => (window as unknown as { stop_it: AbortController }).stop_it.abort())
  assert.equal(await outcome(other.page), 'ConnectError aborted')
  await closed(second)

  // The token was used up by the first popup.
  await other.page.evaluate(() => {
    document.querySelector('p')!.textContent = ''
  })
  await popupOf(other)
  assert.equal(await outcome(other.page), 'ConnectError expired')
  await other.close()
})

test('without a popup the page goes and comes back with a code', async () => {
  bridge.foreign.auto_login = 'frank-at-acme'
  const visitor = await open('/?redirect', { end_user_id: 'u-7', return_uri: `${origin}/back` })
  await visitor.page.click('button')
  await visitor.page.waitForURL((url) => url.pathname === '/back')
  const { searchParams } = new URL(visitor.page.url())
  assert.equal(searchParams.get('session_id'), made.session_id)
  const confirmation_code = searchParams.get('code')
  const path = `/connect_sessions/${made.session_id}/confirm`
  assert.equal((await platform.call('POST', path, { confirmation_code })).body.status, 'connected')
  await visitor.close()
})

test('the script of the page is made of the module of the SDK: npm run openapi writes it', async () => {
  const asset = await (await fetch(made.script.src)).text()
  assert.ok(asset === writeConnectScript(), 'server/src/web/ui/connect.js is not what the SDK says: npm run openapi')
  const { createHash } = await import('node:crypto')
  assert.equal(made.script.integrity, `sha256-${createHash('sha256').update(asset).digest('base64')}`)
})
