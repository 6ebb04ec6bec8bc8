import assert from 'node:assert/strict'
import { ask } from '../parts/ask_registration.ts'
import { onBothDatabases, type Platform } from '../parts/platform.ts'
import { open, signIn } from '../parts/sign_in_steps.ts'
import type { UserAgent } from '../parts/user_agent.ts'

const test = onBothDatabases()
const ROOT = { username: 'root', password: 'correct horse battery' }
const PATH = '/admin/clients/registration_tokens'

async function signInAsAdministrator(p: Platform): Promise<UserAgent> {
  await p.server.addUser({ ...ROOT, roles: ['administrator'] })
  return signIn(p, ROOT)
}

test('an administrator makes an initial access token that is shown once, and ends it', async (p) => {
  await p.server.saveSettings({ registration: 'token' })
  const agent = await signInAsAdministrator(p)
  const empty = await open(agent, p.issuer + PATH)
  assert.match(empty.html, /No token/)
  assert.match((await open(agent, `${p.issuer}/admin/clients`)).html, /admin\/clients\/registration_tokens/)

  const refused = await agent.submit(empty, { name: 'Agents', uses: 'many' }, 'name="grant_types"')
  assert.equal(refused.response.status, 400)
  const again = await refused.response.text()
  assert.match(again, /uses must be a whole number/)
  assert.match(again, /value="Agents"/)

  const made = await agent.submit(
    empty,
    { name: 'Agents', uses: '1', days: '', scope: '', grant_types: '' },
    'name="grant_types"',
  )
  const html = await made.response.text()
  const token = /sp_iat_[\w-]{43}/.exec(html)![0]
  assert.match(html, /Agents/)
  const register = () => ask(p, 'POST', '/register', { token, json: { redirect_uris: ['https://app.example/cb'] } })
  const listed = await open(agent, p.issuer + PATH)
  assert.doesNotMatch(listed.html, /sp_iat_/)
  const { status, body } = await register()
  assert.equal(status, 201)
  assert.match((await open(agent, `${p.issuer}/admin/client?client_id=${body.client_id}`)).html, /Unverified/)
  const events = await p.server.store.pageEvents({
    ...{ tenant_id: p.server.app.tenant.tenant_id, before_event_id: '~', type: 'client.created', actor: '', most: 50 },
  })
  const created = events.find(({ client_id }) => client_id === body.client_id)!
  assert.match(created.actor, /^registration_token:/)
  assert.equal(JSON.parse(created.detail).registration_token, 'Agents')

  const second = await agent.submit(
    listed,
    { name: 'More', uses: '', days: '', scope: '', grant_types: '' },
    'name="grant_types"',
  )
  const page = { url: second.url, html: await second.response.text() }
  const twice = await agent.submit(listed, { name: 'More' }, 'name="grant_types"')
  assert.match(twice.url, /\?twice=true$/)
  const once = await twice.response.text()
  assert.match(once, /This form was sent twice/)
  assert.equal(once.match(/<bdi>More<\/bdi><\/div>/g)?.length, 1)
  const ended = await agent.submit(page, {}, 'name="token_id"')
  assert.match(await ended.response.text(), /No token/)
})

test('8.3.1 who is no administrator sees no initial access token and makes none', async (p) => {
  const agent = await signIn(p)
  assert.equal((await open(agent, p.issuer + PATH)).status, 403)
})
