import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { ALICE, type Bridge, CALLBACK, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { UserAgent } from '../parts/user_agent.ts'
import { Visitor } from '../parts/visitor.ts'
import { startWebApp, type WebApp } from '../parts/web_app.ts'

const ROOT = { username: 'root', password: 'correct horse battery' }
/** Makes itself known by the title of the tab, an element, a request to another host, or a broken policy. */
const HOSTILE = [
  '"><script>document.title="owned"</script>',
  '<img src=https://evil.example/x onerror=document.title="owned">',
  '</title></textarea></code></bdi><svg onload=document.title="owned">',
  '\' onfocus=document.title="owned" autofocus style="position:fixed" x=\'',
  '{{constructor.constructor(\'document.title="owned"\')()}}${document.title="owned"}',
] as const

let running: { browser: Browser; close(): Promise<void> }
let bridge: Bridge
/** Where a client is told of its mistakes. */
let app: WebApp

before(async () => {
  running = await launchBrowser()
  bridge = await startBridge({ path: '/hub' })
  app = await startWebApp()
  await bridge.server.addClient({
    ...{ client_id: 'landing', client_name: 'Landing', client_secret: 'secret-of-landing' },
    ...{ redirect_uris: [app.redirect_uri], grant_types: ['authorization_code'], scope: 'openid' },
  })
  await bridge.server.addUser({ ...ROOT, name: HOSTILE[0], roles: ['administrator', 'member'] })
  for (const [at, text] of HOSTILE.entries()) await plant(text, at)
})
after(async () => {
  await app?.close()
  await bridge?.stop()
  await running?.close()
})

/** Puts a text wherever somebody other than the reader fills something in. */
async function plant(text: string, at: number): Promise<void> {
  const { server, issuer, foreign } = bridge
  const scopes = JSON.stringify({ [`read:${at}`]: text })
  const resource = `https://api.example/${at}`
  await server.addResource({ resource, name: text, scopes, default_scopes: JSON.stringify([`read:${at}`]) })
  await server.addRole(text, [`read:${at}`])
  const client_id = `client-${at}`
  await server.addClient({
    ...{ client_id, client_name: text, client_secret: 'secret-of-hostile', redirect_uris: [CALLBACK] },
    ...{ contacts: [text], software_id: text, software_version: text, default_resource: resource },
    ...{ grant_types: ['authorization_code', 'refresh_token'], scope: `openid offline_access read:${at}` },
  })
  // A username is what a person types; a name, what they say of themselves.
  const user = { username: text.replaceAll(/\s/g, ''), password: ALICE.password }
  await server.addUser({
    ...user,
    name: text,
    email: `hostile${at}@example.test`,
    roles: [text, 'member'],
  })
  await saveConnector(server.app.web.outbound, 'test', {
    ...{ connector: `c${at}`, provider: 'oidc', issuer: foreign.issuer, name: text },
    ...{ client_id: text, client_secret: 'x', scope: 'openid', fields: { api_base_url: `${bridge.api.origin}/v1` } },
  })
  const agent = new UserAgent()
  const headers = { 'user-agent': text }
  const request = agent.request.bind(agent)
  agent.request = (url, init = {}) =>
    request(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), ...headers } })
  // A sign-in that is refused, one that is not, an app that is allowed, an account elsewhere by that name, a refusal there.
  const page = await agent.follow(`${issuer}/login`)
  const opened = { url: page.url, html: await page.response.text() }
  await agent.submit(opened, { username: text, password: 'wrong' }, 'name="password"')
  await agent.submit(opened, user, 'name="password"')
  await agent.authorize(
    bridge.authorizeUrl({
      client_id,
      resource,
      scope: `openid offline_access read:${at}`,
      state: text,
      login_hint: text,
    }),
    user,
  )
  await bridge.connect(agent, '/connect/acme', text)
  const back = await bridge.visitProvider(agent, '/connect/acme', text)
  const error = new URLSearchParams({
    state: back.searchParams.get('state')!,
    error: 'access_denied',
    error_description: text,
  })
  await agent.follow(`${back.origin}${back.pathname}?${error}`)
}

