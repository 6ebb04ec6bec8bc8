import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Integration, startIntegration } from '../parts/integration.ts'

let it: Integration
before(async () => {
  it = await startIntegration({ fields: { revocation_endpoint: null } })
})
after(() => it.stop())

const list = async () => (await it.call('GET', '/connections')).body.items
const refresh = (connection_id: string) => it.call('POST', `/connections/${connection_id}/refresh`)
const token = async (connection_id: string) => (await it.call('GET', `/connections/${connection_id}/token`)).body
const disconnect = (connection_id: string) => it.call('POST', `/connections/${connection_id}/disconnect`)

test('E6 a connection is ready, and POST .../refresh returns the new token', async () => {
  const { connection_id, state, reason } = await it.connected()
  assert.deepEqual([state, reason], ['ready', null])
  const { status, body } = await refresh(connection_id)
  assert.deepEqual(
    [status, body.access_token, body.token_type, body.connection_id],
    [200, 'AT-2', 'Bearer', connection_id],
  )
  assert.equal((await token(connection_id)).access_token, 'AT-2')
  assert.ok(!JSON.stringify(body).includes('RT-'), 'a refresh token leaves the vault never')
  await disconnect(connection_id)
})

test('E6 a connection is in error with the reason, and ready again once that is gone', async () => {
  const { connection_id } = await it.connected()
  it.clock.offset += 3_700_000
  it.provider.answer = { status: 401, error: 'invalid_client', access_token: undefined }
  assert.equal((await refresh(connection_id)).status, 503)
  const [broken] = (await list()).filter((one: { connection_id: string }) => one.connection_id === connection_id)
  assert.deepEqual([broken.state, broken.reason], ['error', 'invalid_client'])
  it.provider.answer = {}
  await it.save({ client_secret: 'the new secret' })
  it.clock.offset += 600_000
  assert.equal((await refresh(connection_id)).status, 200)
  const [mended] = (await list()).filter((one: { connection_id: string }) => one.connection_id === connection_id)
  assert.deepEqual([mended.state, mended.reason], ['ready', null])
  await disconnect(connection_id)
})

test('E6 without a refresh token nothing is ever refreshed', async () => {
  it.provider.answer = { refresh_token: undefined, expires_in: undefined }
  const { connection_id } = await it.connected()
  const before = it.provider.token_requests.length
  const first = await token(connection_id)
  for (let i = 0; i < 3; i++) {
    it.clock.offset += 86_400_000
    assert.equal((await token(connection_id)).access_token, first.access_token)
    assert.equal((await refresh(connection_id)).body.access_token, first.access_token)
  }
  assert.equal(it.provider.token_requests.length, before)
  await disconnect(connection_id)
  it.provider.answer = { refresh_token: undefined, expires_in: 600 }
  const ends = await it.connected()
  it.clock.offset += 601_000
  assert.equal(
    (await it.call('GET', `/connections/${ends.connection_id}/token`)).body.error,
    'connection_needs_reconsent',
  )
  await disconnect(ends.connection_id)
})

test('E6 without expires_in a token lives as long as configured, an hour unless told otherwise, and is renewed 30 s ahead', async () => {
  it.provider.answer = { expires_in: undefined }
  for (const [access_token_seconds, lives] of [
    [undefined, 3600],
    [1800, 1800],
  ] as const) {
    await it.save({ fields: { ...(access_token_seconds && { access_token_seconds }) } })
    const { connection_id } = await it.connected()
    const first = await token(connection_id)
    assert.ok(Math.abs(first.expires_in - lives) <= 2, String(first.expires_in))
    it.clock.offset += (lives - 40) * 1000
    assert.equal((await token(connection_id)).access_token, first.access_token)
    it.clock.offset += 12_000
    assert.notEqual((await token(connection_id)).access_token, first.access_token)
    await disconnect(connection_id)
  }
  await it.save()
})

test('E6 further members of the token answer are kept and returned, those of a refresh over those of before', async () => {
  it.provider.answer = { instance_url: 'https://eu.example', issued_at: '1700000000', nested: { a: [1] } }
  const { connection_id } = await it.connected()
  const first = await token(connection_id)
  assert.deepEqual([first.instance_url, first.nested], ['https://eu.example', { a: [1] }])
  assert.equal(typeof first.issued_at, 'number', 'ours, which counts from the request')
  it.provider.answer = { instance_url: 'https://us.example' }
  const { body } = await refresh(connection_id)
  assert.deepEqual([body.instance_url, body.nested], ['https://us.example', { a: [1] }])
  it.provider.answer = {}
  await disconnect(connection_id)
})

test('E6 what the provider says at the redirect is shown to the person, in its words, and nothing is made of it', async () => {
  const before = (await list()).length
  const said = 'The account <b>is</b> suspended'
  it.provider.consent = { error: 'access_denied', error_description: said }
  const refused = await it.connect()
  assert.match(refused.html, /access_denied/)
  assert.ok(refused.html.includes('The account &lt;b&gt;is&lt;/b&gt; suspended'), refused.html)
  it.provider.consent = { error: 'server_error', error_description: `\u202eevil ${'x'.repeat(2000)}` }
  const failed = await it.connect()
  assert.match(failed.html, /server_error/)
  assert.ok(!failed.html.includes('\u202e') && failed.html.length < 20_000)
  assert.match(failed.html, /href="\/connect\/crm"/, 'with a way to try again')
  it.provider.consent = { code: 'the-code' }
  assert.equal((await list()).length, before)
})

test('E6 a connector with living connections is not deleted by accident', async () => {
  const { connection_id } = await it.connected()
  const connector = await it.call('GET', '/connectors/crm')
  const headers = { 'if-match': connector.headers.get('etag')! }
  assert.equal((await it.call('DELETE', '/connectors/crm', { headers })).status, 409)
  assert.equal((await token(connection_id)).access_token, it.provider.takes)
})
