import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HOME, HUB_ID, type Hub, JOHN, ROOT, startHub } from '../parts/hub.ts'
import { UserAgent } from '../parts/user_agent.ts'

let hub: Hub
let app: { id: string; secret: string }
before(async () => {
  hub = await startHub({ compat: 'hub' })
  app = await hub.register({ trusted: true })
})
after(() => hub.stop())

const me = (token: string) => hub.rest('GET', 'users/me?fields=login', { token })

test("H11 a token for the server's own API comes by each flow, and only with its scope", async () => {
  const code = await hub.signIn(app, { scope: HUB_ID })
  const password = await hub.token({ grant_type: 'password', ...JOHN, scope: HUB_ID }, app)
  const asked = { response_type: 'token', client_id: app.id, redirect_uri: `${HOME}/auth`, scope: HUB_ID }
  const implicit = await new UserAgent().authorize(hub.authUrl(asked), JOHN)
  const offline = await hub.signIn(app, { scope: HUB_ID, access_type: 'offline' })
  const refreshed = await hub.token({ grant_type: 'refresh_token', refresh_token: offline.refresh_token }, app)
  const tokens = [code, password.body, refreshed.body].map(({ access_token }) => access_token)
  tokens.push(new URLSearchParams(implicit.hash.slice(1)).get('access_token'))
  for (const token of tokens) assert.deepEqual((await me(token)).body, { login: 'john' })
  const own = await hub.token({ grant_type: 'client_credentials', scope: HUB_ID }, app)
  assert.equal((await hub.rest('GET', 'services/me?fields=id', { token: own.body.access_token })).body.id, app.id)
  assert.equal((await me(own.body.access_token)).status, 404, 'a service is no user')
  const elsewhere = await hub.signIn(app)
  assert.equal((await me(elsewhere.access_token)).status, 401)
})

test("H11 administration is a scope of its own: an administrator's token for Hub alone administrates nothing", async () => {
  const token = (await hub.signIn(app, { scope: HUB_ID }, ROOT)).access_token
  assert.equal((await me(token)).body.login, 'root')
  assert.equal((await hub.rest('GET', 'services', { token })).status, 403)
})
