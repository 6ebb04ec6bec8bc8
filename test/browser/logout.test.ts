import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../parts/chromium.ts'
import { ALICE, BOB, CLIENTS, type Platform, startPlatform, VERIFIER } from '../parts/platform.ts'
import { Visitor } from '../parts/visitor.ts'

let p: Platform
let running: { browser: Browser; close(): Promise<void> }
let rp: Server
let origin: string
/** What the client's page posts to the end_session_endpoint. */
let form: Record<string, string> = {}

before(async () => {
  p = await startPlatform({ real_time: true })
  running = await launchBrowser()
  rp = createServer((request, response) => {
    const url = new URL(request.url!, origin)
    const inputs = Object.entries(form).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
    const html = `<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,"><h1>${url.pathname}${url.search}</h1>
      <form method="post" action="${p.issuer}/logout">${inputs.join('')}<button>Log out of everything</button></form></html>`
    response.writeHead(200, { 'content-type': 'text/html' }).end(html)
  })
  await new Promise<void>((resolve) => rp.listen(0, '127.0.0.1', resolve))
  // Another site than the server, as clients are.
  origin = `http://localhost:${(rp.address() as { port: number }).port}`
  const client = { client_id: 'rp', client_secret: 'secret-of-the-rp', redirect_uri: `${origin}/cb` }
  Object.assign(CLIENTS, { rp: client })
  await p.server.addClient({
    ...{ client_id: 'rp', client_secret: client.client_secret, redirect_uris: [client.redirect_uri], trusted: true },
    ...{ post_logout_redirect_uris: [`${origin}/bye`], scope: 'openid mcp:tools', client_name: 'Acme Notes' },
  })
})
after(async () => {
  await running?.close()
  rp?.close()
  await p?.stop()
})

async function signInToRp(visitor: Visitor, user = ALICE as { username: string; password: string }): Promise<string> {
  const name = 'rp' as 'web'
  await visitor.visit(p.authorizeUrl(name, { scope: 'openid mcp:tools' }))
  await visitor.signIn(user)
  const code = new URL(visitor.page.url()).searchParams.get('code')!
  return (await p.exchange(name, code, { code_verifier: VERIFIER })).body.id_token
}

test('RP-Initiated Logout 2 a client on another site signs a person out in one press, by a posted form', async () => {
  const visitor = await Visitor.open(running.browser)
  const id_token_hint = await signInToRp(visitor)
  form = { id_token_hint, post_logout_redirect_uri: `${origin}/bye`, state: 'a b' }
  await visitor.visit(`${origin}/app`)
  await visitor.press('Log out of everything')
  assert.equal(await visitor.heading(), '/bye?state=a+b')
  await visitor.visit(`${p.issuer}/account`)
  assert.equal(await visitor.page.locator('[name="password"]').count(), 1)
  await visitor.close()
})

test('10.6.2 CVE-2025-12390 on a shared computer the hint of one person asks the other before it signs them out', async () => {
  const visitor = await Visitor.open(running.browser)
  const of_alice = await signInToRp(visitor)
  await visitor.visit(`${p.issuer}/account`)
  await visitor.press('Sign out')
  assert.equal(await visitor.heading(), 'You are signed out')
  await signInToRp(visitor, BOB)
  form = { id_token_hint: of_alice, client_id: 'rp', post_logout_redirect_uri: `${origin}/bye` }
  await visitor.visit(`${origin}/app`)
  await visitor.press('Log out of everything')
  assert.equal(await visitor.heading(), 'Sign out?')
  assert.match(
    await visitor.page.locator('main').innerText(),
    /Acme Notes asks to sign you out\. You are signed in as bob/,
  )
  await visitor.press('Stay signed in')
  assert.match(visitor.page.url(), /\/account$/)
  await visitor.visit(`${origin}/app`)
  await visitor.press('Log out of everything')
  await visitor.press('Sign out')
  assert.equal(await visitor.heading(), '/bye')
  await visitor.close()
})

test('3.7.2 who is signed in nowhere goes back to the client by a press of their own', async () => {
  const visitor = await Visitor.open(running.browser)
  form = { client_id: 'rp', post_logout_redirect_uri: `${origin}/bye` }
  await visitor.visit(`${origin}/app`)
  await visitor.press('Log out of everything')
  assert.equal(await visitor.heading(), 'You are signed out')
  await visitor.press('Back to Acme Notes')
  assert.equal(await visitor.heading(), '/bye')
  await visitor.close()
})
