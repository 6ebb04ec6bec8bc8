import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerJson } from '../../../test/parts/hostile_provider.ts'
import { startRelyingParty } from '../../../test/parts/relying_party.ts'
import { exchangeCode } from './exchange_code.ts'

test('10.5.1 an ID token that was asked for and does not come is a rejection; one unasked for must hold as well', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const params = new URLSearchParams({ code: 'c', state: 's' })
  const ask = (nonce: string | null, asked = party) =>
    exchangeCode(context, asked, { params, code_verifier: 'v'.repeat(43), nonce })
  const missing = await ask('n')
  assert.equal(missing.kind === 'rejected' && missing.reason, 'id_token')
  assert.equal((await ask(null)).kind, 'tokens')
  const body = { access_token: 'at', token_type: 'Bearer', id_token: hostile.signJwt({ sub: 'x' }) }
  hostile.answers.set('/token', answerJson(body))
  assert.equal((await ask(null)).kind, 'rejected')
  const bare = { ...party.provider, issuer: null, discovery: null, token_endpoint: `${hostile.issuer}/token` }
  const outcome = await ask(null, { ...party, provider: bare })
  assert.equal(outcome.kind === 'tokens' && outcome.id_token_claims, null)
})

test('10.2.2 iss is held to the issuer also where it was not promised, and cannot be where there is none', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const exchange = (query: string, asked = party) =>
    exchangeCode(context, asked, { params: new URLSearchParams(query), code_verifier: 'v'.repeat(43), nonce: null })
  const sent = () => hostile.received.filter(({ url }) => url === '/token').length
  const cases: Array<[string, string]> = [
    ['code=c&iss=https://evil.example', 'iss'],
    [`code=c&iss=${hostile.issuer}&iss=https://evil.example`, 'response'],
    ['code=c&code=d', 'code'],
    ['state=s', 'code'],
    ['code=', 'code'],
    ['', 'code'],
    ['code=c&id_token=x', 'response'],
    ['response=x.y.z', 'response'],
    ['error=access_denied&iss=https://evil.example', 'iss'],
  ]
  for (const [query, reason] of cases) {
    const outcome = await exchange(query)
    assert.equal(outcome.kind === 'rejected' ? outcome.reason : outcome.kind, reason, query)
  }
  assert.equal(sent(), 0)
  hostile.metadata['authorization_response_iss_parameter_supported'] = true
  assert.equal((await exchange(`code=c&iss=${encodeURIComponent(hostile.issuer)}`)).kind, 'tokens')
  const bare = { ...party.provider, issuer: null, discovery: null, token_endpoint: `${hostile.issuer}/token` }
  assert.equal((await exchange('code=c&iss=whoever', { ...party, provider: bare })).kind, 'tokens')
})

test('what a provider says of a code that it refuses is kept without the code and its verifier', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const [code, code_verifier] = ['the-code-of-the-flow', 'v'.repeat(43)]
  hostile.answers.set('/token', (response, request) => {
    const sent = new URLSearchParams(request.body)
    const error_description = `no ${sent.get('code')} with ${sent.get('code_verifier')}`
    return answerJson({ error: 'invalid_grant', error_description }, 400)(response, request)
  })
  const params = new URLSearchParams({ code })
  const outcome = await exchangeCode(context, party, { params, code_verifier, nonce: null })
  assert.equal(outcome.kind === 'refused' && outcome.error_description, 'no [removed] with [removed]')
})

test('an error that the provider sends back by the browser is a cleaned refusal', async (t) => {
  const { context, party } = await startRelyingParty(t)
  const params = new URLSearchParams({ error: 'access_denied', error_description: 'No\r\n\u202eway' })
  const outcome = await exchangeCode(context, party, { params, code_verifier: null, nonce: null })
  assert.deepEqual(outcome, {
    kind: 'refused',
    error: 'access_denied',
    provider_error: 'access_denied',
    error_description: 'No way',
  })
})
