import assert from 'node:assert/strict'
import { test } from 'node:test'
import { html } from '../html.ts'
import { say, sayText } from './say.ts'

test('holes are filled with markup or escaped text, in the order of the sentence', () => {
  const holes = { a: html`<b>1</b>`, b: '<2>' }
  assert.equal(String(say('en', '{a} then {b}.', holes)), '<b>1</b> then &lt;2&gt;.')
  assert.equal(String(say('de', '{b}, davor {a}.', holes)), '&lt;2&gt;, davor <b>1</b>.')
})

test('what fills a hole is not read as a message', () => {
  assert.equal(sayText('en', '{a}{b}', { a: '{b}', b: 'x' }), '{b}x')
})

test('a number picks the form that its language has', () => {
  const minutes = { one: '{n} minute', other: '{n} minutes' }
  assert.deepEqual(
    [0, 1, 2].map((n) => sayText('en', minutes, { n })),
    ['0 minutes', '1 minute', '2 minutes'],
  )
  const arabic = { zero: 'z', one: 'o', two: 't', few: 'f', many: 'm', other: '{n}' }
  assert.deepEqual(
    [0, 1, 2, 5, 11, 100].map((n) => sayText('ar', arabic, { n })),
    ['z', 'o', 't', 'f', 'm', '100'],
  )
  assert.equal(sayText('ar', minutes, { n: 2 }), '2 minutes')
})

test('a number is written as its language writes it, and a name in a sentence from right to left moves nothing', () => {
  assert.equal(sayText('de', '{n} Anfragen', { n: 12_345 }), '12.345 Anfragen')
  assert.equal(sayText('ar', 'مرحبًا {name}!', { name: 'Acme (US)' }), 'مرحبًا \u2068Acme (US)\u2069!')
  assert.equal(sayText('en', 'Hello {name}!', { name: 'Acme (US)' }), 'Hello Acme (US)!')
})
