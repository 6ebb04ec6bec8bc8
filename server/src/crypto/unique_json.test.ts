import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseUniqueJson } from './unique_json.ts'

test('5.12 a member that is given twice is refused, however it is spelled and wherever it stands', () => {
  const twice = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{ "a" : 1 , "b" : [ ] , "a" : { } }',
    '{"x":{"a":1,"b":{},"a":2}}',
    '[{"a":[{"b":1,"b":2}]}]',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a\\"":1,"a\\"":2}',
  ]
  for (const text of twice) assert.throws(() => parseUniqueJson(text), SyntaxError, text)
})

test('the same name in two objects, and a name as a value, are no repetition', () => {
  for (const text of [
    '{"a":"a","b":"a"}',
    '[{"a":1},{"a":2}]',
    '{"a":{"a":{"a":["a","a"]}}}',
    '{"a":",","b":"{\\"a"}',
  ]) {
    assert.deepEqual(parseUniqueJson(text), JSON.parse(text))
  }
})

test('whatever JSON.stringify writes is read back, and what is not JSON is refused', () => {
  fc.assert(fc.property(fc.json(), (text) => assert.deepEqual(parseUniqueJson(text), JSON.parse(text))))
  for (const text of ['', '{', '{"a":1,}', "{'a':1}", '\ufeff{}', '{"a":1}x']) {
    assert.throws(() => parseUniqueJson(text), SyntaxError, text)
  }
})

test('a long text is read in a time that grows with its length alone', () => {
  const text = `{${Array.from({ length: 2000 }, (_, i) => `"m${i}":"\\\\\\\\"`).join(',')}}`
  assert.equal(Object.keys(parseUniqueJson(text) as object).length, 2000)
  assert.throws(() => parseUniqueJson('['.repeat(16_000)), SyntaxError)
})
