import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Answer, answerCut, answerJson, answerText } from '../../../test/parts/hostile_provider.ts'
import { startRelyingParty } from '../../../test/parts/relying_party.ts'
import type { Step } from '../providers/quirks.ts'
import type { Tokens } from './outcome.ts'
import { stepAfterExchange } from './steps.ts'

const TOKENS: Tokens = {
  ...{ kind: 'tokens', access_token: 'first', token_type: 'Bearer', expires_in: 60, refresh_token: 'rt' },
  ...{ refresh_token_expires_in: null, scope: 'a', id_token: null, extra: { kept: 1 }, warnings: [] },
}

/** Takes tokens through one step, whose answer a test writes. */
async function startStep(t: TestContext, more: Partial<Step>) {
  const { hostile, context, party } = await startRelyingParty(t)
  const url = `${hostile.issuer}/step`
  const step: Step = {
    ...{ name: 'step', when: 'after_exchange', method: 'GET', url, authorization: 'bearer', params: {}, body: 'query' },
    ...{ replaces_token: false, choice: null, keep: { place: 'place.id', odd: 'odd' }, ...more },
  }
  const provider = { ...party.provider, steps: [step] }
  return async (answer: Answer) => {
    hostile.answers.set('/step', answer)
    return stepAfterExchange(context, { ...party, provider }, TOKENS)
  }
}

test('what a step keeps is plain, and of the answer', async (t) => {
  const take = await startStep(t, {})
  const stepped = await take(answerJson({ place: { id: 7 }, odd: { a: 1 }, more: 'x' }))
  assert.equal(stepped.kind, 'stepped')
  if (stepped.kind === 'stepped') assert.deepEqual(stepped.tokens.extra, { kept: 1, place: 7 })
  for (const odd of ['a\u0000b', 'a\u202eb', 'x'.repeat(2_000), ['a'], null]) {
    const outcome = await take(answerJson({ odd }))
    if (outcome.kind === 'stepped') assert.deepEqual(outcome.tokens.extra, { kept: 1 }, JSON.stringify(odd))
    else assert.fail(outcome.kind)
  }
})

test('a step that does not answer as it should brings nothing', async (t) => {
  const take = await startStep(t, {})
  assert.equal((await take(answerJson({ error: 'invalid_token' }, 400))).kind, 'refused')
  assert.equal((await take(answerJson({ error: 'invalid_client' }, 401))).kind, 'client_refused')
  assert.equal((await take(answerText('', 429))).kind, 'throttled')
  for (const answer of [
    answerText('<html>'),
    answerText('', 500),
    answerCut('{'),
    answerText('', 302, { location: '/' }),
  ]) {
    assert.equal((await take(answer)).kind, 'unknown')
  }
  assert.equal((await take(answerJson(`{"a":${'['.repeat(100)}`))).kind, 'unknown')
})

test('a person chooses among what the answer lists, as many as can be shown', async (t) => {
  const take = await startStep(t, { choice: { list: '', id: 'id', name: ['name'] }, keep: { site: 'id' } })
  const listed = async (answer: unknown) => {
    const outcome = await take(answerText(JSON.stringify(answer)))
    return outcome.kind === 'stepped' ? outcome.options : assert.fail(outcome.kind)
  }
  assert.deepEqual(await listed([{ id: 'a', name: 'A\u202e' }, { id: 2 }, { name: 'no id' }, 'x', null]), [
    { id: 'a', name: 'A', kept: { site: 'a' } },
    { id: '2', name: '2', kept: { site: 2 } },
  ])
  assert.deepEqual(await listed({ id: 'a' }), [], 'what is no list has nothing to choose from')
  assert.equal((await listed(Array.from({ length: 1_000 }, (_, id) => ({ id }))))!.length, 100)
})

test('a token that replaces another leaves alone what it does not bring', async (t) => {
  const take = await startStep(t, { replaces_token: true, params: { old: '{access_token}' } })
  const stepped = await take(answerJson({ access_token: 'second', token_type: 'Bearer', expires_in: 5_000 }))
  assert.equal(stepped.kind, 'stepped')
  if (stepped.kind !== 'stepped') return
  const { access_token, expires_in, refresh_token, scope, extra } = stepped.tokens
  assert.deepEqual([access_token, expires_in, refresh_token, scope, extra], ['second', 5_000, 'rt', 'a', { kept: 1 }])
  assert.equal((await take(answerJson({ token_type: 'Bearer' }))).kind, 'unknown')
  assert.equal((await take(answerJson({ error: 'invalid_grant' }, 400))).kind, 'refused')
})
