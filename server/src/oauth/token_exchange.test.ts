import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuthError } from './errors.ts'
import {
  mayAct,
  nestActor,
  readActor,
  readExchangePolicy,
  readExchangeRequest,
  tokenTypeUri,
} from './token_exchange.ts'

const params = (values: Record<string, string>) => ({ values, resource: [], audience: [] })
const refusal = (error: string, text: RegExp) => (thrown: unknown) =>
  thrown instanceof OAuthError && thrown.error === error && text.test(thrown.error_description)
const subject = { subject_token: 's', subject_token_type: tokenTypeUri('access_token') }

test('an exchange is read with the kinds of tokens that RFC 8693 section 3 names', () => {
  assert.deepEqual(readExchangeRequest(params(subject)), {
    ...{ subject_token: 's', subject_token_type: 'access_token', actor: null, requested_token_type: 'access_token' },
  })
  const whole = {
    ...{ subject_token: 's', subject_token_type: tokenTypeUri('id_token'), actor_token: 'a' },
    ...{ actor_token_type: tokenTypeUri('access_token'), requested_token_type: tokenTypeUri('jwt') },
  }
  assert.deepEqual(readExchangeRequest(params(whole)), {
    ...{ subject_token: 's', subject_token_type: 'id_token', actor: { token: 'a', type: 'access_token' } },
    requested_token_type: 'jwt',
  })
})

test('an exchange that lacks something, or wants what we do not make, is refused by the name of the parameter', () => {
  const cases: [Record<string, string | undefined>, RegExp][] = [
    [{ subject_token: undefined }, /subject_token/],
    [{ subject_token_type: undefined }, /subject_token_type/],
    [{ subject_token_type: tokenTypeUri('access_token').toUpperCase() }, /subject_token_type/],
    [{ subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, /subject_token_type/],
    [{ subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, /subject_token_type/],
    [{ actor_token: 'a' }, /actor_token_type/],
    [{ actor_token_type: tokenTypeUri('access_token') }, /actor_token_type/],
    [{ actor_token: 'a', actor_token_type: tokenTypeUri('jwt') }, /actor_token_type/],
    [{ requested_token_type: tokenTypeUri('id_token') }, /requested_token_type/],
    [{ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, /requested_token_type/],
  ]
  for (const [change, text] of cases) {
    const given = Object.entries({ ...subject, ...change }).filter(
      (pair): pair is [string, string] => pair[1] !== undefined,
    )
    assert.throws(() => readExchangeRequest(params(Object.fromEntries(given))), refusal('invalid_request', text))
  }
})

test('actors are nested, the present one outermost, and at most four of them', () => {
  let act = nestActor({ sub: 'a' }, undefined)!
  assert.deepEqual(act, { sub: 'a' })
  for (const sub of ['b', 'c', 'd']) act = nestActor({ sub }, act)!
  assert.deepEqual(act, { sub: 'd', act: { sub: 'c', act: { sub: 'b', act: { sub: 'a' } } } })
  assert.deepEqual(nestActor({ sub: 'd' }, act), act, 'who exchanges again is there already')
  assert.throws(() => nestActor({ sub: 'e' }, act), refusal('invalid_request', /4 parties/))
  assert.deepEqual(nestActor({ sub: 'a', iss: 'x' }, { sub: 'a' }), { sub: 'a', iss: 'x', act: { sub: 'a' } })
  assert.deepEqual(nestActor(null, act), act, 'impersonation hides nobody who acted before')
})

test('whoever acts for the actor is not forgotten for those who acted before', () => {
  const actor = { sub: 'a', act: { sub: 'b' } }
  assert.deepEqual(nestActor(actor, undefined), actor)
  assert.deepEqual(nestActor(actor, { sub: 'c' }), { sub: 'a', act: { sub: 'b', act: { sub: 'c' } } })
  assert.deepEqual(nestActor(actor, { sub: 'b' }), actor)
  assert.throws(
    () => nestActor(actor, { sub: 'c', act: { sub: 'd', act: { sub: 'e' } } }),
    refusal('invalid_request', /4 parties/),
  )
})

test('an assertion names who acts under its issuer`s names, or is refused', () => {
  assert.equal(readActor(undefined, 'https://i'), undefined)
  const act = { sub: 'a', email: 'x', act: { sub: 'b', iss: 'https://j' } }
  assert.deepEqual(readActor(act, 'https://i'), {
    ...{ sub: 'a', iss: 'https://i' },
    act: { sub: 'b', iss: 'https://j' },
  })
  for (const wrong of [null, 'a', [], {}, { sub: 1 }, { sub: 'a', iss: 1 }, { sub: 'a', act: 'b' }]) {
    assert.throws(() => readActor(wrong, 'https://i'), refusal('invalid_request', /act/), JSON.stringify(wrong))
  }
})

test('may_act names who may act, and whoever it does not name may not', () => {
  const actor = { sub: 'agent', iss: 'https://i' }
  assert.ok(mayAct(undefined, actor))
  assert.ok(mayAct({ sub: 'agent' }, actor))
  assert.ok(mayAct({ sub: 'agent', iss: 'https://i' }, actor))
  for (const may_act of [
    null,
    'agent',
    [],
    [{ sub: 'agent' }],
    {},
    { sub: 1 },
    { sub: 'other' },
    { iss: 'https://i' },
  ]) {
    assert.ok(!mayAct(may_act, actor), JSON.stringify(may_act))
  }
  assert.ok(!mayAct({ sub: 'agent', iss: 'https://j' }, actor))
  assert.ok(!mayAct({ sub: 'agent', iss: 'https://i' }, { sub: 'agent' }))
})

test('CVE-2022-1245 a policy says what may be exchanged; what it does not say is not allowed', () => {
  assert.equal(readExchangePolicy({}), undefined)
  assert.deepEqual(readExchangePolicy({ token_exchange: {} }), {
    ...{ resources: [], impersonation: false },
  })
  const whole = {
    resources: ['https://b'],
    impersonation: true,
  }
  assert.deepEqual(readExchangePolicy({ token_exchange: whole }), whole)
  for (const policy of [[], 'all', true, { everything: true }, { resources: 'https://b' }, { impersonation: 'yes' }]) {
    assert.throws(() => readExchangePolicy({ token_exchange: policy }), refusal('invalid_client_metadata', /Member /))
  }
})
