import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const resource = 'https://home.example.com'
let server: TestServer
before(async () => {
  server = await startSallyport()
  await server.addResource({ resource, scopes: '{"lights:see":"See lights"}' })
  await server.addUser(alice)
  const app = { grant_types: ['password', 'client_credentials'], scope: 'lights:see', default_resource: resource }
  const post = { token_endpoint_auth_method: 'client_secret_post' }
  await server.addClient({ ...app, ...post, client_id: 'json', client_secret: 'json-secret', json_requests: true })
  await server.addClient({ ...app, ...post, client_id: 'form', client_secret: 'form-secret' })
})
after(() => server.stop())

async function send(body: string, type = 'application/json', more: Record<string, string> = {}) {
  const headers = { 'content-type': type, ...more }
  const response = await fetch(`${server.issuer}/token`, { method: 'POST', headers, body })
  return { status: response.status, body: await response.json() }
}
const asked = { grant_type: 'password', ...alice, scope: 'lights:see' }
const json = { ...asked, client_id: 'json', client_secret: 'json-secret' }

test('S6 a client so configured sends its parameters as a JSON object, or as a form', async () => {
  const first = await send(JSON.stringify(json))
  assert.equal(first.status, 200, JSON.stringify(first.body))
  assert.equal(first.body.scope, 'lights:see')
  assert.equal((await send(JSON.stringify(json), 'Application/JSON; charset=utf-8')).status, 200)
  assert.equal((await send(String(new URLSearchParams(json)), 'application/x-www-form-urlencoded')).status, 200)
})

test('S6 any other client is told to send a form, whatever it sends', async () => {
  const { status, body } = await send(JSON.stringify({ ...asked, client_id: 'form', client_secret: 'form-secret' }))
  assert.deepEqual([status, body.error], [400, 'invalid_request'])
  assert.match(body.error_description, /application\/x-www-form-urlencoded/)
  assert.match((await send('{')).body.error_description, /application\/x-www-form-urlencoded/)
})

test('S6 what is no JSON object of strings is refused by name', async () => {
  for (const wrong of [
    '',
    '[]',
    'null',
    '"text"',
    '{',
    '{"grant_type":1}',
    '{"grant_type":["password"]}',
    '{"grant_type":"password","__proto__":{}}',
  ]) {
    const { status, body } = await send(wrong, 'application/json', {
      authorization: `Basic ${btoa('json:json-secret')}`,
    })
    assert.deepEqual([status, body.error], [400, 'invalid_request'], wrong)
    assert.doesNotMatch(body.error_description, /Content-Type/)
  }
  const twice = await send(
    '{"grant_type":"client_credentials","grant_type":"password","client_id":"json","client_secret":"json-secret"}',
  )
  assert.equal(twice.status, 400)
})
