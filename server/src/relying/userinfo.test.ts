import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, answerCut, answerJson, answerText } from '../../../test/parts/hostile_provider.ts'
import { startRelyingParty } from '../../../test/parts/relying_party.ts'
import { fetchUserinfo } from './userinfo.ts'

test('10.5.2 userinfo is taken only about the user that the ID token names', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const ask = async (answer: Answer, sub?: string) => {
    hostile.answers.set('/userinfo', answer)
    return (await fetchUserinfo(context, party, { access_token: 'at', ...(sub ? { sub } : {}) })).kind
  }
  assert.equal(await ask(answerJson({ sub: 'alice' }), 'alice'), 'claims')
  assert.equal(hostile.received.at(-1)!.headers['authorization'], 'Bearer at')
  assert.equal(await ask(answerJson({ id: 1 })), 'claims')
  assert.equal(await ask(answerJson({ sub: 'eve' }), 'alice'), 'rejected')
  assert.equal(await ask(answerJson({}), 'alice'), 'rejected')
  assert.equal(await ask(answerJson({}, 401)), 'refused')
  assert.equal(await ask(answerJson({}, 403)), 'refused')
  assert.equal(await ask(answerText('', 429)), 'throttled')
  assert.equal(await ask(answerText('<html>', 200)), 'unknown')
  assert.equal(await ask(answerCut('{"sub"')), 'unknown')
  assert.equal(await ask(answerText('', 302, { location: '/x' })), 'unknown')
  const bare = { ...party.provider, discovery: null }
  assert.equal((await fetchUserinfo(context, { ...party, provider: bare }, { access_token: 'at' })).kind, 'unsupported')
})
