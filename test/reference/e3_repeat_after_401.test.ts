import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Integration, startIntegration } from '../parts/integration.ts'

let it: Integration
let connection_id: string
before(async () => {
  it = await startIntegration({ scope: 'contacts', fields: { pkce: 'refused' } })
  connection_id = (await it.connected()).connection_id
})
after(() => it.stop())

const refreshes = () => it.provider.token_requests.filter(({ params }) => params['grant_type'] === 'refresh_token')

test('E3 what the provider brought is kept, and used until it answers 401', async () => {
  assert.deepEqual((await it.use(connection_id)).body, { taken: true })
  assert.deepEqual((await it.use(connection_id)).body, { taken: true })
  assert.deepEqual(
    it.provider.api_calls.map(({ token }) => token),
    ['AT-1', 'AT-1'],
  )
  assert.equal(refreshes().length, 0)
})

test('E3 on a 401 the token is refreshed and the request repeated, and whoever asked sees nothing of it', async () => {
  it.provider.takes = 'nothing that was issued'
  const { status, body } = await it.use(connection_id, '/things?id=7')
  assert.deepEqual([status, body], [200, { taken: true }])
  const [refresh, ...more] = refreshes()
  assert.deepEqual(more, [])
  assert.deepEqual(refresh!.params, {
    ...{ client_id: 'our-id', client_secret: 'our-secret', refresh_token: 'RT-1', grant_type: 'refresh_token' },
  })
  assert.deepEqual(it.provider.api_calls.slice(-2), [
    { token: 'AT-1', taken: false },
    { token: 'AT-2', taken: true },
  ])
})

test('E3 where the provider wants the scope again it is the same, never another', async () => {
  await it.save({ fields: { pkce: 'refused', refresh_sends: ['scope'] } })
  it.clock.offset += 60_000
  assert.equal((await it.call('POST', `/connections/${connection_id}/refresh`)).status, 200)
  assert.equal(refreshes().at(-1)!.params['scope'], 'contacts')
})

test('E3 an API that goes on saying 401 does not call the token endpoint each time', async () => {
  const before = refreshes().length
  it.provider.others.set('/never', () => ({ status: 401, body: {} }))
  for (let i = 0; i < 5; i++) assert.equal((await it.use(connection_id, '/never')).status, 401)
  assert.ok(refreshes().length - before <= 1, String(refreshes().length - before))
})

test('E3 a refresh token that the provider refuses is reported, with the way to repair it', async () => {
  it.clock.offset += 3600_000
  it.provider.answer = { status: 400, error: 'invalid_grant', access_token: undefined }
  const { status, body, text } = await it.use(connection_id)
  assert.equal(status, 403, text)
  assert.equal(body.error, 'connection_needs_reconsent')
  assert.equal(body.connect_url, `${it.issuer}/connect/crm?connection_id=${connection_id}`)
  const [connection] = (await it.call('GET', '/connections')).body.items
  assert.deepEqual([connection.state, connection.reason], ['needs_reconsent', 'revoked'])
  it.provider.answer = {}
  const { url } = await it.connect(`/connect/crm?connection_id=${connection_id}`)
  assert.equal(url, `${it.issuer}/account`)
  assert.equal((await it.use(connection_id)).status, 200, 'the same connection works again')
})
