import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const owner = { username: 'owner', password: 'all the lights are mine' }
const redirect_uri = 'https://dashboard.example/app'
const resource = 'https://home.example.com'
const SCOPE = 'lights:see lights:switch doors:open'
let server: TestServer

before(async () => {
  server = await startSallyport()
  await server.addResource({
    ...{ resource, introspection_clients: '["home"]', access_token_lifetime_seconds: 86_400 },
    scopes: JSON.stringify({
      'lights:see': 'See lights',
      'lights:switch': 'Switch lights',
      'doors:open': 'Open doors',
    }),
  })
  await server.addRole('guest', ['lights:see', 'lights:switch'])
  await server.addRole('owner', ['lights:see', 'lights:switch', 'doors:open'])
  await server.addUser({ ...alice, roles: ['guest'] })
  await server.addUser({ ...owner, roles: ['owner'] })
  const spa = {
    ...{ redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none', default_resource: resource, scope: SCOPE },
    role_scopes: { guest: ['lights:see'], owner: ['lights:see', 'lights:switch', 'doors:open'] },
  }
  await server.addClient({
    ...spa,
    client_id: 'dashboard',
    grant_types: ['implicit'],
    access_token_lifetime_seconds: 7200,
  })
  await server.addClient({ ...spa, client_id: 'modern', grant_types: ['authorization_code'] })
  await server.addClient({ client_id: 'home', client_secret: 'home-secret', grant_types: ['client_credentials'] })
})
after(() => server.stop())

const authorizeUrl = (more: Record<string, string> = {}) => {
  const asked = { response_type: 'token', client_id: 'dashboard', redirect_uri, scope: SCOPE, state: 's 1', ...more }
  return `${server.issuer}/authorize?${new URLSearchParams(asked)}`
}
const fragmentOf = (url: URL) => new URLSearchParams(url.hash.slice(1))
async function introspect(token: string) {
  const response = await fetch(`${server.issuer}/introspect`, {
    ...{ method: 'POST', body: new URLSearchParams({ token }) },
    headers: { authorization: `Basic ${btoa('home:home-secret')}` },
  })
  return response.json()
}

test('S3 the fragment carries a short token, cut to the client and the role of the user, and no refresh token', async () => {
  const guest = await new UserAgent().authorize(authorizeUrl(), alice)
  assert.equal(guest.origin + guest.pathname + guest.search, redirect_uri, 'nothing of the answer is in the query')
  const answer = fragmentOf(guest)
  const names = ['access_token', 'token_type', 'expires_in', 'scope', 'state', 'iss']
  assert.deepEqual([...answer.keys()].sort(), names.sort())
  assert.equal(answer.get('scope'), 'lights:see')
  assert.equal(answer.get('token_type'), 'Bearer')
  assert.equal(answer.get('state'), 's 1')
  assert.equal(answer.get('expires_in'), '3600', 'short, whatever the client and the resource allow')
  const seen = await introspect(answer.get('access_token')!)
  assert.deepEqual([seen.active, seen.scope, seen.roles, seen.username], [true, 'lights:see', ['guest'], 'alice'])
  const whole = fragmentOf(await new UserAgent().authorize(authorizeUrl(), owner))
  assert.equal(whole.get('scope'), SCOPE)
})

test('S3 errors stand in the fragment too, with the state', async () => {
  const denied = await new UserAgent().authorize(authorizeUrl({ prompt: 'consent' }), alice, 'deny')
  assert.equal(denied.search, '')
  assert.deepEqual([fragmentOf(denied).get('error'), fragmentOf(denied).get('state')], ['access_denied', 's 1'])
  const unknown = await new UserAgent().follow(authorizeUrl({ scope: 'cellar:open' }))
  assert.equal(fragmentOf(new URL(unknown.url)).get('error'), 'invalid_scope')
  const silent = await new UserAgent().follow(authorizeUrl({ prompt: 'none' }))
  assert.equal(fragmentOf(new URL(silent.url)).get('error'), 'login_required')
})

test('4.2.2 a token never stands in a query string, and only a client that was switched on gets one', async () => {
  const query = await new UserAgent().follow(authorizeUrl({ response_mode: 'query' }))
  assert.equal(fragmentOf(new URL(query.url)).get('error'), 'invalid_request')
  const form = await new UserAgent().follow(authorizeUrl({ response_mode: 'form_post' }))
  assert.match(await form.response.text(), /name="error" value="invalid_request"/)
  const modern = await new UserAgent().follow(authorizeUrl({ client_id: 'modern' }))
  assert.equal(fragmentOf(new URL(modern.url)).get('error'), 'unauthorized_client')
  const code = await new UserAgent().follow(authorizeUrl({ response_type: 'code' }))
  assert.equal(new URL(code.url).searchParams.get('error'), 'unauthorized_client')
  const both = await new UserAgent().follow(authorizeUrl({ response_type: 'code token' }))
  assert.equal(fragmentOf(new URL(both.url)).get('error'), 'unsupported_response_type')
})

test('S3 the token dies with the session, the grant and the switch of the tenant', async () => {
  const agent = new UserAgent()
  const token = fragmentOf(await agent.authorize(authorizeUrl(), alice)).get('access_token')!
  const page = await agent.follow(`${server.issuer}/account`)
  await agent.submit({ url: page.url, html: await page.response.text() }, {}, 'Sign out')
  assert.deepEqual(await introspect(token), { active: false })
  await server.saveSettings({ legacy_grants: 'off' })
  const off = fragmentOf(new URL((await new UserAgent().follow(authorizeUrl())).url))
  assert.equal(off.get('error'), 'unauthorized_client', 'told before anybody signs in')
  await server.saveSettings({ profile: 'oauth21' })
  const profiled = fragmentOf(new URL((await new UserAgent().follow(authorizeUrl())).url))
  assert.equal(profiled.get('error'), 'unauthorized_client')
  await server.saveSettings({})
})

test('implicit is no grant type of the token endpoint, and discovery lists what some client may use', async () => {
  const response = await fetch(`${server.issuer}/token`, {
    ...{ method: 'POST', body: new URLSearchParams({ grant_type: 'implicit', client_id: 'dashboard' }) },
  })
  assert.equal((await response.json()).error, 'unsupported_grant_type')
  const discover = async () => (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json()
  const { grant_types_supported, response_types_supported } = await discover()
  assert.ok(grant_types_supported.includes('implicit') && !grant_types_supported.includes('password'))
  assert.deepEqual(response_types_supported, ['code', 'token'])
  await server.saveSettings({ legacy_grants: 'off' })
  assert.deepEqual((await discover()).response_types_supported, ['code'])
  await server.saveSettings({})
  const { tenant_id } = server.app.tenant
  const event = { tenant_id, event_id: crypto.randomUUID(), at: Date.now(), type: 'client.disabled', actor: 'cli' }
  await server.store.setClientDisabled({ tenant_id, client_id: 'dashboard', disabled: true, event })
  assert.ok(!(await discover()).grant_types_supported.includes('implicit'))
})
