import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { bundleForBrowser } from '../parts/browser_bundle.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { type Hub, JOHN, startHub } from '../parts/hub.ts'

let hub: Hub
let app: Server
let origin: string
let browser: Browser
let close: () => Promise<void>
let client_id = ''

const SCRIPT = `
import Auth from '@jetbrains/ring-ui-built/components/auth/auth-core.js'
const { serverUri, clientId, scope } = window.settings
const auth = (window.auth = new Auth({ serverUri, clientId, scope, redirectUri: location.origin + '/app/' }))
const show = (text) => (document.getElementById('who').textContent = text)
auth.init()
  .then(async () => show((await auth.requestUser()).login))
  .catch((error) => show('failed: ' + error.message))
`

before(async () => {
  hub = await startHub({ compat: 'hub' })
  const script = await bundleForBrowser(SCRIPT)
  app = createServer((request, response) => {
    if (request.url === '/app.js') return response.setHeader('content-type', 'text/javascript').end(script)
    const settings = JSON.stringify({ serverUri: hub.base, clientId: client_id, scope: [client_id] })
    response.setHeader('content-type', 'text/html')
    return response.end(
      `<!doctype html><p id="who"></p><script>window.settings = ${settings}</script><script src="/app.js"></script>`,
    )
  })
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
  const launched = await launchBrowser()
  browser = launched.browser
  close = launched.close
})
after(async () => {
  await close()
  await new Promise((resolve) => app.close(resolve))
  await hub.stop()
})

async function signIn(page: Page): Promise<void> {
  await page.waitForURL(/\/login\?/)
  await page.fill('input[name="username"]', JOHN.username)
  await page.fill('input[name="password"]', JOHN.password)
  await page.click('button[type="submit"], form[action*="login"] button.primary')
}

test("H10 JetBrains' own browser library signs in unmodified at a service that the seed's POST and Trust have made", async () => {
  const seed = {
    name: 'Upsource',
    homeUrl: origin,
    redirectUris: ['/app/'],
    applicationName: 'Upsource',
    vendor: 'JetBrains',
    version: '2.5',
  }
  const made = await hub.rest('POST', 'services?fields=id,secret', { body: seed })
  assert.deepEqual([made.status, Object.keys(made.body)], [200, ['id', 'secret']])
  client_id = made.body.id
  const trust = await hub.rest('POST', `services/${client_id}?fields=trusted,implicitFlowEnabled`, {
    body: { trusted: true },
  })
  assert.deepEqual(trust.body, { trusted: true, implicitFlowEnabled: true })
  const context = await browser.newContext()
  const page = await context.newPage()
  const errors: string[] = []
  page.setDefaultTimeout(15_000)
  page.on('pageerror', ({ message }) => errors.push(message))
  await page.goto(`${origin}/app/`)
  await signIn(page)
  await page.waitForFunction(() => document.getElementById('who')?.textContent !== '')
  assert.equal(await page.textContent('#who'), 'john')
  assert.equal(new URL(page.url()).hash, '', 'the library has taken the token out of the address')
  await page.reload()
  await page.waitForFunction(() => document.getElementById('who')?.textContent === 'john')
  // In the background, by a frame and without anybody's doing.
  const renewed = await page.evaluate(() =>
    (window as never as { auth: { forceTokenUpdate(): Promise<string> } }).auth.forceTokenUpdate(),
  )
  assert.match(renewed, /^sp_at_/)
  await page.evaluate(() => void (window as never as { auth: { logout(): Promise<void> } }).auth.logout())
  await page.waitForURL(/\/login\?/)
  await page.goto(`${hub.base}/account`)
  assert.match(page.url(), /\/login/, 'Hub signs out before it asks again')
  assert.deepEqual(errors, [])
  await context.close()
})
