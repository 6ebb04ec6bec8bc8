import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { bundleForBrowser } from '../parts/browser_bundle.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { ALICE, claimsOf, type Platform, startPlatform } from '../parts/platform.ts'

const SCRIPT = `
import { IndexedDbDPoPStore, UserManager } from 'oidc-client-ts'
const dpop = { bind_authorization_code: true, store: new IndexedDbDPoPStore() }
const manager = (window.manager = new UserManager({ ...window.settings, dpop }))
const show = (text) => (document.getElementById('state').textContent = text)
const failed = (error) => show('failed: ' + error.message)
if (location.search.includes('code=')) manager.signinRedirectCallback().then(() => show('signed in'), failed)
else manager.signinRedirect().catch(failed)
`

let p: Platform
let app: Server
let origin: string
let browser: Browser
let close: () => Promise<void>

before(async () => {
  p = await startPlatform({ real_time: true })
  const script = await bundleForBrowser(SCRIPT)
  app = createServer((request, response) => {
    if (request.url === '/app.js') return response.setHeader('content-type', 'text/javascript').end(script)
    const settings = {
      ...{ authority: p.issuer, client_id: 'page', redirect_uri: `${origin}/`, resource: p.issuer },
      scope: 'openid email offline_access',
    }
    response.setHeader('content-type', 'text/html')
    return response.end(
      `<!doctype html><p id="state"></p><script>window.settings = ${JSON.stringify(settings)}</script><script src="/app.js"></script>`,
    )
  })
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
  await p.server.addClient({
    ...{ client_id: 'page', token_endpoint_auth_method: 'none', redirect_uris: [`${origin}/`] },
    ...{ scope: 'openid email offline_access', grant_types: ['authorization_code', 'refresh_token'] },
    ...{ dpop_bound_access_tokens: true, require_dpop_nonce: true },
  })
  const launched = await launchBrowser()
  browser = launched.browser
  close = launched.close
})
after(async () => {
  await close()
  await new Promise<void>((resolve) => {
    app.close(() => resolve())
    app.closeAllConnections()
  })
  await p.stop()
})

interface User {
  readonly access_token: string
  readonly token_type: string
  readonly refresh_token: string
}
interface Manager {
  getUser(): Promise<User>
  signinSilent(): Promise<User>
  dpopProof(url: string, user: User, method: string, nonce?: string): Promise<string>
}

test('10.4.5 oidc-client-ts in a browser: a public client binds code, tokens and refreshes to a key that no script can read', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  await page.goto(`${origin}/`)
  await page.waitForURL(/\/login\?/)
  await page.fill('input[name="username"]', ALICE.username)
  await page.fill('input[name="password"]', ALICE.password)
  await page.click('button[type="submit"], form[action*="login"] button.primary')
  await page.waitForURL(/\/consent\?/)
  await page.click('button[name="decision"][value="allow"]')
  await page.waitForFunction(() => document.getElementById('state')?.textContent !== '')
  assert.equal(await page.textContent('#state'), 'signed in')

  const [first, second] = await page.evaluate(async () => {
    const { manager } = window as never as { manager: Manager }
    return [await manager.getUser(), await manager.signinSilent()] as const
  })
  assert.deepEqual([first.token_type, second.token_type], ['DPoP', 'DPoP'])
  const { cnf } = claimsOf(first.access_token)
  assert.match((cnf as { jkt: string }).jkt, /^[A-Za-z0-9_-]{43}$/)
  assert.deepEqual(claimsOf(second.access_token)['cnf'], cnf)

  const seen = await page.evaluate(async (url) => {
    const { manager } = window as never as { manager: Manager }
    const user = await manager.getUser()
    const call = async (nonce?: string) => {
      const headers = {
        authorization: `DPoP ${user.access_token}`,
        dpop: await manager.dpopProof(url, user, 'GET', nonce),
      }
      return fetch(url, { headers })
    }
    const refused = await call()
    const nonce = refused.headers.get('dpop-nonce') ?? undefined
    const answered = await call(nonce)
    return [
      refused.status,
      refused.headers.get('www-authenticate'),
      answered.status,
      (await answered.json()).email,
    ] as const
  }, `${p.issuer}/userinfo`)
  assert.match(seen[1] ?? '', /^DPoP .*error="use_dpop_nonce"/)
  assert.deepEqual([seen[0], seen[2], seen[3]], [401, 200, 'alice@example.test'])

  const stolen = await p.post(
    '/token',
    {
      ...{ grant_type: 'refresh_token', client_id: 'page', refresh_token: second.refresh_token },
    },
    null,
  )
  assert.equal(stolen.body.error, 'invalid_dpop_proof')
  assert.deepEqual(errors, [])
  await context.close()
})
