import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

let server: TestServer
before(async () => {
  server = await startSallyport()
  const app = { grant_types: ['client_credentials'], default_resource: `${server.issuer}/api` }
  await server.addClient({ ...app, client_id: 'signup', client_secret: 'signup-secret', scope: 'admin:create_users' })
  await server.addClient({ ...app, client_id: 'reader', client_secret: 'reader-secret', scope: 'admin:read' })
})
after(() => server.stop())

async function tokenOf(client: string, scope: string) {
  const response = await fetch(`${server.issuer}/token`, {
    ...{ method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', scope }) },
    headers: { authorization: `Basic ${btoa(`${client}:${client}-secret`)}` },
  })
  return response.json()
}
async function create(token: string, body: unknown) {
  const response = await fetch(`${server.issuer}/api/users`, {
    ...{
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    },
  })
  return { status: response.status, body: await response.json() }
}

test('S5 a client gets a token by its own credentials that makes users, and nothing else', async () => {
  const { access_token: token, scope } = await tokenOf('signup', 'admin:create_users')
  assert.equal(scope, 'admin:create_users')
  const person = { username: 'newcomer', password: 'my very own passphrase', name: 'New', email: 'new@example.com' }
  const made = await create(token, person)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  assert.ok(!JSON.stringify(made.body).includes(person.password))
  const agent = new UserAgent()
  const page = await agent.follow(`${server.issuer}/login`)
  const { url } = await agent.submit({ url: page.url, html: await page.response.text() }, person, 'name="password"')
  assert.match(url, /\/account$/)
  const elsewhere = await fetch(`${server.issuer}/api/connections`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(elsewhere.status, 403)
  assert.equal((await tokenOf('signup', 'admin:write')).error, 'invalid_scope')
})

test('S5 who may only read makes no user, and no sign-up gives itself a role', async () => {
  const reader = (await tokenOf('reader', 'admin:read')).access_token
  const person = { username: 'second', password: 'my very own passphrase' }
  assert.deepEqual((await create(reader, person)).status, 403)
  const token = (await tokenOf('signup', 'admin:create_users')).access_token
  for (const wrong of [
    { ...person, roles: ['administrator'] },
    { ...person, user_id: 'root' },
    { username: 'x' },
    { ...person, password: 'short' },
    [],
    { ...person, username: 7 },
  ]) {
    const { status, body } = await create(token, wrong)
    assert.deepEqual([status, body.error], [400, 'invalid_request'], JSON.stringify(wrong))
  }
  assert.equal((await create(token, person)).status, 201)
  const twice = await create(token, { ...person, username: 'SECOND' })
  assert.deepEqual([twice.status, twice.body.error_description], [409, 'Member username is taken'])
})
