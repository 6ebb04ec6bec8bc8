import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HOME, type Hub, JOHN, startHub } from '../parts/hub.ts'
import { UserAgent } from '../parts/user_agent.ts'

let hub: Hub
let service: { id: string; secret: string }
before(async () => {
  hub = await startHub({ compat: 'hub' })
  service = await hub.register()
  await hub.rest('POST', `services/${service.id}`, { body: { trusted: true } })
})
after(() => hub.stop())

const introspect = async (token: string) => {
  const response = await fetch(`${hub.base}/introspect`, {
    ...{ method: 'POST', body: new URLSearchParams({ token }) },
    headers: { authorization: `Basic ${btoa(`${service.id}:${service.secret}`)}` },
  })
  return response.json()
}
const fragmentOf = (url: URL) => new URLSearchParams(url.hash.slice(1))

test('H2 implicit: the id of the service is enough', async () => {
  const asked = {
    response_type: 'token',
    client_id: service.id,
    redirect_uri: `${HOME}/auth`,
    scope: service.id,
    state: 'x',
  }
  const answer = fragmentOf(await new UserAgent().authorize(hub.authUrl(asked), JOHN))
  assert.deepEqual([answer.get('token_type'), answer.get('state'), answer.get('scope')], ['Bearer', 'x', service.id])
  assert.equal((await introspect(answer.get('access_token')!)).username, 'john')
})

test('H2 authorization code and refresh token: id and secret', async () => {
  const first = await hub.signIn(service, { access_type: 'offline' })
  assert.equal((await introspect(first.access_token)).sub, hub.john_id)
  const next = await hub.token({ grant_type: 'refresh_token', refresh_token: first.refresh_token }, service)
  assert.equal(next.status, 200)
  assert.equal((await introspect(next.body.access_token)).active, true)
})

test('H2 client credentials: id and secret of a trusted service', async () => {
  const { status, body } = await hub.token({ grant_type: 'client_credentials', scope: service.id }, service)
  assert.deepEqual([status, body.scope, body.refresh_token], [200, service.id, undefined])
  assert.equal((await introspect(body.access_token)).sub, service.id)
})

test('H2 resource owner password: id, secret, username and password', async () => {
  const form = { grant_type: 'password', ...JOHN, scope: service.id }
  const { status, body } = await hub.token(form, service)
  assert.deepEqual([status, body.scope, body.refresh_token], [200, service.id, undefined], JSON.stringify(body))
  assert.equal((await introspect(body.access_token)).username, 'john')
  const offline = await hub.token({ ...form, access_type: 'offline' }, service)
  const { refresh_token } = offline.body
  assert.equal((await hub.token({ grant_type: 'refresh_token', refresh_token }, service)).status, 200)
  const wrong = await hub.token({ ...form, password: 'wrong' }, service)
  assert.deepEqual([wrong.status, wrong.body.error], [400, 'invalid_grant'])
})
