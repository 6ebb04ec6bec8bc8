import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ALICE, type Platform, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
before(async () => {
  p = await startPlatform()
})
after(() => p.stop())

interface Shown {
  readonly what: string
  readonly response: Response
}

async function post(agent: UserAgent, url: string, form: Record<string, string>, headers: Record<string, string> = {}) {
  const type = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
  const body = new URLSearchParams(form).toString()
  return agent.request(url, { method: 'POST', headers: { ...type, ...headers }, body })
}

/** Every kind of page, those of refusals included. */
async function showPages(): Promise<Shown[]> {
  const at = (path: string) => p.issuer + path
  const nobody = new UserAgent()
  const agent = new UserAgent()
  const shown: Shown[] = []
  const show = async (what: string, response: Promise<Response>) => void shown.push({ what, response: await response })
  await show('sign-in', nobody.request(at('/login')))
  const login = await nobody.follow(p.authorizeUrl('web'))
  shown.push({ what: 'sign-in for a client', response: login.response })
  await show(
    'wrong password',
    post(nobody, login.url, { csrf_token: csrfOf(await login.response.clone().text()), username: 'x', password: 'y' }),
  )
  await show('stale sign-in', post(nobody, login.url, { username: 'x', password: 'y' }))
  await show('forged', post(nobody, login.url, {}, { 'sec-fetch-site': 'cross-site' }))
  await show('not a form', post(nobody, login.url, {}, { 'content-type': 'text/plain' }))
  await show('too large', post(nobody, login.url, { x: 'x'.repeat(70_000) }))
  await show('untrusted redirect', nobody.request(p.authorizeUrl('web', { redirect_uri: 'https://evil.example/' })))
  await show('unknown client', nobody.request(p.authorizeUrl('web', { client_id: 'nobody' })))
  await show('expired', nobody.request(at('/consent?request=x')))
  await show('not found', nobody.request(at('/no/such/page')))
  await show('not found at the root', nobody.request(new URL('/elsewhere', p.issuer).href))
  await show('wrong method', nobody.request(at('/login'), { method: 'PUT' }))
  await show('account without a session', nobody.request(at('/account')))
  await agent.authorize(p.authorizeUrl('trusted'), ALICE)
  const consent = agent.request(p.authorizeUrl('web'))
  await show('consent', consent)
  await show('form_post', agent.request(p.authorizeUrl('trusted', { response_mode: 'form_post' })))
  await show('account', agent.request(at('/account')))
  const html = await (await consent).clone().text()
  const action = /action="([^"]*\/consent[^"]*)"/.exec(html)![1]!.replaceAll('&amp;', '&')
  await show('stale consent', post(agent, new URL(action, p.issuer).href, { decision: 'allow' }))
  await show('signed out', post(agent, at('/logout'), { csrf_token: csrfOf(html) }))
  return shown
}

const csrfOf = (html: string) => /name="csrf_token" value="([^"]+)"/.exec(html)![1]!

