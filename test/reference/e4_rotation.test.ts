import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Integration, startIntegration } from '../parts/integration.ts'

let it: Integration
let connection_id: string
before(async () => {
  it = await startIntegration()
  connection_id = (await it.connected()).connection_id
})
after(() => it.stop())

const token = async () => (await it.call('GET', `/connections/${connection_id}/token`)).body
const refresh = async () => (await it.call('POST', `/connections/${connection_id}/refresh`)).body
const sent = () => it.provider.token_requests.at(-1)!.params['refresh_token']

test('E4 a new refresh token in an answer takes the place of the old one', async () => {
  assert.equal((await refresh()).access_token, 'AT-2')
  assert.equal(sent(), 'RT-1')
  it.clock.offset += 60_000
  assert.equal((await refresh()).access_token, 'AT-3')
  assert.equal(sent(), 'RT-2')
})

test('E4 an answer without one leaves the old one good', async () => {
  it.provider.answer = { refresh_token: undefined }
  for (const access_token of ['AT-4', 'AT-5']) {
    it.clock.offset += 60_000
    assert.equal((await refresh()).access_token, access_token)
    assert.equal(sent(), 'RT-3')
  }
})

test('E4 issued_at and expires_in say how long a token lives, and it is renewed ahead of its end', async () => {
  it.provider.answer = {}
  it.clock.offset += 60_000
  const now = () => Math.floor((Date.now() + it.clock.offset) / 1000)
  const fresh = await refresh()
  assert.ok(Math.abs(fresh.issued_at - now()) <= 2)
  assert.ok(Math.abs(fresh.expires_in - 3600) <= 2)
  it.clock.offset += 3_000_000
  const later = await token()
  assert.deepEqual([later.access_token, later.issued_at], [fresh.access_token, fresh.issued_at])
  assert.ok(Math.abs(later.expires_in - 600) <= 2)
  it.clock.offset += 580_000
  assert.notEqual((await token()).access_token, fresh.access_token, 'it had 20 s left')
})

test('E4 many who ask at the end of a token make one refresh', async () => {
  it.clock.offset += 3_590_000
  const before = it.provider.token_requests.length
  const tokens = await Promise.all(Array.from({ length: 32 }, token))
  assert.equal(new Set(tokens.map(({ access_token }) => access_token)).size, 1)
  assert.equal(it.provider.token_requests.length - before, 1)
})
