import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const service = {
  name: 'Upsource',
  homeUrl: 'http://127.0.0.1:3000/upsource',
  redirectUris: ['/auth', 'http://127.0.0.1:3000/other'],
  applicationName: 'Upsource',
  vendor: 'JetBrains',
  version: '2.5',
}
const verifier = 'h'.repeat(43)
const code_challenge = createHash('sha256').update(verifier).digest('base64url')
let server: TestServer

before(async () => {
  server = await startSallyport({ path: '/hub' })
  await server.addUser(alice)
  await server.addClient({
    client_id: 'script',
    client_secret: 'script-secret',
    grant_types: ['client_credentials'],
    scope: 'admin:read admin:write',
  })
})
after(() => server.stop())

async function postService(query: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.issuer}/api/rest/services${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: await response.json() }
}

async function token(id: string, secret: string, form: Record<string, string>) {
  const response = await fetch(`${server.issuer}/api/rest/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams(form),
  })
  return { status: response.status, body: await response.json() }
}

async function administratorToken(): Promise<string> {
  const form = { grant_type: 'client_credentials', scope: 'admin:write', resource: `${server.issuer}/api` }
  return (await token('script', 'script-secret', form)).body.access_token
}

test('H3 a service that an administrator registers gets just the asked fields, and signs users in without PKCE', async () => {
  const authorization = `Bearer ${await administratorToken()}`
  const made = await postService('?fields=id,secret', service, { authorization })
  assert.equal(made.status, 200, JSON.stringify(made.body))
  assert.deepEqual(Object.keys(made.body), ['id', 'secret'])
  assert.match(made.body.id, /^[0-9a-f-]{36}$/)
  const redirect_uri = 'http://127.0.0.1:3000/upsource/auth'
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: made.body.id,
    redirect_uri,
    scope: made.body.id,
    state: 's1',
    access_type: 'offline',
  })
  const back = await new UserAgent().authorize(`${server.issuer}/api/rest/oauth2/auth?${query}`, alice)
  assert.equal(back.origin + back.pathname, redirect_uri)
  const code = back.searchParams.get('code')!
  const { id, secret } = made.body
  const first = await token(id, secret, { grant_type: 'authorization_code', code, redirect_uri })
  assert.equal(first.status, 200, JSON.stringify(first.body))
  assert.equal(first.body.scope, `${id} offline_access`)
  const again = await token(id, secret, { grant_type: 'refresh_token', refresh_token: first.body.refresh_token })
  assert.equal(again.status, 200, JSON.stringify(again.body))
})

test('H3 without a token nobody registers, unless the tenant is open; then the service is never trusted and needs PKCE', async () => {
  const refused = await postService('?fields=id,secret', service)
  assert.equal(refused.status, 401)
  assert.equal(refused.body.error, 'invalid_token')
  await server.saveSettings({ service_registration: 'open' })
  const made = await postService('?fields=id,secret,trusted', { ...service, trusted: true })
  assert.equal(made.status, 200)
  assert.equal(made.body.trusted, false)
  const { id, secret } = made.body
  const query = { response_type: 'code', client_id: id, redirect_uri: service.redirectUris[1]!, scope: id }
  const auth = `${server.issuer}/api/rest/oauth2/auth?`
  const without = await new UserAgent().follow(auth + new URLSearchParams(query))
  assert.equal(without.response.status, 400, 'a stranger gets no redirect before anybody signed in')
  const pkce = { ...query, code_challenge, code_challenge_method: 'S256' }
  const back = await new UserAgent().authorize(auth + new URLSearchParams(pkce), alice)
  const code = back.searchParams.get('code')!
  const first = await token(id, secret, { grant_type: 'authorization_code', code, code_verifier: verifier })
  assert.equal(first.status, 200, JSON.stringify(first.body))
})

test('H3 an open tenant registers nothing for a page of another site, nor for a flood', async (t) => {
  const open = await startSallyport()
  t.after(() => open.stop())
  await open.saveSettings({ service_registration: 'open' })
  const post = (headers: Record<string, string> = {}) =>
    fetch(`${open.issuer}/api/rest/services`, { method: 'POST', headers, body: JSON.stringify(service) })
  assert.equal((await post({ origin: 'https://evil.example' })).status, 403)
  assert.equal((await post({ origin: new URL(open.issuer).origin })).status, 200)
  const { tenant_id, store } = open.app.tenant
  const count = async () =>
    (await store.pageClients({ tenant_id, after_client_id: '', most: 500 })).filter(({ source }) => source === 'open')
      .length
  const answers = await Promise.all(Array.from({ length: 120 }, () => post()))
  const late = answers.filter(({ status }) => status === 429)
  assert.equal(late.length, 21)
  assert.ok(Number(late[0]!.headers.get('retry-after')) > 3000)
  assert.equal(await count(), 100)
})

test('H3 a relative redirect URI may not leave homeUrl, and a body that is no object is refused', async () => {
  for (const redirectUris of [['//evil.example/cb'], ['/\\evil.example'], 'x', [1]]) {
    const { status, body } = await postService('', { ...service, redirectUris })
    assert.equal(status, 400, JSON.stringify(redirectUris))
    assert.ok(body.error === 'invalid_redirect_uri' || body.error === 'invalid_request', JSON.stringify(body))
  }
  assert.equal((await postService('', [])).body.error, 'invalid_request')
  assert.equal((await postService('', { ...service, name: 7 })).body.error, 'invalid_request')
})

test('H3 the server is whole without the door', async () => {
  const plain = await startSallyport({ app: { doors: [] } })
  const response = await fetch(`${plain.issuer}/api/rest/services`, { method: 'POST', body: '{}' })
  assert.equal(response.status, 404)
  assert.equal((await fetch(`${plain.issuer}/.well-known/openid-configuration`)).status, 200)
  await plain.stop()
})
