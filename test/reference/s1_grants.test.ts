import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const redirect_uri = 'https://app.example/cb'
const resource = 'https://home.example.com'
let server: TestServer
let now = Date.UTC(2026, 10, 21)

before(async () => {
  server = await startSallyport({ clock: () => now })
  await server.addResource({ resource, introspection_clients: '["app"]', scopes: '{"lights:see":"See lights"}' })
  await server.addUser(alice)
  const grant_types = ['authorization_code', 'implicit', 'password', 'client_credentials', 'refresh_token']
  await server.addClient({
    ...{
      client_id: 'app',
      client_secret: 'app-secret',
      redirect_uris: [redirect_uri],
      require_pkce: false,
      trusted: true,
    },
    ...{
      grant_types,
      scope: 'lights:see offline_access',
      default_resource: resource,
      access_token_lifetime_seconds: 60,
    },
  })
})
after(() => server.stop())

async function post(path: string, form: Record<string, string>) {
  const headers = { authorization: `Basic ${btoa('app:app-secret')}` }
  const response = await fetch(server.issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) })
  return { status: response.status, body: await response.json() }
}
const isActive = async (token: string) => (await post('/introspect', { token })).body.active
const authorize = (response_type: string) => {
  const query = new URLSearchParams({
    response_type,
    client_id: 'app',
    redirect_uri,
    scope: 'lights:see offline_access',
  })
  return new UserAgent().authorize(`${server.issuer}/authorize?${query}`, alice)
}

test('S1 S2 each grant gives an access token of the lifetime of its application, and a refresh token follows its expiry', async () => {
  const code = (await authorize('code')).searchParams.get('code')!
  const by_code = (await post('/token', { grant_type: 'authorization_code', code, redirect_uri })).body
  const form = { grant_type: 'password', ...alice, scope: 'lights:see offline_access' }
  const by_password = (await post('/token', form)).body
  const own = (await post('/token', { grant_type: 'client_credentials', scope: 'lights:see' })).body
  const implicit = new URLSearchParams((await authorize('token')).hash.slice(1))
  const lifetimes = [by_code.expires_in, by_password.expires_in, own.expires_in, Number(implicit.get('expires_in'))]
  assert.deepEqual(lifetimes, [60, 60, 60, 60])
  const tokens = [by_code.access_token, by_password.access_token, own.access_token, implicit.get('access_token')!]
  for (const token of tokens) assert.equal(await isActive(token), true)
  now += 61_000
  for (const token of tokens) assert.equal(await isActive(token), false)
  for (const { refresh_token } of [by_code, by_password]) {
    const next = await post('/token', { grant_type: 'refresh_token', refresh_token })
    assert.equal(next.status, 200, JSON.stringify(next.body))
    assert.equal(await isActive(next.body.access_token), true)
  }
  assert.deepEqual([own.refresh_token, implicit.get('refresh_token')], [undefined, null])
})
