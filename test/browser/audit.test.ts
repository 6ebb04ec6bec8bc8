import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oauth from 'openid-client'
import type { Browser } from 'playwright-core'
import { ALICE, type Bridge, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { Visitor } from '../parts/visitor.ts'
import { startWebApp, type WebApp } from '../parts/web_app.ts'

const ROOT = { username: 'root', password: 'correct horse battery' }

let running: { browser: Browser; close(): Promise<void> }
let bridge: Bridge
let app: WebApp
/** Everything that a story brought into this browser, and every secret that it made. */
const seen: { url: string; status: number; headers: Record<string, string>; set_cookie: string[]; body: string }[] = []
const secrets = new Map<string, string>()
let person: Visitor

before(async () => {
  running = await launchBrowser()
  bridge = await startBridge({ path: '/hub' })
  bridge.foreign.auto_login = 'alice-at-acme'
  app = await startWebApp()
  const client = { client_id: 'shop', client_secret: 'secret-of-shop-0123456789' }
  await bridge.server.addClient({
    ...{ ...client, client_name: 'Corner Shop', redirect_uris: [app.redirect_uri] },
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    scope: 'openid email profile offline_access api:read',
  })
  await bridge.server.addUser({ ...ROOT, name: 'Ada Admin', roles: ['administrator'] })
  const config = await app.register({ issuer: bridge.issuer, ...client })
  person = await Visitor.open(running.browser)
  await tellStory(config)
  for (const answer of person.answers) {
    if (new URL(answer.url()).origin !== new URL(bridge.issuer).origin) continue
    const headers = await answer.allHeaders()
    const set_cookie = (await answer.headersArray()).filter(({ name }) => name.toLowerCase() === 'set-cookie')
    const body = answer.status() >= 300 && answer.status() < 400 ? '' : await answer.text().catch(() => '')
    seen.push({
      url: answer.url(),
      status: answer.status(),
      headers,
      set_cookie: set_cookie.map(({ value }) => value),
      body,
    })
  }
})
after(async () => {
  await app?.close()
  await bridge?.stop()
  await running?.close()
})

/** Every page once: signed out, signed in, as an administrator, and those that say what is wrong. */
async function tellStory(config: oauth.Configuration): Promise<void> {
  const { issuer } = bridge
  secrets.set('client secret', 'secret-of-shop-0123456789')
  secrets.set('client secret at the provider', 'secret-at-acme')
  await person.visit(`${issuer}/account`)
  await person.signIn({ username: 'alice', password: 'wrong password' })
  await person.signIn(ALICE)
  await person.press('Connect acme')
  const query = new URLSearchParams([
    ['scope', 'openid email offline_access api:read'],
    ['resource', issuer],
    ['resource', `${issuer}/proxy/acme`],
  ])
  for (const more of ['', '&response_mode=form_post&prompt=consent']) {
    await person.visit(`${app.origin}/login?${query}${more}`)
    await person.press('Allow')
    await person.page.waitForURL(`${app.origin}/callback**`)
    const tokens = app.sign_ins.at(-1)!
    for (const name of ['access_token', 'refresh_token', 'id_token'] as const) secrets.set(name + more, tokens[name]!)
    const renewed = await oauth.refreshTokenGrant(config, tokens.refresh_token!)
    for (const name of ['access_token', 'refresh_token'] as const) secrets.set(`renewed ${name}${more}`, renewed[name]!)
    const handed = await oauth.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
      ...{ subject_token: tokens.access_token, audience: 'connector:acme' },
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    })
    secrets.set(`provider's access_token${more}`, handed.access_token)
  }
  for (const path of [
    'account',
    'nothing',
    'admin',
    'setup?token=x',
    'login?request=x',
    'consent?request=x',
    'connect/x',
  ]) {
    await person.visit(`${issuer}/${path}`)
  }
  await person.visit(`${issuer}/authorize?client_id=shop&redirect_uri=https://evil.example/`)
  await person.visit(`${issuer}/connect/acme/callback?error=access_denied&state=x`)
  await person.visit(`${issuer}/account`)
  await person.press('Dark')
  await person.press('Sign out')
  await person.visit(`${issuer}/admin`)
  await person.signIn(ROOT)
  const pages = ['clients', 'clients/new', 'client?client_id=shop', 'users', 'connectors', 'connector?connector=acme']
  for (const path of [...pages, 'connections', 'events']) await person.visit(`${issuer}/admin/${path}`)
}

