import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuthError } from '../../oauth/errors.ts'
import { readReturnTo } from './return_to.ts'

const ISSUER = 'https://id.example.com/hub'
const REGISTERED = ['https://app.example.com/connected']

test('a path of the issuer and a registered URI are taken', () => {
  assert.equal(readReturnTo(ISSUER, [], undefined), '/hub/account')
  assert.equal(readReturnTo(ISSUER, [], '/hub'), '/hub')
  assert.equal(readReturnTo(ISSUER, [], '/hub/account?done=1#c'), '/hub/account?done=1#c')
  assert.equal(readReturnTo(ISSUER, [], 'https://id.example.com/hub/authorize?x=%2F'), '/hub/authorize?x=%2F')
  assert.equal(readReturnTo(ISSUER, REGISTERED, REGISTERED[0]), REGISTERED[0])
  assert.equal(readReturnTo('http://localhost:9400', [], '/'), '/')
})

const HOSTILE = [
  ...['', 'account', 'https://evil.example/', 'http://id.example.com/hub', 'https://id.example.com.evil.example/hub'],
  ...[
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
  ],
  ...['https:/evil.example', 'https:evil.example', 'https://id.example.com@evil.example/hub', 'javascript:alert(1)'],
  ...['data:text/html,x', ' /hub', '/hub\0', '/hub/../other', '/hub/%2e%2e/other', '/hubble', '/', '/other'],
  ...['https://app.example.com/connected/', 'https://app.example.com/connected?x', `/hub/${'a'.repeat(8192)}`],
  ...['//id.example.com/hub', 'HTTPS://ID.EXAMPLE.COM/hub', '/hub\u2028', 'https://id.example.com\\@evil.example/hub'],
]

test('B-14 P-07 CVE-2021-39191 CVE-2021-21291 CVE-2025-71403 any other return_to is refused by name', () => {
  for (const return_to of HOSTILE) {
    assert.throws(
      () => readReturnTo(ISSUER, REGISTERED, return_to),
      (error) => error instanceof OAuthError && error.error_description.includes('return_to'),
      JSON.stringify(return_to),
    )
  }
})

test('B-14 a path that turns into a host when it is normalised is refused', () => {
  for (const return_to of ['/.//evil.example', '/a/..//evil.example', '/%2e//evil.example']) {
    assert.throws(() => readReturnTo('http://localhost:9400', [], return_to), OAuthError, return_to)
  }
})
