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