test('5.8 no page of the story broke a policy, failed in a script or asked another host', () => {
  assert.deepEqual(person.complaints, [])
  assert.ok(seen.length > 60, `${seen.length} answers`)
})

test('10.1.1 Q-05 Nhost-advisory CVE-2024-39315 no token and no secret of the run is in any page, header, cookie or storage of the browser', async () => {
  assert.ok(secrets.size >= 13)
  const stored = await person.context.storageState({ indexedDB: true })
  const local = await person.page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
  )
  assert.equal(local, '[{},{},""]')
  for (const [name, secret] of secrets) {
    assert.ok(secret.length >= 14, name)
    assert.ok(!JSON.stringify(stored).includes(secret), `${name} in the browser's storage`)
    for (const { url, headers, body, set_cookie } of seen) {
      assert.ok(!url.includes(secret), `${name} in ${url}`)
      assert.ok(!JSON.stringify(headers).includes(secret), `${name} in the headers of ${url}`)
      assert.ok(!set_cookie.join().includes(secret), `${name} in a cookie of ${url}`)
      assert.ok(!body.includes(secret), `${name} in ${url}`)
    }
  }
})

test('3.3.1 3.3.2 3.3.4 3.3.5 each cookie is for this server alone: HttpOnly, Lax, under its path, short', async () => {
  const all = seen.flatMap(({ set_cookie }) => set_cookie)
  assert.ok(all.length >= 5)
  for (const cookie of all) {
    assert.match(cookie, /^sallyport_(session|browser|theme|device)_[0-9a-f]{8}=[\w-]*; /)
    assert.match(cookie, /; Path=\/hub(;|$)/)
    assert.match(cookie, /; HttpOnly(;|$)/)
    assert.match(cookie, /; SameSite=Lax(;|$)/)
    assert.ok(cookie.length < 256)
  }
  const kept = (await person.context.cookies(`${bridge.issuer}/account`)).filter(({ name }) =>
    name.startsWith('sallyport_'),
  )
  assert.deepEqual(
    kept.map(({ name, httpOnly, sameSite, path }) => [name.split('_')[1], httpOnly, sameSite, path]).sort(),
    [
      ['browser', true, 'Lax', '/hub'],
      ['device', true, 'Lax', '/hub'],
      ['session', true, 'Lax', '/hub'],
      ['theme', true, 'Lax', '/hub'],
    ],
  )
  assert.deepEqual(
    await person.context
      .cookies(new URL('/other', bridge.issuer).href)
      .then((list) => list.filter(({ name }) => name.startsWith('sallyport_'))),
    [],
  )
})

test('14.3.2 nothing but assets and metadata is kept by a browser', () => {
  for (const { url, headers } of seen) {
    const asset = /\/hub\/assets\//.test(url)
    assert.equal(headers['cache-control'], asset ? 'public, max-age=31536000, immutable' : 'no-store', url)
    assert.equal(headers['x-content-type-options'], 'nosniff', url)
    assert.ok(headers['x-request-id'], url)
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', url)
    assert.equal(headers['access-control-allow-origin'], undefined, url)
    if (!asset) assert.equal(headers['referrer-policy'], 'no-referrer', url)
    if (headers['content-type']?.startsWith('text/html')) {
      assert.match(
        headers['content-security-policy']!,
        /^default-src 'none'; .*frame-ancestors 'none'; .*script-src '(self|none)'$/,
      )
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
    }
  }
})
