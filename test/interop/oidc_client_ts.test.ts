import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { bundleForBrowser } from '../parts/browser_bundle.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { ALICE, type Platform, startPlatform } from '../parts/platform.ts'
import { Visitor } from '../parts/visitor.ts'

// A single-page app as its documentation shows it; the page says what came of each button.
const SCRIPT = `
import { UserManager, WebStorageStateStore } from 'oidc-client-ts'
const { authority, client_id } = window.settings
const manager = new UserManager({
  authority, client_id,
  redirect_uri: location.origin + '/callback',
  silent_redirect_uri: location.origin + '/silent',
  scope: 'openid profile email offline_access',
  loadUserInfo: true,
  automaticSilentRenew: false,
  userStore: new WebStorageStateStore({ store: window.sessionStorage }),
})
const say = (what) => (document.getElementById('said').textContent = what)
const run = (work) => async () => {
  try { say(await work()) } catch (error) { say('failed: ' + error.message) }
}
document.getElementById('login').onclick = run(() => manager.signinRedirect({ login_hint: 'alice' }))
document.getElementById('renew').onclick = run(async () => {
  const before = (await manager.getUser()).access_token
  const after = (await manager.signinSilent()).access_token
  return before === after ? 'the same token' : 'renewed'
})
document.getElementById('revoke').onclick = run(async () => {
  await manager.revokeTokens()
  return 'revoked'
})
if (location.pathname === '/callback') {
  run(async () => {
    const user = await manager.signinCallback()
    history.replaceState(null, '', '/')
    return user.profile.preferred_username + ' ' + user.profile.email + ' ' + user.scope
  })()
}
`

let p: Platform
let app: Server
let origin: string
let chromium: { browser: Browser; close(): Promise<void> }

before(async () => {
  p = await startPlatform({ path: '/hub', real_time: true })
  const script = await bundleForBrowser(SCRIPT)
  app = createServer((request, response) => {
    if (request.url === '/app.js') return response.setHeader('content-type', 'text/javascript').end(script)
    const settings = JSON.stringify({ authority: p.issuer, client_id: 'browser' })
    const buttons = ['login', 'renew', 'revoke'].map((id) => `<button id="${id}">${id}</button>`).join('')
    const scripts = `<script>window.settings = ${settings}</script><script type="module" src="/app.js"></script>`
    response.setHeader('content-type', 'text/html; charset=utf-8')
    return response.end(
      `<!doctype html><link rel="icon" href="data:,"><h1>App</h1><p id="said"></p>${buttons}${scripts}`,
    )
  })
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
  await p.server.addClient({
    ...{ client_id: 'browser', client_name: 'Single page', token_endpoint_auth_method: 'none' },
    ...{ grant_types: ['authorization_code', 'refresh_token'], scope: 'openid profile email offline_access' },
    redirect_uris: [`${origin}/callback`],
  })
  chromium = await launchBrowser()
})
after(async () => {
  await chromium.close()
  app.closeAllConnections()
  await new Promise((resolve) => app.close(resolve))
  await p.stop()
})

test('oidc-client-ts in Chromium: discovery, keys, code with PKCE, userinfo, refresh and revocation, all from another origin', async () => {
  const visitor = await Visitor.open(chromium.browser)
  const said = async (what: RegExp) => {
    const place = visitor.page.locator('#said', { hasText: what })
    await place.waitFor({ timeout: 10_000 })
    return place.innerText()
  }
  await visitor.visit(origin)
  await visitor.press('login')
  await visitor.page.waitForURL(/\/login\?/)
  assert.equal(await visitor.page.inputValue('[name="username"]'), 'alice', 'the hint')
  await visitor.signIn(ALICE)
  assert.match(await visitor.heading(), /Allow Single page to use your account/)
  await visitor.press('Allow')
  assert.equal(await said(/alice/), 'alice alice@example.test openid profile email offline_access')
  await visitor.press('renew')
  await said(/renewed/)
  await visitor.press('revoke')
  await said(/revoked/)
  // Every answer that a script of another origin reads says that it may; none of them takes cookies.
  const read = visitor.answers.filter(
    (answer) => answer.url().startsWith(p.issuer) && answer.request().resourceType() === 'fetch',
  )
  const paths = new Set(read.map((answer) => new URL(answer.url()).pathname))
  for (const path of ['/hub/.well-known/openid-configuration', '/hub/token', '/hub/userinfo', '/hub/revoke']) {
    assert.ok(paths.has(path), `${path} of ${[...paths]}`)
  }
  for (const answer of read) {
    const headers = await answer.allHeaders()
    assert.equal(headers['access-control-allow-origin'], '*', answer.url())
    assert.equal(headers['access-control-allow-credentials'], undefined, answer.url())
  }
  await visitor.close()
})
