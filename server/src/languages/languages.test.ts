import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Languages, readAcceptLanguage, readTag } from './languages.ts'

const text = {}
const languages = new Languages(text, new Map(['de', 'de-AT', 'zh-Hant', 'ar'].map((tag) => [tag, text])))

test('RFC 9110 section 12.5.4 what a browser accepts is read by weight, and what is not written so is passed over', () => {
  const cases: [string | undefined, string[], string[]][] = [
    [undefined, [], []],
    ['', [], []],
    ['de', ['de'], []],
    ['da, en-GB;q=0.8, en;q=0.7', ['da', 'en-gb', 'en'], []],
    ['en;q=0.5, de;q=0.9,fr ; q=1.000', ['fr', 'de', 'en'], []],
    ['en;q=0.5, de;q=0.5', ['en', 'de'], []],
    ['de;q=0, en', ['en'], ['de']],
    ['fr, *;q=0.5, en;q=0.1', ['fr'], []],
    ['de;q=1.5, en;q=0.1234, fr;q=-1, ar;level=1, <script>, "de", de_AT', [], []],
    ['toolongasubtag, en', ['en'], []],
  ]
  for (const [header, ranges, refused] of cases) {
    const read = readAcceptLanguage(header)
    assert.deepEqual([read.ranges, [...read.refused]], [ranges, refused], header)
  }
})

test('2.4.1 of a header of any length a few ranges are read, and none that no language has', () => {
  const header = Array.from({ length: 5000 }, (_, i) => `x${'abcdefghij'[i % 10]}`).join(',')
  const long = `de${'-a'.repeat(8000)}`
  assert.deepEqual(readAcceptLanguage(`${long}, en`).ranges, ['en'])
  assert.equal(languages.lookUp([long, 'ar'])?.tag, 'ar')
  const before = performance.now()
  assert.equal(readAcceptLanguage(header).ranges.length, 32)
  assert.ok(performance.now() - before < 50)
})

test('RFC 4647 section 3.4 a range is cut from its end until there is such a language', () => {
  const cases: [string[], string | undefined][] = [
    [['de'], 'de'],
    [['DE-ch-1996'], 'de'],
    [['de-AT'], 'de-AT'],
    [['de-at-vienna'], 'de-AT'],
    [['zh-Hant-TW-x-private'], 'zh-Hant'],
    [['zh'], undefined],
    [['fr-CH', 'ar-EG'], 'ar'],
    [['fr'], undefined],
    [['x-de'], undefined],
    [[], undefined],
    [['__proto__', 'constructor', ''], undefined],
  ]
  for (const [ranges, tag] of cases) assert.equal(languages.lookUp(ranges)?.tag, tag, ranges.join())
})

test('whoever is nearest to the person has the first word, and nobody who names no language of ours', () => {
  const all = {
    here: 'ar',
    ui_locales: ['fr', 'de-CH'],
    chosen: [undefined, 'zh-Hant'],
    accept_language: 'de-AT, en;q=0.9',
    default_locale: 'ar-SA',
  }
  const rest: Record<string, unknown> = { ...all }
  for (const [wish, tag] of [
    ['here', 'ar'],
    ['ui_locales', 'de'],
    ['chosen', 'zh-Hant'],
    ['accept_language', 'de-AT'],
    ['default_locale', 'ar'],
  ] as const) {
    assert.equal(languages.choose(rest).tag, tag, wish)
    rest[wish] = { here: 'xx', ui_locales: ['xx'], chosen: ['xx'], accept_language: 'xx', default_locale: 'xx' }[wish]
  }
  assert.equal(languages.choose(rest).tag, 'en')
  assert.equal(languages.choose({ accept_language: '*', default_locale: 'de' }).tag, 'de')
  assert.equal(languages.choose({ accept_language: 'de;q=0, de-CH', default_locale: 'ar' }).tag, 'ar')
})

test('a language is called by its own name, and knows its direction', () => {
  assert.deepEqual(
    languages.all.map(({ tag, name, dir }) => [tag, name, dir]),
    [
      ['en', 'English', 'ltr'],
      ['de', 'Deutsch', 'ltr'],
      ['de-AT', 'Deutsch (Österreich)', 'ltr'],
      ['zh-Hant', '中文（繁體）', 'ltr'],
      ['ar', 'العربية', 'rtl'],
    ],
  )
  assert.equal(readTag('DE-at'), 'de-AT')
  for (const none of ['', 'de_AT', '../de', 'x'.repeat(40), 'de-', '中文']) assert.equal(readTag(none), undefined, none)
})
