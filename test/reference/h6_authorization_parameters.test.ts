import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { HOME, HUB_ID, type Hub, JOHN, startHub } from '../parts/hub.ts'
import { UserAgent } from '../parts/user_agent.ts'

let hub: Hub
let app: { id: string; secret: string }
let tracker: { id: string; secret: string }
const redirect_uri = `${HOME}/auth`
before(async () => {
  hub = await startHub()
  app = await hub.register({ name: 'App' })
  tracker = await hub.register({ name: 'Tracker' })
})
after(() => hub.stop())

const url = (more: Record<string, string> = {}) =>
  hub.authUrl({ response_type: 'code', client_id: app.id, redirect_uri, scope: app.id, ...more })
async function introspect(token: string, by: { id: string; secret: string }) {
  const response = await fetch(`${hub.base}/introspect`, {
    ...{ method: 'POST', body: new URLSearchParams({ token }) },
    headers: { authorization: `Basic ${btoa(`${by.id}:${by.secret}`)}` },
  })
  return response.json()
}

test('H6 one token may serve several services, and each sees of it what is its own', async () => {
  const { access_token, scope } = await hub.signIn(app, { scope: `${app.id} ${tracker.id} ${HUB_ID}` })
  assert.equal(scope, `${app.id} ${tracker.id} ${HUB_ID}`)
  assert.deepEqual((await introspect(access_token, tracker)).scope, tracker.id)
  assert.equal((await hub.rest('GET', 'users/me?fields=login', { token: access_token })).body.login, 'john')
  const unknown = await new UserAgent().follow(url({ scope: `${app.id} 01234567-nobody` }))
  assert.equal(new URL(unknown.url).searchParams.get('error'), 'invalid_scope')
})

test('H6 only access_type=offline yields a refresh token; online is the default', async () => {
  for (const more of [{}, { access_type: 'online' }]) {
    assert.equal((await hub.signIn(app, more)).refresh_token, undefined)
  }
  assert.ok((await hub.signIn(app, { access_type: 'offline' })).refresh_token)
})

test('H6 PKCE with S256 is accepted and then enforced, plain is refused', async () => {
  const verifier = 'v'.repeat(43)
  const code_challenge = createHash('sha256').update(verifier).digest('base64url')
  const code = async () => {
    const pkce = { code_challenge, code_challenge_method: 'S256' }
    return (await new UserAgent().authorize(url(pkce), JOHN)).searchParams.get('code')!
  }
  const exchange = async (more: Record<string, string>) =>
    hub.token({ grant_type: 'authorization_code', code: await code(), redirect_uri, ...more }, app)
  assert.equal((await exchange({ code_verifier: verifier })).status, 200)
  assert.equal((await exchange({})).body.error, 'invalid_grant')
  const plain = await new UserAgent().follow(url({ code_challenge: verifier, code_challenge_method: 'plain' }))
  assert.equal(new URL(plain.url).searchParams.get('error'), 'invalid_request')
})

test('H6 request_credentials: default and skip ask who must be asked, silent never, required always', async () => {
  const agent = new UserAgent()
  for (const request_credentials of ['default', 'skip']) {
    const { url: at } = await new UserAgent().follow(url({ request_credentials }))
    assert.match(at, /\/login\?/, `${request_credentials}: there are no guests here, so the form is shown`)
  }
  const silent = new URL((await agent.follow(url({ request_credentials: 'silent', state: 's' }))).url)
  assert.deepEqual([silent.searchParams.get('error'), silent.searchParams.get('state')], ['login_required', 's'])
  await agent.authorize(url(), JOHN)
  const known = new URL((await agent.follow(url({ request_credentials: 'silent' }))).url)
  assert.ok(known.searchParams.get('code'), 'signed in, and allowed before')
  assert.ok(new URL((await agent.follow(url())).url).searchParams.get('code'))
  const required = await agent.follow(url({ request_credentials: 'required' }))
  assert.match(required.url, /\/login\?/, 'the form, although signed in')
})

test('H6 required signs out first, at a tenant of Hub alone: elsewhere no link may sign anybody out', async () => {
  const agent = new UserAgent()
  await agent.authorize(url(), JOHN)
  await agent.follow(url({ request_credentials: 'required' }))
  assert.equal((await agent.follow(`${hub.base}/account`)).response.status, 200)
  await hub.server.saveSettings({ compat: 'hub' })
  await agent.follow(url({ request_credentials: 'required', redirect_uri: 'https://evil.example' }))
  assert.equal(
    (await agent.follow(`${hub.base}/account`)).response.status,
    200,
    'a request that is refused does nothing',
  )
  await agent.follow(url({ request_credentials: 'required' }))
  assert.match((await agent.follow(`${hub.base}/account`)).url, /\/login/)
  await hub.server.saveSettings({})
})
