import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Integration, startIntegration } from '../parts/integration.ts'

let it: Integration
before(async () => {
  it = await startIntegration({ fields: { pkce: 'refused' } })
})
after(() => it.stop())

test('E2 the person consents once, the callback brings the code, and the exchange sends what the provider asks for', async () => {
  const { url } = await it.connect()
  assert.equal(url, `${it.issuer}/account`)
  assert.equal(it.provider.asked.length, 1)
  const [exchange, ...more] = it.provider.token_requests
  assert.equal(more.length, 0)
  assert.deepEqual(exchange, {
    ...{ method: 'POST', path: '/token', authorization: undefined },
    content_type: 'application/x-www-form-urlencoded;charset=UTF-8',
    params: {
      ...{ client_id: 'our-id', client_secret: 'our-secret', code: 'the-code' },
      ...{ redirect_uri: it.callback, grant_type: 'authorization_code' },
    },
  })
})

test('E2 later uses need no person', async () => {
  const { items } = (await it.call('GET', '/connections')).body
  for (let i = 0; i < 3; i++) assert.equal((await it.use(items[0].connection_id)).status, 200)
  assert.deepEqual([it.provider.asked.length, it.provider.token_requests.length], [1, 1])
})

test('E2 a code that another site brings, or that comes twice, redeems nothing', async () => {
  const { callback, provider } = it
  for (const query of ['?code=stolen', '?code=stolen&state=guessed', `?code=stolen&state=${'x'.repeat(43)}`]) {
    const { response } = await it.person.follow(callback + query)
    assert.equal(response.status, 400)
  }
  assert.equal(provider.token_requests.length, 1)
})
