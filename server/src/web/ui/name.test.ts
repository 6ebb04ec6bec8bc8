import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientName, code, displayName, exactText, initial, name, userName } from './name.ts'

test('a name loses what is invisible, turns the direction of text or breaks the line', () => {
  assert.equal(displayName('\u202emoc.elgoog\u202c'), 'moc.elgoog')
  assert.equal(displayName('\u2066a\u2069\u200f\u061c\u200b\ufeff\u00adb'), 'ab')
  assert.equal(displayName('  one\n\r\ttwo\u2028\u0000\u001b[31m '), 'one two [31m')
  assert.equal(displayName('tag\u{e0041}\ue000'), 'tag')
  assert.equal(displayName('\ud800x'), '\ufffdx')
})

test('a name keeps its letters, joined emoji and joined Persian letters', () => {
  for (const text of ['Zoë', 'Łódź', 'Việt', 'עברית', 'می\u200cخواهم', '👩🏽‍💻', '🇨🇭', 'O’Brien & Söhne <GmbH>']) {
    assert.equal(displayName(text), text)
  }
})

test('a tower of combining marks is cut to three', () => {
  assert.equal(displayName(`Z${'\u0334\u0315'.repeat(40)}a`), 'Z\u0334\u0315\u0334a')
})

test('a long name is cut at a whole character, and the work is bounded', () => {
  const cut = displayName('👩🏽‍💻'.repeat(5000))
  assert.ok(cut.length <= 80)
  assert.match(cut, /^(👩🏽‍💻)+…$/u)
  assert.equal(displayName('x'.repeat(1e6)).length, 80)
})

test('a name stands isolated, so that it cannot move its neighbours', () => {
  assert.equal(String(name('<b>')), '<bdi>&lt;b&gt;</bdi>')
})

test('a client or user whose name shows nothing is called by its identifier', () => {
  assert.equal(clientName({ client_id: 'web', client_name: ' \u200b\u3164\u200d ' }), 'web')
  assert.equal(clientName({ client_id: 'web' }), 'web')
  assert.equal(clientName({ client_id: 'web', client_name: 'Notes' }), 'Notes')
  assert.equal(userName({ username: 'alice', name: '' }), 'alice')
})

test('a mark is the first letter or digit of a name, or a dot', () => {
  assert.deepEqual(['"><élan', '9to5', '🎈', 'ß'].map(initial), ['É', '9', '·', 'SS'])
})

test('an identifier shows what would be invisible as an escape, and is not otherwise changed', () => {
  assert.equal(exactText('https://a.example/%20?b=ü'), 'https://a.example/%20?b=ü')
  assert.equal(exactText('a\u202eb\u200dc\u0000'), 'a\\u{202e}b\\u{200d}c\\u{0000}')
  assert.equal(exactText('line\n\tline'), 'line\n\tline')
  assert.equal(exactText('x'.repeat(600)).length, 501)
  assert.equal(String(code('<')), '<code dir="ltr">&lt;</code>')
})
