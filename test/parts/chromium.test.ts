import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './chromium.ts'

const PAGE = `<!doctype html><html lang="ar"><meta charset="utf-8"><title>It runs</title><p id="latin">Sign in</p>
<p id="arabic">مرحبا</p><p id="script">off</p><script>document.querySelector('#script').textContent = 'on'</script>`

const server = createServer((request, response) => {
  const csp = request.url === '/strict' ? { 'content-security-policy': "default-src 'self'" } : {}
  response.writeHead(200, { 'content-type': 'text/html', ...csp }).end(PAGE)
})
let running: { browser: Browser; close(): Promise<void> }
let origin: string

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  running = await launchBrowser()
})
after(async () => {
  await running?.close()
  server.close()
  server.closeAllConnections()
})

test('the browser shows a page of a server on loopback and runs its script', async () => {
  const page = await running.browser.newPage()
  await page.goto(origin)
  assert.equal(await page.title(), 'It runs')
  assert.equal(await page.textContent('#script'), 'on')
  await page.close()
})

test('the browser keeps a content security policy', async () => {
  const page = await running.browser.newPage()
  await page.goto(`${origin}/strict`)
  assert.equal(await page.textContent('#script'), 'off')
  await page.close()
})

test('the browser keeps origins apart', async () => {
  const page = await running.browser.newPage()
  await page.goto(origin)
  const other = origin.replace('127.0.0.1', 'localhost')
  assert.equal(await page.evaluate((url) => fetch(url).catch(() => 'refused'), other), 'refused')
  await page.close()
})

test('the browser reaches nothing but loopback', async () => {
  const page = await running.browser.newPage()
  for (const url of ['http://192.0.2.1/', 'http://example.com/', 'https://example.com/']) {
    await assert.rejects(page.goto(url), /ERR_PROXY_CONNECTION_FAILED/)
  }
  await page.close()
})

test('Latin and Arabic text have glyphs', async () => {
  const page = await running.browser.newPage()
  await page.goto(origin)
  const session = await page.context().newCDPSession(page)
  await session.send('DOM.enable')
  await session.send('CSS.enable')
  const { root } = await session.send('DOM.getDocument')
  for (const [selector, family] of [
    ['#latin', 'Open Sans'],
    ['#arabic', 'Noto Sans Arabic'],
  ] as const) {
    const { nodeId } = await session.send('DOM.querySelector', { nodeId: root.nodeId, selector })
    const { fonts } = await session.send('CSS.getPlatformFontsForNode', { nodeId })
    assert.equal(fonts[0]?.familyName, family)
  }
  await page.close()
})
