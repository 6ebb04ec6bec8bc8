import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type DocumentHost, startDocumentHost } from '../parts/document_host.ts'
import { McpClient } from '../parts/mcp_client.ts'
import { type ProtectedMcpServer, startMcpServer } from '../parts/mcp_server.ts'
import { ALICE, claimsOf, type Platform, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const SETTINGS = { dynamic_client_scopes: ['notes:write', 'offline_access'] }
// What a widely used client registers: no port, and then it listens on whichever is free.
const PORTLESS = 'http://localhost/callback'
const LISTENING = 'http://localhost:53127/callback'
const stages = new Map<string, { p: Platform; mcp: ProtectedMcpServer; sub: string }>()
let host: DocumentHost

before(async () => {
  host = await startDocumentHost()
  for (const path of ['/hub', '']) {
    const p = await startPlatform({ path, real_time: true, egress: async () => host.egress })
    const mcp = await startMcpServer(p.server)
    await p.server.addRole('member', ['mcp:tools', 'api:read', 'vault:open', 'notes:read', 'notes:write'])
    const { tenant_id } = p.server.app.tenant
    const alice = await p.server.store.findUserByUsername({ tenant_id, username_key: ALICE.username })
    stages.set(path, { p, mcp, sub: alice!.user_id })
  }
})
after(async () => {
  for (const { p, mcp } of stages.values()) {
    await mcp.stop()
    await p.stop()
  }
  await host.stop()
})

/** Declares a test for an issuer with a path, whose metadata is found by path insertion, and for one without. */
function testOnBothIssuers(
  title: string,
  run: (stage: { p: Platform; mcp: ProtectedMcpServer; sub: string }) => Promise<void>,
) {
  test(title, async (t) => {
    await t.test('an issuer with a path', () => run(stages.get('/hub')!))
    await t.test('an issuer without a path', () => run(stages.get('')!))
  })
}

/** Somebody at a browser, signed in from the second time on. */
function somebody() {
  const agent = new UserAgent()
  return (url: URL) => agent.authorize(url.href, ALICE)
}

testOnBothIssuers(
  'an MCP client that has never seen the server connects by its metadata document',
  async ({ p, mcp, sub }) => {
    await p.server.saveSettings({ ...SETTINGS, metadata_documents: 'any' })
    const clientMetadataUrl = host.publish(`/mcp${p.issuer.length}.json`, {
      client_name: 'Notes reader',
      redirect_uris: [PORTLESS, 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    })
    const client = new McpClient({ redirectUrl: LISTENING, clientMetadataUrl, visit: somebody() })
    assert.equal(await client.call(mcp.url, 'whoami'), sub)
    assert.equal(client.information!.client_id, clientMetadataUrl)
    const [opened] = client.opened
    assert.deepEqual([opened!.searchParams.get('resource'), opened!.searchParams.get('scope')], [mcp.url, 'notes:read'])
    assert.equal(claimsOf(client.kept_tokens!.access_token)['aud'], mcp.url)
    const { refresh_token } = client.kept_tokens!
    client.kept_tokens = { ...client.kept_tokens!, access_token: 'expired' }
    assert.equal(await client.call(mcp.url, 'whoami'), sub)
    assert.notEqual(client.kept_tokens!.refresh_token, refresh_token)
    assert.equal(client.opened.length, 1)
  },
)

testOnBothIssuers(
  'an MCP client that has never seen the server connects by registering itself',
  async ({ p, mcp, sub }) => {
    await p.server.saveSettings({ ...SETTINGS, registration: 'open' })
    const client = new McpClient({ redirectUrl: LISTENING, metadata: { redirect_uris: [PORTLESS] }, visit: somebody() })
    assert.equal(await client.call(mcp.url, 'whoami'), sub)
    const { client_id } = client.information!
    const { tenant_id } = p.server.app.tenant
    const record = (await p.server.store.findClient({ tenant_id, client_id }))!
    assert.deepEqual([record.source, JSON.parse(record.metadata).application_type], ['dynamic', 'native'])
    client.kept_tokens = { ...client.kept_tokens!, access_token: 'expired' }
    assert.equal(await client.call(mcp.url, 'whoami'), sub)
    assert.equal(client.opened.length, 1)
    // A client that was swept or deleted is told so, registers again and goes on.
    const event = { tenant_id, event_id: 'gone', at: Date.now(), type: 'client.deleted', actor: 'cli' }
    await p.server.store.deleteClient({ tenant_id, client_id, event })
    client.kept_tokens = { ...client.kept_tokens!, access_token: 'expired' }
    assert.equal(await client.call(mcp.url, 'whoami'), sub)
    assert.notEqual(client.information!.client_id, client_id)
  },
)

testOnBothIssuers('a confidential MCP client registers itself and uses its secret', async ({ p, mcp, sub }) => {
  await p.server.saveSettings({ ...SETTINGS, registration: 'open' })
  for (const token_endpoint_auth_method of ['client_secret_basic', 'client_secret_post']) {
    const redirectUrl = 'https://agent.example/callback'
    const client = new McpClient({ redirectUrl, metadata: { token_endpoint_auth_method }, visit: somebody() })
    assert.equal(await client.call(mcp.url, 'whoami'), sub)
    assert.match(client.information!.client_secret!, /^sp_cs_/)
  }
})

testOnBothIssuers('an MCP client steps up where a tool needs more than it has', async ({ p, mcp, sub }) => {
  await p.server.saveSettings({ ...SETTINGS, registration: 'open' })
  const metadata = { redirect_uris: [PORTLESS], grant_types: ['authorization_code'] }
  const client = new McpClient({ redirectUrl: LISTENING, metadata, visit: somebody() })
  assert.equal(await client.call(mcp.url, 'whoami'), sub)
  assert.equal(client.kept_tokens!.scope, 'notes:read')
  assert.equal(await client.call(mcp.url, 'erase'), 'erased')
  assert.deepEqual(client.kept_tokens!.scope?.split(' ').sort(), ['notes:read', 'notes:write'])
  assert.deepEqual(
    client.opened.map((url) => url.searchParams.get('scope')),
    ['notes:read', 'notes:read notes:write'],
  )
})

testOnBothIssuers('a user who refuses is told to the MCP client', async ({ p, mcp }) => {
  await p.server.saveSettings({ ...SETTINGS, metadata_documents: 'any' })
  const clientMetadataUrl = host.publish(`/refused${p.issuer.length}.json`, { redirect_uris: [PORTLESS] })
  const visit = (url: URL) => new UserAgent().authorize(url.href, ALICE, 'deny')
  const client = new McpClient({ redirectUrl: LISTENING, clientMetadataUrl, visit })
  await assert.rejects(client.call(mcp.url, 'whoami'), /error=access_denied/)
})

testOnBothIssuers('a request that names no scope gets what goes without saying at the resource', async ({ p, mcp }) => {
  await p.server.saveSettings({ metadata_documents: 'any' })
  const client_id = host.publish(`/plain${p.issuer.length}.json`, { redirect_uris: [PORTLESS] })
  const query = new URLSearchParams({
    ...{ response_type: 'code', client_id, redirect_uri: LISTENING, resource: mcp.url, code_challenge_method: 'S256' },
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  })
  const back = await new UserAgent().authorize(`${p.issuer}/authorize?${query}`, ALICE)
  const form = new URLSearchParams({
    ...{ grant_type: 'authorization_code', client_id, redirect_uri: LISTENING, resource: mcp.url },
    ...{ code: back.searchParams.get('code')!, code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' },
  })
  const response = await fetch(`${p.issuer}/token`, { method: 'POST', body: form })
  assert.equal((await response.json()).scope, 'notes:read')
})
