import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HOME, type Hub, JOHN, startHub } from '../parts/hub.ts'
import { UserAgent } from '../parts/user_agent.ts'

let hub: Hub
before(async () => {
  hub = await startHub()
})
after(() => hub.stop())

/** Signs in, and says which page comes next. */
async function afterSignIn(id: string): Promise<string> {
  const agent = new UserAgent()
  const asked = { response_type: 'code', client_id: id, redirect_uri: `${HOME}/auth`, scope: id }
  const at = await agent.follow(hub.authUrl(asked))
  const next = await agent.submit({ url: at.url, html: await at.response.text() }, JOHN, 'name="password"')
  return new URL(next.url).searchParams.has('code')
    ? 'back'
    : /name="decision"/.test(await next.response.text())
      ? 'consent'
      : next.url
}

test('H4 a trusted service asks its users nothing and acts on its own behalf; an untrusted one asks and may not', async () => {
  const service = await hub.register()
  const own = { grant_type: 'client_credentials', scope: service.id }
  assert.equal(await afterSignIn(service.id), 'consent')
  assert.equal((await hub.token(own, service)).body.error, 'unauthorized_client')
  assert.equal(
    (await hub.rest('POST', `services/${service.id}?fields=trusted`, { body: { trusted: true } })).body.trusted,
    true,
  )
  assert.equal(await afterSignIn(service.id), 'back')
  const { access_token } = (await hub.token(own, service)).body
  assert.ok(access_token)
  await hub.rest('POST', `services/${service.id}`, { body: { trusted: false } })
  assert.equal(await afterSignIn(service.id), 'consent', 'trust is taken back at once')
  assert.equal((await hub.token(own, service)).body.error, 'unauthorized_client')
})

test('H4 nobody but an administrator trusts a service', async () => {
  await hub.server.saveSettings({ service_registration: 'open' })
  const body = { name: 'Stranger', homeUrl: HOME, redirectUris: ['/auth'], trusted: true }
  const made = (await hub.rest('POST', 'services?fields=id,trusted', { body, token: null })).body
  assert.equal(made.trusted, false)
  const later = await hub.rest('POST', `services/${made.id}?fields=trusted`, { body: { trusted: true } })
  assert.equal(later.body.trusted, false, 'one registered openly is never trusted: it is registered anew')
  assert.equal((await hub.rest('POST', `services/${made.id}`, { body: { trusted: true }, token: null })).status, 401)
  await hub.server.saveSettings({})
})
