import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../parts/chromium.ts'
import { type DocumentHost, startDocumentHost } from '../parts/document_host.ts'
import { McpClient } from '../parts/mcp_client.ts'
import { type ProtectedMcpServer, startMcpServer } from '../parts/mcp_server.ts'
import { ALICE, type Platform, startPlatform } from '../parts/platform.ts'
import { Visitor } from '../parts/visitor.ts'

let host: DocumentHost
let p: Platform
let mcp: ProtectedMcpServer
let chromium: { browser: Browser; close(): Promise<void> }
let listener: Server
let callback: string

before(async () => {
  host = await startDocumentHost()
  p = await startPlatform({ path: '/hub', real_time: true, egress: async () => host.egress })
  mcp = await startMcpServer(p.server)
  await p.server.addRole('member', ['mcp:tools', 'api:read', 'vault:open', 'notes:read', 'notes:write'])
  await p.server.saveSettings({ metadata_documents: 'any', registration: 'open' })
  chromium = await launchBrowser()
  // The program on the user's computer that waits for the answer.
  listener = createServer((_, response) => response.end('You may close this window.'))
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  callback = `http://localhost:${(listener.address() as AddressInfo).port}/callback`
})
after(async () => {
  listener.close()
  await chromium.close()
  await mcp.stop()
  await p.stop()
  await host.stop()
})

/** Somebody at a real browser; answers what the consent pages said. */
async function open() {
  const visitor = await Visitor.open(chromium.browser)
  const said: string[] = []
  const visit = async (url: URL): Promise<URL> => {
    await visitor.visit(url.href)
    if (await visitor.page.locator('[name="password"]').count()) await visitor.signIn(ALICE)
    said.push(await visitor.page.locator('main').innerText())
    await visitor.press('Allow')
    await visitor.page.waitForURL((at) => at.pathname === '/callback')
    return new URL(visitor.page.url())
  }
  return { visitor, said, visit }
}

test('M-07 10.7.1 an MCP client connects by its document, and the page says what is known of it and what is not', async () => {
  const { visitor, said, visit } = await open()
  const clientMetadataUrl = host.publish('/agent.json', {
    client_name: 'Desk Agent',
    client_uri: 'https://famous.example',
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
  })
  const client = new McpClient({ redirectUrl: callback, clientMetadataUrl, visit })
  assert.notEqual(await client.call(mcp.url, 'whoami'), '')
  client.kept_tokens = undefined
  assert.notEqual(await client.call(mcp.url, 'whoami'), '')
  // Signed in and allowed before: asked all the same.
  assert.equal(said.length, 2)
  for (const text of said) {
    for (const part of [
      ...[
        /Desk Agent/,
        /Not verified/,
        /Nobody has checked who runs Desk Agent/,
        /Any program on this computer can call/,
      ],
      ...[
        new RegExp(`from ${new URL(host.origin).host}`),
        new RegExp(new URL(callback).host),
        /agent\.json/,
        /Read your notes/,
      ],
    ]) {
      assert.match(text, part)
    }
    // What it claims of its publisher is nobody's word.
    assert.doesNotMatch(text, /famous\.example/)
  }
  await visitor.visit(`${p.issuer}/account`)
  assert.match(
    await visitor.page.locator('main').innerText(),
    new RegExp(`Desk Agent\\s+from ${new URL(host.origin).host}`),
  )
  await visitor.close()
})

test('an MCP client registers itself and connects through a browser', async () => {
  const { visitor, said, visit } = await open()
  const client = new McpClient({ redirectUrl: callback, visit })
  assert.notEqual(await client.call(mcp.url, 'whoami'), '')
  assert.match(said[0]!, /Not verified[\s\S]*Any program on this computer can call/)
  assert.doesNotMatch(said[0]!, /from /)
  await visitor.close()
})

test('a client in a browser of another origin registers itself', async () => {
  const { visitor } = await open()
  await visitor.visit(callback)
  const made = await visitor.page.evaluate(async (url) => {
    const headers = { 'content-type': 'application/json', 'mcp-protocol-version': '2025-11-25' }
    const body = JSON.stringify({ redirect_uris: ['https://spa.example/cb'], token_endpoint_auth_method: 'none' })
    const response = await fetch(url, { method: 'POST', headers, body })
    return { status: response.status, client_id: (await response.json()).client_id }
  }, `${p.issuer}/register`)
  assert.equal(made.status, 201)
  assert.match(made.client_id, /^[0-9a-f-]{36}$/)
  await visitor.close()
})