test('B-20 B-03 3.4.3 3.4.6 5.8 3.4.5 3.4.8 3.5.8 every page, errors included, cannot be framed, sniffed, kept or scripted', async () => {
  for (const { what, response } of await showPages()) {
    const { headers } = response
    assert.equal(headers.get('cache-control'), 'no-store', what)
    assert.equal(headers.get('referrer-policy'), 'no-referrer', what)
    assert.equal(headers.get('access-control-allow-origin'), null, what)
    assert.ok(headers.get('x-request-id'), what)
    assert.equal(headers.get('server') ?? headers.get('x-powered-by'), null, what)
    if (response.status === 303) continue
    assert.equal(headers.get('content-type'), 'text/html; charset=utf-8', what)
    assert.equal(headers.get('x-frame-options'), 'DENY', what)
    assert.equal(headers.get('x-content-type-options'), 'nosniff', what)
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin', what)
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin', what)
    const policy = new Map(
      (headers.get('content-security-policy') ?? '').split('; ').map((part) => [part.split(' ')[0], part]),
    )
    for (const directive of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"]) {
      assert.equal(policy.get(directive.split(' ')[0]!), directive, what)
    }
    assert.match(policy.get('script-src')!, /^script-src '(none|self)'$/, what)
    assert.equal(policy.get('style-src'), "style-src 'self'", what)
    assert.equal(policy.get('require-trusted-types-for'), "require-trusted-types-for 'script'", what)
    assert.equal(policy.has('form-action'), false, 'Chromium would apply it to the redirect to the client')
    const html = await response.text()
    assert.doesNotMatch(html, /<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=/i, what)
    for (const [, url] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      assert.match(url!, /^(\/hub\/|#|data:image\/)/, `${what}: ${url}`)
    }
    if (/^(expired|stale)/.test(what)) assert.match(html, /<a class="button|name="decision"|name="password"/, what)
  }
})

test('B-25 V-13 no page can be read from another origin, preflight or not', async () => {
  for (const path of ['/authorize', '/login', '/consent', '/logout', '/account']) {
    for (const method of ['OPTIONS', 'GET', 'POST']) {
      for (const origin of ['https://spa.example', 'https://evil.example', 'null', p.issuer]) {
        const headers = {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        }
        const response = await new UserAgent().request(p.issuer + path, { method, headers })
        for (const name of response.headers.keys()) assert.doesNotMatch(name, /^access-control/, `${method} ${path}`)
      }
    }
  }
})

test('Q-01 CVE-2024-41657 3.4.2 machine endpoints for browsers answer any origin and never with credentials', async () => {
  const documents = ['/jwks', '/.well-known/openid-configuration']
  for (const path of ['/token', '/revoke', '/userinfo', ...documents]) {
    for (const origin of ['https://spa.example', 'https://evil.example', 'null']) {
      const { headers } = await fetch(p.issuer + path, { headers: { origin } })
      assert.equal(headers.get('access-control-allow-origin'), '*', path)
      assert.equal(headers.get('access-control-allow-credentials'), null, path)
    }
  }
  for (const path of documents)
    assert.match((await fetch(p.issuer + path)).headers.get('vary') ?? '', /origin/i, 'kept per origin')
  const introspection = await fetch(`${p.issuer}/introspect`, {
    method: 'POST',
    headers: { origin: 'https://spa.example' },
  })
  assert.equal(introspection.headers.get('access-control-allow-origin'), null)
})

test('B-16 whatever answers a form redirects by 303', async () => {
  const agent = new UserAgent()
  const login = await agent.follow(p.authorizeUrl('other'))
  const first = await post(agent, login.url, { csrf_token: csrfOf(await login.response.text()), ...ALICE })
  assert.equal(first.status, 303)
  const page = await agent.request(new URL(first.headers.get('location')!, p.issuer).href)
  const html = await page.text()
  const action = new URL(/action="([^"]*\/consent[^"]*)"/.exec(html)![1]!.replaceAll('&amp;', '&'), p.issuer).href
  for (const decision of ['deny', 'allow']) {
    const answered = await post(agent, action, { csrf_token: csrfOf(html), decision })
    assert.equal(answered.status, 303)
    assert.match(answered.headers.get('location')!, decision === 'deny' ? /error=access_denied/ : /[?&]code=/)
  }
  const form = new URL(p.authorizeUrl('other')).search.slice(1)
  const posted = await agent.request(`${p.issuer}/authorize`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form,
  })
  assert.equal(posted.status, 303)
  const away = new URL(action).searchParams.get('request')!
  const left = await post(agent, `${p.issuer}/login/switch?request=${away}`, { csrf_token: csrfOf(html) })
  assert.equal(left.status, 303)
})

test('4.1.3 CVE-2025-64101 CVE-2026-29067 B-17 what a proxy might say about host, scheme and path changes nothing of ours', async () => {
  const spoofed = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-prefix': '/evil',
    'x-forwarded-uri': '/evil',
    'x-original-url': '/evil',
    'x-rewrite-url': '/evil',
    'x-real-ip': '10.0.0.1',
    forwarded: 'for=1.2.3.4;host=evil.example;proto=https',
  }
  const metadata = await (await fetch(`${p.issuer}/.well-known/openid-configuration`, { headers: spoofed })).text()
  assert.doesNotMatch(metadata, /evil/)
  assert.match(metadata, new RegExp(`"issuer":"${p.issuer}"`))
  const login = await new UserAgent().follow(p.authorizeUrl('web'), { headers: spoofed })
  assert.match(login.url, new RegExp(`^${p.issuer}/login`))
  assert.doesNotMatch(await login.response.text(), /evil/)
  const response = await p.server.app.fetch(
    new Request(p.authorizeUrl('web'), { headers: { ...spoofed, host: 'evil.example' } }),
  )
  assert.equal(response.status, 421)
  assert.doesNotMatch(await response.text(), /evil/)
})

test('13.4.1 13.4.3 13.4.5 13.4.6 nothing names the software or its version, no folder is listed, and nothing is served that is not ours', async () => {
  for (const path of [
    ...['/.git/config', '/.git/HEAD', '/.git/', '/.svn/entries', '/.hg/hgrc', '/.DS_Store'],
    ...['/assets', '/assets/', '/.well-known/', '/api/', '/docs', '/openapi.json', '/debug'],
    '/.env',
    '/package.json',
    '/assets/../package.json',
    '/assets/%2e%2e/app.ts',
    '/metrics',
    '/server-status',
    '/assets/app.css.map',
  ]) {
    const response = await fetch(p.issuer + path)
    assert.equal(response.status, 404, path)
    assert.doesNotMatch(await response.text(), /hono|node\.js|"dependencies"|Index of/i, path)
    for (const [name, value] of response.headers) assert.doesNotMatch(`${name} ${value}`, /hono|node|powered|^server /i)
  }
})
