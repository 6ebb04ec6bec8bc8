import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const api = 'http://127.0.0.1:5000/mcp'
const redirect_uri = 'http://127.0.0.1:3000/callback'
const verifier = 'v'.repeat(43)
const challenge = createHash('sha256').update(verifier).digest('base64url')
let server: TestServer
let now = Date.UTC(2026, 10, 21)

before(async () => {
  server = await startSallyport({ path: '/hub', clock: () => now })
  await server.addResource({ resource: api, scopes: JSON.stringify({ 'mcp:tools': 'Use the tools' }) })
  await server.addRole('member', ['mcp:tools'])
  await server.addUser({ ...alice, name: 'Alice Example', email: 'alice@example.test', roles: ['member'] })
  await server.addClient({
    client_id: 'web',
    client_secret: 'web-secret',
    redirect_uris: [redirect_uri],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    scope: 'openid email profile offline_access mcp:tools',
  })
})
after(() => server.stop())

function authorizeUrl(params: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'web',
    redirect_uri,
    scope: 'openid email offline_access mcp:tools',
    resource: api,
    state: 'xyz',
    nonce: 'n-1',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...params,
  })
  return `${server.issuer}/authorize?${query}`
}

async function post(path: string, form: Record<string, string>, auth = 'web:web-secret') {
  const response = await fetch(server.issuer + path, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(auth).toString('base64')}` },
    body: new URLSearchParams(form),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) }
}

async function getCode(): Promise<string> {
  const back = await new UserAgent().authorize(authorizeUrl(), alice)
  assert.equal(back.searchParams.get('state'), 'xyz')
  assert.equal(back.searchParams.get('iss'), server.issuer)
  return back.searchParams.get('code')!
}

const exchange = (code: string, more: Record<string, string> = {}) =>
  post('/token', { grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier, ...more })
const refresh = (refresh_token: string) => post('/token', { grant_type: 'refresh_token', refresh_token })
const isActive = async (token: string) => (await post('/introspect', { token })).body.active as boolean

test('a user signs in, consents, and the client gets, uses, refreshes and revokes tokens', async () => {
  const first = await exchange(await getCode())
  assert.equal(first.status, 200, JSON.stringify(first.body))
  assert.equal(first.body.token_type, 'Bearer')
  assert.equal(first.body.scope, 'openid email offline_access mcp:tools')
  const claims = JSON.parse(Buffer.from(first.body.access_token.split('.')[1], 'base64url').toString())
  assert.equal(claims.aud, api)
  const id = JSON.parse(Buffer.from(first.body.id_token.split('.')[1], 'base64url').toString())
  assert.equal(id.nonce, 'n-1')
  assert.equal(await isActive(first.body.access_token), true)
  assert.equal(await isActive(first.body.refresh_token), true)

  const second = await refresh(first.body.refresh_token)
  const retried = await refresh(first.body.refresh_token)
  assert.equal(second.status, 200, JSON.stringify(second.body))
  assert.equal(retried.body.refresh_token, second.body.refresh_token)
  assert.notEqual(second.body.refresh_token, first.body.refresh_token)

  const revoked = await post('/revoke', { token: second.body.refresh_token })
  assert.equal(revoked.status, 200)
  assert.equal(await isActive(second.body.access_token), false)
  assert.equal((await refresh(second.body.refresh_token)).body.error, 'invalid_grant')
})

test('a replayed code revokes its grant', async () => {
  const code = await getCode()
  const first = await exchange(code)
  assert.equal((await exchange(code, { code_verifier: 'w'.repeat(43) })).body.error, 'invalid_grant')
  assert.equal(await isActive(first.body.access_token), true, 'a wrong verifier changes nothing')
  assert.equal((await exchange(code)).body.error, 'invalid_grant')
  assert.equal(await isActive(first.body.access_token), false)
})

test('a refresh token older than a retry ends its grant', async () => {
  const first = await exchange(await getCode())
  const second = await refresh(first.body.refresh_token)
  const third = await refresh(second.body.refresh_token)
  assert.equal(third.status, 200)
  assert.equal((await refresh(first.body.refresh_token)).body.error, 'invalid_grant')
  assert.equal(await isActive(third.body.access_token), false)
  assert.equal((await refresh(third.body.refresh_token)).body.error, 'invalid_grant')
})

test('a client acts on its own behalf', async () => {
  const { status, body } = await post('/token', { grant_type: 'client_credentials', scope: 'mcp:tools' })
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(await isActive(body.access_token), true)
  now += 601_000
  assert.equal(await isActive(body.access_token), false)
})

test('discovery, JWKS and health answer', async () => {
  const metadata = await (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json()
  assert.equal(metadata.issuer, server.issuer)
  const { origin } = new URL(server.issuer)
  assert.deepEqual(await (await fetch(`${origin}/.well-known/oauth-authorization-server/hub`)).json(), metadata)
  const { keys } = await (await fetch(metadata.jwks_uri)).json()
  assert.equal(keys[0].d, undefined)
  assert.equal((await fetch(`${origin}/readyz`)).status, 200)
})
