import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { HOME, HUB_ID, type Hub, JOHN, startHub } from '../parts/hub.ts'
import { UserAgent } from '../parts/user_agent.ts'

let hub: Hub
let app: { id: string; secret: string }
let other: { id: string; secret: string }
before(async () => {
  hub = await startHub({ compat: 'hub' })
  app = await hub.register({ trusted: true })
  other = await hub.register({ name: 'Other' })
})
after(() => hub.stop())

test('H8 form body and Basic id:secret, which is looked at first', async () => {
  const form = { grant_type: 'password', ...JOHN, scope: app.id }
  assert.equal((await hub.token(form, app)).status, 200)
  const wrong = await hub.token(form, { id: app.id, secret: 'wrong' })
  assert.deepEqual([wrong.status, wrong.body.error], [401, 'invalid_client'])
  assert.match(wrong.headers.get('www-authenticate')!, /^Basic /)
  assert.equal((await hub.token(form)).status, 401)
  const query = await fetch(`${hub.base}/api/rest/oauth2/token?password=x`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  assert.equal(query.status, 400, 'no secret belongs into an address')
  assert.equal((await fetch(`${hub.base}/api/rest/oauth2/token`)).status, 405)
})

test('H8 the password grant needs a scope', async () => {
  const { status, body } = await hub.token({ grant_type: 'password', ...JOHN }, app)
  assert.deepEqual([status, body.error, body.error_description], [400, 'invalid_request', 'Parameter scope is missing'])
})

test('H8 a refresh may narrow the scope, never widen it, and its token is bound to its service', async () => {
  const first = await hub.signIn(app, { scope: `${app.id} ${HUB_ID}`, access_type: 'offline' })
  const refresh = (more: Record<string, string>, by = app, refresh_token = first.refresh_token) =>
    hub.token({ grant_type: 'refresh_token', refresh_token, ...more }, by)
  assert.equal((await refresh({}, other)).body.error, 'invalid_grant')
  assert.equal((await refresh({ scope: `${app.id} ${other.id}` })).body.error, 'invalid_scope')
  const narrow = await refresh({ scope: HUB_ID })
  assert.deepEqual([narrow.status, narrow.body.scope], [200, HUB_ID])
  const whole = await refresh({}, app, narrow.body.refresh_token)
  assert.equal(whole.body.scope, `${app.id} ${HUB_ID} offline_access`, 'the next one has all of the grant again')
})

test('H8 a public client with PKCE refreshes with its client_id and no header', async () => {
  const redirect_uri = 'https://spa.example/cb'
  await hub.server.addClient({
    ...{ client_id: 'spa', redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none', every_service: true },
    ...{ grant_types: ['authorization_code', 'refresh_token'], scope: 'offline_access' },
  })
  const verifier = 'p'.repeat(50)
  const code_challenge = createHash('sha256').update(verifier).digest('base64url')
  const asked = {
    ...{ response_type: 'code', client_id: 'spa', redirect_uri, scope: app.id, access_type: 'offline' },
    ...{ code_challenge, code_challenge_method: 'S256' },
  }
  const code = (await new UserAgent().authorize(hub.authUrl(asked), JOHN)).searchParams.get('code')!
  const exchange = { grant_type: 'authorization_code', client_id: 'spa', code, redirect_uri, code_verifier: verifier }
  const { body } = await hub.token(exchange)
  const next = await hub.token({ grant_type: 'refresh_token', client_id: 'spa', refresh_token: body.refresh_token })
  assert.deepEqual([next.status, next.body.scope], [200, `${app.id} offline_access`])
  assert.ok(HOME)
})
