import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACRS, acrOf, acrToSay, meetsAcr, readAcrWish } from './acr.ts'

test('RFC 8176 the methods of a sign-in say how sure it is', () => {
  assert.equal(acrOf(['pwd']), 'pwd')
  assert.equal(acrOf(['pwd', 'otp', 'mfa']), 'mfa')
  for (const key of ['hwk', 'swk']) {
    assert.equal(acrOf([key, 'user', 'mfa']), 'phr')
    assert.equal(acrOf([key]), 'pwd', 'a key that nobody unlocked')
  }
  assert.equal(acrOf([]), 'pwd')
})

test('a stronger sign-in meets what a weaker one meets, and never the other way round', () => {
  for (const [i, acr] of ACRS.entries()) {
    for (const [j, wanted] of ACRS.entries()) assert.equal(meetsAcr(acr, wanted), i >= j, `${acr} for ${wanted}`)
  }
  for (const unknown of [null, '', 'PHR', 'urn:of:another']) {
    assert.deepEqual(
      ACRS.map((wanted) => meetsAcr(unknown, wanted)),
      [true, false, false],
    )
  }
})

test('OpenID Connect Core 5.5.1.1 an essential acr decides alone, a voluntary one comes first', () => {
  const listed = ['mfa']
  const wish = (essential: boolean, ...values: unknown[]) => readAcrWish(listed, { essential, values })
  assert.deepEqual(readAcrWish(listed, undefined), { acr_values: ['mfa'], essential: false })
  assert.deepEqual(wish(true, 'phr', 'urn:x'), { acr_values: ['phr', 'urn:x'], essential: true })
  assert.deepEqual(wish(false, 'phr'), { acr_values: ['phr', 'mfa'], essential: false })
  assert.deepEqual(wish(true), { acr_values: ['mfa'], essential: false })
  assert.deepEqual(wish(true, 7, null, {}), { acr_values: ['mfa'], essential: false })
})

test('OpenID Connect Core 5.5.1.1 the acr that is said is one that was asked for and is met', () => {
  assert.equal(acrToSay('phr', { acr_values: ['mfa'], essential: true }), 'mfa')
  assert.equal(acrToSay('phr', { acr_values: ['urn:x', 'phr', 'mfa'], essential: false }), 'phr')
  assert.equal(acrToSay('pwd', { acr_values: ['mfa'], essential: false }), 'pwd')
  assert.equal(acrToSay('mfa', { acr_values: [], essential: false }), 'mfa')
  assert.equal(acrToSay(null, { acr_values: [], essential: false }), 'pwd')
})
