import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, answerCut, answerJson, answerText } from '../../../test/parts/hostile_provider.ts'
import { startRelyingParty } from '../../../test/parts/relying_party.ts'
import { STANDARD_ERROR_RESPONSE } from '../providers/quirks.ts'
import type { ResolvedProvider } from '../providers/resolve.ts'
import { introspectToken } from './introspection.ts'

test('RFC 7662 2.1 a token is asked about as the client that it was issued to, and only a definite answer counts', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const endpoint: ResolvedProvider = { ...party.provider, introspection_endpoint: `${hostile.issuer}/introspect` }
  const ask = async (answer: Answer, provider = endpoint) => {
    hostile.answers.set('/introspect', answer)
    return (await introspectToken(context, { ...party, provider }, { access_token: 'at' })).kind
  }
  assert.equal(await ask(answerJson({ active: true, sub: 'alice' })), 'claims')
  const { method, headers, body } = hostile.received.at(-1)!
  assert.deepEqual([method, body], ['POST', 'token=at'])
  assert.equal(headers['authorization'], `Basic ${btoa('client:s3cret')}`)
  assert.equal(await ask(answerJson({ active: false })), 'inactive')
  assert.equal(await ask(answerJson({ error: 'invalid_client' }, 401)), 'refused', 'we are refused, and not the token')
  assert.equal(await ask(answerText('', 429)), 'throttled')
  assert.equal(await ask(answerText('', 500)), 'unknown')
  assert.equal(await ask(answerText('[]')), 'unknown')
  assert.equal(await ask(answerCut('{"active"')), 'unknown')
  const introspection_request = { method: 'GET', parameter: null, body: 'query', authorization: 'bearer' } as const
  const bearer = { ...endpoint, introspection_request }
  assert.equal(await ask(answerJson({}, 401), bearer), 'inactive')
  assert.equal(hostile.received.at(-1)!.headers['authorization'], 'Bearer at')
  assert.equal(await ask(answerJson({}), { ...party.provider, discovery: null }), 'unsupported')
  const error_response = {
    ...STANDARD_ERROR_RESPONSE,
    within_200: { path: 'ok', equals: false },
    meanings: { token_revoked: 'invalid_grant', ratelimited: 'throttled', fatal_error: 'unknown' },
  } as const
  const told = { ...bearer, error_response }
  assert.equal(await ask(answerJson({ ok: true }), told), 'claims')
  assert.equal(await ask(answerJson({ ok: false, error: 'token_revoked' }), told), 'inactive')
  assert.equal(await ask(answerJson({ ok: false, error: 'invalid_auth' }), told), 'refused', 'not said to be dead')
  assert.equal(await ask(answerJson({ ok: false }), told), 'refused')
  assert.equal(await ask(answerJson({ ok: false, error: 'ratelimited' }), told), 'throttled')
  assert.equal(await ask(answerJson({ ok: false, error: 'fatal_error' }), told), 'unknown')
})
