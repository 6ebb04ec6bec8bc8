import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { type Hub, ROOT, startHub } from '../parts/hub.ts'
import { csrfOf, open, post } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const guide = readFileSync(new URL('../../docs/choose-a-flow.md', import.meta.url), 'utf8')
let hub: Hub
let root: UserAgent
before(async () => {
  hub = await startHub()
  root = new UserAgent()
  const page = await open(root, `${hub.base}/login`)
  await post(root, page.url, { csrf_token: csrfOf(page), ...ROOT })
})
after(() => hub.stop())

/** The types of the console's question, each with its label. */
async function types(): Promise<Map<string, string>> {
  const { html } = await open(root, `${hub.base}/admin/clients/new`)
  assert.match(html, /Where does it run\?/)
  const found = html.matchAll(/name="type" value="(\w+)"[^>]*><span><strong>([^<]+)<\/strong>/g)
  return new Map([...found].map(([, value, label]) => [value!, label!]))
}

test('H12 the guide says for each place where code runs which flow it takes, and names the answer in the console', async () => {
  const rows = guide.split('\n').filter((line) => line.startsWith('| ') && line.split('|').length === 7)
  const answers = new Set(rows.slice(1).map((row) => row.split('|')[5]!.trim()))
  assert.deepEqual([...answers].sort(), [...(await types()).values()].sort())
  for (const where of ['web server', 'browser', 'desktop', 'script', 'its own', 'client_id and secret'])
    assert.ok(guide.includes(where), where)
})

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const FLOWS: Record<string, { grant_types: string[]; secret: boolean }> = {
  server: { grant_types: ['authorization_code', 'refresh_token'], secret: true },
  browser: { grant_types: ['authorization_code', 'refresh_token'], secret: false },
  native: { grant_types: ['authorization_code', 'refresh_token'], secret: false },
  device: { grant_types: [DEVICE, 'refresh_token'], secret: false },
  script: { grant_types: [DEVICE, 'refresh_token'], secret: false },
  machine: { grant_types: ['client_credentials'], secret: true },
  agent: { grant_types: ['authorization_code', 'refresh_token'], secret: false },
}

test('H12 each answer makes a client of just that flow, with a key or a secret where one can be kept', async () => {
  const { tenant_id } = hub.server.app.tenant
  assert.deepEqual([...(await types()).keys()].sort(), Object.keys(FLOWS).sort())
  const proofs = ['private_key_jwt', 'client_secret_basic'] as const
  const asked = Object.entries(FLOWS).flatMap(([type, flow]) => proofs.map((proof) => ({ type, proof, ...flow })))
  for (const { type, proof, grant_types, secret } of asked) {
    const page = await open(root, `${hub.base}/admin/clients/new`)
    const redirects = grant_types.includes('authorization_code') ? { redirect_uris: 'https://app.example/cb' } : {}
    const client_name = `A ${type} by ${proof}`
    const described = { client_name, type, token_endpoint_auth_method: proof, scope: 'admin:read', ...redirects }
    const form = { csrf_token: csrfOf(page), ...described }
    const made = await post(root, `${hub.base}/admin/clients/new`, form)
    const html = await made.text()
    assert.equal(made.status, 200, html)
    assert.equal(/sp_cs_[\w-]+/.test(html), secret && proof === 'client_secret_basic', client_name)
    assert.equal(html.includes('&quot;d&quot;:'), secret && proof === 'private_key_jwt', client_name)
    const clients = await hub.server.store.pageClients({ tenant_id, after_client_id: '', most: 50 })
    const client = clients.find((found) => found.client_name === client_name)!
    const metadata = JSON.parse(client.metadata)
    assert.deepEqual(metadata.grant_types, grant_types, client_name)
    assert.equal(metadata.token_endpoint_auth_method, secret ? proof : 'none')
  }
})
