import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Integration, startIntegration } from '../parts/integration.ts'

let it: Integration
before(async () => {
  it = await startIntegration({
    scope: 'contacts.read contacts.write',
    fields: { authorization_params: { access_type: 'offline', prompt: 'consent' }, pkce: 'refused' },
  })
})
after(() => it.stop())

test('E1 what the provider told at registration is kept, and makes the redirect: nothing of it is in code', async () => {
  const left = new URL((await it.person.follow(`${it.issuer}/connect/crm`)).url)
  assert.equal(left.origin + left.pathname, `${it.provider.origin}/authorize`)
  const { state, ...params } = Object.fromEntries(left.searchParams)
  assert.match(state!, /^[\w-]{43}$/)
  assert.deepEqual(params, {
    ...{ response_type: 'code', client_id: 'our-id', redirect_uri: it.callback },
    ...{ scope: 'contacts.read contacts.write', access_type: 'offline', prompt: 'consent' },
  })
  assert.ok(!left.href.includes('our-secret'), 'the secret is no part of a redirect')
})

test('E1 scopes are optional, further parameters are the provider’s own, and the exact callback is shown', async () => {
  await it.save({ scope: '', fields: { authorization_params: {}, pkce: 'supported' } })
  const left = new URL((await it.person.follow(`${it.issuer}/connect/crm`)).url)
  assert.deepEqual([...left.searchParams.keys()].sort(), [
    ...['client_id', 'code_challenge', 'code_challenge_method', 'redirect_uri', 'response_type', 'state'],
  ])
  assert.equal(left.searchParams.get('redirect_uri'), `${it.issuer}/connect/crm/callback`)
})

test('E1 a registration that cannot work is refused with the name of what is wrong', async () => {
  const wrong = [
    [{ fields: { token_endpoint: 'ftp://provider.example/token' } }, /token_endpoint/],
    [{ fields: { authorization_endpoint: null } }, /authorization_endpoint/],
    [{ client_id: '' }, /client_id/],
    [{ fields: { authorization_params: { a: 7 } } }, /authorization_params/],
    [{ fields: { surprise: 'x' } }, /surprise/],
  ] as const
  for (const [input, sentence] of wrong) await assert.rejects(it.save(input as object), sentence, String(sentence))
})
