import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OAuthError } from './errors.ts'
import { readJsonParams, readParams, readSoundParams, requireParam } from './params.ts'

const refused = (error_description: RegExp) => (error: unknown) =>
  error instanceof OAuthError && error.error === 'invalid_request' && error_description.test(error.error_description)

test('parameters are read as application/x-www-form-urlencoded', () => {
  const { values } = readParams('a=1&b=two+words&c=%C3%A9%2B&d=x=y&&e')
  assert.deepEqual({ ...values }, { a: '1', b: 'two words', c: 'é+', d: 'x=y' })
})

test('what URLSearchParams writes is read back', () => {
  const name = fc.stringMatching(/^[a-z_]{1,20}$/).filter((text) => text !== 'resource' && text !== 'audience')
  const value = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('\0'))
  fc.assert(
    fc.property(fc.dictionary(name, value), (given) => {
      assert.deepEqual({ ...readParams(new URLSearchParams(given).toString()).values }, { ...given })
    }),
  )
})

test('a parameter without a value counts as absent', () => {
  assert.deepEqual({ ...readParams('scope=&state').values }, {})
  assert.throws(() => requireParam(readParams('code='), 'code'), refused(/^Parameter code is missing$/))
})

test('an unknown parameter is no error', () => {
  assert.equal(readParams('grant_type=x&colour=red').values['colour'], 'red')
})

test('a repeated parameter is refused by name', () => {
  assert.throws(() => readParams('scope=a&state=b&scope=a'), refused(/^Parameter scope is given more than once$/))
  assert.equal(readParams('scope=&scope=a').values['scope'], 'a')
})

test('resource and audience may be given several times', () => {
  const params = readParams('resource=https://a&resource=https://b&audience=x&audience=y')
  assert.deepEqual(params.resource, ['https://a', 'https://b'])
  assert.deepEqual(params.audience, ['x', 'y'])
})

test('a parameter that is not UTF-8 is refused by name', () => {
  assert.throws(() => readParams('state=%ff'), refused(/^Parameter state is not UTF-8/))
  assert.throws(() => readParams('state=%'), refused(/^Parameter state is not UTF-8/))
  assert.throws(() => readParams('%ff=x'), refused(/^A parameter name is not UTF-8/))
})

test('a NUL character is refused by name', () => {
  assert.throws(() => readParams('state=a%00b'), refused(/^Parameter state contains a NUL/))
  assert.throws(() => readJsonParams('{"state":"a\\u0000b"}'), refused(/^Parameter state contains a NUL/))
})

test('an oversized name or value is refused', () => {
  assert.throws(() => readParams(`${'n'.repeat(65)}=1`), refused(/^A parameter name is too long$/))
  assert.throws(() => readJsonParams(`{"${'n'.repeat(65)}":1}`), refused(/^A parameter name is too long$/))
  assert.throws(() => readParams(`state=${'v'.repeat(16_385)}`), refused(/^Parameter state is too long$/))
  assert.equal(readParams(`state=${'v'.repeat(16_384)}`).values['state']?.length, 16_384)
})

test('names of Object.prototype are parameters like others', () => {
  const { values } = readParams('__proto__=a&constructor=b')
  assert.deepEqual(Object.entries(values).sort(), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ])
  assert.equal(readParams('').values['toString'], undefined)
})

test('a JSON body is read by the same rules', () => {
  const params = readJsonParams('{"grant_type":"x","scope":"","resource":["https://a","https://b"]}')
  assert.deepEqual({ ...params.values }, { grant_type: 'x' })
  assert.deepEqual(params.resource, ['https://a', 'https://b'])
})

test('a JSON body of another shape is refused', () => {
  assert.throws(() => readJsonParams('{'), refused(/^The body is not JSON$/))
  for (const text of ['null', '[]', '"a"']) {
    assert.throws(() => readJsonParams(text), refused(/^The body must be a JSON object$/))
  }
  for (const text of ['{"scope":1}', '{"scope":["a"]}', '{"scope":null}', '{"resource":[1]}']) {
    assert.throws(() => readJsonParams(text), refused(/^Parameter (scope|resource) must be a string$/))
  }
})

test('of a request with wrong parameters the others can be read, and each refusal has its name', () => {
  const { params, refusals } = readSoundParams('client_id=web&scope=a&scope=b&nonce=%ff&state=a%00&%73cope=c&x=1')
  assert.deepEqual({ ...params.values }, { client_id: 'web', x: '1' })
  assert.deepEqual([...refusals.keys()], ['scope', 'nonce', 'state'])
  for (const [name, error] of refusals) assert.match(error.error_description, new RegExp(`^Parameter ${name} `))
  assert.deepEqual(readSoundParams('client_id=web&resource=a&resource=b').refusals.size, 0)
})

test('a request with too many wrong parameters is not read on', () => {
  assert.throws(() => readSoundParams('a=1&'.repeat(10)), refused(/^Parameter a is given more than once$/))
})