/** Addresses that say something back of what stands in them. */
function reflected(text: string): string[] {
  const value = encodeURIComponent(text)
  const asked = ['client_id', 'redirect_uri', 'scope', 'state', 'login_hint', 'ui_locales', 'prompt', 'response_mode']
  return [
    ...asked.map((name) =>
      bridge
        .authorizeUrl({ client_id: 'landing', redirect_uri: app.redirect_uri, [name]: text })
        .slice(bridge.issuer.length),
    ),
    ...['return_to', 'request', 'error'].map((name) => `/login?${name}=${value}`),
    ...['user_code', 'error'].map((name) => `/device?${name}=${value}`),
    ...['id_token_hint', 'post_logout_redirect_uri', 'client_id', 'state'].map((name) => `/logout?${name}=${value}`),
    ...['error', 'error_description', 'state', 'code'].map((name) => `/connect/acme/callback?${name}=${value}`),
    ...[
      'reset/password?token',
      'sign_up/account?token',
      'setup?token',
      'connect/invitation?token',
      'login/link/open?token',
    ].map((path) => `/${path}=${value}`),
    ...['q', 'cursor'].map((name) => `/admin/users?${name}=${value}`),
    ...['event', 'actor', 'user', 'until', 'connection_id', 'cursor'].map((name) => `/admin/events?${name}=${value}`),
    ...['user', 'client_id', 'cursor'].map((name) => `/admin/grants?${name}=${value}`),
    ...[
      'client?client_id',
      'user?user_id',
      'resource?resource',
      'role?role',
      'grant?grant_id',
      'connector?connector',
    ].map((path) => `/admin/${path}=${value}`),
    ...[
      'connections?state',
      'connections?connector',
      'client/rights?client_id',
      'webhook?webhook',
      'event?event_id',
    ].map((path) => `/admin/${path}=${value}`),
    `/account?done=${value}`,
    `/account/activity?cursor=${value}`,
    `/no/such/${value}`,
  ]
}

// What is told by these is nothing of what was planted: an account elsewhere, a file, what follows the log for ever.
const NOT_OPENED = /\/(connect|export|follow|assets)(\/|\?|$)|#|^(?!\/hub\/)/

for (const locale of ['en', 'de', 'ar']) {
  test(`5.8 1.2.1 in ${locale}, nothing that somebody has put into the database or an address runs, loads or breaks a policy on any page`, async () => {
    const person = await Visitor.open(running.browser, { locale })
    const { page } = person
    page.on('dialog', (dialog) => {
      person.complaints.push(dialog.message())
      void dialog.dismiss()
    })
    await person.visit(`${bridge.issuer}/admin`)
    await page.fill('[name=username]', ROOT.username)
    await page.fill('[name=password]', ROOT.password)
    await Promise.all([page.waitForNavigation(), page.press('[name=password]', 'Enter')])
    const waiting = ['/admin', '/account', '/account/data', '/account/activity', '/playground'].map(
      (path) => `/hub${path}`,
    )
    for (const text of HOSTILE) waiting.push(...reflected(text).map((path) => `/hub${path}`))
    const opened = new Set<string>()
    const kinds = new Map<string, number>()
    let said = 0
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      if (opened.has(path)) continue
      opened.add(path)
      const answer = await page.goto(new URL(path, bridge.issuer).href)
      assert.ok(answer!.status() < 500, `${answer!.status()} at ${path}`)
      if (page.url().startsWith(app.origin)) continue
      const { title, lang, planted, links, words } = await page.evaluate(() => ({
        title: document.title,
        lang: document.documentElement.lang,
        planted: document.querySelectorAll('[onerror], [onload], [onfocus], [style], script:not([src^="/hub/assets/"])')
          .length,
        links: [...document.querySelectorAll('a[href]')].map((link) => link.getAttribute('href')!),
        words: document.body.innerText,
      }))
      assert.notEqual(title, 'owned', path)
      assert.deepEqual([lang, planted], [locale, 0], path)
      if (words.includes('document.title=')) said++
      for (const link of links) {
        const kind = link.split('?')[0]!
        const seen = kinds.get(kind) ?? 0
        // Some of each kind of page: they differ by what was planted alone.
        if (NOT_OPENED.test(link) || seen >= 8) continue
        if (!opened.has(link)) kinds.set(kind, seen + 1)
        waiting.push(link)
      }
    }
    assert.ok(
      said >= 40 && kinds.size >= 25,
      `${said} pages of ${opened.size} said something hostile, of ${kinds.size} kinds`,
    )
    await person.close()
  })
}
