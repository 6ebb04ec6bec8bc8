import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkAssertionClaims, checkBegun } from './jwt_claims.ts'

const now = 1_800_000_000_500
const at = 1_800_000_000
const rules = { now, iss: 'client', aud: 'https://as.example', longest_seconds: 300 }
const claims = { iss: 'client', sub: 'client', aud: 'https://as.example', exp: at + 60, jti: 'j' }

test('an assertion that says what it must is taken, with and without iat and nbf', () => {
  for (const more of [
    {},
    { iat: at },
    { nbf: at - 5, iat: at - 5 },
    { exp: at + 310 },
    { exp: at + 0.7 },
    { foo: {} },
  ]) {
    assert.ok(checkAssertionClaims({ ...claims, ...more }, rules))
  }
})

test('P-08 9.2.3 O-01 CVE-2025-27370 CVE-2020-26160 aud is our issuer, as a string and alone', () => {
  const wrong = [
    undefined,
    null,
    '',
    ['https://as.example'],
    ['https://as.example', 'https://as.example/token'],
    'https://as.example/',
    'https://as.example/token',
    'https://AS.example',
    'https://as.example ',
    'https://as.example.evil.example',
    { 0: 'https://as.example' },
    true,
  ]
  for (const aud of wrong) {
    assert.throws(() => checkAssertionClaims({ ...claims, aud }, rules), /must have aud/, JSON.stringify(aud))
  }
})

test('9.2.1 10.4.16 an assertion ends, and ends soon', () => {
  for (const exp of [at, at - 1, 0]) {
    assert.throws(() => checkAssertionClaims({ ...claims, exp }, rules), /is expired/, String(exp))
  }
  for (const exp of [at + 311, at + 3600, 2 ** 39]) {
    assert.throws(() => checkAssertionClaims({ ...claims, exp }, rules), /must end within 300 s/, String(exp))
  }
  const { exp: _, ...endless } = claims
  assert.throws(() => checkAssertionClaims(endless, rules), /must have an exp/)
  for (const exp of ['1800000060', null, Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 40, [at + 60]]) {
    assert.throws(() => checkAssertionClaims({ ...claims, exp }, rules), /exp/, String(exp))
  }
})

test('P-13 iat and nbf may be up to 10 s ahead of our clock', () => {
  for (const name of ['iat', 'nbf']) {
    for (const ahead of [-600, 0, 9, 10]) checkBegun({ [name]: at + ahead }, now)
    for (const ahead of [11, 61, 3600]) assert.throws(() => checkBegun({ [name]: at + ahead }, now), /in the future/)
    assert.throws(() => checkBegun({ [name]: 'soon' }, now), /not a time/)
    assert.throws(() => checkAssertionClaims({ ...claims, [name]: at + 61 }, rules), /in the future/)
  }
})

test('an assertion without its issuer, subject or identifier is refused', () => {
  const wrong = [
    { iss: 'other' },
    { iss: undefined },
    { iss: ['client'] },
    { sub: '' },
    { sub: 7 },
    { sub: 'a\0' },
    { sub: '\ud800' },
    { sub: 's'.repeat(2049) },
  ]
  for (const more of [...wrong, { jti: undefined }, { jti: '' }, { jti: 5 }, { jti: 'j'.repeat(257) }]) {
    assert.throws(() => checkAssertionClaims({ ...claims, ...more }, rules), /must have/, JSON.stringify(more))
  }
})
