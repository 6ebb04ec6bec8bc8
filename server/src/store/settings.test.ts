import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_SETTINGS, readSettings } from './settings.ts'

test('what is not set has its default', () => {
  assert.deepEqual(readSettings({}), DEFAULT_SETTINGS)
  assert.deepEqual(readSettings({ code_lifetime_seconds: 30 }), { ...DEFAULT_SETTINGS, code_lifetime_seconds: 30 })
})

test('the defaults are within their own limits', () => {
  assert.deepEqual(readSettings({ ...DEFAULT_SETTINGS }), DEFAULT_SETTINGS)
})

test('an unknown setting is refused by name', () => {
  for (const name of ['code_lifetime', 'Code_lifetime_seconds', 'toString', 'constructor', '']) {
    assert.throws(() => readSettings({ [name]: 1 }), { message: `settings.${name} is not a setting` })
  }
})

test('a number outside of its limits, or none at all, is refused with the limits', () => {
  const refusal = { message: 'settings.code_lifetime_seconds must be a whole number from 10 to 600' }
  for (const value of [9, 601, 10.5, -60, '60', null, undefined, Number.NaN, Number.POSITIVE_INFINITY, {}, true]) {
    assert.throws(() => readSettings({ code_lifetime_seconds: value }), refusal, String(value))
  }
  for (const value of [10, 600])
    assert.equal(readSettings({ code_lifetime_seconds: value }).code_lifetime_seconds, value)
})

test('services are registered by administrators or by anyone, and nothing else', () => {
  assert.equal(readSettings({ service_registration: 'open' }).service_registration, 'open')
  for (const value of ['Open', '', true, null]) {
    const refusal = { message: 'settings.service_registration must be administrators or open' }
    assert.throws(() => readSettings({ service_registration: value }), refusal)
  }
})

test('5.8 the look of a tenant is a line that shows something, a colour, and a small picture, or nothing', () => {
  const refuses = (setting: string, must: string, ...values: unknown[]) => {
    for (const value of values) {
      assert.throws(() => readSettings({ [setting]: value }), { message: `settings.${setting} must be ${must}` })
    }
  }
  const names = ['a\nb', 'a\u202eb', 'a\u0000b', ' ', '\u200b', '\u3164', '\u2060\u200d', 'x'.repeat(81), null, 5]
  refuses('brand_name', 'a name of at most 80 characters on one line, or empty', ...names)
  for (const brand_name of ['', 'Nordwind & Söhne', 'شمال', '日本', '👩‍💻', '“N”', 'می‌خواهم', '❤️']) {
    assert.equal(readSettings({ brand_name }).brand_name, brand_name)
  }
  const colours = ['red', '#fff', '#1234567', '#12345g', '#123456;}*{display:none', 'url(//e.example)', 0x123456]
  refuses('brand_accent', 'a colour such as #3350c0, or empty', ...colours)
  const picture = 'data:image/png;base64,'
  const pictures = [
    '/logo.png',
    'https://e.example/l.png',
    'data:image/svg+xml;base64,AA==',
    `${picture}<svg>`,
    picture,
  ]
  const long = `${picture}${'A'.repeat(44_000)}`
  const must = 'a PNG, JPEG or WebP picture of at most 32768 bytes as a data URL, or empty'
  refuses('brand_logo', must, ...pictures, long, [], null)
})
